//! Fields that say themselves where they go: `header_name`, `query_name`, `cookie_name`.
//!
//! A pattern may carry several keys at once, or a key beside another credential. Each field that
//! names a place is put there as it is, in the order of the pattern. One that is empty is left out,
//! unless it is `required`: then the request is refused, and the refusal names it.
//!
//! The values come as `pattern/fields/0/field_name` and so on, and `account_fields` likewise, each
//! with its value as `account/{field_name}`.

use crate::{Account, Edit, Refusal, header};

/// What the host must pass for [`Placed::of`].
pub const READS: &[&str] = &[
    "pattern/fields/*/field_name",
    "pattern/fields/*/header_name",
    "pattern/fields/*/query_name",
    "pattern/fields/*/cookie_name",
    "pattern/fields/*/required",
    "account/{pattern/fields/*/field_name}",
];

/// What the edits of [`Placed::of`] may touch.
pub const WRITES: &[&str] = &[
    "header/{pattern/fields/*/header_name}",
    "query/{pattern/fields/*/query_name}",
    "cookie/{pattern/fields/*/cookie_name}",
];

/// As [`READS`], for a plugin whose accounts have `account_fields`.
pub const ACCOUNT_READS: &[&str] = &[
    "pattern/account_fields/*/field_name",
    "pattern/account_fields/*/header_name",
    "pattern/account_fields/*/query_name",
    "pattern/account_fields/*/cookie_name",
    "pattern/account_fields/*/required",
    "account/{pattern/account_fields/*/field_name}",
];

/// As [`WRITES`], for a plugin whose accounts have `account_fields`.
pub const ACCOUNT_WRITES: &[&str] = &[
    "header/{pattern/account_fields/*/header_name}",
    "query/{pattern/account_fields/*/query_name}",
    "cookie/{pattern/account_fields/*/cookie_name}",
];

/// The fields of a pattern, and the edits of those that are placed.
#[derive(Debug)]
pub struct Placed<'a> {
    fields: Vec<Field<'a>>,
    /// In the order of the pattern.
    pub edits: Vec<Edit>,
}

#[derive(Debug, Default)]
struct Field<'a> {
    /// `fields/0`, as it stands in the names.
    key: &'a str,
    name: &'a str,
    header: &'a str,
    query: &'a str,
    cookie: &'a str,
    required: bool,
}

impl<'a> Placed<'a> {
    /// Reads the account's pattern.
    pub fn of(account: &'a Account) -> Result<Self, Refusal> {
        let mut placed = Self { fields: fields(account), edits: Vec::new() };
        for field in &placed.fields {
            if !field.is_placed() {
                continue;
            }
            let source = ["account/", field.name].concat();
            match account.value(&source) {
                Some(value) => field.place(&source, value, &mut placed.edits)?,
                None if field.required => {
                    return Err(Refusal::invalid_config(&source, "this value is missing"));
                }
                None => {}
            }
        }
        Ok(placed)
    }

    /// Whether the pattern has a field of this name.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// Whether the field of this name says itself where it goes.
    pub fn takes(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name && field.is_placed())
    }
}

impl Field<'_> {
    fn is_placed(&self) -> bool {
        !(self.header.is_empty() && self.query.is_empty() && self.cookie.is_empty())
    }

    fn place(&self, source: &str, value: &str, edits: &mut Vec<Edit>) -> Result<(), Refusal> {
        if !self.header.is_empty() {
            header::check(source, value)?;
            edits.push(Edit::header(self.header, value));
        }
        if !self.query.is_empty() {
            edits.push(Edit::query(self.query, value));
        }
        if !self.cookie.is_empty() {
            header::check(source, value)?;
            edits.push(Edit::cookie(self.cookie, value));
        }
        Ok(())
    }
}

fn fields(account: &Account) -> Vec<Field<'_>> {
    let mut fields: Vec<Field<'_>> = Vec::new();
    for (rest, value) in account.under("pattern/") {
        if !(rest.starts_with("fields/") || rest.starts_with("account_fields/")) {
            continue;
        }
        let Some((key, property)) = rest.rsplit_once('/') else { continue };
        let index = fields.iter().position(|field| field.key == key).unwrap_or_else(|| {
            fields.push(Field { key, ..Field::default() });
            fields.len() - 1
        });
        let field = &mut fields[index];
        match property {
            "field_name" => field.name = value,
            "header_name" => field.header = value,
            "query_name" => field.query = value,
            "cookie_name" => field.cookie = value,
            "required" => field.required = value == "true",
            _ => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests;
