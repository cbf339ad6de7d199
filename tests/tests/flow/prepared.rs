//! What a plugin may put on a request, and who is to blame where there is none.

use std::sync::Arc;

use countersign::random::{Random, RandomError};
use countersign::{Countersign, Settings};
use countersign_hostile::answer::{self, set_header};
use countersign_tests::sandbox;
use countersign_tests::world::{get, no_egress};
use serde_json::json;

use crate::plot::{Plot, guest, provider};
use crate::remembered::{drawing, lasting};

/// A header that changes what a request does is the provider's to name.
#[tokio::test]
async fn a_method_override_is_set_only_where_the_provider_sends_one() {
    let name = "x-http-method-override";
    let needs = format!("write header/{name}");
    let ready = answer::ready(vec![set_header("authorization", "x"), set_header(name, "DELETE")]);
    let guest = guest(&[&needs]).body("authorize", ready);
    let plot = Plot::of(&guest);
    assert_eq!(plot.prepared().await.unwrap_err().code(), "edit_refused");
    let mut provider = provider();
    provider["proxy_headers"] = json!({"X-HTTP-Method-Override": "GET"});
    let plot = Plot::with(&guest, &provider, Settings::default());
    let request = plot.host.prepare(&plot.subject, get("/things")).await.unwrap();
    assert_eq!(request.headers()[name], "DELETE", "the plugin's word wins");
}

struct NoRandom;

impl Random for NoRandom {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}

/// Five faults in ten seconds would suspend it.
#[tokio::test]
async fn a_host_without_random_bytes_does_not_blame_the_plugin() {
    let plot = Plot::of(&drawing(&[], lasting()));
    let host = Countersign::builder(sandbox(), Arc::clone(&plot.registry), no_egress())
        .random(Arc::new(NoRandom))
        .build();
    for _ in 0..6 {
        let error = host.prepare(&plot.subject, get("/things")).await.err().unwrap();
        assert_eq!(error.code(), "host_failed");
    }
    plot.prepared().await.unwrap();
}
