//! The flat list of named values that a plugin may be shown, and that templates are filled from.
//!
//! A name is a path whose first segment says where the value comes from: `provider/`, `pattern/`,
//! `connection/`, `shared/`, `account/`, `state/`, `grant/` (the contract's `types` interface).
//! Each name stands once. Secrets keep their own type until the moment they enter the sandbox.

use std::collections::BTreeMap;

use crate::secret::Secret;

/// One value, and whether it may be shown.
#[derive(Clone)]
pub enum Value {
    /// Configuration: an endpoint, a header name, a scope.
    Public(String),
    /// A credential, or whatever an account holder typed.
    Secret(Secret),
}

impl Value {
    /// The text, secret or not. Callers are places where a secret leaves its shelter.
    pub fn expose(&self) -> &str {
        match self {
            Self::Public(text) => text,
            Self::Secret(secret) => secret.expose(),
        }
    }

    /// The secret, where it is one.
    pub fn as_secret(&self) -> Option<&Secret> {
        match self {
            Self::Public(_) => None,
            Self::Secret(secret) => Some(secret),
        }
    }
}

/// Named values, in the order of their names.
#[derive(Clone, Default)]
pub struct Values {
    entries: BTreeMap<String, Value>,
}

impl Values {
    /// Sets a public value; the last one set under a name stays.
    pub fn set(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.entries.insert(name.into(), Value::Public(text.into()));
    }

    /// Sets a secret value; the last one set under a name stays.
    pub fn set_secret(&mut self, name: impl Into<String>, secret: Secret) {
        self.entries.insert(name.into(), Value::Secret(secret));
    }

    /// The value of that exact name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries.get(name)
    }

    /// The text under that exact name; secret or not.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(Value::expose)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Those that are secret: what a [`Masker`](crate::secret::Masker) learns.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.entries.values().filter_map(Value::as_secret)
    }
}
