//! Every call of the management API.

use serde_json::{Value as Json, json};

use crate::api::{account, audit, connection, provider};

/// One call.
pub(super) struct Operation {
    pub(super) method: &'static str,
    /// Below `/api/v1`.
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) more: &'static str,
    pub(super) parameters: Vec<Json>,
    pub(super) body: Option<&'static str>,
    pub(super) answer: (u16, &'static str),
    /// Beside those that any call may end with.
    pub(super) faults: &'static [u16],
}

/// All of them.
pub(super) fn operations() -> Vec<Operation> {
    [providers(), connections(), accounts(), clients()].into_iter().flatten().collect()
}

fn call(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    answer: (u16, &'static str),
) -> Operation {
    let parameters = named_in(path);
    let faults: &[u16] = if parameters.is_empty() { &[] } else { &[404] };
    Operation { method, path, id, summary, more: "", parameters, body: None, answer, faults }
}

impl Operation {
    fn body(self, body: &'static str) -> Self {
        Self { body: Some(body), ..self }
    }

    fn faults(self, faults: &'static [u16]) -> Self {
        Self { faults, ..self }
    }

    fn more(self, more: &'static str) -> Self {
        Self { more, ..self }
    }

    fn with(mut self, parameters: impl IntoIterator<Item = Json>) -> Self {
        self.parameters.extend(parameters);
        self
    }
}

fn providers() -> Vec<Operation> {
    let words: Vec<&str> = provider::NEW_ORIGINS.iter().map(|(word, _)| *word).collect();
    let types: Vec<&str> = provider::TYPES.iter().map(|(word, _)| *word).collect();
    vec![
        call(
            "post",
            "/custom-providers",
            "createProvider",
            "Make a provider",
            (201, "OneProvider"),
        )
        .more("The body is the payload itself. Needs the role `manage` and no limits.")
        .body("ProviderPayload")
        .faults(&[409]),
        call(
            "put",
            "/custom-providers/{identifier}",
            "updateProvider",
            "Change a provider",
            (200, "OneProvider"),
        )
        .more(
            "What is left out or null stays; a list or `metadata` that is sent takes the \
                place of the old one. A change that takes secrets to origins that they were not \
                given for is refused with 409 and `affected`: repeat it with `new_origins`, whose \
                `confirm` needs the role `reveal`.",
        )
        .with([query("new_origins", &json!({"type": "string", "enum": with_empty(&words)}))])
        .body("ProviderChange")
        .faults(&[404, 409]),
        call(
            "delete",
            "/custom-providers/{identifier}",
            "deleteProvider",
            "Remove a provider that no connection uses",
            (200, "Nothing"),
        ),
        call("get", "/providers", "listProviders", "Providers", (200, "Providers"))
            .more(
                "There are no built-in ones, so DEFAULT is an empty list; without a filter all \
                are listed.",
            )
            .with([
                query(
                    "filter.provider_type",
                    &json!({"type": "string", "enum": with_empty(&types)}),
                ),
                query("identifier", &text(provider::LONGEST_IDENTIFIER)),
            ])
            .with(page('p', provider::MOST)),
    ]
}

fn connections() -> Vec<Operation> {
    let filters = || {
        [
            query("provider", &text(connection::LONGEST_PROVIDER)),
            query("query", &text(connection::LONGEST_QUERY)),
        ]
    };
    vec![
        call(
            "post",
            "/connections",
            "createConnection",
            "Make a connection",
            (201, "OneConnection"),
        )
        .body("NewConnection")
        .faults(&[404, 409]),
        call(
            "get",
            "/connections",
            "listConnections",
            "Connections with their settings",
            (200, "Connections"),
        )
        .more("A caller that is limited to some connections sees these.")
        .with(filters())
        .with(page('c', connection::MOST)),
        call(
            "get",
            "/connections/app",
            "listAppConnections",
            "Connections as the SDKs list them",
            (200, "AppConnections"),
        )
        .more("A caller that is limited to some connections sees these.")
        .with(filters())
        .with(page('c', connection::MOST_APP)),
        call("get", "/connections/{id}", "getConnection", "One connection", (200, "OneConnection")),
        call(
            "patch",
            "/connections/{id}",
            "updateConnection",
            "Change a connection",
            (200, "OneConnection"),
        )
        .more("A setting that is left out stays, and null takes one away.")
        .body("ConnectionChange")
        .faults(&[404, 409]),
        call(
            "delete",
            "/connections/{id}",
            "deleteConnection",
            "Remove a connection that has no account",
            (200, "Nothing"),
        ),
        call(
            "patch",
            "/connections/{id}:enable",
            "enableConnection",
            "Let requests go out",
            (200, "Toggled"),
        )
        .faults(&[404, 409]),
        call(
            "patch",
            "/connections/{id}:disable",
            "disableConnection",
            "Let no request go out",
            (200, "Toggled"),
        )
        .faults(&[404, 409]),
    ]
}

fn accounts() -> Vec<Operation> {
    let name = || {
        [
            query("id", &text(account::LONGEST_ID)),
            example(query("connector", &connector()), "bearer-1"),
            example(query("identifier", &text(account::LONGEST_IDENTIFIER)), "user-1"),
            query("organization_id", &text(account::LONGEST_ID)),
            query("user_id", &text(account::LONGEST_ID)),
        ]
    };
    let named = "Give `id`, or `connector` and `identifier`. Without an identifier it is \
                 `organization_id`, or `organization_id/user_id`.";
    let (shortest, longest) = (*account::SEARCHED.start(), *account::SEARCHED.end());
    let mut searched =
        query("query", &json!({"type": "string", "minLength": shortest, "maxLength": longest}));
    searched["required"] = true.into();
    vec![
        call("post", "/connected_accounts", "createAccount", "Make a connected account",
            (201, "OneAccount"))
            .body("NewAccount")
            .faults(&[404, 409]),
        call("put", "/connected_accounts", "updateAccount", "Change a connected account",
            (200, "OneAccount"))
            .more("`authorization_details` takes the place of what there is; the members of \
                `api_config` do one by one, and null takes one away. Whoever changes what stands in \
                a host name gives the credentials again.")
            .body("AccountChange")
            .faults(&[404, 409]),
        call("get", "/connected_accounts", "listAccounts", "Connected accounts", (200, "Accounts"))
            .more("Give `connector` or `connection_names`, not both. A limited caller sees its own.")
            .with(name().into_iter().skip(1))
            .with([
                query("provider", &text(account::LONGEST_PROVIDER)),
                query("query", &text(account::LONGEST_QUERY)),
                query("connection_names", &json!({"type": "array", "items": connector(),
                    "maxItems": account::MOST_CONNECTIONS})),
                query("is_org_wide_credential", &json!({"type": "boolean"})),
            ])
            .with(page('a', account::MOST)),
        call("post", "/connected_accounts:delete", "deleteAccount", "Remove a connected account",
            (200, "Nothing"))
            .body("AccountName")
            .faults(&[404]),
        call("get", "/connected_accounts:search", "searchAccounts",
            "Connected accounts with this in their identifier", (200, "Accounts"))
            .with([searched, query("connection_id", &text(account::LONGEST_ID))])
            .with(page('a', account::MOST_FOUND))
            .faults(&[404]),
        call("get", "/connected_accounts/details", "getAccount",
            "One connected account, without its credentials", (200, "OneAccount"))
            .more(named)
            .with(name())
            .faults(&[404]),
        call("get", "/connected_accounts/auth", "revealAccount",
            "One connected account, with its credentials; needs the role `reveal`",
            (200, "OneRevealedAccount"))
            .more(named)
            .with(name())
            .faults(&[404, 409]),
    ]
}

fn clients() -> Vec<Operation> {
    vec![
        call("post", "/clients", "createClient", "Make a client", (201, "IssuedClient"))
            .more("The secret is told this once. A caller grants only roles that it has.")
            .body("NewClient"),
        call("get", "/clients", "listClients", "Clients that are not revoked", (200, "Clients")),
        call(
            "get",
            "/clients/{id}",
            "getClient",
            "One client that is not revoked",
            (200, "OneClient"),
        ),
        call(
            "post",
            "/clients/{id}:rotate",
            "rotateClient",
            "Give a client another secret, and end its tokens",
            (200, "IssuedClient"),
        ),
        call(
            "delete",
            "/clients/{id}",
            "revokeClient",
            "End a client and its tokens",
            (200, "Nothing"),
        ),
        call("get", "/audit", "listAudit", "Who changed what, the oldest first", (200, "Audit"))
            .with([query("subject", &text(audit::LONGEST_SUBJECT))])
            .with(page('u', audit::MOST)),
    ]
}

/// What a path names.
fn named_in(path: &str) -> Vec<Json> {
    let Some((_, rest)) = path.split_once('{') else { return Vec::new() };
    let name = rest.split('}').next().unwrap_or_default();
    let schema = json!({"type": "string", "minLength": 1});
    vec![json!({"name": name, "in": "path", "required": true, "schema": schema})]
}

fn query(name: &str, schema: &Json) -> Json {
    json!({"name": name, "in": "query", "schema": schema})
}

/// Those of the documents' examples, so that whoever tries one after the other finds what is there.
fn example(mut parameter: Json, value: &str) -> Json {
    parameter["example"] = value.into();
    parameter
}

/// An empty text is none.
fn text(most: usize) -> Json {
    json!({"type": "string", "maxLength": most})
}

fn with_empty(words: &[&'static str]) -> Vec<&'static str> {
    words.iter().copied().chain([""]).collect()
}

/// A connection's name.
pub(super) fn connector() -> Json {
    json!({"type": "string", "maxLength": account::LONGEST_CONNECTOR,
        "pattern": "^[a-zA-Z0-9_: -]*$"})
}

fn page(letter: char, most: u32) -> [Json; 2] {
    let mut size = query("page_size", &json!({"type": "integer", "minimum": 0, "maximum": most}));
    size["description"] = "Rows of a page; 30 where it is 0 or left out.".into();
    let pattern = format!("^({letter}[np][0-9]{{18}})?$");
    let mut token = query("page_token", &json!({"type": "string", "pattern": pattern}));
    token["description"] = "That of another answer of this list. What is in it may change.".into();
    [size, token]
}
