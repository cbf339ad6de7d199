//! What several places of a pattern have in common: names with values, statuses, signs.

use countersign_plugin::Refusal;

use super::node::{Faults, Node};
use crate::{
    pointer::Pointer,
    sign::Sign,
    template::{Flaw, Scope, Template},
};

/// A name, and the value that goes there.
pub(crate) struct Pair<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: Template<'a>,
    /// By which the host knows the name.
    pub(crate) at: String,
}

/// Why a name cannot stand in its place.
type Judge = fn(&str) -> Option<&'static str>;

pub(super) fn pairs<'a>(
    node: &mut Node<'a>,
    key: &str,
    judge: Judge,
    scope: &Scope<'a>,
    faults: &mut Faults,
) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    for mut item in node.list(key, faults) {
        let at = item.at("name");
        let name = item.needed("name", faults);
        if let Some(flaw) = name.and_then(judge) {
            faults.push(Refusal::invalid_config(&at, flaw));
        }
        if !item.has("value") {
            faults.push(Refusal::invalid_config(&item.at("value"), "this value is missing"));
        }
        let value = template(&mut item, "value", scope, faults);
        if let (Some(name), Some(value)) = (name, value) {
            pairs.push(Pair { name, value, at });
        }
        item.close(faults);
    }
    pairs
}

/// The text under `key`, cut up, where it is there. Where it is no template, that is noted, and a broken
/// one stands for it.
pub(super) fn template<'a>(
    node: &mut Node<'a>,
    key: &str,
    scope: &Scope<'a>,
    faults: &mut Faults,
) -> Option<Template<'a>> {
    let text = node.text(key, faults)?;
    let flaw = match Template::parse(text, scope) {
        Ok(template) => return Some(template),
        Err(Flaw::Braces) => "it holds braces that are not a placeholder".to_owned(),
        Err(Flaw::Unknown(name)) => {
            let name: String = name.chars().take(64).collect();
            format!("`{name}` is no field, no value taken before, and not in connection_values")
        }
    };
    faults.push(Refusal::invalid_config(&node.at(key), &flaw));
    Some(Template::default())
}

/// Notes a name that stands twice: only one of them could be put there.
pub(super) fn once(pairs: &[Pair<'_>], faults: &mut Faults) {
    for (nth, pair) in pairs.iter().enumerate() {
        if pairs[..nth].iter().any(|earlier| earlier.name.eq_ignore_ascii_case(pair.name)) {
            faults.push(Refusal::invalid_config(&pair.at, "this name stands here twice"));
        }
    }
}

/// A name that RFC 9110 takes for a header. Cookies have a place of their own, which knows their grammar.
pub(super) fn header_name(name: &str) -> Option<&'static str> {
    if name.eq_ignore_ascii_case("cookie") {
        return Some("a cookie belongs under `cookies`");
    }
    (!is_token(name)).then_some("this is no name of a header")
}

pub(super) fn cookie_name(name: &str) -> Option<&'static str> {
    (!is_token(name)).then_some("this is no name of a cookie")
}

pub(super) fn query_name(name: &str) -> Option<&'static str> {
    name.chars().any(char::is_control).then_some("a control character is not allowed here")
}

/// RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(token)
}

/// A list of statuses, each from 200 to 599; `usual` where there is none.
pub(super) fn statuses(
    node: &mut Node<'_>,
    key: &str,
    usual: &[u16],
    faults: &mut Faults,
) -> Vec<u16> {
    let items = node.list(key, faults);
    if items.is_empty() {
        return usual.to_vec();
    }
    let mut statuses = Vec::new();
    for item in items {
        let at = item.at.clone();
        let Some(text) = item.scalar(faults) else { continue };
        match text.parse() {
            Ok(status @ 200..=599) => statuses.push(status),
            _ => faults.push(Refusal::invalid_config(&at, "a status is expected, 200 to 599")),
        }
    }
    statuses
}

pub(super) fn signs<'a>(node: &mut Node<'a>, key: &str, faults: &mut Faults) -> Vec<Sign<'a>> {
    let mut signs = Vec::new();
    for mut item in node.list(key, faults) {
        let text = item.text("text", faults).filter(|text| !text.is_empty());
        let json = pointer(&mut item, "json", faults);
        let equals = item.text("equals", faults);
        match (text, json, equals) {
            (Some(text), None, None) => signs.push(Sign::Text(text)),
            (None, Some(json), equals) => signs.push(Sign::Json(json, equals)),
            _ => {
                let message = "either `text` is expected, or `json` with or without `equals`";
                faults.push(Refusal::invalid_config(&item.at, message));
            }
        }
        item.close(faults);
    }
    signs
}

/// A JSON Pointer, where it is there. Where it is none, that is noted, and another stands for it.
pub(super) fn pointer(node: &mut Node<'_>, key: &str, faults: &mut Faults) -> Option<Pointer> {
    let pointer = Pointer::parse(node.text(key, faults)?);
    if pointer.is_none() {
        let message = "a JSON Pointer is expected: a slash and a name, for each level";
        faults.push(Refusal::invalid_config(&node.at(key), message));
    }
    Some(pointer.unwrap_or_default())
}
