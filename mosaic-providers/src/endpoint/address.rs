//! Base URLs: whether they can be asked, and how they follow from what a provider's variables hold.

/// How an address should look.
pub(super) const EXAMPLE: &str = "https://host/v1";

/// What is wrong with a base URL, if anything is. Its text is repeated only where it cannot be a key that was put into
/// the wrong variable.
pub(crate) fn problem(base_url: &str) -> Option<String> {
    if base_url.is_empty() {
        return Some("it is empty".to_owned());
    }
    let Some((scheme, rest)) = base_url.split_once("://") else {
        return Some("it does not begin with `http://` or `https://`".to_owned());
    };
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        let scheme: String = scheme.chars().take(20).collect();
        return Some(format!("its scheme is `{scheme}`, and only `http` and `https` can be asked"));
    }
    if base_url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("there is a blank in it".to_owned());
    }
    if base_url.contains(['#', '\\', '"', '<', '>']) {
        return Some("there is a character in it that no address has".to_owned());
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // An IPv6 address stands in brackets, because it has colons of its own.
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    if name.is_empty() || name == "[]" {
        return Some("it names no host".to_owned());
    }
    match port {
        Some(port) if port.parse::<u16>().ok().filter(|port| *port > 0).is_none() => {
            Some("its port is no number from 1 to 65535".to_owned())
        }
        _ => None,
    }
}

/// The base URL without user, password and query, to be shown.
pub(super) fn shown(base_url: &str) -> String {
    let address = base_url.split_once('?').map_or(base_url, |(address, _)| address);
    match address.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => "(no address)".to_owned(),
    }
}

/// Without blanks around it and slashes at its end.
pub(super) fn trimmed(base_url: &str) -> String {
    base_url.trim().trim_end_matches('/').to_owned()
}

/// `OLLAMA_HOST`, which the server reads too: a host, a port, both, or a URL. What a server listens on everywhere a
/// client asks on this machine. <https://docs.ollama.com/faq#how-do-i-configure-ollama-server>
pub(super) fn ollama_host(value: &str) -> String {
    let value = value.trim().trim_end_matches('/');
    let (scheme, rest, usual) = match value.split_once("://") {
        Some((scheme, rest)) => (scheme, rest, ""),
        None => ("http", value, ":11434"),
    };
    let (host, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, format!(":{port}")),
        _ => (host, usual.to_owned()),
    };
    let name = match name {
        "" | "0.0.0.0" | "[::]" => "127.0.0.1",
        name => name,
    };
    format!("{scheme}://{name}{port}{path}")
}

/// The same, where the server speaks OpenAI's API.
pub(super) fn ollama_chat_host(value: &str) -> String {
    ollama_chat(&ollama_host(value))
}

/// The address at which Ollama speaks OpenAI's API, of the address of either API.
pub(super) fn ollama_chat(value: &str) -> String {
    let value = value.trim().trim_end_matches('/');
    if value.ends_with("/v1") { value.to_owned() } else { format!("{value}/v1") }
}

/// The version 1 of Azure's API at a resource's endpoint. One that has a path already is taken as it is: that of a
/// deployment, with `?api-version=` behind it, for one.
/// <https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle>
pub(super) fn azure(value: &str) -> String {
    let value = value.trim().trim_end_matches('/');
    if value.contains("/openai/") { value.to_owned() } else { format!("{value}/openai/v1") }
}
