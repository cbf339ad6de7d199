//! The values of a call, from documents to the last mutation.

use serde_json::{Value as Json, json};

use super::*;

/// One provider with one pattern, and an account.
struct Case {
    provider: Provider,
    connection: Connection,
    account: Account,
}

impl Case {
    fn new(pattern: Json, details: &Json) -> Self {
        Self::with_headers(pattern, details, &json!({}))
    }

    fn with_headers(mut pattern: Json, details: &Json, headers: &Json) -> Self {
        pattern["type"] = "ANY".into();
        let payload = json!({
            "display_name": "Acme", "proxy_url": "https://acme.test", "proxy_enabled": true,
            "auth_patterns": [pattern], "proxy_headers": headers
        });
        let account = json!({"identifier": "u1", "authorization_details": details});
        Self {
            provider: Provider::parse(&payload).unwrap_or_else(|p| panic!("{p}")),
            connection: Connection::parse(
                &json!({"client_id": "id", "client_secret": "cs", "region": "eu"}),
            )
            .ok()
            .unwrap(),
            account: Account::parse(&account).unwrap_or_else(|p| panic!("{p}")),
        }
    }

    fn typed(pattern: Json, details: &Json) -> Self {
        Self::new(pattern, &json!({"static_auth": {"details": details}}))
    }

    fn pattern(&self) -> &AuthPattern {
        &self.provider.auth_patterns()[0]
    }

    fn assemble(&self) -> Result<Assembled, FieldsError> {
        assemble(&Sources {
            provider: &self.provider,
            pattern: self.pattern(),
            connection: &self.connection,
            shared: None,
            account: &self.account,
            state: self.account.state(),
        })
    }

    fn values(&self) -> Values {
        self.assemble().and_then(Assembled::finish).unwrap_or_else(|error| panic!("{error}"))
    }

    fn error(&self) -> FieldsError {
        self.assemble().and_then(Assembled::finish).err().unwrap()
    }
}

fn field(name: &str) -> Json {
    json!({"field_name": name, "required": true})
}

#[test]
fn values_carry_where_they_come_from_and_what_is_secret() {
    let mut case = Case::new(
        json!({"account_fields": [field("domain")], "attributes": ["instance"]}),
        &json!({
            "oauth_token": {"access_token": "at", "scopes": ["a"], "domain": "acme.test"},
            "token_expires_at": "1970-01-01T00:00:09Z"
        }),
    );
    let mut state = case.account.state().unwrap().clone();
    state.renew_at = Some(5000);
    case.account = case.account.with_state(Some(state));
    let shared = State {
        secrets: [("client_secret".to_owned(), "learnt".into())].into(),
        attributes: [("token_endpoint".to_owned(), "https://t.test".to_owned())].into(),
        ..State::default()
    };
    let sources = Sources {
        provider: &case.provider,
        pattern: case.pattern(),
        connection: &case.connection,
        shared: Some(&shared),
        account: &case.account,
        state: case.account.state(),
    };
    let values = assemble(&sources).unwrap().finish().ok().unwrap();
    for (name, text, secret) in [
        ("provider/display_name", "Acme", false),
        ("provider/proxy_url", "https://acme.test", false),
        ("pattern/type", "ANY", false),
        ("pattern/account_fields/0/required", "true", false),
        ("connection/client_id", "id", false),
        ("connection/client_secret", "cs", true),
        ("shared/client_secret", "learnt", true),
        ("shared/token_endpoint", "https://t.test", false),
        ("account/domain", "acme.test", true),
        ("account/token", "at", true),
        ("state/access_token", "at", true),
        ("state/scope", "a", false),
        ("state/expires-at", "9000", false),
        ("state/renew-at", "5000", false),
    ] {
        let value = values.get(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!((value.expose(), value.as_secret().is_some()), (text, secret), "{name}");
    }
}

#[test]
fn what_setup_sees_holds_nothing_of_an_account() {
    let case = Case::typed(json!({"fields": [field("token")]}), &json!({"token": "t"}));
    let values = connection_values(&case.provider, case.pattern(), &case.connection, None);
    assert!(values.get("connection/client_id").is_some());
    let foreign = ["account/", "state/"];
    assert!(values.iter().all(|(name, _)| !foreign.iter().any(|f| name.starts_with(f))));
}

#[test]
fn values_are_laid_over_those_of_documents_and_not_over_what_a_flow_has_learnt() {
    let laid = || {
        let mut laid = Values::default();
        for name in ["account/token", "account/other", "connection/region", "state/scope"] {
            laid.set_secret(name, Secret::new("laid\r\n".to_owned()));
        }
        laid
    };
    let typed = Case::typed(json!({"fields": [field("token")]}), &json!({"token": "t"}));
    let oauth = json!({"oauth_token": {"access_token": "at", "scopes": ["a"]}});
    let granted = Case::new(json!({"fields": [field("token")]}), &oauth);
    for (case, token) in [(&typed, "laid\r\n"), (&granted, "at")] {
        let (mut values, before) = (case.values(), case.values());
        lay_over(&mut values, &laid(), case.account.state());
        assert_eq!(values.text("account/token"), Some(token));
        assert_eq!(values.text("account/other"), Some("laid\r\n"));
        assert_eq!(values.text("connection/region"), Some("laid\r\n"));
        assert_eq!(values.text("state/scope"), before.text("state/scope"));
    }
    let of =
        |case: &Case| connection_values(&case.provider, case.pattern(), &case.connection, None);
    let mut shared = of(&typed);
    lay_over_connection(&mut shared, &laid());
    assert_eq!(shared.text("connection/region"), Some("laid\r\n"));
    assert!(shared.iter().all(|(name, _)| of(&typed).get(name).is_some()), "no account in sight");
}

#[test]
fn mutations_are_made_in_order_default_prefix_suffix() {
    let mutations = json!({
        "api_key": {"suffix": "!", "prefix": "Klaviyo-API-Key "},
        "password": {"default": "X"},
        "username": {"prefix": "<", "suffix": "/token", "default": "nobody"},
        "token": {"prefix": "p-"},
        "note": {"prefix": "p-", "default": " "}
    });
    let pattern = json!({
        "fields": [{"field_name": "note"}], "auth_field_mutations": mutations
    });
    let cases = [
        (json!({"api_key": "k"}), "account/api_key", Some("Klaviyo-API-Key k!")),
        (json!({}), "account/password", Some("X")),
        (json!({"password": ""}), "account/password", Some("X")),
        (json!({"password": "  "}), "account/password", Some("X")),
        (json!({"password": "own"}), "account/password", Some("own")),
        (json!({}), "account/username", Some("<nobody/token")),
        (json!({"username": "me"}), "account/username", Some("<me/token")),
        // A prefix alone is no credential.
        (json!({}), "account/token", None),
        (json!({"token": ""}), "account/token", None),
        (json!({}), "account/note", None),
        (json!({"token": "t"}), "account/token", Some("p-t")),
    ];
    for (details, name, expected) in cases {
        let values = Case::typed(pattern.clone(), &details).values();
        assert_eq!(values.text(name), expected, "{details}");
        assert!(values.get(name).is_none_or(|value| value.as_secret().is_some()), "{name}");
    }
}

#[test]
fn the_access_token_is_mutated_into_token_and_stays_itself_in_the_state() {
    let pattern = json!({"auth_field_mutations": {"token": {"prefix": "p-"}}});
    let values = Case::new(pattern, &json!({"oauth_token": {"access_token": "at"}})).values();
    assert_eq!(values.text("account/token"), Some("p-at"));
    assert_eq!(values.text("state/access_token"), Some("at"));
}

#[test]
fn row_19_every_missing_or_empty_required_value_is_named_at_once() {
    let pattern = json!({
        "fields": [field("domain"), field("username"), {"field_name": "note"}, field("password")],
        "account_fields": [field("tenant")],
        "auth_field_mutations": {"password": {"default": "X"}, "username": {"prefix": "p"}}
    });
    let details = json!({"domain": "", "username": " \t"});
    let error = Case::typed(pattern, &details).error();
    let fields = ["domain", "username", "tenant"].map(str::to_owned).to_vec();
    // A tab is a control character, but a blank value is missing and not malformed.
    assert_eq!(error, FieldsError::Missing { fields: fields.clone() });
    assert_eq!(error.fields(), fields);
    assert_eq!(error.to_string(), "the account has no value for: domain, username, tenant");
}

#[test]
fn row_5_a_control_character_is_refused_where_a_field_has_one_line() {
    let textarea = json!({"field_name": "pem", "input_type": "textarea"});
    let pattern = json!({"fields": [field("token"), textarea]});
    for bad in ["a\r\nX: y", "a\n", "\ra", "a\u{7f}", "a\u{85}"] {
        let case =
            Case::typed(pattern.clone(), &json!({"token": bad, "other": bad, "pem": "a\nb"}));
        let fields = ["other", "token"].map(str::to_owned).to_vec();
        assert_eq!(case.error(), FieldsError::Unprintable { fields }, "{bad:?}");
    }
}

#[test]
fn a_value_outside_its_fields_pattern_is_refused_without_telling_it() {
    let pattern = json!({
        "fields": [{"field_name": "shop", "pattern": "[a-z]+"}],
        "auth_field_mutations": {"shop": {"prefix": "P-"}}
    });
    let bad = Case::typed(pattern.clone(), &json!({"shop": "canary@evil"})).error();
    assert_eq!(bad, FieldsError::Mismatch { fields: vec!["shop".to_owned()] });
    assert!(!format!("{bad} {bad:?}").contains("canary"));
    let good = Case::typed(pattern.clone(), &json!({"shop": "acme"})).values();
    assert_eq!(good.text("account/shop"), Some("P-acme"));
    assert!(Case::typed(pattern, &json!({"shop": ""})).values().get("account/shop").is_none());
}

#[test]
fn row_11_a_value_that_looks_like_a_placeholder_stays_literal() {
    let pattern = json!({
        "fields": [field("note"), field("token")],
        "auth_field_mutations": {"note": {"prefix": "{{token}}", "default": "{{token}}"}}
    });
    let details = json!({"note": "{{token}}${account.token}", "token": "canary"});
    let headers = json!({"X-Note": "<{{note}}>"});
    let case = Case::with_headers(pattern, &json!({"static_auth": {"details": details}}), &headers);
    let values = case.values();
    assert_eq!(values.text("account/note"), Some("{{token}}{{token}}${account.token}"));
    let headers = proxy_headers(&case.provider, case.pattern(), &values).unwrap();
    assert_eq!(headers["x-note"], "<{{token}}{{token}}${account.token}>");
}

#[test]
fn custom_mutations_come_last_and_in_order_and_none_is_left_out() {
    let pattern = json!({"auth_field_mutations": {
        "username": {"prefix": "u-", "mutation": "fold", "options": {"width": 3, "on": true}},
        "password": {"mutation": "join"},
        "api_key": {"mutation": "unused"}
    }});
    let case = Case::typed(pattern, &json!({"username": "me", "password": "pw"}));
    let mut assembled = case.assemble().unwrap();
    let unmutated = assembled.clone().finish().err().unwrap();
    let fields = ["username", "password"].map(str::to_owned).to_vec();
    assert_eq!(unmutated, FieldsError::Unmutated { fields });

    let call = assembled.pending().unwrap();
    assert_eq!((call.target(), call.mutation()), ("username", "fold"));
    assert_eq!(call.options(), [("width".into(), "3".into()), ("on".into(), "true".into())]);
    let seen = |assembled: &Assembled, target: &str, names: &[&str]| -> Vec<(String, String)> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let visible = assembled.visible(target, &names);
        visible.iter().map(|(n, v)| ((*n).to_owned(), v.expose().to_owned())).collect()
    };
    assert_eq!(seen(&assembled, "username", &[]), [("username".into(), "u-me".into())]);
    let emptied = assembled.apply(" ".into()).unwrap_err();
    assert_eq!(emptied, FieldsError::Emptied { field: "username".to_owned() });
    assembled.apply("folded".into()).unwrap();

    assert_eq!(assembled.pending().unwrap().target(), "password");
    assert_eq!(
        seen(&assembled, "password", &["username", "password", "absent"]),
        [("password".into(), "pw".into()), ("username".into(), "folded".into())]
    );
    assembled.apply("joined".into()).unwrap();
    assert!(assembled.pending().is_none());
    let values = assembled.finish().ok().unwrap();
    assert_eq!(values.text("account/username"), Some("folded"));
    assert_eq!(values.text("account/password"), Some("joined"));
    assert!(values.get("account/password").unwrap().as_secret().is_some());
}

#[test]
fn a_placeholder_takes_a_declared_input_or_attribute_and_nothing_else() {
    let pattern = json!({"account_fields": [{"field_name": "domain"}], "attributes": ["instance", "access_token", "domain"]});
    let details = json!({"static_auth": {"details": {"undeclared": "x"}}});
    let mut case = Case::new(pattern, &details);
    let attributes =
        ["instance", "domain", "scope"].map(|name| (name.to_owned(), format!("s-{name}")));
    let secrets = [("access_token".to_owned(), "canary".into())].into();
    let state = State { attributes: attributes.into(), secrets, ..State::default() };
    case.account = case.account.with_state(Some(state));
    let values = case.values();
    let filled = |name| placeholder(case.pattern(), &values, name);
    assert_eq!(filled("instance"), Some("s-instance"));
    assert_eq!(filled("domain"), Some("s-domain"));
    for name in ["scope", "undeclared", "access_token", "token", "connection/region", ""] {
        assert_eq!(filled(name), None, "{name}");
    }
}

#[test]
fn fixed_headers_are_filled_with_plain_values() {
    let pattern = json!({"fields": [field("tenant"), {"field_name": "zone"}]});
    let headers = json!({
        "X-Version": "2024-01", "X-Tenant": "t={{tenant}};{{connection/region}}",
        "X-Of": "{{provider/display_name}} {{pattern/type}}"
    });
    let case = |tenant: &str| {
        let details = json!({"static_auth": {"details": {"tenant": tenant}}});
        Case::with_headers(pattern.clone(), &details, &headers)
    };
    let good = case("acme");
    let rendered = proxy_headers(&good.provider, good.pattern(), &good.values()).unwrap();
    assert_eq!(rendered.len(), 3);
    assert_eq!(rendered["x-version"], "2024-01");
    assert_eq!(rendered["x-tenant"], "t=acme;eu");
    assert_eq!(rendered["x-of"], "Acme ANY");

    let mut values = good.values();
    for bad in ["canary\r\nX: y", "\0canary", "canary Ċ", "canary é", "canary\t"] {
        values.set_secret("account/tenant", bad.into());
        let error = proxy_headers(&good.provider, good.pattern(), &values).unwrap_err();
        let [header, field] = ["x-tenant", "tenant"].map(str::to_owned);
        assert_eq!(error, ProxyHeaderError::Unprintable { header, field }, "{bad:?}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    let none = proxy_headers(&good.provider, good.pattern(), &Values::default()).unwrap_err();
    let [header, field] = ["x-tenant", "tenant"].map(str::to_owned);
    assert_eq!(none, ProxyHeaderError::Missing { header, field });
}

#[test]
fn a_fixed_header_never_takes_a_secret_of_the_connection() {
    let headers = json!({"X-A": "{{connection/region}}"});
    let case = Case::with_headers(json!({}), &json!({"static_auth": {"details": {}}}), &headers);
    let mut values = case.values();
    values.set_secret("connection/region", "canary".into());
    let error = proxy_headers(&case.provider, case.pattern(), &values).unwrap_err();
    assert!(matches!(error, ProxyHeaderError::Missing { .. }));
}

#[test]
fn a_fixed_header_never_takes_a_secret_input_of_another_pattern() {
    let headers = json!({"X-A": "{{tenant}}"});
    let details = json!({"static_auth": {"details": {"tenant": "canary"}}});
    let plain = Case::with_headers(json!({"fields": [field("tenant")]}), &details, &headers);
    let password = json!({"fields": [{"field_name": "tenant", "input_type": "password"}]});
    let secret = Case::new(password, &details);
    let error = proxy_headers(&plain.provider, secret.pattern(), &secret.values()).unwrap_err();
    assert!(matches!(error, ProxyHeaderError::Missing { .. }));
}

#[test]
fn a_name_tells_whether_it_holds_a_secret() {
    for secret in [
        "client_secret",
        "token",
        "access_token",
        "api_key",
        "apikey",
        "password",
        "PrivateKey",
        "client_assertion",
        "developer-token",
        "DD_API_KEY",
        "signing.key",
        "keys/0",
    ] {
        assert!(names_a_secret(secret), "{secret}");
    }
    for plain in [
        "client_id",
        "scopes",
        "token_uri",
        "token_endpoint_auth_method",
        "token_access_type",
        "client_secret_expires_at",
        "domain",
        "username",
        "access_key_id",
    ] {
        assert!(!names_a_secret(plain), "{plain}");
    }
}
