//! Connected accounts.

use countersign::account::{State, Status};
use countersign::store::{StateKey, Store as _};
use countersign_gateway::{AccountName, AccountUpdate, Kind, NewAccount};
use countersign_vault::{AccountFilter, NewOrigins, Role};
use serde_json::{Value as Json, json};

use crate::scene::{Scene, by_id, caller, desk, details, fields, limited, page, shop};

async fn with_desk() -> Scene {
    let scene = Scene::new().await;
    let provider = scene.provider(&desk()).await;
    scene.connection(&provider, "desk-1", json!({})).await;
    scene
}

async fn with_shop() -> Scene {
    let scene = Scene::new().await;
    let provider = scene.provider(&shop()).await;
    scene.connection(&provider, "shop-1", json!({"client_id": "c", "client_secret": "s"})).await;
    scene
}

fn update(details: Json, config: Json) -> AccountUpdate {
    AccountUpdate { authorization_details: details, api_config: config }
}

#[tokio::test]
async fn an_account_with_credentials_is_active_and_shows_them_under_reveal_alone() {
    let scene = with_desk().await;
    let given = details(&json!({"domain": "a.example", "username": "canary"}));
    let account = scene.account("desk-1", "u1", given.clone(), json!(null)).await.unwrap();
    assert_eq!((account.status, account.auth_type.as_str()), (Status::Active, "BASIC"));
    let (shown, config) = scene.revealed(&account).await;
    assert_eq!((shown, config), (given, json!({})));
    let manager = caller(&[Role::Manage, Role::Proxy]);
    let noted = scene.service.audited(&manager, Some(&account.id), &page()).await.unwrap().rows;
    let actions: Vec<_> = noted.iter().map(|it| it.action.as_str()).collect();
    assert_eq!(actions, ["account.create", "account.reveal"]);
    let name = AccountName {
        connector: Some("desk-1".to_owned()),
        identifier: Some("u1".to_owned()),
        id: None,
    };
    let row = scene.service.account(&manager, &name).await.unwrap();
    assert_eq!(row, account);
    assert!(!format!("{row:?}").contains("canary"));
    let hidden = scene.service.reveal_account(&manager, &name).await.err().unwrap();
    assert_eq!(hidden.kind, Kind::Forbidden);
}

/// What both SDKs send where there is nothing yet.
#[tokio::test]
async fn an_account_without_credentials_waits_for_its_holder() {
    let scene = with_shop().await;
    for (nth, none) in [json!(null), json!({}), json!({"oauth_token": {}})].into_iter().enumerate()
    {
        let account =
            scene.account("shop-1", &format!("u{nth}"), none, json!({"shop": "a"})).await.unwrap();
        assert_eq!(account.status, Status::PendingAuth);
    }
}

#[tokio::test]
async fn the_plugins_judgement_and_the_documents_own_problems_are_told_by_field() {
    let scene = with_desk().await;
    for (values, field) in [
        (json!({"domain": "a.example", "username": "a:b"}), "account/username"),
        (json!({"domain": "evil.example/x", "username": "a"}), "domain"),
        (json!({"username": "a"}), "domain"),
    ] {
        let fault = scene.account("desk-1", "u1", details(&values), json!(null)).await.err();
        let fault = fault.unwrap();
        assert_eq!((fault.kind, fields(&fault).as_slice()), (Kind::Invalid, &[field][..]));
    }
    let none = details(&json!({"other": "x"}));
    let fault = scene.account("desk-1", "u1", none, json!(null)).await.err().unwrap();
    let fix = "give it among the account's details, as the provider has it";
    let each = format!("domain is missing ({fix}); username is missing ({fix})");
    assert_eq!(fault.to_string(), format!("the request is not valid: {each}"));
    let fault = scene.account("desk-1", "", json!({"x": 1}), json!(null)).await.err().unwrap();
    assert_eq!(fields(&fault), ["identifier", "authorization_details"]);
    let fault = scene.account("desk-9", "u1", json!(null), json!(null)).await.err().unwrap();
    assert_eq!(fault.kind, Kind::NotFound);
}

/// A value that stands in the host would otherwise take the key elsewhere.
#[tokio::test]
async fn another_host_needs_the_credentials_again() {
    let scene = with_desk().await;
    let given = details(&json!({"username": "canary"}));
    let config = json!({"domain": "a.example"});
    let account = scene.account("desk-1", "u1", given.clone(), config).await.unwrap();
    let change = async |details: Json| {
        let update = update(details, json!({"domain": "evil.example"}));
        scene.service.update_account(&scene.caller, &by_id(&account), update).await
    };
    // What holds no credential gives none again.
    for nothing in [json!(null), json!({}), json!({"oauth_token": {}}), details(&json!({}))] {
        let fault = change(nothing).await.err().unwrap();
        assert_eq!(fields(&fault), ["username"]);
    }
    let (kept, config) = scene.revealed(&account).await;
    assert_eq!((kept, config), (given.clone(), json!({"domain": "a.example"})));
    let changed = change(given).await.unwrap();
    assert_eq!((changed.version, changed.status), (2, Status::Active));
}

#[tokio::test]
async fn tokens_do_not_follow_to_another_host() {
    let scene = with_shop().await;
    let token = json!({"oauth_token": {"access_token": "t", "refresh_token": "r"}});
    let config = json!({"shop": "a", "tenant": "x"});
    let account = scene.account("shop-1", "u1", token, config).await.unwrap();
    assert_eq!(account.status, Status::Active);
    // What stands in no host may change.
    let update = async |config: Json| {
        let update = update(json!(null), config);
        scene.service.update_account(&scene.caller, &by_id(&account), update).await
    };
    let same = update(json!({"tenant": "y"})).await.unwrap();
    assert_eq!(same.status, Status::Active);
    let (shown, config) = scene.revealed(&same).await;
    assert_eq!(shown["oauth_token"]["access_token"], "t");
    assert_eq!(config, json!({"shop": "a", "tenant": "y"}));
    // Nor does anything else: what is a path's today may have been a key yesterday.
    let fault = update(json!({"shop": "b"})).await.err().unwrap();
    assert_eq!(fields(&fault), ["tenant"]);
    let moved = update(json!({"shop": "b", "tenant": "y"})).await.unwrap();
    assert_eq!(moved.status, Status::PendingAuth);
    let (shown, _) = scene.revealed(&moved).await;
    assert_eq!(shown["oauth_token"].get("access_token"), None);
}

#[tokio::test]
async fn a_new_access_token_leaves_the_refresh_token_that_there_is() {
    let scene = with_shop().await;
    let token = json!({"oauth_token": {"access_token": "t", "refresh_token": "r"}});
    let account = scene.account("shop-1", "u1", token, json!({"shop": "a"})).await.unwrap();
    let token = json!({"oauth_token": {"access_token": "u"}});
    let update = update(token, json!(null));
    let account = scene.service.update_account(&scene.caller, &by_id(&account), update).await;
    let (shown, _) = scene.revealed(&account.unwrap()).await;
    assert_eq!(shown["oauth_token"], json!({"access_token": "u", "refresh_token": "r"}));
}

#[tokio::test]
async fn an_account_out_of_a_callers_reach_is_not_there() {
    let scene = with_desk().await;
    let given = details(&json!({"domain": "a.example", "username": "x"}));
    let account = scene.account("desk-1", "u1", given, json!(null)).await.unwrap();
    for caller in [
        limited(&Role::ALL, Some(&["desk-2"]), None),
        limited(&Role::ALL, None, Some(&["u2"])),
        limited(&Role::ALL, Some(&["desk-1"]), Some(&["u2"])),
    ] {
        let name = by_id(&account);
        let gone = |kind| assert_eq!(kind, Kind::NotFound);
        gone(scene.service.account(&caller, &name).await.err().unwrap().kind);
        gone(scene.service.reveal_account(&caller, &name).await.err().unwrap().kind);
        gone(scene.service.delete_account(&caller, &name).await.err().unwrap().kind);
        let change = update(json!(null), json!({}));
        gone(scene.service.update_account(&caller, &name, change).await.err().unwrap().kind);
        let new = NewAccount {
            connector: "desk-1".to_owned(),
            identifier: "u1".to_owned(),
            authorization_details: json!(null),
            api_config: json!(null),
        };
        gone(scene.service.create_account(&caller, new).await.err().unwrap().kind);
        let listed = scene.service.accounts(&caller, &AccountFilter::default(), &page()).await;
        assert_eq!(listed.unwrap().total, 0);
    }
    let own = limited(&Role::ALL, Some(&["desk-1"]), Some(&["u1"]));
    scene.service.delete_account(&own, &by_id(&account)).await.unwrap();
}

/// A credential may be among the values beside the credentials.
#[tokio::test]
async fn another_host_gets_no_value_that_was_not_given_for_it() {
    let scene = with_desk().await;
    let given = details(&json!({"domain": "a.example"}));
    let config = json!({"username": "canary"});
    let account = scene.account("desk-1", "u1", given, config).await.unwrap();
    let change = async |config: Json| {
        let update = update(details(&json!({"domain": "evil.example"})), config);
        scene.service.update_account(&scene.caller, &by_id(&account), update).await
    };
    let fault = change(json!(null)).await.err().unwrap();
    assert_eq!(fields(&fault), ["username"]);
    assert_eq!(change(json!({"username": "mine"})).await.unwrap().status, Status::Active);
}

#[tokio::test]
async fn details_without_a_credential_leave_those_that_there_are() {
    let scene = with_shop().await;
    let token = json!({"oauth_token": {"access_token": "t"}});
    let account = scene.account("shop-1", "u1", token, json!({"shop": "a"})).await.unwrap();
    for nothing in [json!({}), json!({"oauth_token": {}})] {
        let update = update(nothing, json!(null));
        let after = scene.service.update_account(&scene.caller, &by_id(&account), update).await;
        assert_eq!(after.unwrap().status, Status::Active);
    }
    let now = scene.service.account(&scene.caller, &by_id(&account)).await.unwrap();
    assert_eq!(scene.revealed(&now).await.0["oauth_token"]["access_token"], "t");
}

#[tokio::test]
async fn an_update_without_tokens_is_judged_with_those_that_there_are() {
    let scene = with_shop().await;
    let token = json!({"oauth_token": {"access_token": "t"}});
    let config = json!({"shop": "a", "tenant": "x"});
    let account = scene.account("shop-1", "u1", token, config).await.unwrap();
    let update = update(json!(null), json!({"tenant": "../X"}));
    let fault = scene.service.update_account(&scene.caller, &by_id(&account), update).await;
    assert_eq!(fields(&fault.err().unwrap()), ["tenant"]);
}

/// A flow brings tokens to an account that was made without details, as the SDKs make them.
#[tokio::test]
async fn tokens_that_a_flow_brought_are_shown() {
    let scene = with_shop().await;
    let account = scene.account("shop-1", "u1", json!(null), json!({"shop": "a"})).await.unwrap();
    let key = StateKey {
        environment: "".into(),
        connection: "shop-1".into(),
        identifier: Some("u1".into()),
        row: None,
    };
    let state =
        State { secrets: [("access_token".to_owned(), "t".into())].into(), ..State::default() };
    let claim = scene.vault.claim(&key).await.unwrap();
    scene.vault.save(&key, &claim, 0, state).await.unwrap();
    assert_eq!(scene.revealed(&account).await.0, json!({"oauth_token": {"access_token": "t"}}));
}

#[tokio::test]
async fn an_account_that_was_disconnected_is_given_again_and_not_only_changed() {
    // The second would send the key to whoever resolves the name.
    for moved in ["https://evil.example", "https://{{username}}.evil.example"] {
        let scene = with_desk().await;
        let given = details(&json!({"domain": "a.example", "username": "canary"}));
        let account = scene.account("desk-1", "u1", given.clone(), json!(null)).await.unwrap();
        let moved = json!({"proxy_url": moved});
        let disconnect = NewOrigins::Disconnect;
        scene.service.update_provider(&scene.caller, "desk", &moved, disconnect).await.unwrap();
        let change = async |details: Json| {
            let update = update(details, json!({"version": "2"}));
            scene.service.update_account(&scene.caller, &by_id(&account), update).await
        };
        let fault = change(json!(null)).await.err().unwrap();
        assert_eq!(fields(&fault), ["domain", "username"], "{moved}");
        assert_eq!(change(given).await.unwrap().status, Status::Active);
    }
}

/// A reader that takes blanks off would find another's account under it.
#[tokio::test]
async fn an_identifier_does_not_begin_or_end_with_what_nobody_sees() {
    let scene = with_desk().await;
    let given = || details(&json!({"domain": "a.example", "username": "k"}));
    for identifier in ["u1\u{3000}", "\u{a0}u1", "u1\u{2028}"] {
        let fault = scene.account("desk-1", identifier, given(), json!(null)).await.err().unwrap();
        assert_eq!(fields(&fault), ["identifier"], "{identifier:?}");
    }
    let account = scene.account("desk-1", " u1\t", given(), json!(null)).await.unwrap();
    assert_eq!(account.identifier, "u1");
}
