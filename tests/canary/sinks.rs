//! Where a secret may come out, and whether one did.
//!
//! A new sink is a name in [`SINKS`] and a place that feeds it. One that nothing was fed to fails the test, because it shows
//! nothing.

use std::collections::HashSet;
use std::error::Error;
use std::fmt::Debug;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use mosaic::ErrorReport;
use serde::Serialize;

use crate::secrets::{ALL, Search};

/// Where a secret may come out.
const SINKS: [&str; 9] = [
    "database",   // the bytes of all its files, while it is open and after it
    "decisions",  // where a router went, and why, in words and as data
    "entries",    // what a session's log holds, shown and as JSON
    "errors",     // shown in every way, their causes, and as reports
    "events",     // what a host sees of a run, shown and as JSON
    "log",        // events and spans of `tracing` with all their fields, and lines of `log`
    "objects",    // `Debug` of whatever holds a secret
    "port",       // requests to a host in another language, shown
    "recordings", // exchanges on disk
];

/// All that came out, each thing once a sink.
#[derive(Default)]
pub(crate) struct Sinks(Mutex<HashSet<(&'static str, Vec<u8>)>>);

impl Sinks {
    pub(crate) fn add(&self, sink: &'static str, what: impl AsRef<[u8]>) {
        assert!(SINKS.contains(&sink), "`{sink}` is no sink");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((sink, what.as_ref().to_vec()));
    }

    pub(crate) fn shown(&self, sink: &'static str, what: &dyn Debug) {
        self.add(sink, format!("{what:?} {what:#?}"));
    }

    pub(crate) fn data(&self, sink: &'static str, what: &(impl Debug + Serialize)) {
        self.shown(sink, what);
        self.add(sink, serde_json::to_vec(what).unwrap());
    }

    pub(crate) fn error(&self, error: &dyn Error, report: &ErrorReport) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.add("errors", format!("{error} {error:?} {error:#?}"));
            next = error.source();
        }
        self.data("errors", report);
    }

    /// Every file of a folder, and of the folders in it.
    pub(crate) fn files(&self, sink: &'static str, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { self.files(sink, &path) } else { self.add(sink, std::fs::read(path).unwrap()) }
        }
    }

    /// Fails with all that came out.
    pub(crate) fn check(&self) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let search = Search::new();
        let mut found = Vec::new();
        for sink in SINKS {
            let fed: Vec<_> = all.iter().filter(|(to, bytes)| *to == sink && !bytes.is_empty()).collect();
            if fed.is_empty() {
                found.push(format!("{sink}: nothing came here, so it shows nothing"));
            }
            let leaks: Vec<_> = fed.iter().filter_map(|(_, bytes)| search.find(bytes)).collect();
            for canary in ALL {
                let shortest =
                    leaks.iter().filter(|(_, text)| canary.is_in(text)).min_by_key(|(_, text)| text.len());
                found.extend(
                    shortest.map(|(form, text)| format!("{sink}: {} in {form}: {text}", canary.name)),
                );
            }
            if let (true, Some((form, text))) = (found.is_empty(), leaks.first()) {
                found.push(format!("{sink}: something in {form}: {text}"));
            }
        }
        assert!(found.is_empty(), "secrets came out:\n{}", found.join("\n"));
    }
}
