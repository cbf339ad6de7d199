//! Sealing: what is secret, as it lies in the database.
//!
//! A sealed value is encrypted and authenticated under a data key (AES-256-GCM-SIV, RFC 8452, with a
//! random nonce), and bound to its [`Seat`]: the table, the row and the column that it lies in, what
//! names that row, and the origins that its secrets were given for. Moved to another row, or with the
//! name or the origins of its row changed beneath it, it does not open. A data key is sealed in the
//! same way under a master key. What is not noticed is that a row, or the whole file, is put back to
//! what it was before.
//!
//! The bytes: one that says how (1), four of the data key's number, twelve of the nonce, then the
//! ciphertext and its tag.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, Nonce, RandomizedNonceKey};
use countersign::random::Random;
use zeroize::Zeroizing;

use crate::key::{KEY_BYTES, MasterKey};

const FORMAT: u8 = 1;
const NUMBER: std::ops::Range<usize> = 1..5;
const NONCE: std::ops::Range<usize> = 5..17;
const TAG_BYTES: usize = 16;

/// Where a sealed value lies, and for whom it was given: what it is bound to.
#[derive(Clone)]
pub(crate) struct Seat<'a> {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    /// The row's id, and what else of it must stay as it is: its name, whose child it is.
    pub(crate) row: Vec<&'a str>,
    /// In their order.
    pub(crate) origins: &'a [String],
}

/// It does not open: it was changed, moved, or sealed under another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DoesNotOpen;

/// A key that seals values. No `Debug`.
pub(crate) struct DataKey {
    number: u32,
    key: RandomizedNonceKey,
}

impl Seat<'_> {
    /// What its row is known by.
    pub(crate) fn id(&self) -> &str {
        self.row.first().copied().unwrap_or_default()
    }

    /// Each part with its length ahead, so that no two seats read the same.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let place = ["countersign vault", self.table, self.column];
        let origins = self.origins.iter().map(String::as_str);
        // So that the row's parts and the origins cannot be taken for one another.
        bytes.extend_from_slice(&(self.row.len() as u64).to_be_bytes());
        for part in place.into_iter().chain(self.row.iter().copied()).chain(origins) {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

impl DataKey {
    /// A new one, and how it lies in the database.
    pub(crate) fn generate(
        number: u32,
        master: &MasterKey,
        random: &dyn Random,
    ) -> Option<(Self, Vec<u8>)> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        random.fill(&mut bytes[..]).ok()?;
        let wrapped = Self::wrap(number, &bytes, master)?;
        Some((Self::of(number, &bytes)?, wrapped))
    }

    /// Opens one that lies in the database.
    pub(crate) fn unwrap(
        number: u32,
        wrapped: &[u8],
        master: &MasterKey,
    ) -> Result<Self, DoesNotOpen> {
        let bytes = Self::bytes(number, wrapped, master)?;
        Self::of(number, &bytes).ok_or(DoesNotOpen)
    }

    /// The same key as it lies under another master key.
    pub(crate) fn rewrap(
        number: u32,
        wrapped: &[u8],
        from: &MasterKey,
        to: &MasterKey,
    ) -> Result<Vec<u8>, DoesNotOpen> {
        let bytes = Self::bytes(number, wrapped, from)?;
        Self::wrap(number, &bytes, to).ok_or(DoesNotOpen)
    }

    /// Which one it is.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Seals a value for its seat. `None` where the operating system gives no random bytes.
    pub(crate) fn seal(&self, seat: &Seat<'_>, text: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = Vec::with_capacity(NONCE.end + text.len() + TAG_BYTES);
        sealed.push(FORMAT);
        sealed.extend_from_slice(&self.number.to_be_bytes());
        sealed.extend_from_slice(&[0; NONCE.end - NONCE.start]);
        sealed.extend_from_slice(text);
        // In place: no other copy of the text is made.
        let (nonce, tag) = self
            .key
            .seal_in_place_separate_tag(Aad::from(seat.bytes()), &mut sealed[NONCE.end..])
            .ok()?;
        sealed[NONCE].copy_from_slice(nonce.as_ref());
        sealed.extend_from_slice(tag.as_ref());
        Some(sealed)
    }

    /// Opens a value that lies in its seat.
    pub(crate) fn open(
        &self,
        seat: &Seat<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let nonce = sealed.get(NONCE).and_then(|it| Nonce::try_assume_unique_for_key(it).ok());
        let nonce = nonce.ok_or(DoesNotOpen)?;
        if number_of(sealed) != Some(self.number) {
            return Err(DoesNotOpen);
        }
        let mut text = Zeroizing::new(sealed[NONCE.end..].to_vec());
        let opened = self.key.open_in_place(nonce, Aad::from(seat.bytes()), &mut text);
        let length = opened.map_err(|_| DoesNotOpen)?.len();
        text.truncate(length);
        Ok(text)
    }

    fn of(number: u32, bytes: &[u8; KEY_BYTES]) -> Option<Self> {
        let key = RandomizedNonceKey::new(&AES_256_GCM_SIV, bytes).ok()?;
        Some(Self { number, key })
    }

    fn wrap(number: u32, bytes: &[u8; KEY_BYTES], master: &MasterKey) -> Option<Vec<u8>> {
        Self::of(0, master.bytes())?.seal(&wrapped_seat(&number.to_string()), bytes)
    }

    fn bytes(
        number: u32,
        wrapped: &[u8],
        master: &MasterKey,
    ) -> Result<Zeroizing<[u8; KEY_BYTES]>, DoesNotOpen> {
        let master = Self::of(0, master.bytes()).ok_or(DoesNotOpen)?;
        let opened = master.open(&wrapped_seat(&number.to_string()), wrapped)?;
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        if opened.len() != KEY_BYTES {
            return Err(DoesNotOpen);
        }
        bytes.copy_from_slice(&opened);
        Ok(bytes)
    }
}

/// The number of the data key that a value was sealed under.
pub(crate) fn number_of(sealed: &[u8]) -> Option<u32> {
    let number = sealed.get(NUMBER).filter(|_| sealed[0] == FORMAT)?;
    Some(u32::from_be_bytes(number.try_into().ok()?))
}

fn wrapped_seat(number: &str) -> Seat<'_> {
    Seat { table: "data_keys", column: "wrapped", row: vec![number], origins: &[] }
}

#[cfg(test)]
mod tests;
