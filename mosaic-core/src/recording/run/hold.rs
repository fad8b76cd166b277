//! Holding lines back while a secret may be under way in pieces.
//!
//! A model writes `sk-1`, `234`: neither piece is the key, and the file would hold it all the same. So a piece whose end may
//! be the beginning of a secret waits, with all lines after it, until it is known what it is: some pieces later, or at the
//! end of the part.

use crate::model::ModelEvent;
use crate::runtime::Timestamp;
use crate::transport::record::Secrets;

/// A line that waits, or may be written.
#[derive(Debug)]
pub(super) enum Held {
    /// An event of a model step.
    Event { at: Timestamp, step: u64, event: ModelEvent },
    /// Any other line, as it will be written.
    Line(Vec<u8>),
}

/// The lines of a session that wait.
#[derive(Debug, Default)]
pub(super) struct Holding {
    lines: Vec<Held>,
    /// What waits of each part, and whether more may come.
    parts: Vec<(u32, String, bool)>,
}

impl Holding {
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn line(&mut self, line: Vec<u8>) {
        self.lines.push(Held::Line(line));
    }

    /// Takes an event; says whether all may be written.
    pub(super) fn event(&mut self, at: Timestamp, step: u64, event: &ModelEvent, secrets: &Secrets) -> bool {
        match event {
            ModelEvent::Text { part, delta }
            | ModelEvent::Reasoning { part, delta }
            | ModelEvent::Arguments { part, delta } => {
                match self.parts.iter_mut().find(|(number, ..)| number == part) {
                    Some((_, text, open)) => {
                        text.push_str(delta);
                        *open = true;
                    }
                    None => self.parts.push((*part, delta.clone(), true)),
                }
            }
            ModelEvent::End { part, .. } => {
                self.parts.iter_mut().filter(|(number, ..)| number == part).for_each(|part| part.2 = false);
            }
            ModelEvent::Restarted | ModelEvent::Done(_) => {
                self.parts.iter_mut().for_each(|part| part.2 = false)
            }
            ModelEvent::Start { .. } | ModelEvent::Route(_) => {}
        }
        self.lines.push(Held::Event { at, step, event: event.clone() });
        !self.parts.iter().any(|(_, text, open)| *open && secrets.may_begin_at_the_end_of(text))
    }

    /// All that waits, without the secrets: the piece that a secret begins in says that there was one, and the rest of it
    /// is left out of the pieces after it.
    pub(super) fn release(&mut self, secrets: &Secrets) -> Vec<Held> {
        let mut lines = std::mem::take(&mut self.lines);
        for (part, text, _) in std::mem::take(&mut self.parts) {
            let found = secrets.places(&text);
            if found.is_empty() {
                continue;
            }
            let mut from = 0;
            for line in &mut lines {
                let Held::Event {
                    event:
                        ModelEvent::Text { part: of, delta }
                        | ModelEvent::Reasoning { part: of, delta }
                        | ModelEvent::Arguments { part: of, delta },
                    ..
                } = line
                else {
                    continue;
                };
                if *of == part {
                    let to = from + delta.len();
                    *delta = secrets.piece(&text, from..to, &found);
                    from = to;
                }
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "sk-1234567890";

    fn secrets() -> Secrets {
        let mut secrets = Secrets::default();
        secrets.learn(KEY);
        secrets
    }

    fn text(part: u32, delta: &str) -> ModelEvent {
        ModelEvent::Text { part, delta: delta.into() }
    }

    /// What is written of the events of parts 0 and 1, and how many were ever held back.
    fn written(events: &[ModelEvent]) -> (Vec<String>, String, usize) {
        let (mut holding, secrets, mut out, mut most) = (Holding::default(), secrets(), Vec::new(), 0);
        for event in events {
            if holding.event(Timestamp(0), 1, event, &secrets) {
                out.extend(holding.release(&secrets));
            }
            most = most.max(holding.lines.len());
        }
        out.extend(holding.release(&secrets));
        let of = |held: &Held| match held {
            Held::Event { event: ModelEvent::Text { part, delta }, .. } => Some((*part, delta.clone())),
            _ => None,
        };
        let pieces: Vec<(u32, String)> = out.iter().filter_map(of).collect();
        let joined = pieces.iter().filter(|(part, _)| *part == 0).map(|(_, delta)| delta.as_str()).collect();
        (pieces.into_iter().map(|(_, delta)| delta).collect(), joined, most)
    }

    #[test]
    fn a_secret_in_pieces_is_left_out_of_all_of_them() {
        let events =
            [text(0, "It is sk-1"), text(0, "234"), text(1, "beside"), text(0, "567890."), text(0, " Yes")];
        let (pieces, _, _) = written(&events);
        assert_eq!(pieces, ["It is [secret]", "", "beside", ".", " Yes"]);
    }

    #[test]
    fn what_only_looks_like_a_secret_is_written_as_it_is() {
        let (pieces, _, most) = written(&[text(0, "a sk-12"), text(0, "x"), text(0, "y sk-")]);
        assert_eq!(pieces, ["a sk-12", "x", "y sk-"]);
        assert_eq!(most, 1, "and not held back for long");
    }

    #[test]
    fn the_end_of_a_part_lets_it_go() {
        let end = ModelEvent::End { part: 0, content: crate::message::Part::text("sk-1") };
        let (mut holding, secrets) = (Holding::default(), secrets());
        assert!(!holding.event(Timestamp(0), 1, &text(0, "sk-1"), &secrets));
        assert!(holding.event(Timestamp(0), 1, &end, &secrets));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// So a replay sees of a cancelled answer what the scrubbed entry says of it.
        #[test]
        fn the_pieces_add_up_to_the_text_without_secrets(
            words in prop::collection::vec(prop::sample::select(vec![KEY, "sk-12", "sk-sk-", "é", " ", "s"]), 0..8),
            cuts in prop::collection::vec(1..9_usize, 1..40),
        ) {
            let whole = words.concat();
            let mut rest: Vec<char> = whole.chars().collect();
            let mut events = Vec::new();
            for cut in cuts {
                let piece: String = rest.drain(..cut.min(rest.len())).collect();
                events.push(text(0, &piece));
            }
            events.push(text(0, &rest.into_iter().collect::<String>()));
            let mut clean = whole.clone();
            secrets().clean(&mut clean);
            let (_, joined, _) = written(&events);
            prop_assert_eq!(joined, clean);
        }
    }
}
