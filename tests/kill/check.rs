//! What must hold of a database and of the traces outside, whenever the process was killed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use mosaic::session::Log;
use mosaic::{Body, Effect, Entry, ListOptions, Mosaic, Part, Seq, ToolStatus};

use crate::{agent, child, wire};

/// What the processes said was safe: session and number, with the entry's fingerprint where they had seen it.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged(BTreeMap<(String, u64), Option<u64>>);

impl Acknowledged {
    /// Takes lines of the form `ack session number fingerprint`.
    pub(crate) fn add(&mut self, lines: &[String]) {
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            let [_, session, seq, print] = words[..] else { continue };
            let print = u64::from_str_radix(print, 16).ok();
            let known = self.0.entry((session.to_owned(), seq.parse().unwrap())).or_insert(print);
            assert!(
                known.is_none() || print.is_none() || *known == print,
                "entry {seq} of {session} changed"
            );
            *known = known.or(print);
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

/// What a kill hit.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) open_runs: u64,
    pub(crate) open_once: u64,
    pub(crate) repeated: u64,
}

pub(crate) fn check(folder: &Path, acknowledged: &Acknowledged, finished: bool) -> State {
    let logs = read(folder);
    for ((session, seq), print) in &acknowledged.0 {
        let entry = logs.get(session).and_then(|log| log.get(*seq as usize - 1));
        let entry = entry.unwrap_or_else(|| panic!("acknowledged entry {seq} of {session} is lost"));
        if let Some(print) = print {
            assert_eq!(child::fingerprint(entry), *print, "entry {seq} of {session} is not what was seen");
        }
    }
    let traces = traces(folder);
    let mut state = State::default();
    for (session, log) in &logs {
        calls(session, log, &traces, finished, &mut state);
        let context = Log::fold(log).context;
        wire::check(session, context.groups());
    }
    state.repeated = traces.values().filter(|trace| trace.attempts.len() > 1).count() as u64;
    state
}

/// Reads all sessions as any other process would.
fn read(folder: &Path) -> BTreeMap<String, Vec<Entry>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mosaic = Mosaic::open(child::url(folder)).await.unwrap();
        let agent = agent::agent(&child::effects(folder));
        let mut logs = BTreeMap::new();
        for info in mosaic.sessions("default", ListOptions::default()).await.unwrap() {
            let session = mosaic.find_session(&info.key, &agent).await.unwrap().unwrap();
            let entries = session.entries(Seq(1)).await.unwrap();
            let numbers = entries.iter().map(|entry| entry.seq.0);
            assert!(numbers.eq(1..=entries.len() as u64), "the numbers of {} have gaps", info.key);
            logs.insert(info.key.name.to_string(), entries);
        }
        mosaic.close().await.unwrap();
        logs
    })
}

/// The attempts of one call that left a trace.
#[derive(Debug)]
struct Trace {
    tool: String,
    session: String,
    attempts: Vec<u32>,
}

fn traces(folder: &Path) -> HashMap<String, Trace> {
    let mut traces = HashMap::new();
    for line in std::fs::read_to_string(child::effects(folder)).unwrap_or_default().lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [tool, session, key, attempt] = words[..] else { panic!("`{line}` is no trace") };
        let new = || Trace { tool: tool.to_owned(), session: session.to_owned(), attempts: vec![] };
        let trace = traces.entry(key.to_owned()).or_insert_with(new);
        assert_eq!(trace.tool, tool, "two calls have the key {key}");
        trace.attempts.push(attempt.parse().unwrap());
    }
    for (key, trace) in &traces {
        if trace.tool == "once" {
            assert_eq!(
                trace.attempts.len(),
                1,
                "call {key} has an effect and ran {} times",
                trace.attempts.len()
            );
        }
        assert!(trace.attempts.is_sorted(), "the attempts of {key} are {:?}", trace.attempts);
    }
    traces
}

/// Each call has one result at most, and exactly one when all is finished; a trace has an intent in the log.
fn calls(session: &str, log: &[Entry], traces: &HashMap<String, Trace>, finished: bool, state: &mut State) {
    let (mut asked, mut started, mut ended) = (HashSet::new(), HashMap::new(), HashMap::new());
    let mut open_run = false;
    for entry in log {
        match &entry.body {
            Body::Input { .. } => open_run = true,
            Body::RunEnd { .. } => open_run = false,
            Body::Assistant { parts, .. } => {
                asked.extend(parts.iter().filter_map(Part::as_call).map(|call| call.id.clone()));
            }
            Body::ToolStart { calls } => {
                for start in calls {
                    assert!(asked.contains(&start.call), "{session}: {} was never asked for", start.call);
                    assert!(
                        !ended.contains_key(&start.call),
                        "{session}: {} began after its end",
                        start.call
                    );
                    assert!(
                        start.attempt == 1 || start.effect != Effect::Once,
                        "{session}: {} again",
                        start.call
                    );
                    started.insert(start.call.clone(), (start.effect, start.key.to_string()));
                }
            }
            Body::ToolEnd { call, status, .. } => {
                assert!(ended.insert(call.clone(), *status).is_none(), "{session}: {call} has two results");
            }
            _ => {}
        }
    }
    for (call, (effect, key)) in &started {
        let status = ended.get(call);
        if status.is_none() && *effect == Effect::Once {
            state.open_once += 1;
        }
        if status == Some(&ToolStatus::Ok) {
            assert!(traces.contains_key(key), "{session}: {call} ended well and left no trace");
        }
    }
    let intents: HashSet<&str> = started.values().map(|(_, key)| key.as_str()).collect();
    for (key, trace) in traces.iter().filter(|(_, trace)| trace.session == session) {
        assert!(intents.contains(key.as_str()), "{session}: {trace:?} of {key} without an intent in the log");
    }
    state.open_runs += u64::from(open_run);
    if finished {
        assert!(!open_run, "{session} has a run that nobody finished");
        assert!(asked.iter().all(|call| ended.contains_key(call)), "{session} has a call without a result");
    }
}
