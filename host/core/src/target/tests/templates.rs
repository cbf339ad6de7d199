//! How templates are parsed, and what is refused when the provider is read.

use super::super::{
    AllowedOrigins, HostFault, Origin, PathFault, Pattern, TargetError, TargetRules, Template,
    TemplateError,
};
use super::{account, strict, template};

fn named(make: impl Fn(String) -> TemplateError, field: &str) -> TemplateError {
    make(field.to_owned())
}

#[test]
fn names_are_listed_once_in_order() {
    let text = "https://{{domain}}/{{ api.version }}/{{realm-id}}/{{domain}}?a={{A_1}}";
    let parsed = template(text);
    assert_eq!(parsed.names().collect::<Vec<_>>(), ["domain", "api.version", "realm-id", "A_1"]);
    assert_eq!(template("https://app.asana.com/api").names().count(), 0);
    assert_eq!("https://{{domain}}/api".parse(), Ok(template("https://{{ domain  }}/api")));
}

#[test]
fn names_in_the_host_are_those_that_resolvers_see() {
    for (text, names) in [
        ("https://{{domain}}/{{path}}", &["domain"][..]),
        ("https://{{a}}-{{b}}.example.com/{{path}}", &["a", "b"]),
        ("https://example.com/{{path}}", &[]),
    ] {
        assert_eq!(template(text).host_names().collect::<Vec<_>>(), names, "{text}");
    }
}

#[test]
fn nothing_fills_nothing() {
    let rendered = template("https://{{domain}}/api").render(&(), strict());
    assert_eq!(rendered, Err(TargetError::Missing { field: "domain".to_owned() }));
}

#[test]
fn a_pattern_is_as_large_as_a_host_name_needs_and_no_larger() {
    Pattern::compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){0,3}").unwrap();
    assert!(matches!(Pattern::compile("(a{1000}){1000}"), Err(TemplateError::Pattern { .. })));
}

#[test]
fn placeholders_outside_host_path_and_query_values_are_refused() {
    let scheme = |field| TemplateError::SchemePlaceholder { field };
    let user = |field| TemplateError::UserInfo { field: Some(field) };
    let fragment = |field| TemplateError::Fragment { field: Some(field) };
    let port = |field| TemplateError::PortPlaceholder { field };
    let key = |field| TemplateError::QueryPlaceholder { field };
    let host = |field| TemplateError::HostPlaceholder { field };
    for (text, error) in [
        ("{{s}}://example.com", named(scheme, "s")),
        ("http{{s}}://example.com", named(scheme, "s")),
        ("{{base}}/api", named(scheme, "base")),
        ("{{base}}/api?next=https://example.com", named(scheme, "base")),
        ("https://{{user}}@example.com", named(user, "user")),
        ("https://user:{{pw}}@example.com", named(user, "pw")),
        ("https://a@b@{{h}}", TemplateError::UserInfo { field: None }),
        ("https://a@{{user}}@b", named(user, "user")),
        ("https://example.com/#{{f}}", named(fragment, "f")),
        ("https://example.com#x", TemplateError::Fragment { field: None }),
        ("https://example.com:80{{p}}", named(port, "p")),
        ("https://example.com:{{p}}{{q}}", named(port, "p")),
        ("https://example.com/?{{k}}=v", named(key, "k")),
        ("https://example.com/?a=b&x{{k}}", named(key, "k")),
        ("https://api-{{x}}", named(host, "x")),
        ("https://{{x}}{{y}}/", named(host, "x")),
    ] {
        let refused = Template::parse(text).unwrap_err();
        assert_eq!(refused, error, "{text}");
        let shown = refused.to_string();
        assert!(refused.field().is_none_or(|field| text.contains(field)), "{text}");
        if let TemplateError::SchemePlaceholder { field } = &error {
            assert!(shown.contains(&format!("{{{{{field}}}}} stands in the scheme")), "{shown}");
            assert_eq!(refused.field(), Some(field.as_str()));
        }
    }
    for field in ["user", "f", "p", "k", "x"] {
        let text = match field {
            "user" => "https://{{user}}@e.com",
            "f" => "https://e.com#{{f}}",
            "p" => "https://e.com:1{{p}}",
            "k" => "https://e.com?{{k}}",
            _ => "https://a{{x}}",
        };
        assert_eq!(Template::parse(text).unwrap_err().field(), Some(field));
    }
}

#[test]
fn malformed_templates_are_refused() {
    let long_name = format!("https://{{{{{}}}}}", "a".repeat(129));
    for (text, error) in [
        ("", TemplateError::Scheme),
        ("example.com/api", TemplateError::Scheme),
        ("//example.com", TemplateError::Scheme),
        ("ftp://example.com", TemplateError::Scheme),
        (" https://example.com", TemplateError::Scheme),
        ("https:/example.com", TemplateError::Scheme),
        ("https://{domain}/api", TemplateError::Braces),
        ("https://{{domain/api", TemplateError::Braces),
        ("https://domain}}/api", TemplateError::Braces),
        ("https://{{{domain}}}/api", TemplateError::Name),
        ("https://{{do{{main}}/api", TemplateError::Name),
        ("https://{{}}/api", TemplateError::Name),
        ("https://{{  }}/api", TemplateError::Name),
        ("https://{{a b}}/api", TemplateError::Name),
        ("https://{{a/b}}/api", TemplateError::Name),
        ("https://{{\tdomain}}/api", TemplateError::Name),
        ("https://{{dömain}}/api", TemplateError::Name),
        (&long_name, TemplateError::Name),
        ("https://example.com:", TemplateError::Port),
        ("https://example.com:0", TemplateError::Port),
        ("https://example.com:080", TemplateError::Port),
        ("https://example.com:65536", TemplateError::Port),
        ("https://example.com:80:81", TemplateError::Port),
        ("https://[::1]x:80", TemplateError::Host(HostFault::Character)),
        ("https://-{{x}}.example.com", TemplateError::Host(HostFault::Hyphen)),
        ("https://{{x}}..example.com", TemplateError::Host(HostFault::EmptyLabel)),
        ("https://example.com//api", TemplateError::EmptySegment),
        ("https://example.com/api//v1", TemplateError::EmptySegment),
        ("https://example.com/../api", TemplateError::Path(PathFault::DotSegment)),
        ("https://example.com/%2e/{{x}}", TemplateError::Path(PathFault::DotSegment)),
        ("https://example.com/a b", TemplateError::Path(PathFault::Space)),
        ("https://example.com/%{{x}}", TemplateError::Path(PathFault::Escape)),
        (r"https://example.com/a\b", TemplateError::Path(PathFault::Backslash)),
        ("https://example.com/a\n", TemplateError::Path(PathFault::Control)),
        ("https://example.com?a=b c", TemplateError::Query(PathFault::Space)),
        ("https://example.com?a=%{{x}}", TemplateError::Query(PathFault::Escape)),
    ] {
        assert_eq!(Template::parse(text).unwrap_err(), error, "{text}");
    }
    assert!(Template::parse(&format!("https://{{{{{}}}}}", "a".repeat(128))).is_ok());
}

#[test]
fn a_base_url_has_no_query() {
    let text = "https://example.com/api?v=1";
    assert_eq!(Template::parse_base(text), Err(TemplateError::BaseQuery));
    assert!(Template::parse_base("https://example.com/api").is_ok());
    let refused = template(text).render(&(), strict());
    assert_eq!(refused, Err(TargetError::Template(TemplateError::BaseQuery)));
}

#[test]
fn endpoints_are_filled_as_bases_are_and_may_have_a_query() {
    let token_uri = template("https://{{domain}}/oauth/token?tenant={{tenant}}&v=2");
    let mut values = account("domain", "acme.example.com");
    values.values.push(("tenant", "a&b=c d%é/{{x}}~".to_owned()));
    let url = token_uri.render_url(&values, strict()).unwrap();
    assert_eq!(
        url.as_str(),
        "https://acme.example.com/oauth/token?tenant=a%26b%3Dc%20d%25%C3%A9%2F%7B%7Bx%7D%7D~&v=2"
    );
    values.values[1].1 = "a\nb".to_owned();
    let error = token_uri.render_url(&values, strict()).unwrap_err();
    let text = TargetError::Text { field: "tenant".to_owned(), fault: PathFault::Control };
    assert_eq!(error, text);
    values.values.pop();
    let error = token_uri.render_url(&values, strict()).unwrap_err();
    assert_eq!(error, TargetError::Missing { field: "tenant".to_owned() });
    assert_eq!(error.field(), Some("tenant"));
}

#[test]
fn a_segment_is_judged_as_a_whole_too() {
    let dotted = template("https://example.com/api/.{{x}}/y");
    for value in [";", ";a", ".", ".."] {
        let error = dotted.render(&account("x", value), strict()).unwrap_err();
        let fault = PathFault::DotSegment;
        assert_eq!(error, TargetError::Text { field: "x".to_owned(), fault }, "{value}");
        assert_eq!(error.field(), Some("x"));
    }
    let base = dotted.render(&account("x", "git"), strict()).unwrap();
    assert_eq!(base.path(), "/api/.git/y");
    let joined = template("https://example.com/{{x}}{{x}}/v{{x}}");
    assert_eq!(joined.render(&account("x", "1"), strict()).unwrap().path(), "/11/v1");
}

#[test]
fn a_value_has_a_longest_length() {
    let segment = template("https://example.com/{{x}}");
    assert!(segment.render(&account("x", &"a".repeat(2048)), strict()).is_ok());
    let error = segment.render(&account("x", &"a".repeat(2049)), strict()).unwrap_err();
    assert_eq!(error, TargetError::Text { field: "x".to_owned(), fault: PathFault::TooLong });
}

#[test]
fn a_pattern_narrows_and_matches_the_whole_value() {
    let render = |pattern: &str, value: &str| {
        let mut account = account("domain", value);
        account.patterns.push(("domain", Pattern::compile(pattern).unwrap()));
        template("https://{{domain}}/api").render(&account, strict())
    };
    let own = r"[a-z0-9-]+\.freshdesk\.com";
    assert!(render(own, "acme.freshdesk.com").is_ok());
    for value in ["acme.freshdesk.com.evil.com", "evil.com.acme.freshdesk.com", "evil.com"] {
        let error = render(own, value).unwrap_err();
        assert_eq!(error, TargetError::Pattern { field: "domain".to_owned() });
        assert_eq!(error.field(), Some("domain"));
    }
    // Alternatives are inside the anchors, and the longer one is tried.
    assert!(render("a|a.b", "a.b").is_ok());
    assert!(render("a.b|c.d", "a.bx").is_err());
    assert!(render("a.b|c.d", "xc.d").is_err());
    assert!(render("(?m)^a.b$", "a.b\nevil").is_err());
    // It cannot widen.
    assert!(matches!(render(".*", "127.0.0.1"), Err(TargetError::Host { .. })));
    for bad in ["a)|(b", "(", "[", "a**{", "(?x) a # b", r"(\w{1000}){1000}", "(a{200}){200}"] {
        assert!(matches!(Pattern::compile(bad), Err(TemplateError::Pattern { .. })), "{bad}");
    }
    assert_eq!(format!("{:?}", Pattern::compile("hunter2").unwrap()), "Pattern");
}

#[test]
fn allowed_origins_are_exact() {
    let list = ["files.example.com", "https://files.example.com", "https://up.example.com:8443"];
    let allowed = AllowedOrigins::parse(list, strict()).unwrap();
    let shown: Vec<_> = allowed.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["https://files.example.com", "https://up.example.com:8443"]);
    for (entry, error) in [
        ("*.example.com", TemplateError::NotAnOrigin),
        ("https://*.example.com", TemplateError::NotAnOrigin),
        ("files.example.com:8443", TemplateError::NotAnOrigin),
        ("files.example.com/", TemplateError::NotAnOrigin),
        ("files.example.com?a", TemplateError::NotAnOrigin),
        ("https://files.example.com/x", TemplateError::NotAnOrigin),
        ("{{domain}}", TemplateError::NotAnOrigin),
        ("https://{{domain}}", TemplateError::NotAnOrigin),
        ("a@files.example.com", TemplateError::UserInfo { field: None }),
        ("http://files.example.com", TemplateError::HttpNotAllowed),
        ("", TemplateError::Host(HostFault::Empty)),
        ("2130706433", TemplateError::Host(HostFault::Address)),
    ] {
        assert_eq!(AllowedOrigins::parse([entry], strict()), Err(error), "{entry}");
    }
    let rules = TargetRules { http: true, placeholder_ports: true, ..strict() };
    assert!(AllowedOrigins::parse(["http://files.example.com"], rules).is_ok());
    let port = AllowedOrigins::parse(["https://files.example.com:{{p}}"], rules);
    assert_eq!(port, Err(TemplateError::NotAnOrigin));
    assert_eq!(Origin::parse("https://example.com/"), Err(TemplateError::NotAnOrigin));
}

#[test]
fn errors_name_the_field_and_never_the_value() {
    const CANARY: &str = "s3cr3t-canary";
    let values = [
        format!("{CANARY}@evil\\"),
        format!("{CANARY}/x"),
        format!("{CANARY}\n"),
        format!("{CANARY}%2e"),
        format!("..;{CANARY}"),
        CANARY.repeat(200),
    ];
    let templates =
        ["https://{{x}}/", "https://{{x}}.a.com", "https://a.com/{{x}}", "https://a.com:{{x}}"];
    let rules = TargetRules { placeholder_ports: true, ..strict() };
    for value in &values {
        for text in templates {
            let error = template(text).render(&account("x", value), rules).unwrap_err();
            assert_eq!(error.field(), Some("x"), "{text}");
            assert!(error.to_string().contains("`x`"), "{error}");
            assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error:?}");
        }
    }
    let secret = format!("/{CANARY}\\");
    let error = super::base("https://a.com").join(&secret, None).unwrap_err();
    assert_eq!(error.field(), None);
    assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error:?}");
}

#[test]
fn a_host_is_anchored_where_no_value_can_lead_out_of_its_domain() {
    for (url, anchored) in [
        ("https://api.example.com", true),
        ("https://{{tenant}}.example.com", true),
        ("https://eu-{{tenant}}.api.example.com/{{x}}", true),
        ("https://{{host}}", false),
        ("https://{{tenant}}.com", false),
        ("https://{{tenant}}.{{region}}", false),
        ("https://api.{{domain}}", false),
    ] {
        assert_eq!(Template::parse(url).unwrap().is_anchored(), anchored, "{url}");
    }
}
