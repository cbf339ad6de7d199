//! Where a placeholder begins and ends.

use super::*;

fn literal(text: &str) -> Part {
    Part::Literal(text.to_owned())
}

fn name(text: &str) -> Part {
    Part::Name(text.to_owned())
}

#[test]
fn text_is_cut_at_its_placeholders() {
    let cases = [
        ("", vec![]),
        ("plain {x} ${y}", vec![literal("plain {x} ${y}")]),
        ("{{a}}", vec![name("a")]),
        ("x{{a}}{{b.c}}/y", vec![literal("x"), name("a"), name("b.c"), literal("/y")]),
    ];
    for (text, parts) in cases {
        assert_eq!(Text::parse(text).unwrap().parts(), parts, "{text}");
    }
}

#[test]
fn braces_that_are_not_a_placeholder_are_refused() {
    for text in ["{{", "}}", "{{}}", "{{a", "a}}", "{{a}}}}", "{{ a }}", "{{{a}}}", "{{a{{b}}}}"] {
        assert_eq!(Text::parse(text), Err(Malformed), "{text}");
    }
}
