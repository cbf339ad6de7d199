//! Bodies in, members out.

use super::*;

#[test]
fn the_scalars_of_the_top_level_are_kept() {
    let object = Object::parse(
        br#" {"s":"t\u00e9","i":-3,"u":18446744073709551615,"f":1.5,"b":true,"n":null,
             "a":[1,{"s":"no"}],"o":{"i":9}} "#,
    )
    .unwrap();
    for (name, value) in [
        ("s", Some(Value::Text("té".to_owned()))),
        ("i", Some(Value::Integer(-3))),
        ("u", Some(Value::Integer(i64::MAX))),
        ("f", Some(Value::Fraction(1.5))),
        ("b", Some(Value::Bool(true))),
        ("n", None),
        ("a", Some(Value::Nested)),
        ("o", Some(Value::Nested)),
        ("x", None),
    ] {
        assert_eq!(object.member(name), value.as_ref(), "{name}");
    }
    assert_eq!(object.text("s"), Some("té"));
    assert_eq!(object.text("i"), None);
}

#[test]
fn what_is_not_one_object_is_none() {
    let bodies =
        ["", "[]", "1", "null", "\"a\"", "{", "{}{}", "{\"a\":1}x", "<html>", "{\"a\":1,\"a\":2}"];
    for body in bodies {
        assert!(Object::parse(body.as_bytes()).is_none(), "{body}");
    }
    assert!(Object::parse(b"{\"a\":\"\xff\"}").is_none(), "not UTF-8");
}

#[test]
fn depth_costs_no_stack() {
    let deep = ["{\"a\":", &"[".repeat(100_000), &"]".repeat(100_000), "}"].concat();
    assert_eq!(Object::parse(deep.as_bytes()).unwrap().member("a"), Some(&Value::Nested));
}

/// Each is compared with all others: a server's answer would otherwise take the time of a call, and of
/// whoever else has the plugin.
#[test]
fn more_members_than_any_answer_has_are_none() {
    let object = |count: usize| {
        let members: Vec<String> = (0..count).map(|nth| format!("\"{nth}\":{nth}")).collect();
        Object::parse(format!("{{{}}}", members.join(",")).as_bytes())
    };
    assert_eq!(object(1000).unwrap().member("999"), Some(&Value::Integer(999)));
    assert!(object(1001).is_none());
}
