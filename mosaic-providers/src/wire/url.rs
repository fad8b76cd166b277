//! Where a request goes: a base URL and a path.

/// The path behind the base URL, and before the base URL's query: Azure's older addresses end in `?api-version=...`.
pub(crate) fn join(base: &str, path: &str) -> String {
    versioned(base, "", path)
}

/// The same with a version between them, unless the base URL ends with it already.
pub(crate) fn versioned(base: &str, version: &str, path: &str) -> String {
    let (address, query) = match base.split_once('?') {
        Some((address, query)) => (address, format!("?{query}")),
        None => (base, String::new()),
    };
    let address = address.trim_end_matches('/');
    let version = if address.ends_with(version) { "" } else { version };
    format!("{address}{version}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::{join, versioned};

    #[test]
    fn a_path_goes_before_the_query() {
        assert_eq!(join("http://a/v1", "/b"), "http://a/v1/b");
        assert_eq!(join("http://a/?x=1&y=/", "/b"), "http://a/b?x=1&y=/");
    }

    #[test]
    fn a_version_is_not_told_twice() {
        assert_eq!(versioned("http://a", "/v2", "/b"), "http://a/v2/b");
        assert_eq!(versioned("http://a/v2/", "/v2", "/b"), "http://a/v2/b");
    }
}
