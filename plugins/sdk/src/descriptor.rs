//! A descriptor, put together.
//!
//! What the builder is given is written by the plugin's author, so nothing here can fail. `about`
//! is JSON of the form
//! `{"title", "version", "inputs": {"connection": […], "pattern": […], "account": […]}}`, each
//! input `{"name", "label", "secret", "required"}`.

use std::fmt::Write as _;

use crate::{Descriptor, placed};

/// A value that people give.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    name: &'static str,
    label: &'static str,
    secret: bool,
    required: bool,
}

impl Input {
    /// One that must be there.
    pub const fn required(name: &'static str, label: &'static str) -> Self {
        Self { name, label, secret: false, required: true }
    }

    /// One that may be left out.
    pub const fn optional(name: &'static str, label: &'static str) -> Self {
        Self { name, label, secret: false, required: false }
    }

    /// The same, not to be shown.
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// Makes a [`Descriptor`].
#[derive(Debug, Default)]
pub struct Builder {
    auth_types: Vec<String>,
    flows: Vec<String>,
    needs: Vec<(String, String)>,
    title: &'static str,
    version: &'static str,
    connection: Vec<Input>,
    pattern: Vec<Input>,
    account: Vec<Input>,
}

impl Descriptor {
    /// Begins the descriptor of a plugin that answers to this auth type.
    pub fn builder(auth_type: &str) -> Builder {
        Builder { auth_types: vec![auth_type.to_owned()], ..Builder::default() }
    }
}

impl Builder {
    /// A name for people, and the plugin's version.
    pub fn title(mut self, title: &'static str, version: &'static str) -> Self {
        (self.title, self.version) = (title, version);
        self
    }

    /// The flows it has, of `setup`, `grant`, `renew`, `revoke`.
    pub fn flows(mut self, flows: &[&str]) -> Self {
        self.flows.extend(flows.iter().map(|&flow| flow.to_owned()));
        self
    }

    /// Values, and parts of a message, that it wants to see. Each costs time on every call.
    pub fn read(self, objects: &[&str]) -> Self {
        self.need("read", objects)
    }

    /// What it may change of a request, and store as state.
    pub fn write(self, objects: &[&str]) -> Self {
        self.need("write", objects)
    }

    /// Values that hold a URL to fetch.
    pub fn fetch(self, objects: &[&str]) -> Self {
        self.need("fetch", objects)
    }

    /// Values that hold a URL to send the user's browser to.
    pub fn visit(self, objects: &[&str]) -> Self {
        self.need("visit", objects)
    }

    /// Leave for the main credential's header: see [`header::credential`](crate::header).
    pub fn credential_header(self) -> Self {
        self.read(&["pattern/auth_header_key_override"])
            .write(&["header/authorization", "header/{pattern/auth_header_key_override}"])
    }

    /// Leave to put fields where the pattern says: see [`placed`].
    pub fn placed_fields(self) -> Self {
        self.read(placed::READS).write(placed::WRITES)
    }

    /// Any other need, as verb and objects.
    pub fn need(mut self, verb: &str, objects: &[&str]) -> Self {
        self.needs.extend(objects.iter().map(|&object| (verb.to_owned(), object.to_owned())));
        self
    }

    /// What a connection is asked for.
    pub fn connection(mut self, inputs: &[Input]) -> Self {
        self.connection = inputs.to_vec();
        self
    }

    /// What the auth pattern may say.
    pub fn pattern(mut self, inputs: &[Input]) -> Self {
        self.pattern = inputs.to_vec();
        self
    }

    /// What an account is asked for.
    pub fn account(mut self, inputs: &[Input]) -> Self {
        self.account = inputs.to_vec();
        self
    }

    /// The finished descriptor.
    pub fn build(self) -> Descriptor {
        let about = self.about();
        Descriptor { auth_types: self.auth_types, flows: self.flows, needs: self.needs, about }
    }

    fn about(&self) -> String {
        let mut json = String::from("{\"title\":");
        quote(&mut json, self.title);
        json.push_str(",\"version\":");
        quote(&mut json, self.version);
        json.push_str(",\"inputs\":{");
        let levels = [
            ("connection", &self.connection),
            ("pattern", &self.pattern),
            ("account", &self.account),
        ];
        for (index, (level, inputs)) in levels.into_iter().enumerate() {
            json.push_str(if index == 0 { "" } else { "," });
            quote(&mut json, level);
            json.push_str(":[");
            for (index, input) in inputs.iter().enumerate() {
                json.push_str(if index == 0 { "" } else { "," });
                input.write(&mut json);
            }
            json.push(']');
        }
        json.push_str("}}");
        json
    }
}

impl Input {
    fn write(&self, json: &mut String) {
        json.push_str("{\"name\":");
        quote(json, self.name);
        json.push_str(",\"label\":");
        quote(json, self.label);
        for (key, value) in [("secret", self.secret), ("required", self.required)] {
            json.push(',');
            quote(json, key);
            json.push_str(if value { ":true" } else { ":false" });
        }
        json.push('}');
    }
}

/// A JSON string (RFC 8259, section 7).
fn quote(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..='\u{1f}' => {
                // Writing to a string cannot fail.
                let _ = write!(json, "\\u{:04x}", u32::from(character));
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests;
