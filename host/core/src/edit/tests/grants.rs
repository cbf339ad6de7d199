//! Which edits the needs and the host's rules allow.

use super::*;

#[test]
fn row_20_an_edit_outside_the_needs_is_refused() {
    let (needs, edits): (Vec<_>, Vec<_>) = all().into_iter().unzip();
    for (at, need) in needs.iter().enumerate() {
        let mut others = needs.clone();
        others.remove(at);
        let error = refusal(&others, &edits);
        assert!(matches!(error, EditError::NotGranted(_)), "{need}: {error}");
    }
    let origin = [set("authorization", "t"), Asked::SetOrigin("https://b.example".to_owned())];
    assert!(matches!(refusal(&[AUTHORIZATION], &origin), EditError::NotGranted(_)));
    let reads = ["read header/x-api-key", "send bare", "write state/x-api-key"];
    assert!(matches!(refusal(&reads, &[set("x-api-key", "1")]), EditError::NotGranted(_)));
}

#[test]
fn row_20_a_header_of_the_hosts_is_refused_even_with_a_need() {
    for name in [
        "host",
        "HOST",
        "content-length",
        "content_length",
        "transfer-encoding",
        "connection",
        "te",
        "trailer",
        "upgrade",
        "keep-alive",
        "expect",
        "forwarded",
        "x-forwarded-for",
        "via",
        "proxy-authorization",
        "http2-settings",
        "cookie",
        "x-http-method-override",
    ] {
        let need = format!("write header/{name}");
        for edit in [
            set(name, "evil"),
            Asked::AppendHeader(entry(name, "evil")),
            Asked::RemoveHeader(name.to_owned()),
        ] {
            let error = refusal(&[&need, "send bare"], &[edit]);
            assert!(matches!(error, EditError::Forbidden(_)), "{name}: {error}");
        }
    }
}

#[test]
fn a_method_override_is_for_the_provider_to_name() {
    let needs = granted(&["write header/x-http-method-override", "write header/host"]);
    let named = |name: &'static str| EditRules {
        named_headers: vec![HeaderName::from_static(name)],
        ..EditRules::default()
    };
    let edits = |name: &str| vec![set(name, "PATCH")];
    let name = "x-http-method-override";
    assert!(CheckedEdits::check(edits(name), &needs, &named(name)).is_ok());
    assert!(CheckedEdits::check(edits(name), &needs, &named("x-http-method")).is_err());
    assert!(CheckedEdits::check(edits("host"), &needs, &named("host")).is_err());
}

#[test]
fn row_19_edits_without_a_credential_are_refused_unless_bare_is_granted() {
    let needs = [AUTHORIZATION, "write query/k", "write body", "write header/x-a"];
    for edits in [
        vec![],
        vec![Asked::RemoveHeader("x-a".to_owned())],
        vec![Asked::SetQuery(entry("k", ""))],
        vec![Asked::AppendQuery(entry("k", ""))],
        vec![Asked::SetBody(Vec::new())],
    ] {
        assert!(matches!(refusal(&needs, &edits), EditError::Bare), "{edits:?}");
        assert!(check(&[&needs[..], &["send bare"]].concat(), &edits).is_ok());
    }
    let empty = refusal(&[AUTHORIZATION], &[set("authorization", "")]);
    assert!(matches!(empty, EditError::Value { flaw: Flaw::Empty, .. }));
    for (need, edit) in all() {
        let carries = !matches!(edit, Asked::RemoveHeader(_) | Asked::OwnConnection);
        assert_eq!(check(&[need], std::slice::from_ref(&edit)).is_ok(), carries, "{edit:?}");
    }
}

#[test]
fn an_origin_alone_is_no_credential() {
    let rules = EditRules {
        origins: vec![Url::parse("https://b.example").unwrap().origin()],
        ..EditRules::default()
    };
    let edits = vec![Asked::SetOrigin("https://b.example".to_owned())];
    let error = CheckedEdits::check(edits, &granted(&["write origin"]), &rules).err().unwrap();
    assert!(matches!(error, EditError::Bare));
}

#[test]
fn row_1_only_a_listed_origin_is_moved_to() {
    let needs = granted(&[AUTHORIZATION, "write origin"]);
    let rules = EditRules {
        origins: vec![Url::parse("https://eu.example.com").unwrap().origin()],
        ..EditRules::default()
    };
    let edits = |origin: &str| vec![set("authorization", "t"), Asked::SetOrigin(origin.to_owned())];
    for origin in [
        "https://evil.example",
        "http://eu.example.com",
        "https://eu.example.com:8443",
        "https://x.eu.example.com",
        // The provider's own is not for the plugin to restore.
        "https://api.example.com",
    ] {
        let error = CheckedEdits::check(edits(origin), &needs, &rules).err().unwrap();
        assert!(matches!(error, EditError::OriginNotListed), "{origin}: {error}");
    }
    let twice = [edits("https://eu.example.com"), edits("https://eu.example.com")].concat();
    let error = CheckedEdits::check(twice[1..].to_vec(), &needs, &rules).err().unwrap();
    assert!(matches!(error, EditError::Twice(_)));

    let checked = CheckedEdits::check(edits("https://eu.example.com"), &needs, &rules).unwrap();
    assert_eq!(checked.origin().as_ref(), rules.origins.first());
    let mut request = Request::new(&[]);
    let admits = |url: &Url| {
        // Asked before the origin moves.
        assert_eq!(url.as_str(), "https://api.example.com/base/x?q=1");
        Ok::<_, Infallible>(())
    };
    checked.apply(&needs, &rules, request.outgoing(), admits).unwrap();
    assert_eq!(request.url.as_str(), "https://eu.example.com/base/x?q=1");

    // An origin taken off the list is not moved to from memory.
    let mut request = Request::new(&[]);
    let admits = |_: &Url| Ok::<_, Infallible>(());
    let now = EditRules::default();
    let error = checked.apply(&needs, &now, request.outgoing(), admits).unwrap_err();
    assert!(matches!(error, EditError::OriginNotListed));
    assert_eq!(request, Request::new(&[]));
}

#[test]
fn only_values_of_the_connection_or_the_account_that_are_granted_make_a_certificate() {
    let edit = |chain: &str, key: &str| Asked::ClientCertificate(entry(chain, key));
    let named = ["write client-certificate/account/cert", "write client-certificate/state/key"];
    let read = ["write client-certificate", "read account/cert", "read state/key"];
    for needs in [&named[..], &read] {
        let checked = check(needs, &[edit("account/cert", "state/key")]).unwrap();
        assert_eq!(checked.client_certificate(), Some(["account/cert", "state/key"]));
        for (chain, key) in [
            ("account/cert", "account/key"),
            ("state/cert", "state/key"),
            ("connection/cert", "state/key"),
            ("account/cert", "account"),
            ("account/cert", ""),
            ("account/cert", "state/key/below"),
        ] {
            let below = key.ends_with("below") && needs == read;
            let error = check(needs, &[edit(chain, key)]).err();
            let refused = matches!(error, Some(EditError::NotGranted(_)));
            assert_eq!(refused, !below, "{needs:?} {chain} {key}");
        }
    }
    // To read it is not enough, nor is what is learnt for all or is no secret at all.
    let lacking = &["read account/cert", "read account/key"][..];
    let elsewhere = &["write client-certificate", "read shared/cert", "read pattern/cert"][..];
    for (needs, name) in
        [(lacking, "account/cert"), (elsewhere, "shared/cert"), (elsewhere, "pattern/cert")]
    {
        let error = refusal(needs, &[edit(name, name)]);
        assert!(matches!(error, EditError::NotGranted(_)), "{error}");
        assert_eq!(
            error.to_string(),
            format!("client-certificate {name} {name} is outside what the plugin may do")
        );
    }
    let twice = [edit("account/cert", "state/key"), edit("account/cert", "state/key")];
    assert!(matches!(refusal(&named, &twice), EditError::Twice(_)));
}

#[test]
fn a_connection_of_its_own_is_asked_for_once_and_is_no_credential() {
    let needs = [AUTHORIZATION, "write own-connection"];
    let own = || Asked::OwnConnection;
    assert!(check(&needs, &[set("authorization", "t")]).is_ok_and(|it| !it.own_connection()));
    let both = check(&needs, &[set("authorization", "t"), own()]);
    assert!(both.is_ok_and(|it| it.own_connection() && it.may_be_remembered()));
    assert!(matches!(refusal(&needs, &[own()]), EditError::Bare));
    let twice = refusal(&needs, &[set("authorization", "t"), own(), own()]);
    assert_eq!(twice.to_string(), "own-connection comes twice");
}
