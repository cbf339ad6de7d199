//! Lists, page by page.

use countersign_vault::{
    AccountFilter, Accounts as _, ConnectionFilter, Connections as _, From, Page, Providers as _,
    VaultError,
};

use crate::scene::{Scene, account, by, connection, fill, page};

#[tokio::test]
async fn pages_go_forth_and_back_over_every_row_once() {
    let scene = Scene::new();
    let vault = scene.open().await;
    for n in 0..5 {
        scene.clock.pass(1);
        vault.create_provider(&by(), &format!("p{n}"), "{}").await.unwrap();
    }
    let mut from = From::Start;
    let mut seen = Vec::new();
    let mut last;
    loop {
        let listed = vault.providers(None, &Page { size: 2, from }).await.unwrap();
        assert_eq!(listed.total, 5);
        assert_eq!(listed.has_previous, !seen.is_empty());
        seen.extend(listed.rows.iter().map(|it| it.identifier.clone()));
        last = listed.rows.last().unwrap().id.clone();
        if !listed.has_next {
            break;
        }
        from = From::After(last);
    }
    assert_eq!(seen, ["p0", "p1", "p2", "p3", "p4"]);
    let back = Page { size: 3, from: From::Before(last.clone()) };
    let back = vault.providers(None, &back).await.unwrap();
    let names: Vec<_> = back.rows.iter().map(|it| it.identifier.as_str()).collect();
    assert_eq!(names, ["p1", "p2", "p3"]);
    assert!(back.has_previous && back.has_next);
    let beyond = vault.providers(None, &Page { size: 3, from: From::After(last) }).await.unwrap();
    assert!(beyond.rows.is_empty() && beyond.has_previous && !beyond.has_next);
    let one = vault.providers(Some("p3"), &page(9)).await.unwrap();
    assert_eq!((one.total, one.rows.len()), (1, 1));
}

#[tokio::test]
async fn a_filter_finds_its_rows_and_no_others() {
    let scene = Scene::new();
    let vault = scene.open().await;
    let (provider, ..) = fill(&vault).await;
    // Names that a pattern of SQL would take for one another.
    let [low, high] = ["a_b", "aXb"].map(|name| connection(name, &provider));
    let low = vault.create_connection(&by(), &low).await.unwrap();
    let high = vault.create_connection(&by(), &high).await.unwrap();
    let joined = vault.create_connection(&by(), &connection("a_b\",\"aXb", &provider)).await;
    assert!(matches!(joined, Err(VaultError::Name { .. })));
    for (identifier, connection) in [("50%", &low), ("501", &high), ("Ünal", &high)] {
        vault.create_account(&by(), &account(identifier, connection)).await.unwrap();
    }
    let found = async |filter: AccountFilter| {
        let listed = vault.accounts(&filter, &page(9)).await.unwrap();
        assert_eq!(listed.total, listed.rows.len() as u64);
        let mut found: Vec<_> = listed.rows.into_iter().map(|it| it.identifier).collect();
        found.sort();
        found
    };
    let names = |list: &[&str]| AccountFilter {
        connections: list.iter().map(|it| (*it).to_owned()).collect(),
        ..AccountFilter::default()
    };
    let query =
        |text: &str| AccountFilter { query: Some(text.to_owned()), ..AccountFilter::default() };
    assert_eq!(found(AccountFilter::default()).await.len(), 4);
    assert_eq!(found(names(&["a_b"])).await, ["50%"]);
    assert_eq!(found(names(&["aXb"])).await, ["501", "Ünal"]);
    assert_eq!(found(names(&["a_b", "acme-1"])).await, ["50%", "u1"]);
    assert!(found(names(&["A_B"])).await.is_empty());
    assert_eq!(found(query("0%")).await, ["50%"]);
    assert_eq!(found(query("NAL")).await, ["Ünal"]);
    assert_eq!(found(query("Ünal")).await, ["Ünal"]);
    let exact = AccountFilter { identifier: Some("501".to_owned()), ..AccountFilter::default() };
    assert_eq!(found(exact).await, ["501"]);
    let other = AccountFilter { provider: Some("other".to_owned()), ..AccountFilter::default() };
    assert!(found(other).await.is_empty());
    let filter = ConnectionFilter { query: Some("A_".to_owned()), ..ConnectionFilter::default() };
    let listed = vault.connections(&filter, &page(9)).await.unwrap();
    assert_eq!(listed.rows.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["a_b"]);
}
