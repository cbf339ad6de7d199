//! Lists, page by page, in the order in which their rows were made.

use sqlx::{AnyPool, Row as _};

use crate::error::VaultError;
use crate::number;
use crate::record::{From, Listed, Page};

/// The statements of one list. Each takes the filter's values first, all of them texts that are empty
/// where they do not count.
pub(crate) struct Statements {
    /// Then an id that rows come after, and how many at most.
    pub(crate) after: &'static str,
    /// Then an id that rows come before, nearest first, and how many at most.
    pub(crate) before: &'static str,
    /// Then an id: how many rows there are, and how many of them come before it.
    pub(crate) count: &'static str,
}

/// Reads one page; `read` gives a row its shape, and its id.
pub(crate) async fn list<T>(
    pool: &AnyPool,
    statements: &Statements,
    filter: &[&str],
    page: &Page,
    read: impl Fn(&sqlx::any::AnyRow) -> Result<T, VaultError>,
    id: impl Fn(&T) -> &str,
) -> Result<Listed<T>, VaultError> {
    let (statement, edge) = match &page.from {
        From::Start => (statements.after, ""),
        From::After(id) => (statements.after, id.as_str()),
        From::Before(id) => (statements.before, id.as_str()),
    };
    let bound = filter.iter().fold(sqlx::query(statement), |query, text| query.bind(*text));
    let found = bound.bind(edge).bind(i64::from(page.size)).fetch_all(pool).await?;
    let mut rows = found.iter().map(read).collect::<Result<Vec<T>, _>>()?;
    if matches!(page.from, From::Before(_)) {
        rows.reverse();
    }
    // Of an empty page, all rows lie on the side that it was come from.
    let first = rows.first().map_or("", |row| id(row));
    let bound = filter.iter().fold(sqlx::query(statements.count), |query, text| query.bind(*text));
    let counts = bound.bind(first).fetch_one(pool).await?;
    let [total, ahead]: [u64; 2] =
        [number(counts.try_get("total")?)?, number(counts.try_get("ahead")?)?];
    let [has_previous, has_next] = match (rows.is_empty(), &page.from) {
        (false, _) => [ahead > 0, ahead + (rows.len() as u64) < total],
        (true, From::Before(_)) => [false, total > 0],
        (true, From::Start | From::After(_)) => [total > 0, false],
    };
    Ok(Listed { rows, total, has_previous, has_next })
}

/// A pattern of `LIKE … ESCAPE '\'` that finds this text anywhere; empty for no text.
pub(crate) fn anywhere(text: Option<&str>) -> String {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return String::new() };
    let mut pattern = "%".to_owned();
    // As SQLite has it, whose LOWER knows ASCII alone.
    for c in text.to_ascii_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
