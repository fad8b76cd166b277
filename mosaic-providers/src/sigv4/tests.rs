use std::sync::Arc;

use bytes::Bytes;
use mosaic_core::{Authenticator, ErrorKind, HttpRequest, Timestamp};

use super::canonical::{Form, Target, form};
use super::sign::{Scope, authorization, key_of, signature};
use super::time::Stamp;
use super::{Credentials, Region, SigV4};
use secrecy::ExposeSecret;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// 2015-08-30T12:36:00Z, the time of all published examples.
const THEN: Timestamp = Timestamp(1_440_938_160_000);

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", SECRET)
}

fn credentials_of_a_role() -> Credentials {
    credentials().session_token("token-of-a-role")
}

fn example(method: &str, path: &str, headers: &[(&str, &str)], body: &'static str) -> Form {
    let target = Target::of(&format!("https://example.amazonaws.com{path}")).unwrap();
    let mut all = vec![
        ("host".to_owned(), target.host.clone()),
        ("x-amz-date".to_owned(), "20150830T123600Z".to_owned()),
    ];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    form(method, &target, all, &[Bytes::from(body)])
}

fn signed(form: &Form) -> String {
    let time = Stamp::of(THEN);
    signature(form, &Scope { time: &time, region: "us-east-1", service: "service" }, &credentials())
}

/// The signatures that AWS publishes for its test suite of Signature Version 4 (`aws-sig-v4-test-suite`).
#[test]
fn the_published_examples_have_their_published_signatures() {
    let form_type = ("content-type", "application/x-www-form-urlencoded");
    let examples = [
        (
            "get-vanilla",
            example("GET", "/", &[], ""),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-vanilla-query-order-key-case",
            example("GET", "/?Param2=value2&Param1=value1", &[], ""),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-unreserved",
            example("GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", &[], ""),
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "get-utf8",
            example("GET", "/ሴ", &[], ""),
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        ),
        (
            "get-space",
            example("GET", "/example space/", &[], ""),
            "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
        ),
        (
            "get-slashes",
            example("GET", "//example//", &[], ""),
            "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        ),
        (
            "get-slash-dot-slash",
            example("GET", "/./", &[], ""),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-relative-relative",
            example("GET", "/example1/example2/../..", &[], ""),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "post-vanilla",
            example("POST", "/", &[], ""),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "post-x-www-form-urlencoded",
            example("POST", "/", &[form_type], "Param1=value1"),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ];
    for (name, form, expected) in examples {
        assert_eq!(signed(&form), expected, "{name}\n{}", form.text);
    }
}

/// The worked example of the documentation: a request to IAM.
#[test]
fn the_key_and_the_line_are_those_of_the_documentation() {
    let time = Stamp::of(THEN);
    let scope = Scope { time: &time, region: "us-east-1", service: "iam" };
    assert_eq!(
        key_of(&scope, &credentials()),
        "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    );
    let target = Target::of("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08").unwrap();
    let headers = [
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("host", "iam.amazonaws.com"),
        ("x-amz-date", "20150830T123600Z"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let line = authorization(&form("GET", &target, headers, &[]), &scope, &credentials());
    assert_eq!(
        line.expose_secret(),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
}

#[test]
fn the_path_is_encoded_once_more_and_the_query_is_not() {
    let form = example("POST", "/model/us.anthropic.claude-v1%3A0/converse?b=%2f&a=x y&a", &[], "");
    let mut lines = form.text.lines();
    assert_eq!(lines.next(), Some("POST"));
    assert_eq!(lines.next(), Some("/model/us.anthropic.claude-v1%253A0/converse"));
    assert_eq!(lines.next(), Some("a=&a=x%20y&b=%2F"));
}

#[test]
fn headers_are_sorted_and_their_blanks_joined() {
    let form = example("GET", "/", &[("x-b", "  a   b "), ("x-a", "2"), ("x-a", "1")], "");
    assert!(form.text.contains("x-a:2,1\nx-amz-date:20150830T123600Z\nx-b:a b\n"));
    assert_eq!(form.signed_headers, "host;x-a;x-amz-date;x-b");
}

#[test]
fn an_address_without_a_host_is_not_signed() {
    let host = |url: &str| Target::of(url).map(|target| target.host);
    assert_eq!(host("https://A.example:443/x").as_deref(), Some("a.example"));
    assert_eq!(host("http://127.0.0.1:8080?x").as_deref(), Some("127.0.0.1:8080"));
    for refused in ["https:///x", "ftp://a/x", "a.example/x", "https://user@a.example/", ""] {
        assert_eq!(host(refused), None, "{refused}");
    }
}

fn request() -> HttpRequest {
    let mut request = HttpRequest {
        url: "https://bedrock-runtime.eu-central-1.amazonaws.com/model/m%3A0/converse".to_owned(),
        body: vec![Bytes::from("{\"messages\":"), Bytes::from("[]}")],
        ..HttpRequest::default()
    };
    request.headers.push("content-type", "application/json");
    request.headers.push("x-team", "search");
    request
}

fn authenticated(signer: &SigV4, mut request: HttpRequest) -> HttpRequest {
    let mut work = signer.authenticate(&mut request, THEN);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match work.as_mut().poll(&mut context) {
        std::task::Poll::Ready(result) => result.unwrap(),
        std::task::Poll::Pending => panic!("nothing to wait for"),
    }
    drop(work);
    request
}

fn line<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    let header = request.headers.iter().find(|header| header.name == name).unwrap();
    header.expose()
}

#[test]
fn a_signed_request_shows_no_secret() {
    let signer = SigV4::new("bedrock", Region::new("eu-central-1").unwrap(), credentials_of_a_role());
    let request = authenticated(&signer, request());
    let value = line(&request, "authorization");
    assert!(value.contains("/20150830/eu-central-1/bedrock/aws4_request, "), "{value}");
    assert!(value.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "), "{value}");
    assert_eq!(line(&request, "x-amz-security-token"), "token-of-a-role");
    let signature = value.rsplit('=').next().unwrap();
    let shown = format!("{request:?} {:?}", mosaic_core::Auth::By(Arc::new(signer)));
    for secret in [signature, SECRET, "token-of-a-role"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(format!("{:?}", credentials_of_a_role()).contains("AKIDEXAMPLE"));
    assert!(!format!("{:?}", credentials_of_a_role()).contains("token-of-a-role"));
}

#[test]
fn the_signature_covers_the_body_however_it_is_cut() {
    let signer = SigV4::new("bedrock", Region::new("eu-central-1").unwrap(), credentials());
    let of = |body: &[&'static str]| {
        let body = body.iter().map(|piece| Bytes::from(*piece)).collect();
        line(&authenticated(&signer, HttpRequest { body, ..request() }), "authorization").to_owned()
    };
    assert_eq!(of(&["{\"a\":", "1}"]), of(&["{\"a\":1}"]));
    assert_ne!(of(&["{\"a\":1}"]), of(&["{\"a\":2}"]));
}

#[test]
fn a_region_is_a_part_of_a_host_name_and_nothing_else() {
    for name in ["us-east-1", "eu-central-1", "us-gov-west-1", "local"] {
        assert_eq!(Region::new(name).unwrap().as_str(), name);
    }
    for name in ["", "US-EAST-1", "eu.central", "evil.example/", "a b", "-a", "a-", "é", &"a".repeat(64)] {
        let error = Region::new(name).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
        assert!(error.message.contains("is no AWS region"), "{}", error.message);
    }
}

#[test]
fn what_the_environment_lacks_is_named() {
    let region = |set: &'static [(&str, &str)]| {
        Region::from_env(|name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    };
    assert_eq!(region(&[("AWS_DEFAULT_REGION", "a-1")]).unwrap().as_str(), "a-1");
    assert_eq!(region(&[("AWS_REGION", " b-1 "), ("AWS_DEFAULT_REGION", "a-1")]).unwrap().as_str(), "b-1");
    assert!(region(&[("AWS_REGION", "  ")]).unwrap_err().message.contains("AWS_REGION"));
    let error =
        Credentials::from_env(|name| (name == "AWS_ACCESS_KEY_ID").then(|| "id".to_owned())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.message.contains("AWS_SECRET_ACCESS_KEY"), "{}", error.message);
}
