//! The management API: REST and JSON over the service.
//!
//! Here are shapes alone: which parameters and members a call has, of what kind and length, and how
//! an answer is written. What may be done is judged by the service, so that every other way in judges
//! the same. A call that is wrong in several places is told all of them, the shape's and the service's
//! together, under the names that the caller wrote. No answer may be kept on the way, and none but
//! that of `/connected_accounts/auth`, and of a client that is made or rotated, holds a secret.

mod account;
mod audit;
mod call;
mod client;
mod connection;
mod description;
mod members;
mod page;
mod parameters;
mod provider;
mod reply;
mod verb;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::{self, MethodRouter};
use http::header::ALLOW;
use tower::util::MapRequest;

use crate::fault::{Fault, Kind};
use crate::service::Service;
use crate::settings::InForce;

pub(crate) use description::description;

/// What every call needs.
#[derive(Clone)]
struct Api {
    service: Arc<Service>,
    settings: InForce,
    /// What browsers reach the gateway by, where that is known.
    public_url: Option<Arc<str>>,
}

/// All of it. Each request has a [`Caller`](crate::Caller) among its extensions.
pub(crate) fn router(
    service: Arc<Service>,
    settings: InForce,
    public_url: Option<String>,
) -> Router {
    let mut router = Router::new();
    for (path, methods) in routes() {
        router = router.route(&format!("/api/v1{}", verb::split_path(path)), methods);
    }
    let router = router
        .fallback(|| async { Fault::not_found("path") })
        .method_not_allowed_fallback(|| async { Fault::method("") })
        .with_state(Api { service, settings, public_url: public_url.map(Into::into) });
    // Outside of the router, which says the methods last.
    Router::new()
        .fallback_service(MapRequest::new(router, verb::split))
        .layer(axum::middleware::map_response(with_methods))
}

/// Every path, as callers write it.
fn routes() -> Vec<(&'static str, MethodRouter<Api>)> {
    use routing::{delete, get, patch, post, put};
    vec![
        ("/custom-providers", post(provider::create)),
        ("/custom-providers/{identifier}", put(provider::update).merge(delete(provider::delete))),
        ("/providers", get(provider::list)),
        ("/connections", post(connection::create).merge(get(connection::list))),
        ("/connections/app", get(connection::list_app)),
        (
            "/connections/{id}",
            get(connection::one).merge(patch(connection::update)).merge(delete(connection::delete)),
        ),
        ("/connections/{id}:enable", patch(connection::enable)),
        ("/connections/{id}:disable", patch(connection::disable)),
        (
            "/connected_accounts",
            post(account::create).merge(put(account::update)).merge(get(account::list)),
        ),
        ("/connected_accounts:delete", post(account::delete)),
        ("/connected_accounts:search", get(account::search)),
        ("/connected_accounts/details", get(account::details)),
        ("/connected_accounts/auth", get(account::auth)),
        ("/clients", post(client::create).merge(get(client::list))),
        ("/clients/{id}", get(client::one).merge(delete(client::revoke))),
        ("/clients/{id}:rotate", post(client::rotate)),
        ("/audit", get(audit::list)),
    ]
}

/// A path that is there, but not with this method: only the router knows with which.
async fn with_methods(mut response: Response) -> Response {
    let allow = response.headers().get(ALLOW).and_then(|it| it.to_str().ok()).map(str::to_owned);
    if let Some(allow) = allow
        && let Some(fault) = response.extensions_mut().get_mut::<Fault>()
        && fault.kind == Kind::Method
    {
        *fault = Fault::method(&allow);
    }
    response
}
