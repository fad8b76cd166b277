//! Everything that anybody logs, at the finest level.

use std::fmt::{Debug, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::sinks::Sinks;

/// Keeps every event, every span and every field of them.
pub(crate) struct Everything {
    pub(crate) sinks: &'static Sinks,
    spans: AtomicU64,
}

/// From here on, for the whole process.
pub(crate) fn listen(sinks: &'static Sinks) {
    let everything = Everything { sinks, spans: AtomicU64::new(1) };
    tracing::subscriber::set_global_default(everything).unwrap();
    log::set_logger(Box::leak(Box::new(Lines(sinks)))).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
}

#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {field}={value}").unwrap();
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        write!(self.0, " {field}={value} {value:?}").unwrap();
    }
}

impl Everything {
    fn keep(&self, fields: Fields, metadata: &Metadata<'_>) {
        self.sinks.add("log", format!("{} {}{}", metadata.target(), metadata.name(), fields.0));
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        self.keep(fields, span.metadata());
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        self.sinks.add("log", fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.keep(fields, event.metadata());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Lines(&'static Sinks);

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, line: &log::Record<'_>) {
        self.0.add("log", format!("{} {}", line.target(), line.args()));
    }

    fn flush(&self) {}
}
