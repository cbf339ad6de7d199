//! Members that stand twice in one object of a document.
//!
//! JSON leaves open which of the two counts (RFC 8259, section 4), and the parser takes the last: an
//! `expect` that somebody reads would not be the one that is compared.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::reading::below;

/// The place of each, as a JSON Pointer, in the order of the document, which is JSON.
pub(crate) fn places(bytes: &[u8]) -> Vec<String> {
    let found = RefCell::default();
    let mut document = serde_json::Deserializer::from_slice(bytes);
    // What is no JSON has been told by whoever parsed it.
    let _ = Look { place: String::new(), found: &found }.deserialize(&mut document);
    found.into_inner()
}

/// One value, wherever it stands; nothing of it is kept.
struct Look<'a> {
    place: String,
    found: &'a RefCell<Vec<String>>,
}

impl Look<'_> {
    fn at(&self, name: &str) -> Look<'_> {
        Look { place: below(&self.place, name), found: self.found }
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, document: D) -> Result<(), D::Error> {
        document.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let member = self.at(&name);
            if seen.contains(&name) {
                self.found.borrow_mut().push(member.place.clone());
            }
            map.next_value_seed(member)?;
            seen.insert(name);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut nth = 0;
        while list.next_element_seed(self.at(&nth.to_string()))?.is_some() {
            nth += 1;
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}
