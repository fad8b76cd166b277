use mosaic_core::{ErrorKind, Headers};
use serde_json::json;

use super::{from_event, from_object, from_response, unreadable};

fn kind(status: u16, body: &str) -> ErrorKind {
    from_response(status, &Headers::default(), body.as_bytes()).kind
}

#[test]
fn the_kind_follows_from_codes_then_status_then_words() {
    let cases = [
        (307, "", ErrorKind::InvalidRequest),
        (401, r#"{"error":{"message":"no","code":"invalid_api_key"}}"#, ErrorKind::Auth),
        (
            400,
            r#"{"code":"invalid-argument","error":"Incorrect API key provided. Get one."}"#,
            ErrorKind::Auth,
        ),
        (400, r#"{"error":{"message":"bad","code":400}}"#, ErrorKind::InvalidRequest),
        (400, r#"{"error":{"message":"bad","details":[{"reason":"API_KEY_INVALID"}]}}"#, ErrorKind::Auth),
        (404, r#"{"error":{"message":"no such model","code":"model_not_found"}}"#, ErrorKind::NotFound),
        (413, "", ErrorKind::ContextOverflow),
        (422, r#"{"detail":[{"msg":"field required"}]}"#, ErrorKind::InvalidRequest),
        (
            429,
            r#"{"error":{"code":"RateLimitReached","message":"too many tokens per minute"}}"#,
            ErrorKind::RateLimited,
        ),
        (429, r#"{"error":{"message":"too many tokens, please wait"}}"#, ErrorKind::RateLimited),
        (
            400,
            r#"{"error":{"message":"The total length of all messages is too long.","type":"too_many_prompt_tokens"}}"#,
            ErrorKind::ContextOverflow,
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}"#,
            ErrorKind::ContextOverflow,
        ),
        (400, r#"{"error":{"code":"content_filter","message":"no"}}"#, ErrorKind::ContentFiltered),
        (403, r#"{"error":{"code":403,"message":"Your input was flagged"}}"#, ErrorKind::ContentFiltered),
        (403, r#"{"error":{"code":403,"message":"Key limit exceeded"}}"#, ErrorKind::Auth),
        (500, "oops", ErrorKind::Server),
        (
            501,
            r#"{"error":{"code":501,"message":"not supported","type":"not_supported_error"}}"#,
            ErrorKind::Unsupported,
        ),
        (503, "", ErrorKind::Overloaded),
        (504, "", ErrorKind::Timeout),
        (
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            ErrorKind::Overloaded,
        ),
    ];
    for (status, body, expected) in cases {
        assert_eq!(kind(status, body), expected, "{status} {body}");
    }
}

#[test]
fn an_over_long_prompt_carries_its_figures() {
    let body = json!({"error": {"code": 400, "message": "the request exceeds the available context size, try increasing it",
        "type": "exceed_context_size_error", "n_prompt_tokens": 5001, "n_ctx": 4096}});
    let error = from_response(400, &Headers::default(), body.to_string().as_bytes());
    assert_eq!(error.kind, ErrorKind::ContextOverflow);
    let limits = error.limits.unwrap();
    assert_eq!((limits.prompt, limits.window), (Some(5_001), Some(4_096)));
}

#[test]
fn an_empty_and_an_html_body_are_named() {
    assert!(from_response(500, &Headers::default(), b" \n").message.contains("empty"));
    let page = b"<html><head><title>502 Bad Gateway</title></head>secret</html>";
    let error = from_response(502, &Headers::default(), page);
    assert_eq!(error.kind, ErrorKind::Server);
    assert!(error.message.contains("502 Bad Gateway") && !error.message.contains("secret"));
    assert!(unreadable("answer", "<html>", None).message.contains("HTML"));
}

#[test]
fn an_account_without_credit_is_not_asked_again() {
    let body = r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
    let error = from_response(429, &Headers::default(), body.as_bytes());
    assert_eq!((error.kind, error.retryable), (ErrorKind::RateLimited, false));
}

#[test]
fn ids_and_waits_come_from_the_headers() {
    let mut headers = Headers::default();
    headers.push("X-Request-Id", "req_1");
    headers.push("retry-after", "2");
    let error = from_response(429, &headers, b"{}");
    assert_eq!(error.request_id.as_deref(), Some("req_1"));
    assert_eq!(error.retry_after.map(|after| after.as_millis()), Some(2_000));
    let error = from_response(400, &Headers::default(), br#"{"error":{"message":"m"},"request_id":"req_2"}"#);
    assert_eq!(error.request_id.as_deref(), Some("req_2"));
}

#[test]
fn an_error_inside_an_answer_may_tell_a_status() {
    let groq = json!({"error": {"message": "Tool choice is required", "code": "tool_use_failed", "status_code": 400}});
    assert_eq!((from_object(&groq).kind, from_object(&groq).status), (ErrorKind::InvalidRequest, Some(400)));
    let router = json!({"error": {"message": "Provider returned error", "code": 502}});
    assert_eq!(from_object(&router).kind, ErrorKind::Server);
    assert_eq!(from_object(&json!({"error": "boom"})).kind, ErrorKind::Server);
    let busy = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    assert_eq!(from_object(&busy).kind, ErrorKind::Overloaded);
}

#[test]
fn a_key_in_the_providers_words_is_not_kept() {
    let body = r#"{"error":{"message":"Incorrect API key provided: sk-abcdefghijklmnop"}}"#;
    assert!(!from_response(401, &Headers::default(), body.as_bytes()).message.contains("abcdefgh"));
}

#[test]
fn the_provider_may_say_itself_whether_to_ask_again() {
    let with = |value: &'static str| {
        let mut headers = Headers::default();
        headers.push("x-should-retry", value);
        from_response(500, &headers, b"").retryable
    };
    assert!(with("true") && !with("false"));
}

#[test]
fn an_event_named_error_is_one_whatever_its_data() {
    assert_eq!(from_event("upstream gone").kind, ErrorKind::Server);
    assert!(from_event("upstream gone").message.contains("upstream gone"));
    assert_eq!(from_event(r#"{"message":"busy","code":429}"#).kind, ErrorKind::RateLimited);
}
