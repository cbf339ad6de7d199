//! What stays of a query, and what goes.

use url::Url;

use super::{QueryEdit, remove};
use crate::edit::EditName;

fn url(query: &str) -> Url {
    Url::parse(&format!("https://api.example.com/v1?{query}")).unwrap()
}

fn pair(name: &str, value: &str) -> QueryEdit {
    QueryEdit::parse(EditName::kind("set-query"), name.to_owned(), value.to_owned()).unwrap()
}

#[test]
fn row_7_every_copy_of_a_parameter_is_replaced_by_its_decoded_name() {
    for (before, after) in [
        ("", "api_key=ours"),
        ("a=1", "a=1&api_key=ours"),
        ("api_key=theirs", "api_key=ours"),
        ("api_key", "api_key=ours"),
        ("api_key=", "api_key=ours"),
        ("%61pi_key=theirs&b=2", "b=2&api_key=ours"),
        ("a=1&api%5Fkey=theirs&b=2", "a=1&b=2&api_key=ours"),
        ("api_key=1&a=1&api_key=2", "a=1&api_key=ours"),
        ("a=1;api_key=theirs&b=2", "a=1&b=2&api_key=ours"),
        ("api_key=1;b=2;c", "b=2;c&api_key=ours"),
        ("API_KEY=1&api_keys=2&xapi_key=3", "API_KEY=1&api_keys=2&xapi_key=3&api_key=ours"),
        ("a=api_key&b==api_key", "a=api_key&b==api_key&api_key=ours"),
    ] {
        let mut url = url(before);
        pair("api_key", "ours").set(&mut url);
        assert_eq!(url.query(), Some(after), "{before}");
    }
}

#[test]
fn a_plus_is_a_blank_in_a_name() {
    let mut url = url("api+key=1&api%20key=2&api%2Bkey=3");
    pair("api key", "ours").set(&mut url);
    assert_eq!(url.query(), Some("api%2Bkey=3&api%20key=ours"));
}

#[test]
fn the_rest_of_the_query_stays_byte_for_byte() {
    let odd = "&&a=%7e%zz&;b=c+d&=e&%&f==g;&%FF=1&";
    let mut url = url(&format!("{odd}&k=1"));
    remove(&mut url, |name| name == "k");
    assert_eq!(url.query(), Some(odd));
    remove(&mut url, |name| name == "other");
    assert_eq!(url.query(), Some(odd));
}

#[test]
fn a_query_that_was_all_taken_away_leaves_no_question_mark() {
    let mut url = url("k=1&k=2");
    remove(&mut url, |name| name == "k");
    assert_eq!(url.as_str(), "https://api.example.com/v1");
}

#[test]
fn names_and_values_are_encoded_so_that_nothing_else_is_added() {
    let mut url = url("a=1");
    pair("k&x", "v&y=z #+%/?ü~-._").append(&mut url);
    assert_eq!(url.query(), Some("a=1&k%26x=v%26y%3Dz%20%23%2B%25%2F%3F%C3%BC~-._"));
    assert_eq!(url.fragment(), None);
    let pairs = url.query_pairs().into_owned().collect::<Vec<_>>();
    assert_eq!(pairs[1], ("k&x".to_owned(), "v&y=z #+%/?ü~-._".to_owned()));
}
