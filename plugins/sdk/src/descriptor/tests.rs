//! What the builder makes of its calls.

use super::*;

#[test]
fn the_builder_keeps_what_it_is_told() {
    let descriptor = Descriptor::builder("ACME")
        .title("A \"quoted\" \\ title\n", "1.2")
        .flows(&["renew"])
        .read(&["account/key"])
        .write(&["body"])
        .fetch(&["pattern/url"])
        .visit(&["pattern/page"])
        .need("send", &["bare"])
        .connection(&[Input::optional("id", "Id")])
        .account(&[Input::required("key", "Key").secret(), Input::required("host", "Host")])
        .build();
    assert_eq!(descriptor.auth_types, ["ACME"]);
    assert_eq!(descriptor.flows, ["renew"]);
    let needs: Vec<_> = descriptor.needs.iter().map(|(v, o)| (v.as_str(), o.as_str())).collect();
    assert_eq!(
        needs,
        [
            ("read", "account/key"),
            ("write", "body"),
            ("fetch", "pattern/url"),
            ("visit", "pattern/page"),
            ("send", "bare"),
        ]
    );
    assert_eq!(
        descriptor.about,
        concat!(
            r#"{"title":"A \"quoted\" \\ title\u000a","version":"1.2","inputs":{"#,
            r#""connection":[{"name":"id","label":"Id","secret":false,"required":false}],"#,
            r#""pattern":[],"#,
            r#""account":[{"name":"key","label":"Key","secret":true,"required":true},"#,
            r#"{"name":"host","label":"Host","secret":false,"required":true}]}}"#,
        )
    );
}
