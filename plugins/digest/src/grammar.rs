//! Challenges and parameters as RFC 9110 writes them (sections 5.6 and 11).
//!
//! A value is read whole or not at all: a quoted string that does not end, a character that has no
//! place, a parameter without a value make all of it [`Malformed`], since what stands behind could be
//! part of either. Empty elements of a list are passed over, as section 5.6.1.2 asks. On `Ok` names
//! are in lower case and quoted strings without their quotes and backslashes; no text holds a control
//! character but the tab.

/// Whoever runs the server has to act.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Names and values, in their order.
pub(crate) type Parameters = Vec<(String, String)>;

/// One challenge of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// As it was written.
    pub(crate) scheme: String,
    /// None where the scheme brings a token in their place.
    pub(crate) parameters: Parameters,
}

/// What one `WWW-Authenticate` offers.
pub(crate) fn offers(value: &str) -> Result<Vec<Offer>, Malformed> {
    let mut reader = Reader(value);
    let mut found: Vec<Offer> = Vec::new();
    while reader.next_element() {
        let before = reader.0;
        if let Some(last) = found.last_mut() {
            if let Ok(parameter) = reader.parameter() {
                last.parameters.push(parameter);
                continue;
            }
            reader.0 = before;
        }
        let scheme = reader.token()?.to_owned();
        let mut parameters = Vec::new();
        if reader.ends().is_err() {
            if reader.skip(is_blank) == 0 {
                return Err(Malformed);
            }
            let behind = reader.0;
            if let Ok(first) = reader.parameter() {
                parameters.push(first);
            } else {
                reader.0 = behind;
                reader.token68()?;
            }
        }
        found.push(Offer { scheme, parameters });
    }
    Ok(found)
}

/// What one `Authentication-Info` says.
pub(crate) fn parameters(value: &str) -> Result<Parameters, Malformed> {
    let mut reader = Reader(value);
    let mut found = Vec::new();
    while reader.next_element() {
        found.push(reader.parameter()?);
    }
    Ok(found)
}

/// What is still to be read.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    /// Goes to the next element of a list; `false` where there is none.
    fn next_element(&mut self) -> bool {
        self.skip(|c| is_blank(c) || c == ',');
        !self.0.is_empty()
    }

    fn skip(&mut self, which: impl Fn(char) -> bool) -> usize {
        let rest = self.0.trim_start_matches(which);
        let skipped = self.0.len() - rest.len();
        self.0 = rest;
        skipped
    }

    /// An element is over where a comma or nothing follows. What is there stays.
    fn ends(&self) -> Result<(), Malformed> {
        let rest = self.0.trim_start_matches(is_blank);
        if rest.is_empty() || rest.starts_with(',') { Ok(()) } else { Err(Malformed) }
    }

    fn token(&mut self) -> Result<&'a str, Malformed> {
        let whole = self.0;
        match self.skip(is_token) {
            0 => Err(Malformed),
            length => Ok(&whole[..length]),
        }
    }

    /// Opaque to us: what other schemes bring.
    fn token68(&mut self) -> Result<(), Malformed> {
        if self.skip(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c)) == 0 {
            return Err(Malformed);
        }
        self.skip(|c| c == '=');
        self.ends()
    }

    fn parameter(&mut self) -> Result<(String, String), Malformed> {
        let name = self.token()?.to_ascii_lowercase();
        self.skip(is_blank);
        self.0 = self.0.strip_prefix('=').ok_or(Malformed)?;
        self.skip(is_blank);
        let value = match self.0.strip_prefix('"') {
            Some(rest) => {
                self.0 = rest;
                self.quoted()?
            }
            None => self.token()?.to_owned(),
        };
        self.ends()?;
        Ok((name, value))
    }

    /// What stands up to the closing quote, which is gone too.
    fn quoted(&mut self) -> Result<String, Malformed> {
        let mut text = String::new();
        let mut rest = self.0.chars();
        loop {
            let c = match rest.next().ok_or(Malformed)? {
                '"' => break,
                '\\' => rest.next().ok_or(Malformed)?,
                c => c,
            };
            if c.is_ascii_control() && c != '\t' {
                return Err(Malformed);
            }
            text.push(c);
        }
        self.0 = rest.as_str();
        Ok(text)
    }
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests;
