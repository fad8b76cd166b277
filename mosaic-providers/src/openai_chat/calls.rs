//! Which call a piece of arguments belongs to.
//!
//! OpenAI numbers the calls of an answer and names each once. Other servers leave the number out, give several calls the
//! same one, give every chunk a new id, or repeat the name. The rules, in order:
//!
//! | the piece has | and | it belongs to |
//! | --- | --- | --- |
//! | a number that no call has | | a new call |
//! | a number | the call has the same id, or either has none | that call, unless it begins another one (below) |
//! | a number | the call has another id | a new call if the piece names a tool, else that call |
//! | no number | a known id | the call with that id |
//! | no number | a name | a new call |
//! | no number | neither | the last call |
//!
//! A piece that names a tool *again* goes on with the call of that name while that call's arguments are begun and not
//! yet whole JSON.

use std::borrow::Cow;

use mosaic_core::ModelEvent;
use serde::de::IgnoredAny;

use super::chunk::ToolDelta;
use crate::wire::parts::{Building, Parts};

#[derive(Debug)]
struct Slot {
    index: Option<u64>,
    id: Option<String>,
    part: u32,
}

/// The calls of one answer.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Slot>);

impl Calls {
    /// Takes a piece of a call, or a whole one.
    pub(super) fn take(&mut self, delta: ToolDelta<'_>, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
        let function = delta.function.0.unwrap_or_default();
        let arguments = function.arguments.0.unwrap_or(Cow::Borrowed(""));
        let (id, name) = (delta.id.get(), function.name.get());
        if id.is_none() && name.is_none() && arguments.is_empty() {
            // A placeholder, as Snowflake sends beside the true calls.
            return;
        }
        let part = match self.find(delta.index.0, id, name, parts) {
            Some(part) => part,
            None => {
                let building = Building::Call {
                    wire_id: id.map(str::to_owned),
                    name: name.unwrap_or_default().to_owned(),
                    arguments: String::new(),
                };
                let part = parts.start(building, events);
                self.0.push(Slot { index: delta.index.0, id: id.map(str::to_owned), part });
                part
            }
        };
        parts.push(part, arguments, events);
    }

    /// The part that the piece goes on with. Fills in an id and a name that came late.
    fn find(
        &mut self,
        index: Option<u64>,
        id: Option<&str>,
        name: Option<&str>,
        parts: &mut Parts,
    ) -> Option<u32> {
        let slot = match (index, id) {
            (Some(_), _) => self.0.iter_mut().rev().find(|slot| slot.index == index)?,
            (None, Some(_)) if self.0.iter().any(|slot| slot.id.as_deref() == id) => {
                self.0.iter_mut().find(|slot| slot.id.as_deref() == id)?
            }
            (None, _) => self.0.last_mut()?,
        };
        let Some(Building::Call { wire_id, name: known, arguments }) = parts.get_mut(slot.part) else {
            return None;
        };
        let same_id = id.is_some() && slot.id.as_deref() == id;
        let other_id = id.is_some() && slot.id.is_some() && !same_id;
        let goes_on = match name {
            None => true,
            Some(_) if same_id => true,
            Some(_) if known.is_empty() => true,
            Some(name) if name == known => {
                let begun = !arguments.trim().is_empty();
                let whole = begun && serde_json::from_str::<IgnoredAny>(arguments).is_ok();
                // Without arguments yet: a repeated name in the same numbered place is the same call.
                if begun { !whole } else { index.is_some() && !other_id }
            }
            Some(_) => false,
        };
        if !goes_on {
            return None;
        }
        if slot.id.is_none() && id.is_some() {
            slot.id = id.map(str::to_owned);
            wire_id.clone_from(&slot.id);
        }
        if let (true, Some(name)) = (known.is_empty(), name) {
            name.clone_into(known);
        }
        Some(slot.part)
    }
}
