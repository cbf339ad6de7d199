//! Text with placeholders in it: `{{name}}`, spaces inside the braces allowed.

use super::error::TemplateError;

/// The longest name of a placeholder; field names are far shorter.
const MAX_NAME: usize = 128;

/// Literal text or a placeholder's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    Hole(String),
}

/// Text in pieces. No two literals are neighbours, and none is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(Vec<Piece>);

impl Text {
    /// Cuts text into pieces. A brace that is not part of a placeholder is refused: it is a
    /// misspelt one.
    pub(super) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, behind) = after.split_once("}}").ok_or(TemplateError::Braces)?;
            push_literal(&mut pieces, before)?;
            pieces.push(Piece::Hole(name(inside)?));
            rest = behind;
        }
        push_literal(&mut pieces, rest)?;
        Ok(Self(pieces))
    }

    /// The names in it, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Hole(name) => Some(name.as_str()),
            Piece::Literal(_) => None,
        })
    }

    /// The first name in it.
    pub(super) fn first_name(&self) -> Option<&str> {
        self.names().next()
    }

    /// The one name that is all of it.
    pub(super) fn whole(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Hole(name)] => Some(name),
            _ => None,
        }
    }

    /// What stands after the last placeholder.
    pub(super) fn literal_end(&self) -> Option<&str> {
        match self.0.last() {
            Some(Piece::Literal(text)) => Some(text),
            Some(Piece::Hole(_)) | None => None,
        }
    }

    /// The text with each piece as these write it.
    pub(super) fn spelled(
        &self,
        literal: impl Fn(&str) -> String,
        hole: impl Fn(&str) -> String,
    ) -> String {
        let spelled = self.0.iter().map(|piece| match piece {
            Piece::Literal(text) => literal(text),
            Piece::Hole(name) => hole(name),
        });
        spelled.collect()
    }

    /// The text with `fill` in place of every placeholder. One pass: what `fill` gives is not read
    /// again.
    pub(super) fn fill<E>(
        &self,
        mut fill: impl FnMut(&str) -> Result<String, E>,
    ) -> Result<String, E> {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => filled.push_str(text),
                Piece::Hole(name) => filled.push_str(&fill(name)?),
            }
        }
        Ok(filled)
    }

    /// The text with the same harmless letter in place of every placeholder, to judge the rest by.
    pub(super) fn sample(&self) -> String {
        self.0
            .iter()
            .map(|piece| if let Piece::Literal(text) = piece { text } else { "x" })
            .collect()
    }
}

fn push_literal(pieces: &mut Vec<Piece>, text: &str) -> Result<(), TemplateError> {
    if text.contains(['{', '}']) {
        return Err(TemplateError::Braces);
    }
    if !text.is_empty() {
        pieces.push(Piece::Literal(text.to_owned()));
    }
    Ok(())
}

fn name(inside: &str) -> Result<String, TemplateError> {
    let name = inside.trim_matches(' ');
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(fits) {
        return Err(TemplateError::Name);
    }
    Ok(name.to_owned())
}
