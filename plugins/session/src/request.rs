//! Values in their places: requests of the login, and what goes on the caller's.

use countersign_plugin::{Account, Entry, HttpRequest, Refusal, find, form, header as field};

use crate::{
    cookie as cookies,
    pattern::{Body, Pair, Pattern, Request},
    template::{Source, Template, Values},
};

/// A value as it is.
pub(crate) fn plain(pair: &Pair<'_>, values: &Values<'_>) -> Result<String, Refusal> {
    pair.value.fill(values, |_, value| Ok(value.to_owned()))
}

/// A value that a header can hold.
pub(crate) fn header(pair: &Pair<'_>, values: &Values<'_>) -> Result<String, Refusal> {
    let filled = pair.value.fill(values, |source, value| {
        field::check(&source.name(), value)?;
        Ok(value.to_owned())
    })?;
    field::check(&pair.at, &filled)?;
    Ok(filled)
}

/// A value that a cookie can hold.
pub(crate) fn cookie(pair: &Pair<'_>, values: &Values<'_>) -> Result<String, Refusal> {
    let filled = pair.value.fill(values, |source, value| {
        cookies::check(&source.name(), value)?;
        Ok(value.to_owned())
    })?;
    cookies::check(&pair.at, &filled)?;
    Ok(filled)
}

/// The request as it is sent.
pub(crate) fn built(request: &Request<'_>, values: &Values<'_>) -> Result<HttpRequest, Refusal> {
    let mut headers: Vec<Entry> = Vec::new();
    for pair in &request.headers {
        headers.push((pair.name.to_ascii_lowercase(), header(pair, values)?));
    }
    let mut jar = Vec::new();
    for pair in &request.cookies {
        jar.push([pair.name, "=", &cookie(pair, values)?].concat());
    }
    if !jar.is_empty() {
        headers.push(("cookie".to_owned(), jar.join("; ")));
    }
    let (kind, body) = match &request.body {
        None => (None, String::new()),
        Some(Body::Json(json)) => (Some("application/json"), json.fill(values, in_json)?),
        Some(Body::Form(pairs)) => {
            (Some("application/x-www-form-urlencoded"), encoded(pairs, values)?)
        }
        Some(Body::Text(text)) => {
            (Some("text/plain"), text.fill(values, |_, value| Ok(value.to_owned()))?)
        }
    };
    if let Some(kind) = kind.filter(|_| find(&headers, "content-type").is_none()) {
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    Ok(HttpRequest {
        method: if request.is_post { "POST" } else { "GET" }.to_owned(),
        url: url(request, values)?,
        headers,
        body: body.into_bytes(),
    })
}

fn url(request: &Request<'_>, values: &Values<'_>) -> Result<String, Refusal> {
    let (base, own) = request.url.split_once('?').unwrap_or((request.url, ""));
    let mut url = base.to_owned();
    match &request.path {
        Some(path) => {
            url.truncate(base.trim_end_matches('/').len());
            url.push_str(&path.fill(values, in_path)?);
        }
        // An origin alone: its path is the root, as URLs are written out.
        None if base.split_once("://").is_some_and(|(_, rest)| !rest.contains('/')) => {
            url.push('/');
        }
        None => {}
    }
    let more = encoded(&request.query, values)?.replace('+', "%20");
    let queries: Vec<&str> = [own, &more].into_iter().filter(|query| !query.is_empty()).collect();
    if !queries.is_empty() {
        url.push('?');
        url.push_str(&queries.join("&"));
    }
    Ok(url)
}

fn encoded(pairs: &[Pair<'_>], values: &Values<'_>) -> Result<String, Refusal> {
    let pairs: Result<Vec<_>, Refusal> =
        pairs.iter().map(|pair| Ok((pair.name, plain(pair, values)?))).collect();
    Ok(form::join(pairs?.iter().map(|(name, value)| (*name, value.as_str()))))
}

/// Inside of a string of JSON (RFC 8259, section 7).
fn in_json(source: Source<'_>, value: &str) -> Result<String, Refusal> {
    let quoted = serde_json::to_string(value)
        .map_err(|_| Refusal::invalid_config(&source.name(), "this value fits into no JSON"))?;
    Ok(quoted[1..quoted.len() - 1].to_owned())
}

/// One segment of a path, or a part of one: some servers read even an encoded slash as one, and dots as a
/// way up.
fn in_path(source: Source<'_>, value: &str) -> Result<String, Refusal> {
    if value.contains(['/', '\\', '%']) || value.bytes().all(|byte| byte == b'.') {
        return Err(Refusal::invalid_config(&source.name(), "this value cannot stand in a path"));
    }
    Ok(form::percent_encode(value))
}

/// The values of the account that do not fit where the pattern puts them, before anybody logs in.
pub(crate) fn unfit(pattern: &Pattern<'_>, account: &Account) -> Vec<Refusal> {
    let in_login = pattern.requests.iter();
    let headers = in_login.clone().flat_map(|request| &request.headers).chain(&pattern.headers);
    let in_cookies = in_login.clone().flat_map(|request| &request.cookies).chain(&pattern.cookies);
    let paths = in_login.filter_map(|request| request.path.as_ref());
    let check_path = |field: &str, value: &str| in_path(Source::Connection(field), value).map(drop);
    let mut unfit: Vec<Refusal> = Vec::new();
    let mut judge = |template: &Template<'_>, check: &dyn Fn(&str, &str) -> Result<(), Refusal>| {
        for source in template.sources().filter(|source| !matches!(source, Source::Taken(_))) {
            let name = source.name();
            let flaw = account.value(&name).and_then(|value| check(&name, value).err());
            unfit.extend(flaw.filter(|flaw| !unfit.contains(flaw)));
        }
    };
    headers.for_each(|pair| judge(&pair.value, &field::check));
    in_cookies.for_each(|pair| judge(&pair.value, &cookies::check));
    paths.for_each(|path| judge(path, &check_path));
    unfit
}
