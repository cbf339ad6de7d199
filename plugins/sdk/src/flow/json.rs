//! The members of a JSON object.
//!
//! Only the scalars of the top level are kept; what is nested is checked and skipped, in a loop,
//! so that a deep answer cannot exhaust a guest's small stack. A name that comes twice is an
//! error: two readers could each take another one for the truth.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The most members. Answers have some ten; each is held against all others, and whoever answers must
/// not choose how long that takes.
const MOST: usize = 1000;

/// The members of an object.
#[derive(Clone, Debug, Default)]
pub struct Object(Vec<(String, Value)>);

/// What a member holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without a fraction. What is beyond its range is at its end.
    Integer(i64),
    /// Any other number.
    Fraction(f64),
    /// A string.
    Text(String),
    /// An array or object.
    Nested,
}

impl Object {
    /// Takes a whole body. `None` where that is not one object and nothing else, and where it has more
    /// than a thousand members.
    pub fn parse(body: &[u8]) -> Option<Self> {
        // The error would quote the body.
        serde_json::from_slice(body).ok()
    }

    /// The member of this name. `null` counts as none, as most servers mean it.
    pub fn member(&self, name: &str) -> Option<&Value> {
        let mut members = self.0.iter();
        members.find(|(key, _)| key == name).map(|(_, value)| value).filter(|v| **v != Value::Null)
    }

    /// The member of this name, where it is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.member(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut members: Vec<(String, Value)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if members.len() == MOST || members.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom("a name twice, or too many of them"));
            }
            members.push((name, value));
        }
        Ok(Object(members))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Scalar)
    }
}

struct Scalar;

impl<'de> Visitor<'de> for Scalar {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.try_into().unwrap_or(i64::MAX)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Fraction(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Nested)
    }
}

#[cfg(test)]
mod tests;
