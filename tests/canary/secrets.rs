//! The secrets that are planted, and how one is found in bytes.

use mosaic::providers::credentials::ClientAuth;

/// A secret: two runs of letters that occur nowhere else, with what keys have between them that is written otherwise in
/// addresses, forms and JSON. Whatever is left of it shows one of the runs.
pub(crate) struct Canary {
    pub(crate) name: &'static str,
    runs: [&'static str; 2],
}

macro_rules! canaries {
    ($($name:ident = $first:literal, $second:literal;)*) => {
        $(pub(crate) const $name: &str = concat!($first, "/+", $second, "=~");)*
        /// All of them.
        pub(crate) const ALL: &[Canary] = &[$(Canary { name: stringify!($name), runs: [$first, $second] }),*];
    };
}

canaries! {
    API_KEY = "kqApiKeyFirst7", "zwApiKeySecond3";
    CALLBACK_KEY = "kqCallbackFirst7", "zwCallbackSecond3";
    CLIENT_SECRET = "kqClientFirst7", "zwClientSecond3";
    ACCESS_TOKEN = "kqAccessFirst7", "zwAccessSecond3";
    REFRESH_TOKEN = "kqRefreshFirst7", "zwRefreshSecond3";
    ROTATED_TOKEN = "kqRotatedFirst7", "zwRotatedSecond3";
    AWS_SECRET = "kqAwsSecretFirst7", "zwAwsSecretSecond3";
    AWS_SESSION = "kqAwsSessionFirst7", "zwAwsSessionSecond3";
    HEADER_KEY = "kqHeaderFirst7", "zwHeaderSecond3";
    PASSWORD = "kqPasswordFirst7", "zwPasswordSecond3";
    QUERY_KEY = "kqQueryKeyFirst7", "zwQueryKeySecond3";
}

/// Those that are signed with and never sent.
pub(crate) const NEVER_SENT: &[&str] = &["AWS_SECRET"];

/// Where a client's secret is put.
pub(crate) const CLIENT_AUTHS: [ClientAuth; 2] = [ClientAuth::Basic, ClientAuth::Body];

impl Canary {
    /// Whether something of it is in there: as it is (which percent-encoding and JSON leave the runs), in base64, or in hex.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> Option<&'static str> {
        self.runs.iter().find_map(|run| {
            let forms =
                [("plain", vec![(*run).to_owned()]), ("base64", base64(run)), ("hex", vec![hex(run)])];
            let form =
                forms.into_iter().find(|(_, forms)| forms.iter().any(|form| has(bytes, form.as_bytes())));
            form.map(|(name, _)| name)
        })
    }
}

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    let first = wanted[0];
    bytes.windows(wanted.len()).any(|window| window[0] == first && window == wanted)
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// What a text becomes in the middle of a longer one, which may begin at any of three places; what depends on its
/// neighbours is cut off. Letters and digits are the same in both alphabets.
fn base64(text: &str) -> Vec<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let encode = |skip: usize| {
        let bits: Vec<u8> =
            text.bytes().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).skip(skip).collect();
        let sextets = bits.chunks_exact(6).map(|six| six.iter().fold(0, |all, bit| all << 1 | bit));
        sextets.map(|six: u8| char::from(ALPHABET[usize::from(six)])).collect::<String>()
    };
    // Before it stand 0, 1 or 2 bytes, whose last bits share a letter with its first ones.
    [0, 4, 2].into_iter().map(encode).collect()
}

#[test]
fn a_secret_is_found_in_every_form() {
    let canary = &ALL[0];
    let form = |bytes: &str| canary.is_in(bytes.as_bytes());
    assert_eq!(form("nothing"), None);
    assert_eq!(form(API_KEY), Some("plain"));
    assert_eq!(form("x%2F%2BzwApiKeySecond3%3D~"), Some("plain"));
    // What `base64` makes of `kqApiKeyFirst7`, `akqApiKeyFirst7` and `ab:kqApiKeyFirst7`.
    for encoded in [
        "a3FBcGlLZXlGaXJzdDc=",
        "YWtxQXBpS2V5Rmlyc3Q3",
        "YWI6a3FBcGlLZXlGaXJzdDc=",
        "YWJrcUFwaUtleUZpcnN0Nw==",
    ] {
        assert_eq!(form(encoded), Some("base64"), "{encoded}");
    }
    assert_eq!(form(&hex(API_KEY)), Some("hex"));
}
