//! Which names a need grants: values, parts of the request, URLs.

use super::*;

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
fn each_part_of_the_request_is_a_grant_of_its_own() {
    type Question = fn(&Granted) -> bool;
    let questions: [(&str, Question); 10] = [
        ("write path", Granted::may_write_path),
        ("write origin", Granted::may_write_origin),
        ("write body", Granted::may_write_body),
        ("write client-certificate/state/k", |granted| granted.may_present("state/k")),
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
    let named = granted(&["write client-certificate/account/k"], &[]);
    assert!(named.may_present("account/k") && !named.may_read("account/k"));
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

/// The operator may name the value, or take the whole away.
#[test]
fn a_policy_narrows_what_is_presented() {
    let needs = |needs: &[&str]| Needs::parse(&entries(needs)).unwrap();
    let own = needs(&["write client-certificate/account/k", "write client-certificate/account/l"]);
    for (policy, k, l) in [
        (&["write client-certificate/account/k"][..], true, false),
        (&["write client-certificate", "read account/l"], false, true),
        (&["write client-certificate"], false, false),
        (&["read account/k"], false, false),
    ] {
        let granted = own.narrowed(&needs(policy)).resolve(&Values::default());
        let presents = [granted.may_present("account/k"), granted.may_present("account/l")];
        assert_eq!(presents, [k, l], "{policy:?}");
    }
}

#[test]
fn one_that_grants_the_same_is_shared_and_no_other() {
    let last = Last::default();
    let [by_a, by_b] = [[("connection/header", "x-a")], [("connection/header", "x-b")]];
    let resolved = |entries| granted(&["write header/{connection/header}"], entries);
    let first = last.shared(resolved(&by_a));
    assert!(Arc::ptr_eq(&first, &last.clone().shared(resolved(&by_a))));
    let other = last.shared(resolved(&by_b));
    assert!(other.may_write_header(&header("x-b")) && !other.may_write_header(&header("x-a")));
    assert!(first.may_write_header(&header("x-a")), "whoever has the first keeps it");
}
