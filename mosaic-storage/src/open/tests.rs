use super::*;
use mosaic_core::ErrorKind;

async fn refusal(url: &str) -> String {
    let error = open(url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    error.to_string()
}

#[tokio::test]
async fn an_address_of_no_store_is_refused_with_the_way_out() {
    assert!(refusal("app.db").await.contains("write `sqlite://app.db`"));
    assert!(refusal("").await.contains("write `sqlite://app.db`"));
    assert!(refusal("memory:x").await.contains("`memory:`, without more"));
    assert!(refusal("redis://localhost").await.contains("there is no store `redis`"));
}

#[tokio::test]
async fn a_password_in_an_address_is_not_told() {
    let told = refusal("postgres://me:se@cret@host/db").await;
    assert!(!told.contains("cret") && told.contains("***@host/db"), "{told}");
}
