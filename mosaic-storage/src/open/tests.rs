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

#[tokio::test]
async fn memories_are_opened_as_sessions_are() {
    let memories = open_memories("memory:").await.unwrap();
    assert_eq!(memories.counts(&Default::default()).await.unwrap(), Default::default());
    let told = open_memories("redis://localhost").await.unwrap_err().to_string();
    assert!(told.contains("there is no store `redis`"), "{told}");
    assert!(refusal("postgres://localhost/app").await.contains("`open_memories`"));
}

/// Sessions and memories of one address are one store: what closes the first closes the second.
async fn one_store(url: &str) {
    use mosaic_core::memory::{Change, MemoryPage, Scope, SearchQuery};

    let stores = open_stores(url).await.unwrap();
    let scope = Scope::default();
    stores.memories.apply(&scope, vec![Change::RemoveBlock { name: "x".into() }]).await.unwrap();
    stores.sessions.close().await.unwrap();
    let closed = [
        stores.memories.apply(&scope, Vec::new()).await.unwrap_err(),
        stores.memories.search(SearchQuery::new(scope.clone())).await.unwrap_err(),
        stores.memories.list(&scope, MemoryPage::default()).await.unwrap_err(),
        stores.memories.erase(&scope).await.unwrap_err(),
        stores.memories.export(&scope).await.err().unwrap(),
    ];
    for error in closed {
        assert!(error.to_string().ends_with("is closed"), "{error}");
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Storage, false));
    }
}

#[tokio::test]
async fn memories_in_ram_end_with_their_store() {
    one_store("memory:").await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn memories_in_sqlite_end_with_their_store() {
    let folder = tempfile::tempdir().unwrap();
    one_store(&format!("sqlite:{}", folder.path().join("app.db").display())).await;
}
