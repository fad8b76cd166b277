use crate::bedrock::Bedrock;
use mosaic_core::{Codec, ErrorKind, Headers};
use serde_json::json;

#[test]
fn an_exceptions_name_tells_the_kind() {
    let cases = [
        ("AccessDeniedException", 403, "You don't have access to the model", ErrorKind::Auth, false),
        ("ExpiredTokenException", 403, "The security token is expired", ErrorKind::Auth, false),
        ("ResourceNotFoundException", 404, "end of its life", ErrorKind::NotFound, false),
        ("ModelNotReadyException", 429, "not ready", ErrorKind::Overloaded, true),
        ("ServiceQuotaExceededException", 400, "quota", ErrorKind::RateLimited, true),
        (
            "ThrottlingException",
            429,
            "Too many tokens, please wait before trying again.",
            ErrorKind::RateLimited,
            true,
        ),
        ("ModelTimeoutException", 408, "", ErrorKind::Timeout, true),
        ("ModelErrorException", 424, "", ErrorKind::Server, true),
        ("ServiceUnavailableException", 503, "", ErrorKind::Overloaded, true),
        (
            "ValidationException",
            400,
            "Input is too long for requested model.",
            ErrorKind::ContextOverflow,
            false,
        ),
        (
            "ValidationException",
            400,
            "Too many input tokens. Max input tokens: 8192",
            ErrorKind::ContextOverflow,
            false,
        ),
        ("ValidationException", 400, "Malformed input request", ErrorKind::InvalidRequest, false),
    ];
    for (name, status, message, kind, retryable) in cases {
        let mut headers = Headers::default();
        headers.push("x-amzn-errortype", format!("{name}:http://internal.amazon.com/coral/"));
        headers.push("x-amzn-requestid", "r-1");
        let told = json!({ "message": message }).to_string();
        let in_body =
            json!({ "__type": format!("com.amazon.coral.service#{name}"), "Message": message }).to_string();
        for (headers, body) in [(headers, told), (Headers::default(), in_body)] {
            let error = Bedrock::default().error(status, &headers, body.as_bytes());
            assert_eq!((error.kind, error.retryable), (kind, retryable), "{name} {message}");
            assert_eq!(error.status, Some(status));
            assert!(error.message.contains(name), "{}", error.message);
            assert_eq!(error.request_id.as_deref(), headers.get("x-amzn-requestid"));
        }
    }
}

#[test]
fn figures_of_an_overflow_are_read() {
    let body = br#"{"message":"The model returned the following errors: prompt is too long: 208310 tokens > 200000 maximum"}"#;
    let error = Bedrock::default().error(400, &Headers::default(), body);
    assert_eq!(error.kind, ErrorKind::ContextOverflow);
    let limits = error.limits.unwrap();
    assert_eq!((limits.prompt, limits.window), (Some(208_310), Some(200_000)));
}
