//! A call's way as spans.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::*;

/// Writes down spans with their fields, and what was entered.
#[derive(Default, Clone)]
struct Seen(Arc<Mutex<Vec<Span>>>);

/// Its name and fields, and the span that it is within.
type Span = (String, Option<u64>);

struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!(" {field}={value:?}"));
    }
}

impl Subscriber for Seen {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = span.metadata().name().to_owned();
        span.record(&mut Text(&mut text));
        let all = &mut *self.0.lock().unwrap();
        all.push((text, span.parent().map(Id::into_u64)));
        Id::from_u64(all.len() as u64)
    }
    fn record(&self, span: &Id, values: &Record<'_>) {
        values.record(&mut Text(&mut self.0.lock().unwrap()[span.into_u64() as usize - 1].0));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn a_call_is_a_span_and_each_attempt_is_one_within_it() {
    let seen = Seen::default();
    let _on = tracing::subscriber::set_default(seen.clone());
    let (bad, good) =
        (ScriptedModel::new([failing(ErrorKind::Server)]), ScriptedModel::new([Answer::text("hi")]));
    let router = Router::builder(Arc::new(TestRuntime::new(1)))
        .candidate(candidate("bad", &bad))
        .candidate(candidate("good", &good).priority(1))
        .build()
        .unwrap();
    say(&router).await.0.unwrap();
    let seen = seen.0.lock().unwrap();
    // The way is told when the answer begins, and again when it has ended.
    let told = " chosen=\"good\" attempts=2";
    assert_eq!(
        *seen,
        [
            (format!("route router=router{told}{told}"), None),
            ("attempt candidate=\"bad\" number=1".to_owned(), Some(1)),
            ("attempt candidate=\"good\" number=2".to_owned(), Some(1)),
        ]
    );
}
