//! URLs and hosts of a payload, looked at only as far as a payload's author can be helped; the
//! grammar that decides is `target`'s.

use url::Url;

use super::placeholder::Text;
use crate::problem::{Problems, Reader};

/// Notes what is wrong with the scheme of a base URL or an endpoint.
pub(super) fn check_url(path: &str, url: &str, problems: &mut Problems) {
    const FIX: &str = "write https:// and a host";
    if url.starts_with("http://") {
        problems.warn(
            path,
            "is plain http, over which a credential can be read on the way",
            "use https://; plain http is refused unless the operator allows it",
        );
    } else if !url.starts_with("https://") {
        problems.error(path, "does not start with https://", FIX);
        return;
    }
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        problems.error(path, "holds a blank or a control character", "write the URL without");
    } else if Text::parse(url).is_ok_and(|text| text.names().next().is_none())
        && Url::parse(url).is_err()
    {
        problems.error(path, "is not a valid URL", FIX);
    }
}

/// `allowed_proxy_domains` of a provider or a pattern.
pub(super) fn read(reader: &mut Reader<'_, '_>) -> Vec<String> {
    let texts = reader.texts("allowed_proxy_domains");
    for (index, text) in texts.iter().enumerate() {
        if !is_host(text.strip_prefix("https://").unwrap_or(text)) {
            let path = reader.at(&format!("allowed_proxy_domains[{index}]"));
            reader.problems.error(
                path,
                "is neither a host nor an https:// origin",
                "write `api.example.com` or `https://api.example.com`, without a path",
            );
        }
    }
    texts.into_iter().map(str::to_owned).collect()
}

fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "443"));
    port.parse::<u16>().is_ok()
        && host.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
}
