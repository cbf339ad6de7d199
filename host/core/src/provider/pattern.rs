//! One way in to a provider.
//!
//! The host gives meaning to few keys of a pattern; a plugin may read any of them, by its JSON
//! Pointer, so the raw JSON is kept.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Field, FieldMutation, field, header, mutation, origins, placeholder};
use crate::{
    fields::names_a_secret,
    problem::{Problems, Reader, flatten},
    target::{AllowedOrigins, Pattern},
    values::Values,
};

/// Keys that a management API or a form reads, and the host does not.
const BOOKKEEPING: &[&str] = &["is_mcp"];

/// What the payload keys of an OAuth configuration are known to be.
const OAUTH_KEYS: &[&str] = &[
    "authorize_uri",
    "token_uri",
    "user_info_uri",
    "revocation_uri",
    "revoke_uri",
    "device_authorization_uri",
    "verification_uri",
    "issuer",
    "available_scopes",
    "pkce_enabled",
    "custom_scope_name",
    "allow_use_scalekit_credentials",
    "attributes",
    "scope_separator",
    "grant_type",
    "token_endpoint_auth_method",
    "extra_authorize_params",
    "authorization_response_iss_parameter_supported",
    "fetch_user_info",
];

/// Endpoints that are never sent the connection's secrets.
const WITHOUT_CLIENT_SECRET: &[&str] =
    &["authorize_uri", "verification_uri", "user_info_uri", "issuer"];

/// One auth pattern of a provider. Clones share what was read: there is one for each account.
#[derive(Clone)]
pub struct AuthPattern(Arc<Written>);

/// What the payload says of it.
struct Written {
    path: String,
    auth_type: String,
    name: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
    is_default: bool,
    fields: Vec<Field>,
    account_fields: Vec<Field>,
    attributes: Vec<String>,
    header_override: Option<String>,
    mutations: Vec<FieldMutation>,
    listed_origins: AllowedOrigins,
    raw: Json,
}

impl AuthPattern {
    /// `type`: which plugin answers for it.
    pub fn auth_type(&self) -> &str {
        &self.0.auth_type
    }

    /// What a connection may call it, where there are several.
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// What people call it.
    pub fn display_name(&self) -> Option<&str> {
        self.0.display_name.as_deref()
    }

    /// What it is, for people.
    pub fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Whether it is meant where a connection names none.
    pub fn is_default(&self) -> bool {
        self.0.is_default
    }

    /// Inputs of static types; for flows, what is asked before one starts.
    pub fn fields(&self) -> &[Field] {
        &self.0.fields
    }

    /// Inputs that belong to the account beside a flow, such as path parameters.
    pub fn account_fields(&self) -> &[Field] {
        &self.0.account_fields
    }

    /// Both kinds of inputs.
    pub fn all_fields(&self) -> impl Iterator<Item = &Field> {
        self.0.fields.iter().chain(&self.0.account_fields)
    }

    /// The input of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.all_fields().find(|field| field.name() == name)
    }

    /// Attributes that the state may hold and placeholders may use: an instance URL, a tenant.
    /// Listed under `attributes`, of the pattern or of its `oauth_config`.
    pub fn attributes(&self) -> &[String] {
        &self.0.attributes
    }

    /// Whether a placeholder may use `name`.
    pub fn declares(&self, name: &str) -> bool {
        self.field(name).is_some() || self.0.attributes.iter().any(|known| known == name)
    }

    /// `auth_header_key_override`: the header in place of `Authorization`.
    pub fn header_override(&self) -> Option<&str> {
        self.0.header_override.as_deref()
    }

    /// Changes to values, in the payload's order; each target once.
    pub fn mutations(&self) -> &[FieldMutation] {
        &self.0.mutations
    }

    /// Other origins that a request under this pattern may be sent to.
    pub fn listed_origins(&self) -> &AllowedOrigins {
        &self.0.listed_origins
    }

    /// The pattern as the payload has it.
    pub fn raw(&self) -> &Json {
        &self.0.raw
    }

    /// Each scalar under `pattern/` and its JSON Pointer: `pattern/oauth_config/token_uri`,
    /// `pattern/fields/0/header_name`. Public, but for one whose own key names a secret.
    pub fn values(&self) -> Values {
        let mut values = Values::default();
        flatten("pattern", &self.0.raw, &mut |name, text| {
            let key = name.rsplit('/').find(|key| key.parse::<usize>().is_err());
            if key.is_some_and(names_a_secret) {
                values.set_secret(name, crate::secret::Secret::new(text));
            } else {
                values.set(name, text);
            }
        });
        values
    }

    /// Its URLs, by value name (`pattern/oauth_config/token_uri`), placeholders not filled: each
    /// text outside `fields` and `account_fields` whose key ends in `_uri`, `_url` or `_endpoint`,
    /// or is `issuer`.
    pub fn endpoints(&self) -> Vec<(String, String)> {
        let mut endpoints = Vec::new();
        flatten("pattern", &self.0.raw, &mut |name, text| {
            let own =
                !["pattern/fields/", "pattern/account_fields/", "pattern/auth_field_mutations/"]
                    .iter()
                    .any(|elsewhere| name.starts_with(elsewhere));
            let key = name.rsplit('/').next().unwrap_or_default();
            let is_url = ["_uri", "_url", "_endpoint"].iter().any(|end| key.ends_with(end));
            let is_text =
                || self.0.raw.pointer(&name["pattern".len()..]).is_some_and(Json::is_string);
            if own && (is_url || key == "issuer") && is_text() {
                endpoints.push((name, text));
            }
        });
        endpoints
    }

    /// A placeholder with what decides its value besides the account: `domain`,
    /// `domain|[a-z]+`, `domain|[a-z]+|{"suffix":".example.com"}`.
    pub(super) fn hole(&self, name: &str) -> String {
        let pattern = self.field(name).and_then(Field::pattern).map(Pattern::as_str);
        let mutation = self.0.raw.get("auth_field_mutations").and_then(|all| all.get(name));
        match (pattern, mutation) {
            (None, None) => name.to_owned(),
            (Some(pattern), None) => format!("{name}|{pattern}"),
            (pattern, Some(mutation)) => {
                format!("{name}|{}|{mutation}", pattern.unwrap_or_default())
            }
        }
    }

    /// Where it stands in its payload: `auth_patterns[0]`.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// All that a connection may call it.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        [self.name(), self.display_name(), Some(self.auth_type())].into_iter().flatten()
    }
}

/// Names only: a payload is where a secret ends up by mistake.
impl fmt::Debug for AuthPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthPattern")
            .field("path", &self.0.path)
            .field("auth_type", &self.0.auth_type)
            .finish_non_exhaustive()
    }
}

/// Reads one; `None`, with the problems noted, where it has no type.
pub(super) fn read(json: &Json, path: String, problems: &mut Problems) -> Option<AuthPattern> {
    let mut reader = Reader::open(json, path.clone(), problems)?;
    let auth_type = reader.needed_text("type", "name an auth type that a loaded plugin answers to");
    let auth_type = auth_type.filter(|text| {
        let good = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !good {
            let path = reader.at("type");
            reader.problems.error(
                path,
                "is longer than 64 bytes or holds a blank or a character beyond ASCII",
                "write the type as the plugin describes it",
            );
        }
        good
    });
    let [name, display_name, description] =
        ["name", "display_name", "description"].map(|key| reader.text(key).map(str::to_owned));
    let is_default = reader.flag("is_default").unwrap_or(false);
    let fields = inputs(&mut reader, "fields");
    let account_fields = inputs(&mut reader, "account_fields");
    check_inputs([("fields", &fields), ("account_fields", &account_fields)], &mut reader);
    let fields: Vec<Field> = fields.into_iter().flatten().collect();
    let account_fields: Vec<Field> = account_fields.into_iter().flatten().collect();
    let mut attributes = attributes(&mut reader);
    attributes.extend(oauth_config(&mut reader));
    let header_override = reader.text("auth_header_key_override");
    if let Some(name) = header_override {
        let path = reader.at("auth_header_key_override");
        header::check_name(&path, name, reader.problems);
    }
    let mutations = reader.object("auth_field_mutations").map(|object| {
        let path = reader.at("auth_field_mutations");
        let declares = |name: &str| fields.iter().chain(&account_fields).any(|f| f.name() == name);
        mutation::read(object, &path, declares, reader.problems)
    });
    let listed_origins = origins::read(&mut reader);
    reader.warn_of_the_rest(BOOKKEEPING);

    let pattern = AuthPattern(Arc::new(Written {
        path,
        auth_type: auth_type.unwrap_or_default().to_owned(),
        name,
        display_name,
        description,
        is_default,
        fields,
        account_fields,
        attributes,
        header_override: header_override.map(str::to_owned),
        mutations: mutations.unwrap_or_default(),
        listed_origins,
        raw: json.clone(),
    }));
    check_endpoints(&pattern, problems);
    auth_type.is_some().then_some(pattern)
}

fn inputs(reader: &mut Reader<'_, '_>, key: &'static str) -> Vec<Option<Field>> {
    let list = reader.list(key);
    let path = reader.at(key);
    let mut fields = Vec::with_capacity(list.len());
    for (index, json) in list.iter().enumerate() {
        fields.push(field::read(json, format!("{path}[{index}]"), reader.problems));
    }
    fields
}

/// Notes two inputs of one name, or with one place on the request.
fn check_inputs(inputs: [(&str, &Vec<Option<Field>>); 2], reader: &mut Reader<'_, '_>) {
    let mut seen = Vec::new();
    for (key, list) in inputs {
        for (index, field) in list.iter().enumerate() {
            let Some(field) = field else { continue };
            let claims = [
                ("field_name", Some(field.name().to_owned())),
                ("header_name", field.header_name().map(header::folded)),
                ("query_name", field.query_name().map(str::to_owned)),
                ("cookie_name", field.cookie_name().map(str::to_owned)),
            ];
            for (what, name) in claims.into_iter().filter_map(|(what, name)| Some((what, name?))) {
                if seen.contains(&(what, name.clone())) {
                    let path = reader.at(&format!("{key}[{index}].{what}"));
                    reader.problems.error(
                        path,
                        "is already that of another input of this pattern",
                        "give each input its own",
                    );
                } else {
                    seen.push((what, name));
                }
            }
        }
    }
}

fn attributes(reader: &mut Reader<'_, '_>) -> Vec<String> {
    reader.texts("attributes").into_iter().map(str::to_owned).collect()
}

fn oauth_config(reader: &mut Reader<'_, '_>) -> Vec<String> {
    let path = reader.at("oauth_config");
    let Some(config) = reader.json("oauth_config") else { return Vec::new() };
    let Some(mut config) = Reader::open(config, path, reader.problems) else { return Vec::new() };
    for key in ["authorize_uri", "token_uri", "user_info_uri", "issuer", "custom_scope_name"] {
        config.text(key);
    }
    config.flag("pkce_enabled");
    let scopes = config.list("available_scopes");
    for (index, scope) in scopes.iter().enumerate() {
        let path = config.at(&format!("available_scopes[{index}]"));
        let Some(mut scope) = Reader::open(scope, path, config.problems) else { continue };
        scope.needed_text("scope", "name the scope as the provider does");
        scope.flag("required");
    }
    let attributes = attributes(&mut config);
    config.warn_of_the_rest(OAUTH_KEYS);
    attributes
}

fn check_endpoints(pattern: &AuthPattern, problems: &mut Problems) {
    let this = Some(pattern.clone());
    for (name, url) in pattern.endpoints() {
        let below = name.trim_start_matches("pattern/").replace('/', ".");
        let path = format!("{}.{below}", pattern.path());
        let Some(template) = origins::endpoint(&path, &url, problems) else { continue };
        placeholder::check(&path, &template, [&this], problems);
        if WITHOUT_CLIENT_SECRET.contains(&name.rsplit('/').next().unwrap_or_default()) {
            continue;
        }
        let free = |name: &&str| pattern.field(name).is_some_and(|field| field.pattern().is_none());
        for field in template.host_names().filter(free) {
            problems.error(
                &path,
                format!(
                    "would send the connection's secrets to whatever host an account holder types \
                     as `{field}`"
                ),
                "give that field a `pattern` which lets only the provider's own hosts through",
            );
        }
    }
}
