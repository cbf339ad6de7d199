//! A scalar of a JSON document, by its JSON Pointer (RFC 6901).
//!
//! Only what lies on the way is looked at; the rest is checked and skipped in a loop, so that a deep
//! answer cannot exhaust a guest's small stack. A name on the way that comes twice is an error: two
//! readers could each take another one for the truth.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// Levels; each costs stack.
const DEEPEST: usize = 16;

/// A pointer to something within a document; to the whole of it, without segments.
#[derive(Default)]
pub(crate) struct Pointer(Vec<String>);

impl Pointer {
    /// `None` where it does not begin with a slash, has an escape that is none, or goes too deep.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let segments: Option<Vec<String>> =
            text.strip_prefix('/')?.split('/').map(unescaped).collect();
        segments.filter(|segments| segments.len() <= DEEPEST).map(Self)
    }

    /// The scalar as text. `None` where the document is no JSON, or has nothing there, or `null`, a list
    /// or an object.
    pub(crate) fn of(&self, json: &[u8]) -> Option<String> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        // The error would quote the document.
        let found = Way(&self.0).deserialize(&mut reader).ok()?;
        reader.end().ok()?;
        found
    }
}

/// Section 3: `~1` is a slash, `~0` a tilde.
fn unescaped(segment: &str) -> Option<String> {
    let mut parts = segment.split('~');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        text.push(match part.chars().next()? {
            '0' => '~',
            '1' => '/',
            _ => return None,
        });
        text.push_str(&part[1..]);
    }
    Some(text)
}

/// What is left of the way.
struct Way<'a>(&'a [String]);

impl<'de> DeserializeSeed<'de> for Way<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl Way<'_> {
    /// A scalar is what was looked for only at the end of the way.
    fn here(&self, text: &impl ToString) -> Option<String> {
        self.0.is_empty().then(|| text.to_string())
    }
}

impl<'de> Visitor<'de> for Way<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(self.here(&value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(self.here(&value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(self.here(&value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(self.here(&value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(self.here(&value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        // RFC 6901, section 4: no leading zeros, no sign.
        let wanted = self.0.split_first().and_then(|(index, rest)| {
            let number = index.parse::<usize>().ok()?;
            (number.to_string() == *index).then_some((number, rest))
        });
        let mut found = None;
        let mut at = 0;
        loop {
            match wanted {
                Some((index, rest)) if index == at => match items.next_element_seed(Way(rest))? {
                    Some(value) => found = value,
                    None => return Ok(found),
                },
                _ if items.next_element::<IgnoredAny>()?.is_none() => return Ok(found),
                _ => {}
            }
            at += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let wanted = self.0.split_first();
        let (mut found, mut seen) = (None, false);
        while let Some(name) = map.next_key::<String>()? {
            match wanted {
                Some((key, rest)) if *key == name => {
                    if seen {
                        return Err(A::Error::custom("a name twice"));
                    }
                    seen = true;
                    found = map.next_value_seed(Way(rest))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(pointer: &str, json: &str) -> Option<String> {
        Pointer::parse(pointer).unwrap().of(json.as_bytes())
    }

    #[test]
    fn the_examples_of_rfc_6901_lead_where_it_says() {
        let json = r#"{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4,
            "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8}"#;
        for (pointer, value) in [
            ("/foo/0", "bar"),
            ("/", "0"),
            ("/a~1b", "1"),
            ("/c%d", "2"),
            ("/e^f", "3"),
            ("/g|h", "4"),
            ("/i\\j", "5"),
            ("/k\"l", "6"),
            ("/ ", "7"),
            ("/m~0n", "8"),
        ] {
            assert_eq!(at(pointer, json).as_deref(), Some(value), "{pointer}");
        }
        for pointer in ["/foo", "/foo/2", "/foo/00", "/foo/-", "/foo/0/x", "/nothing"] {
            assert_eq!(at(pointer, json), None, "{pointer}");
        }
    }

    #[test]
    fn a_scalar_is_text_and_nothing_else_is() {
        for (value, text) in [
            (r#""t\u00e9""#, Some("té")),
            ("true", Some("true")),
            ("-3", Some("-3")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("1.5", Some("1.5")),
            ("null", None),
            ("[1]", None),
            ("{\"b\":1}", None),
        ] {
            let json = format!("{{\"z\": [[]], \"a\": {value}, \"y\": 1}}");
            assert_eq!(at("/a", &json).as_deref(), text, "{value}");
        }
    }

    #[test]
    fn what_is_no_document_has_nothing() {
        for json in ["", "<html>", "{\"a\":1", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "{\"a\":1}{}"] {
            assert_eq!(at("/a", json), None, "{json}");
        }
        assert!(Pointer::parse("/a").unwrap().of(b"{\"a\":\"\xff\"}").is_none(), "not UTF-8");
    }

    #[test]
    fn a_pointer_that_is_none_is_told() {
        let deep = "/a".repeat(DEEPEST + 1);
        for text in ["", "a", "$.a", "/a~", "/a~2", "/é~é", &deep] {
            assert!(Pointer::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = ["{\"b\":", &"[".repeat(100_000), &"]".repeat(100_000), ",\"a\":1}"].concat();
        assert_eq!(at("/a", &deep).as_deref(), Some("1"));
    }
}
