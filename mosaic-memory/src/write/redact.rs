//! What must not be stored is taken out before anything is.

use std::fmt::Debug;

use mosaic_core::BoxError;
use mosaic_core::transport::record::Secrets;

/// What a redactor says of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redacted {
    /// It may be stored as it is.
    Clean,
    /// It may be stored so.
    Changed {
        /// The text without what must not be stored.
        text: String,
    },
    /// It must not be stored at all.
    Refused {
        /// Why; without the text.
        why: String,
    },
}

/// Takes secrets and personal data out of texts before they are extracted from, embedded or stored.
///
/// The [`Writer`](super::Writer) asks it for every message before the extractor sees it, and again for every draft. When it
/// fails, nothing is stored.
#[async_trait::async_trait]
pub trait Redactor: Debug + Send + Sync {
    /// What of a text may be stored.
    ///
    /// # Errors
    /// When it cannot tell.
    async fn redact(&self, text: &str) -> Result<Redacted, BoxError>;
}

/// A redactor that knows what keys and card numbers look like, and the secrets that it is told.
///
/// | what | in its place |
/// | --- | --- |
/// | secrets that the host [told](Self::secret), in the forms that [`Secrets`] knows | `[secret]` |
/// | words that begin as the keys of well-known services do (`sk-`, `ghp_`, `AKIA`, ...) and are long enough | `[secret]` |
/// | JSON web tokens | `[secret]` |
/// | what follows `password`, `passwort`, `passphrase`, `pin`, `secret` or `api key` with `is`, `:` or `=` | `[secret]` |
/// | private keys in PEM, to their end | `[secret]` |
/// | 13 to 19 digits whose check digit is that of a card | `[card number]` |
/// | e-mail addresses, [if asked](Self::emails) | `[e-mail]` |
///
/// It finds what looks like these and nothing else: names, addresses and illnesses need a redactor that understands.
///
/// ```
/// use mosaic_memory::write::{PatternRedactor, Redacted, Redactor};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), mosaic_core::BoxError> {
/// let redactor = PatternRedactor::default();
/// let found = redactor.redact("Pay with 4111 1111 1111 1111, the password is hunter22.").await?;
/// let text = "Pay with [card number], the password is [secret]".to_owned();
/// assert_eq!(found, Redacted::Changed { text });
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct PatternRedactor {
    secrets: Secrets,
    emails: bool,
}

const SECRET: &str = "[secret]";
/// Beginnings of keys of services that mark theirs so.
const PREFIXES: [&str; 15] = [
    "sk-",
    "sk_live_",
    "rk_live_",
    "pk_live_",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "ASIA",
    "AIza",
    "hf_",
];
/// What is shorter is a word that happens to begin so.
const SHORTEST_KEY: usize = 16;
/// What is followed by a secret.
const NAMES: [&str; 8] =
    ["password", "passwort", "passphrase", "passcode", "pin", "secret", "api key", "api_key"];
const LINKS: [&str; 4] = [" is ", ":", "=", " = "];

impl PatternRedactor {
    /// Takes a secret out too, wherever it is.
    #[must_use]
    pub fn secret(mut self, secret: &str) -> Self {
        self.secrets.learn(secret);
        self
    }

    /// Takes e-mail addresses out too.
    #[must_use]
    pub fn emails(mut self) -> Self {
        self.emails = true;
        self
    }

    fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        self.secrets.clean(&mut text);
        let text = named(&pem(&text));
        let text = words(&text, self.emails);
        cards(&text)
    }
}

impl Debug for PatternRedactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PatternRedactor").field("emails", &self.emails).finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl Redactor for PatternRedactor {
    async fn redact(&self, text: &str) -> Result<Redacted, BoxError> {
        let cleaned = self.clean(text);
        Ok(if cleaned == text { Redacted::Clean } else { Redacted::Changed { text: cleaned } })
    }
}

/// Private keys in PEM; one that has no end goes to the end of the text.
fn pem(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("-----BEGIN ") {
        let block = rest.get(at..).unwrap_or_default();
        let head = block.lines().next().unwrap_or_default();
        let (begin, tail) = (rest.get(..at).unwrap_or_default(), "-----END ");
        out.push_str(begin);
        if !head.contains("PRIVATE KEY") {
            out.push_str("-----BEGIN ");
            rest = block.get("-----BEGIN ".len()..).unwrap_or_default();
            continue;
        }
        out.push_str(SECRET);
        let end = block.find(tail).and_then(|at| {
            let after = at + tail.len();
            Some(after + block.get(after..)?.find("-----")? + 5)
        });
        rest = block.get(end.unwrap_or(block.len())..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The word after `password is` and the like.
fn named(text: &str) -> String {
    // Only ASCII becomes small, so places are the same in both.
    let small = text.to_ascii_lowercase();
    let (mut out, mut from) = (String::new(), 0);
    let word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some((at, name)) = NAMES
        .iter()
        .filter_map(|name| Some((from + small.get(from..)?.find(name)?, *name)))
        .min_by_key(|(at, name)| (*at, std::cmp::Reverse(name.len())))
    {
        let after = at + name.len();
        let begins = small.get(..at).and_then(|before| before.chars().next_back()).is_none_or(|c| !word(c));
        let link = LINKS.iter().find(|link| small.get(after..).is_some_and(|rest| rest.starts_with(**link)));
        let Some(link) = link.filter(|_| begins) else {
            out.push_str(text.get(from..after).unwrap_or_default());
            from = after;
            continue;
        };
        let rest = text.get(after + link.len()..).unwrap_or_default();
        let value = rest.trim_start();
        let start = after + link.len() + (rest.len() - value.len());
        let len = value.find(char::is_whitespace).unwrap_or(value.len());
        out.push_str(text.get(from..start).unwrap_or_default());
        if len > 0 {
            out.push_str(SECRET);
        }
        from = start + len;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// Words that look like keys, tokens or addresses.
fn words(text: &str, emails: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || "\"'`(),;<>=[]{}".contains(c)) {
        let word = piece.trim_end_matches(|c: char| c.is_whitespace() || "\"'`(),;<>=[]{}.!?:".contains(c));
        let rest = piece.get(word.len()..).unwrap_or_default();
        match word {
            _ if is_key(word) || is_jwt(word) => out.push_str(SECRET),
            _ if emails && is_email(word) => out.push_str("[e-mail]"),
            _ => out.push_str(word),
        }
        out.push_str(rest);
    }
    out
}

fn is_key(word: &str) -> bool {
    // `Bearer:sk-...`, `https://user:ghp_...@host`: after any sign.
    let starts = word.char_indices().filter(|(at, _)| {
        let before = word.get(..*at).and_then(|before| before.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '-')
    });
    starts.filter_map(|(at, _)| word.get(at..)).any(|tail| {
        PREFIXES.iter().any(|prefix| tail.starts_with(prefix)) && tail.chars().count() >= SHORTEST_KEY
    })
}

fn is_jwt(word: &str) -> bool {
    let fits = |part: &str| {
        part.len() >= 8 && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    word.starts_with("eyJ") && word.split('.').count() == 3 && word.split('.').all(fits)
}

fn is_email(word: &str) -> bool {
    let Some((name, host)) = word.split_once('@') else { return false };
    let host = host.trim_end_matches(['.', '!', '?']);
    !name.is_empty() && host.contains('.') && host.chars().all(|c| c.is_alphanumeric() || ".-".contains(c))
}

/// 13 to 19 digits, with a space or hyphen between groups of them, that have the check digit of a card.
fn cards(text: &str) -> String {
    let (mut out, mut from) = (String::new(), 0);
    let group = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        at + rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())
    };
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(|c: char| c.is_ascii_digit())) {
        let start = from + at;
        out.push_str(text.get(from..start).unwrap_or_default());
        // The longest row of groups that begins here and is a card's number.
        let (mut end, mut card) = (group(start), None);
        loop {
            let row = text.get(start..end).unwrap_or_default();
            let digits: Vec<u32> = row.chars().filter_map(|c| c.to_digit(10)).collect();
            if (13..=19).contains(&digits.len()) && luhn(&digits) {
                card = Some(end);
            }
            let next = end + 1;
            let joined = text.get(end..next).is_some_and(|sign| sign == " " || sign == "-");
            if digits.len() > 19 || !joined || group(next) == next {
                break;
            }
            end = group(next);
        }
        from = card.unwrap_or_else(|| group(start));
        out.push_str(card.map_or(text.get(start..from).unwrap_or_default(), |_| "[card number]"));
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// The check that card numbers pass (ISO/IEC 7812-1, annex B).
fn luhn(digits: &[u32]) -> bool {
    let doubled = digits.iter().rev().enumerate().map(|(at, digit)| match (at % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    });
    doubled.sum::<u32>() % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_their_usual_clothes() {
        let redactor = PatternRedactor::default().secret("correct-horse-battery").emails();
        for (text, cleaned) in [
            ("use correct-horse-battery now", "use [secret] now"),
            ("key: sk-abcdefghijklmnop123", "key: [secret]"),
            ("Authorization:ghp_abcdefghijklmnop", "[secret]"),
            ("API_KEY=\"x y\" and my PIN is 1234", "API_KEY=[secret] y\" and my PIN is [secret]"),
            ("eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeK", "[secret]"),
            ("a -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- b", "a [secret] b"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "[secret]"),
            ("card 4111-1111-1111-1111 ok", "card [card number] ok"),
            ("write to ann@example.org.", "write to [e-mail]."),
        ] {
            assert_eq!(redactor.clean(text), cleaned);
        }
    }

    #[test]
    fn what_looks_like_nothing_stays() {
        for text in [
            "sk-learn is a library",
            "order 1234 5678 9012 3456 is late",
            "ann@example.org",
            "a pinned secret garden; passwords are hard",
            "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
            "Zażółć gęślą jaźń İ",
        ] {
            assert_eq!(PatternRedactor::default().clean(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_card_number_among_anything_is_found(before in "(\\PC|[0-9 -]){0,12}", after in "(\\PC|[0-9 -]){0,12}") {
            let text = format!("{before} 4111 1111 1111 1111 {after}");
            proptest::prop_assert!(!PatternRedactor::default().emails().clean(&text).contains("4111 1111 1111 1111"));
        }
    }
}
