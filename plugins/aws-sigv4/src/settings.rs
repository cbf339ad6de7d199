//! Whose key signs, for which service and region, and how.
//!
//! Whoever writes the provider knows its service; the region may be fixed there, or agreed with a
//! connection, or differ from account to account (then its field is `region`, and the URL may have
//! `{{region}}` in its host). The most particular one counts. None of it is read from the host's name:
//! those of S3-compatible stores say nothing, and a wrong guess is a refusal that nobody understands.

use countersign_plugin::{Account, Refusal, header};

const ID: &str = "account/access_key_id";
const SECRET: &str = "account/secret_access_key";
const TOKEN: &str = "account/session_token";
const REGIONS: [&str; 3] = ["account/region", "connection/region", "pattern/aws_sigv4/region"];
const SERVICE: &str = "pattern/aws_sigv4/service";
const PLACEMENT: &str = "pattern/aws_sigv4/placement";
const PAYLOAD: &str = "pattern/aws_sigv4/payload";
const EXPIRES: &str = "pattern/aws_sigv4/expires";

/// Every value that this module looks at.
pub(crate) const READS: &[&str] =
    &[ID, SECRET, TOKEN, REGIONS[0], REGIONS[1], REGIONS[2], SERVICE, PLACEMENT, PAYLOAD, EXPIRES];

/// Seconds that a signed query is good for, where nobody says: it is sent at once, so this is for the
/// difference between two clocks.
const EXPIRES_AFTER: u32 = 300;
/// A week, which is the most that AWS takes.
const LATEST: u32 = 604_800;

/// Seconds by which the clocks may differ: a minute less than AWS takes, stores take more.
const TOLERATED: u32 = 240;

/// Where the signature goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    Header,
    Query,
}

/// Values that can be signed with.
pub(crate) struct Settings<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) secret_access_key: &'a str,
    pub(crate) session_token: Option<&'a str>,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    pub(crate) placement: Placement,
    /// Whether the body is left out of the signature in any case.
    pub(crate) unsigned: bool,
    /// Seconds, of a signed query.
    pub(crate) expires: u32,
}

impl<'a> Settings<'a> {
    /// Refuses what is missing or cannot be signed with, by its name.
    pub(crate) fn of(account: &'a Account) -> Result<Self, Refusal> {
        let access_key_id = account.require(ID)?;
        let secret_access_key = account.require(SECRET)?;
        let session_token = account.value(TOKEN);
        key_id(access_key_id)?;
        header::check(SECRET, secret_access_key)?;
        session_token.map_or(Ok(()), token)?;
        let given = |name: &&str| account.value(name).is_some();
        let region = REGIONS.into_iter().find(given).unwrap_or(REGIONS[2]);
        Ok(Self {
            access_key_id,
            secret_access_key,
            session_token,
            region: word(account, region)?,
            service: word(account, SERVICE)?,
            placement: choice(
                account,
                PLACEMENT,
                [("header", Placement::Header), ("query", Placement::Query)],
            )?,
            unsigned: choice(account, PAYLOAD, [("signed", false), ("unsigned", true)])?,
            expires: expires(account)?,
        })
    }

    /// Seconds by which the server's clock may differ from the host's without a refusal for that.
    pub(crate) fn tolerated(&self) -> i64 {
        let in_query = self.placement == Placement::Query;
        i64::from(if in_query { TOLERATED.min(self.expires) } else { TOLERATED })
    }

    /// S3 and its kin have rules of their own for paths and bodies.
    pub(crate) fn is_s3(&self) -> bool {
        self.service == "s3" || self.service == "s3express" || self.service.starts_with("s3-")
    }
}

/// What is wrong with the values that are there.
pub(crate) fn problems(account: &Account) -> Vec<Refusal> {
    let secret = |secret| header::check(SECRET, secret);
    let values = [
        account.value(ID).map(key_id),
        account.value(SECRET).map(secret),
        account.value(TOKEN).map(token),
    ];
    let values = values.into_iter().flatten().filter_map(Result::err);
    let is_there = |name: &&str| account.value(name).is_some();
    let words = REGIONS.into_iter().chain([SERVICE]).filter(is_there);
    values.chain(words.filter_map(|name| word(account, name).err())).collect()
}

/// It stands before a slash in a list with commas.
fn key_id(id: &str) -> Result<(), Refusal> {
    if id.bytes().all(|byte| byte.is_ascii_graphic() && !b"/,".contains(&byte)) {
        return Ok(());
    }
    Err(Refusal::invalid_config(ID, "a blank, a slash, a comma or a letter beyond ASCII"))
}

fn token(token: &str) -> Result<(), Refusal> {
    if token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Refusal::invalid_config(TOKEN, "a blank, a control character or a letter beyond ASCII"))
}

/// A part of the signature's scope: `us-east-1`, `execute-api`.
fn word<'a>(account: &'a Account, name: &str) -> Result<&'a str, Refusal> {
    let word = account.require(name)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if word.len() <= 64 && word.bytes().all(fits) {
        return Ok(word);
    }
    Err(Refusal::invalid_config(name, "letters, digits and hyphens are expected, at most 64"))
}

/// One of two words; the first, where nobody says.
fn choice<T: Copy>(account: &Account, name: &str, of: [(&str, T); 2]) -> Result<T, Refusal> {
    let Some(word) = account.value(name) else { return Ok(of[0].1) };
    let chosen = of.iter().find(|(known, _)| *known == word).map(|(_, it)| *it);
    chosen.ok_or_else(|| {
        let message = format!("`{}` or `{}` is expected", of[0].0, of[1].0);
        Refusal::invalid_config(name, &message)
    })
}

fn expires(account: &Account) -> Result<u32, Refusal> {
    let Some(text) = account.value(EXPIRES) else { return Ok(EXPIRES_AFTER) };
    let seconds = text.parse().ok().filter(|seconds| (1..=LATEST).contains(seconds));
    seconds.ok_or_else(|| {
        Refusal::invalid_config(EXPIRES, "a number of seconds is expected, 1 to 604800")
    })
}
