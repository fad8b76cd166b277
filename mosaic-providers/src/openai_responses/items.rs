//! Output items, put together from their events; or whole.
//!
//! Which item an event means: the one with its `item_id` (or, for llama.cpp, with that `call_id`), else the one in its
//! place (`output_index`; some proxies give every event a new id), else the last one of that kind that is still open.
//!
//! What a `.done` event or a whole item says more than the pieces did is added. What it says otherwise is not: it was shown.
//!
//! Two things of a message have no place in a text, and follow it as provider blocks: `annotations` (a list, behind the text
//! that they are about) and `phase` (a word, behind all texts of the message).

use std::borrow::Cow;

use mosaic_core::ModelEvent;
use serde_json::{Value, json};

use super::reasoning;
use crate::wire::parts::{Building, Parts};

/// The kinds of the blocks that hold what a message has beside its texts.
pub(super) const ANNOTATIONS: &str = "annotations";
pub(super) const PHASE: &str = "phase";

/// Where an event belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) index: Option<u64>,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Text,
    Refusal,
}

/// Where reasoning is said. An item that says it in both places is heard in the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thought {
    Summary,
    Content,
}

/// How it is said.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// A new piece.
    More(Cow<'a, str>),
    /// All of it, once more.
    All(Cow<'a, str>),
}

impl Piece<'_> {
    fn add(self, part: u32, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
        match self {
            Self::More(piece) => parts.push(part, piece, events),
            Self::All(whole) => complete(part, &whole, parts, events),
        }
    }
}

#[derive(Debug)]
enum Kind {
    /// What is in it.
    Message(Vec<Content>),
    /// Its part, and where the last piece was.
    Reasoning(u32, Option<(Thought, u64)>),
    Call(u32),
    Provider(u32),
}

/// A text or a refusal of a message: its `content_index`, its part, and whether that has ended.
#[derive(Debug)]
struct Content {
    index: u64,
    part: u32,
    over: bool,
}

#[derive(Debug)]
struct Item {
    ids: [String; 2],
    index: Option<u64>,
    kind: Kind,
    open: bool,
}

/// The items of one answer.
#[derive(Debug, Default)]
pub(super) struct Items(Vec<Item>);

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

impl Items {
    /// An item begins; it may hold content already.
    pub(super) fn added(
        &mut self,
        index: Option<u64>,
        item: Value,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        let ids = [text(&item, "id").to_owned(), text(&item, "call_id").to_owned()];
        let kind = match text(&item, "type") {
            "message" => Kind::Message(Vec::new()),
            "reasoning" => {
                let building = Building::Reasoning { text: String::new(), opaque: None };
                Kind::Reasoning(parts.start(building, events), None)
            }
            "function_call" => {
                let wire_id = ids.iter().rev().find(|id| !id.is_empty()).cloned();
                let name = text(&item, "name").to_owned();
                Kind::Call(parts.start(Building::Call { wire_id, name, arguments: String::new() }, events))
            }
            kind => {
                let kind = kind.to_owned();
                Kind::Provider(parts.start(Building::Provider { kind, data: item }, events))
            }
        };
        self.0.push(Item { ids, index, kind, open: true });
    }

    /// An item is whole.
    pub(super) fn done(
        &mut self,
        index: Option<u64>,
        item: Value,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        let ids = [text(&item, "id"), text(&item, "call_id")];
        let place = Place { id: ids.into_iter().find(|id| !id.is_empty()), index };
        let known = self.find(place, |kind| kind.is(text(&item, "type")));
        let at = known.unwrap_or_else(|| {
            self.added(index, item.clone(), parts, events);
            self.0.len().saturating_sub(1)
        });
        if let Some(known) = self.0.get_mut(at).filter(|item| item.open) {
            known.complete(item, parts, events);
        }
    }

    /// A piece of text, or of a refusal.
    pub(super) fn said(
        &mut self,
        place: Place<'_>,
        content: u64,
        said: Said,
        piece: Piece<'_>,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        let found = self.find(place, |kind| matches!(kind, Kind::Message(_)));
        let at = found.unwrap_or_else(|| self.open(place, Kind::Message(Vec::new())));
        let Some(Item { kind: Kind::Message(contents), open: true, .. }) = self.0.get_mut(at) else { return };
        let part = part_of(contents, content, said, parts, events);
        piece.add(part, parts, events);
    }

    /// A text or a refusal is whole, and its message goes on.
    pub(super) fn content_done(
        &mut self,
        place: Place<'_>,
        index: u64,
        whole: &Value,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        let at = self.find(place, |kind| matches!(kind, Kind::Message(_)));
        let known = at.and_then(|at| self.0.get_mut(at)).filter(|item| item.open);
        if let Some(Item { kind: Kind::Message(contents), .. }) = known {
            complete_content(contents, index, whole, parts, events);
        }
    }

    /// A piece of reasoning.
    pub(super) fn thought(
        &mut self,
        place: Place<'_>,
        thought: Thought,
        index: u64,
        piece: Cow<'_, str>,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        let at = self.find(place, |kind| matches!(kind, Kind::Reasoning(..))).unwrap_or_else(|| {
            let building = Building::Reasoning { text: String::new(), opaque: None };
            let part = parts.start(building, events);
            self.open(place, Kind::Reasoning(part, None))
        });
        let Some(Item { kind: Kind::Reasoning(part, last), open: true, .. }) = self.0.get_mut(at) else {
            return;
        };
        match *last {
            Some((other, _)) if other != thought => return,
            Some((_, before)) if before != index => {
                parts.push(*part, Cow::Borrowed(reasoning::BETWEEN), events);
            }
            _ => {}
        }
        *last = Some((thought, index));
        parts.push(*part, piece, events);
    }

    /// A piece of a call's arguments.
    pub(super) fn arguments(
        &mut self,
        place: Place<'_>,
        piece: Piece<'_>,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        let at = self.find(place, |kind| matches!(kind, Kind::Call(_))).unwrap_or_else(|| {
            let wire_id = place.id.map(str::to_owned);
            let call = Building::Call { wire_id, name: String::new(), arguments: String::new() };
            let part = parts.start(call, events);
            self.open(place, Kind::Call(part))
        });
        let Some(Item { kind: Kind::Call(part), open: true, .. }) = self.0.get(at) else { return };
        piece.add(*part, parts, events);
    }

    /// The answer is whole. What is open ends with what the response says of it; items that no event told are taken from
    /// there too, if there were no events of items at all.
    pub(super) fn close(&mut self, output: Vec<Value>, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
        let untold = self.0.is_empty();
        for (index, item) in (0_u64..).zip(output) {
            let id = Some(text(&item, "id")).filter(|id| !id.is_empty());
            let place = Place { id, index: Some(index) };
            let open = |at: usize| self.0.get(at).is_some_and(|known| known.open);
            if untold || self.find(place, |kind| kind.is(text(&item, "type"))).is_some_and(open) {
                self.done(Some(index), item, parts, events);
            }
        }
        for item in self.0.iter_mut().filter(|item| item.open) {
            item.end(parts, events);
        }
    }

    /// Whether the model called a tool of ours.
    pub(super) fn called(&self) -> bool {
        self.0.iter().any(|item| matches!(item.kind, Kind::Call(_)))
    }

    fn open(&mut self, place: Place<'_>, kind: Kind) -> usize {
        let ids = [place.id.unwrap_or_default().to_owned(), String::new()];
        self.0.push(Item { ids, index: place.index, kind, open: true });
        self.0.len().saturating_sub(1)
    }

    fn find(&self, place: Place<'_>, fits: impl Fn(&Kind) -> bool) -> Option<usize> {
        let fitting = |item: &Item| fits(&item.kind);
        let by_id = place.id.and_then(|id| {
            self.0.iter().rposition(|item| item.ids.iter().any(|one| one == id) && fitting(item))
        });
        let by_index = || {
            let index = place.index?;
            self.0.iter().rposition(|item| item.index == Some(index) && fitting(item))
        };
        // An id and a place tell items apart; only what has neither is taken for the last one.
        let last = || {
            let nameless = |item: &Item| {
                (place.id.is_none() || item.ids.iter().all(String::is_empty))
                    && (place.index.is_none() || item.index.is_none())
            };
            self.0.iter().rposition(|item| item.open && nameless(item) && fitting(item))
        };
        by_id.or_else(by_index).or_else(last)
    }
}

impl Kind {
    fn is(&self, kind: &str) -> bool {
        match self {
            Self::Message(_) => kind == "message",
            Self::Reasoning(..) => kind == "reasoning",
            Self::Call(_) => kind == "function_call",
            Self::Provider(_) => !matches!(kind, "message" | "reasoning" | "function_call"),
        }
    }
}

impl Item {
    /// Takes what the whole item says, and ends.
    fn complete(&mut self, item: Value, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
        match &mut self.kind {
            Kind::Message(contents) => {
                let whole = item.get("content");
                let list = whole.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                for (index, content) in (0_u64..).zip(list) {
                    complete_content(contents, index, content, parts, events);
                }
                if let Some(all) = whole.and_then(Value::as_str) {
                    let part = part_of(contents, 0, Said::Text, parts, events);
                    complete(part, all, parts, events);
                }
                contents.iter().for_each(|content| parts.end(content.part, events));
                let phase = text(&item, PHASE);
                if !phase.is_empty() && !contents.is_empty() {
                    parts.provider(PHASE, phase.into(), events);
                }
            }
            Kind::Reasoning(part, _) => {
                complete(*part, &reasoning::text(&item), parts, events);
                if let Some(Building::Reasoning { opaque, .. }) = parts.get_mut(*part) {
                    *opaque = reasoning::opaque(&item);
                }
            }
            Kind::Call(part) => {
                if let Some(Building::Call { wire_id, name, .. }) = parts.get_mut(*part) {
                    let id = text(&item, "call_id");
                    if !id.is_empty() {
                        *wire_id = Some(id.to_owned());
                    }
                    if name.is_empty() {
                        text(&item, "name").clone_into(name);
                    }
                }
                match item.get("arguments") {
                    Some(Value::String(all)) => complete(*part, all, parts, events),
                    Some(object @ Value::Object(_)) => complete(*part, &object.to_string(), parts, events),
                    _ => {}
                }
            }
            Kind::Provider(part) => {
                if let Some(Building::Provider { data, .. }) = parts.get_mut(*part) {
                    *data = item;
                }
            }
        }
        self.end(parts, events);
    }

    fn end(&mut self, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
        self.open = false;
        match &self.kind {
            Kind::Message(contents) => contents.iter().for_each(|content| parts.end(content.part, events)),
            Kind::Reasoning(part, _) | Kind::Call(part) | Kind::Provider(part) => parts.end(*part, events),
        }
    }
}

/// What a content part is, and the member that holds its text.
pub(super) fn said_in(content: &Value) -> (Option<Said>, &'static str) {
    match text(content, "type") {
        "refusal" => (Some(Said::Refusal), "refusal"),
        "output_text" | "text" => (Some(Said::Text), "text"),
        _ => (None, "text"),
    }
}

/// Ends a text or a refusal with what the whole of it says, and tells what it has beside it.
fn complete_content(
    contents: &mut Vec<Content>,
    index: u64,
    whole: &Value,
    parts: &mut Parts,
    events: &mut Vec<ModelEvent>,
) {
    let (Some(said), name) = said_in(whole) else { return };
    let part = part_of(contents, index, said, parts, events);
    let Some(content) = contents.iter_mut().find(|content| content.index == index && !content.over) else {
        return;
    };
    content.over = true;
    complete(part, text(whole, name), parts, events);
    parts.end(part, events);
    let annotations = whole.get(ANNOTATIONS).and_then(Value::as_array);
    if let Some(annotations) = annotations.filter(|list| !list.is_empty()) {
        // Behind its text, unless another began before this one was whole: the list says then which it is about.
        let list = Value::from(annotations.clone());
        let data =
            if parts.is_last(part) { list } else { json!({ "content_index": index, ANNOTATIONS: list }) };
        parts.provider(ANNOTATIONS, data, events);
    }
}

fn part_of(
    contents: &mut Vec<Content>,
    index: u64,
    said: Said,
    parts: &mut Parts,
    events: &mut Vec<ModelEvent>,
) -> u32 {
    if let Some(content) = contents.iter().find(|content| content.index == index) {
        return content.part;
    }
    let building = match said {
        Said::Text => Building::Text(String::new()),
        Said::Refusal => Building::Refusal(String::new()),
    };
    let part = parts.start(building, events);
    contents.push(Content { index, part, over: false });
    part
}

/// Adds what the whole says more than the pieces did.
fn complete(part: u32, whole: &str, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
    let rest = match parts.get_mut(part) {
        Some(
            Building::Text(so_far)
            | Building::Refusal(so_far)
            | Building::Reasoning { text: so_far, .. }
            | Building::Call { arguments: so_far, .. },
        ) => whole.strip_prefix(so_far.as_str()),
        _ => None,
    };
    if let Some(rest) = rest {
        parts.push(part, Cow::Borrowed(rest), events);
    }
}
