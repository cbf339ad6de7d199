//! How many edits there may be, and how large.

use super::*;

#[test]
fn row_20_the_number_and_size_of_edits_are_bounded() {
    let many = |n: usize| (0..n).map(|i| set(&format!("x-{i}"), "v")).collect::<Vec<_>>();
    assert!(check(&["write header/x-*"], &many(64)).is_ok());
    let error = refusal(&["write header/x-*"], &many(65));
    assert!(matches!(error, EditError::TooMany { limit: 64 }));

    let needs = [
        AUTHORIZATION,
        "write header/x-*",
        "write query/k",
        "write cookie/k",
        "write path",
        "write body",
        "write client-certificate",
        "write origin",
    ];
    let rules = EditRules { max_bytes: 20, max_body: 5, ..EditRules::default() };
    let check = |edit: Asked| CheckedEdits::check(vec![edit], &granted(&needs), &rules);
    let long = |name: &str, total: usize| entry(name, &"v".repeat(total - name.len()));
    let path = |total: usize| format!("/{}", "v".repeat(total - 1));
    for edit in [Asked::SetHeader, Asked::AppendHeader] {
        assert!(check(edit(long("x-a", 20))).is_ok());
        assert!(matches!(check(edit(long("x-a", 21))), Err(EditError::TooLarge { limit: 20 })));
    }
    for edit in [Asked::SetQuery, Asked::AppendQuery, Asked::SetCookie] {
        assert!(check(edit(long("k", 20))).is_ok());
        assert!(matches!(check(edit(long("k", 21))), Err(EditError::TooLarge { .. })));
    }
    let pem = Asked::ClientCertificate(long("a", 21));
    assert!(matches!(check(pem), Err(EditError::TooLarge { .. })));
    assert!(check(Asked::SetPath(path(20))).is_ok());
    for edit in [Asked::SetPath, Asked::RemoveHeader, Asked::SetOrigin] {
        assert!(matches!(check(edit(path(21))), Err(EditError::TooLarge { .. })));
    }
    assert!(check(Asked::SetBody(vec![0; 5])).is_ok());
    let body = check(Asked::SetBody(vec![0; 6]));
    assert!(matches!(body, Err(EditError::BodyTooLarge { limit: 5 })));
    // Together, not each.
    let pair = vec![set("x-a", "12345678"), set("x-b", "12345678")];
    let error = CheckedEdits::check(pair, &granted(&needs), &rules).err().unwrap();
    assert!(matches!(error, EditError::TooLarge { .. }));
}

#[test]
fn a_request_that_is_full_of_headers_is_refused() {
    let checked = check(&[AUTHORIZATION], &[set("authorization", "t")]).unwrap();
    for (headers, fits) in [(4095, true), (4096, false)] {
        let mut request = Request::new(&vec![("x-a", "1"); headers]);
        let admits = |_: &Url| Ok::<_, Infallible>(());
        let rules = EditRules::default();
        let applied = checked.apply(&granted(&[AUTHORIZATION]), &rules, request.outgoing(), admits);
        assert_eq!(applied.is_ok(), fits);
        assert_eq!(request.headers.contains_key("authorization"), fits);
    }
}
