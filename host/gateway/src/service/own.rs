//! What the lists of a limited caller hold: its own rows, and all of them.
//!
//! The vault selects by names of connections and by one identifier. A caller that is limited to
//! several has few rows, as many as its limits name, so these are read whole and paged here.

use countersign_vault::{AccountFilter, From, Listed, Page, VaultError};

use crate::caller::{Caller, Limits};

/// Rows that are read at a time.
const PAGE: u32 = 200;

/// The filters that together select what the caller may see of `asked`, and nothing twice; `None` of
/// one without limits.
pub(super) fn account_filters(
    caller: &Caller,
    asked: &AccountFilter,
) -> Option<Vec<AccountFilter>> {
    let Limits { connections, identifiers } = caller.limits()?;
    let mut filter = asked.clone();
    if let Some(own) = connections {
        filter.connections = if asked.connections.is_empty() {
            own.to_vec()
        } else {
            asked.connections.iter().filter(|name| own.contains(name)).cloned().collect()
        };
        // An empty filter is none, and would select what is anybody's.
        if filter.connections.is_empty() {
            return Some(Vec::new());
        }
    }
    let Some(own) = identifiers else { return Some(vec![filter]) };
    let mut own: Vec<&String> = own
        .iter()
        .filter(|it| asked.identifier.as_ref().is_none_or(|asked| asked == *it))
        .collect();
    own.sort_unstable();
    own.dedup();
    let of = |identifier: &String| AccountFilter {
        identifier: Some(identifier.clone()),
        ..filter.clone()
    };
    Some(own.into_iter().filter(|it| !it.is_empty()).map(of).collect())
}

/// All rows of a list.
pub(super) async fn all<T, F>(
    list: impl Fn(Page) -> F,
    id: impl Fn(&T) -> &str,
) -> Result<Vec<T>, VaultError>
where
    F: Future<Output = Result<Listed<T>, VaultError>>,
{
    let mut rows = Vec::new();
    let mut from = From::Start;
    loop {
        let listed = list(Page { size: PAGE, from }).await?;
        let next = listed.rows.last().filter(|_| listed.has_next).map(|last| id(last).to_owned());
        rows.extend(listed.rows);
        match next {
            Some(next) => from = From::After(next),
            None => return Ok(rows),
        }
    }
}

/// One page of these rows.
pub(super) fn page<T>(mut rows: Vec<T>, page: &Page, id: impl Fn(&T) -> &str) -> Listed<T> {
    rows.sort_unstable_by(|one, other| id(one).cmp(id(other)));
    let (total, size) = (rows.len(), page.size as usize);
    let [from, to] = match &page.from {
        From::Start => [0, size],
        From::After(edge) => {
            let from = rows.partition_point(|row| id(row) <= edge.as_str());
            [from, from.saturating_add(size)]
        }
        From::Before(edge) => {
            let to = rows.partition_point(|row| id(row) < edge.as_str());
            [to.saturating_sub(size), to]
        }
    };
    let to = to.min(total);
    rows.truncate(to);
    rows.drain(..from.min(to));
    Listed { rows, total: total as u64, has_previous: from > 0, has_next: to < total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_forth_and_back_over_all_rows() {
        let rows = || ["c", "a", "e", "b", "d"].map(str::to_owned).to_vec();
        let read = |from: From| {
            let listed = page(rows(), &Page { size: 2, from }, |it| it);
            (listed.rows.concat(), listed.total, listed.has_previous, listed.has_next)
        };
        let text = |text: &str| text.to_owned();
        assert_eq!(read(From::Start), (text("ab"), 5, false, true));
        assert_eq!(read(From::After(text("b"))), (text("cd"), 5, true, true));
        assert_eq!(read(From::After(text("d"))), (text("e"), 5, true, false));
        assert_eq!(read(From::After(text("e"))), (text(""), 5, true, false));
        assert_eq!(read(From::Before(text("e"))), (text("cd"), 5, true, true));
        assert_eq!(read(From::Before(text("b"))), (text("a"), 5, false, true));
        assert_eq!(read(From::Before(text("a"))), (text(""), 5, false, true));
    }
}
