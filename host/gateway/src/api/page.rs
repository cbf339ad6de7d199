//! Pages of lists, and the tokens that lead from one to the next.
//!
//! A token says from which row on, and in which direction; it belongs to one kind of list. It holds
//! nothing that the caller has not seen, and means the same whatever else is asked for with it.

use countersign_vault::{From, Listed, Page};

use super::parameters::Parameters;
use crate::fault::FieldFault;

/// Rows of a page where nothing is said.
const USUAL: u32 = 30;

/// Digits of a row's number.
const DIGITS: usize = 18;

/// What a list is of.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    /// Of the rows' ids.
    prefix: &'static str,
    /// Of tokens, so that none is taken for another list's.
    letter: char,
}

/// Each kind of list.
pub(super) const PROVIDERS: Rows = Rows { prefix: "prov", letter: 'p' };
pub(super) const CONNECTIONS: Rows = Rows { prefix: "conn", letter: 'c' };
pub(super) const ACCOUNTS: Rows = Rows { prefix: "ca", letter: 'a' };
pub(super) const AUDIT: Rows = Rows { prefix: "au", letter: 'u' };

/// `page_size` and `page_token`.
pub(super) fn page(
    rows: Rows,
    most: u32,
    parameters: &mut Parameters,
    faults: &mut Vec<FieldFault>,
) -> Page {
    let size = match parameters.number("page_size", most, faults) {
        None | Some(0) => USUAL.min(most),
        Some(size) => size,
    };
    let token = parameters.text("page_token", usize::MAX, faults);
    let from = match token.as_deref().map(|token| read(rows, token)) {
        None => From::Start,
        Some(Some(from)) => from,
        Some(None) => {
            let fix = "take it from `next_page_token` or `prev_page_token` of the same list";
            faults.push(FieldFault::new("page_token", "is no token of this list", fix));
            From::Start
        }
    };
    Page { size, from }
}

/// The tokens of the next page and of the one before; empty where there is none.
pub(super) fn tokens<T>(rows: Rows, listed: &Listed<T>, (first, last): Edges) -> (String, String) {
    let token = |is_there: bool, id: Option<String>, direction: char| {
        let number = id.as_ref().and_then(|id| number(rows, id));
        let number = number.filter(|_| is_there);
        number.map(|number| format!("{}{direction}{number}", rows.letter)).unwrap_or_default()
    };
    (token(listed.has_next, last, 'n'), token(listed.has_previous, first, 'p'))
}

fn read(rows: Rows, token: &str) -> Option<From> {
    let rest = token.strip_prefix(rows.letter)?;
    let (direction, digits) = rest.split_at_checked(1)?;
    let id = format!("{}_{digits}", rows.prefix);
    number(rows, &id)?;
    match direction {
        "n" => Some(From::After(id)),
        "p" => Some(From::Before(id)),
        _ => None,
    }
}

fn number(rows: Rows, id: &str) -> Option<&str> {
    let digits = id.strip_prefix(rows.prefix)?.strip_prefix('_')?;
    let fits = digits.len() == DIGITS && digits.bytes().all(|it| it.is_ascii_digit());
    fits.then_some(digits)
}

/// The ids that the pages around a page begin and end at.
pub(super) type Edges = (Option<String>, Option<String>);

/// The edges of a page: its first row and its last. On the way back from a page that has become empty
/// lies the row that it was come from.
pub(super) fn edges<T>(listed: &Listed<T>, page: &Page, id: impl Fn(&T) -> &str) -> Edges {
    let own = |row: &T| id(row).to_owned();
    match (listed.rows.first(), listed.rows.last(), &page.from) {
        (Some(first), Some(last), _) => (Some(own(first)), Some(own(last))),
        (.., From::After(edge)) => (moved(edge, 1), None),
        (.., From::Before(edge)) => (None, moved(edge, -1)),
        _ => (None, None),
    }
}

/// The id next to this one.
fn moved(id: &str, by: i64) -> Option<String> {
    let (prefix, digits) = id.split_once('_')?;
    let number = digits.parse::<u64>().ok()?.saturating_add_signed(by);
    Some(format!("{prefix}_{number:0DIGITS$}"))
}

/// A list of nothing.
pub(super) fn empty<T>() -> Listed<T> {
    Listed { rows: Vec::new(), total: 0, has_previous: false, has_next: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_on_and_back_in_its_own_list_alone() {
        let id = "ca_123456789012345678".to_owned();
        let listed = |has_previous, has_next| Listed {
            rows: vec![id.clone()],
            total: 3,
            has_previous,
            has_next,
        };
        let page = Page { size: 1, from: From::Start };
        let tokens =
            |listed: &Listed<String>| tokens(ACCOUNTS, listed, edges(listed, &page, |it| it));
        let (next, previous) = tokens(&listed(true, true));
        assert!(next.len() <= 32 && previous.len() <= 32);
        assert_eq!(read(ACCOUNTS, &next), Some(From::After(id.clone())));
        assert_eq!(read(ACCOUNTS, &previous), Some(From::Before(id.clone())));
        assert_eq!(tokens(&listed(false, false)), (String::new(), String::new()));
        assert_eq!(read(CONNECTIONS, &next), None);
        // All that lay behind it has gone meanwhile.
        let come = Page { size: 1, from: From::After(id.clone()) };
        let gone =
            Listed { rows: Vec::<String>::new(), total: 3, has_previous: true, has_next: false };
        let (_, previous) = super::tokens(ACCOUNTS, &gone, edges(&gone, &come, |it| it));
        let behind = "ca_123456789012345679".to_owned();
        assert_eq!(read(ACCOUNTS, &previous), Some(From::Before(behind)));
        for malformed in ["a", "an", "an1", "xn123456789012345678", "ax123456789012345678", "é"] {
            assert_eq!(read(ACCOUNTS, malformed), None, "{malformed}");
        }
    }
}
