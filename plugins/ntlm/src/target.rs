//! What a server says of itself in a challenge, as a list of pairs: MS-NLMP, section 2.2.2.1.
//!
//! On `Ok` of [`Target::parse`] the list has its end, no pair goes past it, no name stands twice, and the
//! two whose form counts here have it. Pairs that are not known are kept: the answer covers what the
//! server said, all of it and in its order.

const END: u16 = 0;
const FLAGS: u16 = 6;
const TIMESTAMP: u16 = 7;

/// In [`FLAGS`]: the answer has a code over all three messages.
const WITH_CODE: u32 = 2;

/// The pairs, without the end of their list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target(Vec<(u16, Vec<u8>)>);

impl Target {
    pub(crate) fn parse(mut bytes: &[u8]) -> Result<Self, &'static str> {
        let mut pairs = Vec::new();
        loop {
            let (name, rest) = number(bytes).ok_or("the server's list of names has no end")?;
            let (length, rest) = number(rest).ok_or("the server's list of names has no end")?;
            let (value, rest) = rest
                .split_at_checked(usize::from(length))
                .ok_or("a name of the server's list goes past its end")?;
            match (name, value.len()) {
                (END, 0) if rest.iter().all(|byte| *byte == 0) => return Ok(Self(pairs)),
                (END, _) => return Err("the server's list of names goes on behind its end"),
                (FLAGS, length) if length != 4 => return Err("the server's flags are malformed"),
                (TIMESTAMP, length) if length != 8 => return Err("the server's time is malformed"),
                _ if pairs.iter().any(|(known, _)| *known == name) => {
                    return Err("the server's list of names has one twice");
                }
                _ => pairs.push((name, value.to_vec())),
            }
            bytes = rest;
        }
    }

    /// What the server's clock says, which the answer then has to say, and be covered by a code.
    pub(crate) fn timestamp(&self) -> Option<[u8; 8]> {
        let (_, value) = self.0.iter().find(|(name, _)| *name == TIMESTAMP)?;
        value[..].try_into().ok()
    }

    /// The same, saying that there is a code over all messages.
    pub(crate) fn with_code(mut self) -> Self {
        let found = self.0.iter_mut().find(|(name, _)| *name == FLAGS);
        match found.and_then(|(_, value)| value.first_mut()) {
            // The flags are in the order of little ends, and this one is in the first byte.
            Some(first) => *first |= WITH_CODE.to_le_bytes()[0],
            None => self.0.push((FLAGS, WITH_CODE.to_le_bytes().to_vec())),
        }
        self
    }

    /// The list with its end.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, value) in &self.0 {
            // It was read with a length of two bytes.
            let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
            bytes.extend(name.to_le_bytes());
            bytes.extend(length.to_le_bytes());
            bytes.extend(value);
        }
        bytes.extend([0; 4]);
        bytes
    }
}

fn number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u16::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests;
