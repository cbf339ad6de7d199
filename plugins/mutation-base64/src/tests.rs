//! Values and options in, values or refusals out.

use countersign_plugin::Reason;

use super::*;

fn entries(pairs: &[(&str, &str)]) -> Vec<Entry> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn mutate(values: &[(&str, &str)], options: &[(&str, &str)]) -> Result<Vec<Entry>, Refusal> {
    Base64::mutate(&entries(values), &entries(options))
}

#[test]
fn the_target_alone_comes_back_encoded() {
    let pair = [("api_key", "id"), ("api_secret", "s:??>")];
    for (values, options, encoded) in [
        (&pair[..1], &[][..], "aWQ="),
        (&pair, &[("with", "api_secret")], "aWQ6czo/Pz4="),
        (&pair, &[("with", "api_secret"), ("alphabet", "standard")], "aWQ6czo/Pz4="),
        (&pair, &[("alphabet", "url"), ("with", "api_secret")], "aWQ6czo_Pz4="),
        (&pair, &[("with", "api_key")], "aWQ6aWQ="),
    ] {
        assert_eq!(mutate(values, options).unwrap(), entries(&[("api_key", encoded)]));
    }
}

#[test]
fn what_is_missing_or_unknown_is_refused_by_name() {
    for (values, options, field) in [
        (&[("api_key", "")][..], &[][..], "api_key"),
        (&[("api_key", "id")], &[("with", "api_secret")], "api_secret"),
        (&[("api_key", "id"), ("api_secret", "")], &[("with", "api_secret")], "api_secret"),
        (&[("api_key", "id")], &[("alphabet", "rot13")], "alphabet"),
        (&[("api_key", "id")], &[("colour", "red")], "colour"),
    ] {
        let refusal = mutate(values, options).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidConfig);
        assert_eq!(refusal.field.as_deref(), Some(field));
    }
    assert_eq!(mutate(&[], &[]).unwrap_err().reason, Reason::InvalidRequest);
}

#[test]
fn the_description_is_json_that_names_it() {
    let about = countersign_plugin::flow::json::Object::parse(Base64::describe().as_bytes());
    assert_eq!(about.unwrap().text("name"), Some("base64"));
}
