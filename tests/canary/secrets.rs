//! The secrets that are planted, and how one is found in bytes.

use mosaic::providers::credentials::ClientAuth;

/// A secret: two runs of letters that occur nowhere else, with what keys have between them that is written otherwise in
/// addresses, forms and JSON. Whatever is left of it shows one of the runs, and both begin with [`MARK`].
pub(crate) struct Canary {
    pub(crate) name: &'static str,
    pub(crate) secret: &'static str,
}

/// What all runs begin with, so that bytes are searched once for all of them.
const MARK: &str = "kqCanary7";

macro_rules! canaries {
    ($($name:ident = $run:literal;)*) => {
        $(pub(crate) const $name: &str = concat!("kqCanary7", $run, "/+kqCanary7", $run, "=~");)*
        /// All of them.
        pub(crate) const ALL: &[Canary] = &[$(Canary { name: stringify!($name), secret: $name }),*];
    };
}

canaries! {
    ACCESS_TOKEN = "AccessToken";
    API_KEY = "ApiKey";
    AWS_SECRET = "AwsSecret";
    AWS_SESSION = "AwsSession";
    CALLBACK_KEY = "CallbackKey";
    CLIENT_SECRET = "ClientSecret";
    HEADER_KEY = "HeaderKey";
    PASSWORD = "Password";
    QUERY_KEY = "QueryKey";
    REFRESH_TOKEN = "RefreshToken";
    ROTATED_TOKEN = "RotatedToken";
}

/// Those that are signed with and never sent.
pub(crate) const NEVER_SENT: &[&str] = &["AWS_SECRET"];

/// Where a client's secret is put.
pub(crate) const CLIENT_AUTHS: [ClientAuth; 2] = [ClientAuth::Basic, ClientAuth::Body];

impl Canary {
    /// Whether it is in a text as it is, up to how it is encoded.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        let run = self.secret.split('/').next().unwrap();
        text.contains(run) || base64(run).iter().any(|form| text.contains(form))
    }
}

/// Looks for all secrets at once: as they are (percent-encoding and JSON leave the runs), in base64 and in hex.
pub(crate) struct Search(Vec<(&'static str, memchr::memmem::Finder<'static>)>);

impl Search {
    pub(crate) fn new() -> Self {
        let plain = std::iter::once(("plain", MARK.to_owned()));
        let encoded = base64(MARK).into_iter().map(|form| ("base64", form));
        let forms = plain.chain(encoded).chain([("hex", hex(MARK))]);
        Self(forms.map(|(name, form)| (name, memchr::memmem::Finder::new(&form).into_owned())).collect())
    }

    /// In which form one is in there, and what stands around it.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<(&'static str, String)> {
        let (form, at) = self.0.iter().find_map(|(form, finder)| Some((*form, finder.find(bytes)?)))?;
        let around = &bytes[at.saturating_sub(300)..bytes.len().min(at + 300)];
        Some((form, String::from_utf8_lossy(around).into_owned()))
    }
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
    let search = Search::new();
    let form = |text: &str| search.find(text.as_bytes()).map(|(form, _)| form);
    assert_eq!(form("nothing"), None);
    assert_eq!(form(API_KEY), Some("plain"));
    assert_eq!(form("x%2F%2BkqCanary7ApiKey%3D~"), Some("plain"));
    // What `base64` makes of `kqCanary7`, `akqCanary7`, `ab:kqCanary7` and `abkqCanary7`.
    for encoded in ["a3FDYW5hcnk3", "YWtxQ2FuYXJ5Nw==", "YWI6a3FDYW5hcnk3", "YWJrcUNhbmFyeTc="] {
        assert_eq!(form(encoded), Some("base64"), "{encoded}");
    }
    assert_eq!(form(&hex(API_KEY)), Some("hex"));
}
