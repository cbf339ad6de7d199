//! The grammar of needs, what they grant, and how an operator narrows them.

use http::HeaderName;

use super::{Flaw, Granted, Needs, NeedsError};
use crate::secret::Secret;
use crate::values::Values;

fn entries(needs: &[&str]) -> Vec<(String, String)> {
    let split = |need: &&str| {
        let (verb, object) = need.split_once(' ').unwrap();
        (verb.to_owned(), object.to_owned())
    };
    needs.iter().map(split).collect()
}

fn needs(needs: &[&str]) -> Needs {
    Needs::parse(&entries(needs)).unwrap()
}

fn refused(need: &str) -> NeedsError {
    Needs::parse(&entries(&["read account/token", need])).unwrap_err()
}

fn values(entries: &[(&str, &str)]) -> Values {
    let mut values = Values::default();
    for &(name, text) in entries {
        values.set(name, text);
    }
    values
}

fn granted(list: &[&str], entries: &[(&str, &str)]) -> Granted {
    needs(list).resolve(&values(entries))
}

fn header(name: &str) -> HeaderName {
    HeaderName::from_bytes(name.as_bytes()).unwrap()
}

#[test]
fn every_object_of_the_contract_is_read() {
    for need in [
        "read provider/proxy_url",
        "read pattern/oauth_config",
        "read pattern/fields/*/header_name",
        "read connection/client_id",
        "read shared/token_endpoint",
        "read account/token",
        "read account/{pattern/fields/*/field_name}",
        "read state/refresh_token",
        "read grant/login_hint",
        "read header/x-amz-*",
        "read query/key",
        "read cookie/session",
        "read path",
        "read origin",
        "read body",
        "read body/sha-256",
        "read reply/body",
        "read reply/header/www-authenticate",
        "write header/authorization",
        "write header/X-API-Key",
        "write header/{pattern/auth_header_key_override}",
        "write header/{pattern/headers/*/name}",
        "write query/api_key",
        "write cookie/session",
        "write path",
        "write origin",
        "write body",
        "write state/access_token",
        "write shared/client_id",
        "write client-certificate",
        "write own-connection",
        "fetch pattern/oauth_config/token_uri",
        "fetch shared/token_endpoint",
        "visit pattern/oauth_config/authorize_uri",
        "send bare",
    ] {
        let parsed = Needs::parse(&entries(&[need])).unwrap_or_else(|e| panic!("{need}: {e}"));
        let (verb, object) = parsed.entries().next().unwrap();
        assert_eq!(format!("{verb} {object}"), need);
    }
}

#[test]
fn a_verb_that_is_not_known_is_refused() {
    for need in ["own everything", "READ account/token", " account/token", "* path"] {
        assert!(matches!(refused(need), NeedsError::UnknownVerb(_)), "{need}");
    }
}

#[test]
fn an_object_that_the_verb_does_not_have_is_refused() {
    for need in [
        "read moon/light",
        "read ",
        "read *",
        "read accounts/token",
        "read reply",
        "read reply/status",
        "read client-certificate",
        "read own-connection",
        "read bare",
        "read {pattern/x}",
        "write account/token",
        "write pattern/type",
        "write provider/proxy_url",
        "write connection/client_id",
        "write grant/hint",
        "write reply/body",
        "write reply/header/date",
        "write bare",
        "fetch https://evil.example/",
        "fetch account/url",
        "fetch grant/url",
        "fetch header/location",
        "fetch path",
        "fetch {state/instance_url}",
        "visit everywhere",
        "visit account/url",
        "send spam",
        "send path",
    ] {
        assert!(matches!(refused(need), NeedsError::UnknownObject { .. }), "{need}");
    }
}

#[test]
fn a_malformed_object_is_refused() {
    for need in [
        "read account//token",
        "read account/token/",
        "read account/",
        "read account/to ken",
        "read account/token\nwrite body",
        "read account/a*b*c",
        "read account/**",
        "read account/{pattern/x",
        "read account/pattern/x}",
        "read account/{{pattern/x}}",
        "read account/{pattern/a}{pattern/b}",
        "read account/x-{pattern/x}",
        "read account/{pattern/x}-x",
        "read account/{pattern/a}/{pattern/b}",
        "read account/{pattern//b}",
        "read account/{pattern}",
        "read account/{pattern/}",
        "write header/",
        "write header/a/b",
        "write header/a:b",
        "write header/:authority",
        "write header/a:*",
        "write header/x-*(",
        "write header/ä",
        "write cookie/a=b",
        "write cookie/a;*",
        "write query/a/b",
        "write path/below",
        "write body/sha-256",
        "write own-connection/x",
        "read path/below",
        "read body/sha-256/x",
        "read reply/body/x",
        "send bare/x",
    ] {
        assert!(matches!(refused(need), NeedsError::Malformed { .. }), "{need}: {}", refused(need));
    }
    let long = |n: usize| format!("read account/{}", "a".repeat(n - "account/".len()));
    assert!(Needs::parse(&entries(&[&long(256)])).is_ok());
    assert!(matches!(refused(&long(257)), NeedsError::Malformed { .. }));
}

#[test]
fn a_need_for_everything_is_refused() {
    for need in [
        "read account",
        "read account/*",
        "read account/*/x",
        "read state/*",
        "read header",
        "read header/*",
        "read header/*-key",
        "read reply/header/*",
        "read body/*",
        "read body/sha-*",
        "read account/{pattern/*}",
        "write header",
        "write header/*",
        "write query/*",
        "write cookie/*",
        "write state",
        "write state/*",
        "fetch pattern",
        "fetch pattern/*",
    ] {
        assert!(matches!(refused(need), NeedsError::Everything(_)), "{need}: {}", refused(need));
    }
}

#[test]
fn a_reference_to_what_an_account_or_a_reply_chose_is_refused() {
    for root in ["account", "state", "shared", "grant", "header", "query", "moon", "reply/header"] {
        let need = format!("write header/{{{root}/name}}");
        assert!(matches!(refused(&need), NeedsError::Reference(_)), "{need}");
    }
}

#[test]
fn more_needs_than_any_plugin_has_are_refused() {
    assert!(Needs::parse(&entries(&["read account/token"; 256])).is_ok());
    let many = entries(&["read account/token"; 257]);
    assert_eq!(Needs::parse(&many).unwrap_err(), NeedsError::TooMany);
}

#[test]
fn what_an_error_quotes_is_one_short_line() {
    let long = format!("read moon/\u{1b}\n{}", "x".repeat(500));
    for text in [refused(&long).to_string(), refused(&format!("a\n{long}")).to_string()] {
        assert!(!text.contains(char::is_control) && text.len() < 200, "{text}");
    }
}

#[test]
fn reading_a_name_reads_all_below_it_and_nothing_beside() {
    let granted = granted(&["read pattern/oauth_config", "read account/token"], &[]);
    for (name, may) in [
        ("pattern/oauth_config", true),
        ("pattern/oauth_config/token_uri", true),
        ("pattern/oauth_config/scopes/0", true),
        ("pattern/oauth_config2", false),
        ("pattern/oauth", false),
        ("pattern", false),
        ("pattern/x/oauth_config", false),
        ("connection/oauth_config", false),
        ("account/token", true),
        ("account/token2", false),
        ("account/Token", false),
        ("account", false),
        ("state/token", false),
        ("moon/token", false),
        ("", false),
    ] {
        assert_eq!(granted.may_read(name), may, "{name}");
    }
}

#[test]
fn an_asterisk_stays_within_its_segment() {
    let granted = granted(&["read pattern/fields/*/header_name", "read account/ab*bc"], &[]);
    for (name, may) in [
        ("pattern/fields/0/header_name", true),
        ("pattern/fields/0/field_name", false),
        ("pattern/fields/0/1/header_name", false),
        ("pattern/fields/header_name", false),
        ("account/abbc", true),
        ("account/ab-bc", true),
        ("account/abc", false),
        ("account/ab", false),
        ("account/abx", false),
        ("account/xbc", false),
    ] {
        assert_eq!(granted.may_read(name), may, "{name}");
    }
}

#[test]
fn only_values_that_may_be_read_are_passed() {
    let mut all = values(&[("account/username", "u"), ("pattern/type", "BASIC")]);
    all.set_secret("account/token", Secret::from("t"));
    all.set_secret("state/access_token", Secret::from("s"));
    let granted = needs(&["read account/token", "read pattern/type"]).resolve(&all);
    let names = granted.reads(&all).map(|(name, value)| (name, value.expose().to_owned()));
    let expected = [("account/token", "t".to_owned()), ("pattern/type", "BASIC".to_owned())];
    assert_eq!(names.collect::<Vec<_>>(), expected);
}

#[test]
fn a_reference_stands_for_every_value_of_its_name() {
    let list = ["write header/{pattern/headers/*/name}", "read account/{pattern/f/*/field_name}"];
    let granted = granted(
        &list,
        &[
            ("pattern/headers/0/name", "X-One"),
            ("pattern/headers/1/name", "x-two"),
            ("pattern/headers/2/name/deeper", "x-three"),
            ("pattern/headers/2", "x-four"),
            ("pattern/f/0/field_name", "key"),
            ("connection/headers/0/name", "x-five"),
        ],
    );
    for (name, may) in
        [("x-one", true), ("X-TWO", true), ("x-three", false), ("x-four", false), ("x-five", false)]
    {
        assert_eq!(granted.may_write_header(&header(name)), may, "{name}");
    }
    assert!(granted.may_read("account/key"));
    assert!(!granted.may_read("account/other"));
    assert!(granted.ungranted().is_empty());
}

#[test]
fn a_reference_without_a_value_grants_nothing() {
    let list = ["write header/{pattern/auth_header_key_override}"];
    for values in [&[][..], &[("pattern/auth_header_key_override", "")]] {
        let granted = granted(&list, values);
        assert!(!granted.may_write_header(&header("authorization")));
        assert!(!granted.owns_header(&header("authorization")));
        assert!(granted.ungranted().is_empty());
    }
}

#[test]
fn row_11_a_reference_is_filled_once_and_taken_literally() {
    let list = ["write header/{pattern/h}", "write query/{pattern/q}", "read account/{pattern/a}"];
    let granted = granted(
        &list,
        &[
            ("pattern/h", "x-*"),
            ("pattern/q", "{pattern/other}"),
            ("pattern/a", "*"),
            ("pattern/other", "api_key"),
        ],
    );
    assert!(granted.may_write_header(&header("x-*")));
    assert!(!granted.may_write_header(&header("x-api-key")));
    assert!(!granted.may_write_query("api_key"));
    assert!(granted.may_write_query("{pattern/other}"));
    assert!(!granted.may_read("account/token"));
}

#[test]
fn an_override_that_cannot_be_a_header_of_the_plugins_grants_nothing_and_is_reported() {
    for (text, flaw) in [
        ("x key", Flaw::NotAName),
        ("x:key", Flaw::NotAName),
        ("x-key\r\nx-evil", Flaw::NotAName),
        (":authority", Flaw::NotAName),
        ("Host", Flaw::Forbidden),
        ("content_length", Flaw::Forbidden),
        ("X-Forwarded-For", Flaw::Forbidden),
        ("cookie", Flaw::Forbidden),
    ] {
        let granted = granted(
            &["write header/{pattern/auth_header_key_override}"],
            &[("pattern/auth_header_key_override", text)],
        );
        let [report] = granted.ungranted() else { panic!("{text}") };
        assert_eq!(report.value, "pattern/auth_header_key_override");
        assert_eq!(report.need, "header/{pattern/auth_header_key_override}");
        assert_eq!(report.flaw, flaw, "{text}");
        assert!(!report.to_string().contains(text));
        if let Ok(name) = HeaderName::from_bytes(text.as_bytes()) {
            assert!(!granted.may_write_header(&name));
        }
    }
}

#[test]
fn a_secret_does_not_become_a_name() {
    let mut values = Values::default();
    values.set_secret("connection/client_secret", Secret::from("x-hunter2"));
    let granted = needs(&["write header/{connection/client_secret}"]).resolve(&values);
    assert!(!granted.may_write_header(&header("x-hunter2")));
    assert_eq!(granted.ungranted()[0].flaw, Flaw::Secret);
}

#[test]
fn a_name_of_two_segments_does_not_fill_one() {
    let list = ["read account/{pattern/a}", "write cookie/{pattern/c}", "write query/{pattern/q}"];
    let granted = granted(
        &list,
        &[("pattern/a", "token/x"), ("pattern/c", "a=b"), ("pattern/q", "filter/key")],
    );
    assert!(!granted.may_read("account/token/x"));
    assert!(!granted.may_write_cookie("a=b"));
    // A slash is an ordinary character in a parameter's name.
    assert!(granted.may_write_query("filter/key"));
    assert_eq!(granted.ungranted().len(), 2);
}

#[test]
fn header_names_are_compared_without_regard_to_case() {
    let granted = granted(&["write header/X-API-Key", "read header/X-Amz-*"], &[]);
    assert!(granted.may_write_header(&header("x-api-key")));
    assert!(!granted.may_write_header(&header("x_api_key")));
    assert!(!granted.may_write_header(&header("x-api-key2")));
    assert!(granted.may_read_message_header(&header("X-AMZ-date")));
    assert!(!granted.may_read_message_header(&header("x-am")));
    assert!(!granted.may_read_message_header(&header("x-api-key")));
    assert!(granted.may_read("header/x-amz-date"));
}

#[test]
fn headers_of_the_host_are_never_shown_or_written() {
    let list = [
        "read header/host",
        "write header/host",
        "read header/c*",
        "write header/c*",
        "read header/x-forwarded-*",
        "write header/x-*",
        "write header/proxy-authorization",
    ];
    let granted = granted(&list, &[]);
    for name in [
        "host",
        "content-length",
        "cookie",
        "connection",
        "x-forwarded-for",
        "proxy-authorization",
        "content_length",
    ] {
        assert!(!granted.may_read_message_header(&header(name)), "{name}");
        assert!(!granted.may_read(&format!("header/{name}")), "{name}");
        assert!(!granted.may_write_header(&header(name)), "{name}");
        assert!(!granted.owns_header(&header(name)), "{name}");
    }
    assert!(granted.may_read_message_header(&header("content-type")));
    assert!(granted.may_write_header(&header("content-type")));
    assert!(granted.may_write_header(&header("x-forward")));
    assert!(!granted.may_read("header"));
}

#[test]
fn row_7_every_spelling_of_a_header_belongs_to_the_one_who_may_write_it() {
    let granted =
        granted(&["write header/x-api-key", "write header/x-amz-*", "write header/a*-z"], &[]);
    for (name, owns) in [
        ("x-api-key", true),
        ("X_API_Key", true),
        ("x.api.key", true),
        ("x-api-key_", true),
        ("x-api-key-", true),
        ("x-api-key2", false),
        ("x-apikey", false),
        ("-x-api-key", false),
        ("x_amz_date", true),
        ("x-amz-date_", true),
        ("x-amz", false),
        ("xx-amz-date", false),
        ("abc_z_", true),
        ("a-z", true),
        ("a", false),
        ("a-y", false),
        ("b-z", false),
    ] {
        assert_eq!(granted.owns_header(&header(name)), owns, "{name}");
    }
}

#[test]
fn each_part_of_the_request_is_a_grant_of_its_own() {
    type Question = fn(&Granted) -> bool;
    let questions: [(&str, Question); 10] = [
        ("write path", Granted::may_write_path),
        ("write origin", Granted::may_write_origin),
        ("write body", Granted::may_write_body),
        ("write client-certificate", Granted::may_write_client_certificate),
        ("write own-connection", Granted::may_own_connection),
        ("send bare", Granted::send_bare),
        ("read reply/body", Granted::reads_reply_body),
        ("write cookie/session", Granted::writes_cookies),
        ("read body", |granted| granted.may_read("body/sha-256") && granted.may_read("body")),
        ("read reply/header/x-*", |g| g.may_read_reply_header(&header("x-nonce"))),
    ];
    for (need, _) in questions {
        let granted = granted(&[need], &[]);
        for (of, question) in questions {
            assert_eq!(question(&granted), of == need, "{need}: {of}");
        }
    }
    let digest = granted(&["read body/sha-256"], &[]);
    assert!(
        digest.may_read("body/sha-256")
            && !digest.may_read("body")
            && !digest.may_read("body/bytes")
    );
    let reply = granted(&["read reply/header/x-a"], &[]);
    assert!(
        !reply.may_read_reply_header(&header("x-b"))
            && !reply.may_read_message_header(&header("x-a"))
    );
}

#[test]
fn names_to_write_are_exact() {
    let granted = granted(
        &[
            "write query/api_key",
            "write query/x-*",
            "write cookie/session",
            "write state/token",
            "write shared/id",
        ],
        &[],
    );
    assert!(granted.may_write_query("api_key") && granted.may_write_query("x-amz-date"));
    assert!(
        !granted.may_write_query("API_KEY")
            && !granted.may_write_query("")
            && !granted.may_write_query("session")
    );
    assert!(granted.may_write_cookie("session") && !granted.may_write_cookie("api_key"));
    assert!(granted.may_write_state("token") && !granted.may_write_state("id"));
    assert!(!granted.may_write_state("token/below"));
    assert!(granted.may_write_shared("id") && !granted.may_write_shared("token"));
}

#[test]
fn urls_are_those_that_the_named_values_hold() {
    let list = [
        "fetch pattern/oauth_config/token_uri",
        "fetch shared/token_endpoint",
        "fetch state/instance_url",
        "visit pattern/oauth_config/authorize_uri",
    ];
    let values = values(&[
        ("pattern/oauth_config/token_uri", "https://a.example/token"),
        ("pattern/oauth_config/token_uri/below", "https://b.example/"),
        ("pattern/oauth_config/authorize_uri", "https://c.example/"),
        ("shared/token_endpoint", "https://d.example/"),
        ("state/instance_url", ""),
        ("state/other", "https://e.example/"),
        ("account/token_uri", "https://f.example/"),
    ]);
    let granted = needs(&list).resolve(&values);
    assert_eq!(
        granted.fetch_urls(&values),
        [
            ("pattern/oauth_config/token_uri", "https://a.example/token"),
            ("shared/token_endpoint", "https://d.example/"),
        ]
    );
    let visits = granted.visit_urls(&values);
    assert_eq!(visits, [("pattern/oauth_config/authorize_uri", "https://c.example/")]);
}

#[test]
fn a_policy_leaves_only_what_both_grant() {
    let wide =
        needs(&["read account/token", "write header/x-*", "send bare", "write path", "read body"]);
    let policy = needs(&[
        "read body/sha-256",
        "write header/x-api-*",
        "write header/authorization",
        "read account/token",
    ]);
    for narrowed in [wide.narrowed(&policy), policy.narrowed(&wide)] {
        let granted = narrowed.resolve(&Values::default());
        assert!(granted.may_read("account/token"));
        assert!(granted.may_read("body/sha-256") && !granted.may_read("body/bytes"));
        assert!(granted.may_write_header(&header("x-api-key")));
        assert!(!granted.may_write_header(&header("x-other")));
        assert!(!granted.may_write_header(&header("authorization")));
        assert!(!granted.send_bare() && !granted.may_write_path());
    }
    let twice = wide.narrowed(&wide.narrowed(&policy)).resolve(&Values::default());
    assert!(!twice.may_write_path() && !twice.may_write_header(&header("x-other")));
    assert!(wide.resolve(&Values::default()).may_write_path());
}

#[test]
fn a_policy_without_entries_leaves_nothing() {
    let granted = needs(&["read account/token", "send bare", "write path"]).narrowed(&needs(&[]));
    let granted = granted.resolve(&Values::default());
    assert!(
        !granted.may_read("account/token") && !granted.send_bare() && !granted.may_write_path()
    );
}
