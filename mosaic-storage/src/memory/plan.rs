//! What changes come to: checked against what is there, one after the other, all or none.
//!
//! A store looks up what [`needs`] names, lets a [`Plan`] go through the changes, and carries out its effects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mosaic_core::Timestamp;
use mosaic_core::memory::{Change, Kept, Memory, MemoryBlock, MemoryError, MemoryId, Scope, Vector, check};

use super::Stored;

/// What a store must look up first.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    pub(crate) memories: BTreeSet<MemoryId>,
    /// Those of which the vectors are needed too.
    pub(crate) with_vectors: BTreeSet<MemoryId>,
    pub(crate) blocks: BTreeSet<(Scope, Arc<str>)>,
    pub(crate) models: BTreeSet<Arc<str>>,
}

/// What changes are about.
pub(crate) fn needs(changes: &[Change]) -> Needs {
    let mut needs = Needs::default();
    let models = |models: &mut BTreeSet<Arc<str>>, vectors: &[Vector]| {
        models.extend(vectors.iter().map(|vector| vector.model.clone()));
    };
    for change in changes {
        match change {
            Change::Add { memory, vectors } => {
                needs.memories.insert(memory.id);
                models(&mut needs.models, vectors);
            }
            Change::Close { id, kept, .. } => {
                needs.memories.insert(*id);
                if let Some(kept) = kept {
                    needs.memories.insert(kept.id);
                    needs.with_vectors.insert(*id);
                }
            }
            Change::Yield { id, to, kept, .. } => {
                needs.memories.extend([*id, *to]);
                if let Some(kept) = kept {
                    needs.memories.insert(kept.id);
                    needs.with_vectors.insert(*id);
                }
            }
            Change::Supersede { id, by, vectors, kept } => {
                needs.memories.extend([*id, by.id]);
                models(&mut needs.models, vectors);
                if let Some(kept) = kept {
                    needs.memories.insert(kept.id);
                    needs.with_vectors.insert(*id);
                }
            }
            Change::Touch { ids, .. } => needs.memories.extend(ids),
            Change::PutVectors { id, vectors } => {
                needs.memories.insert(*id);
                models(&mut needs.models, vectors);
            }
            Change::Remove { id } => {
                needs.memories.insert(*id);
            }
            Change::PutBlock { block, .. } => {
                needs.blocks.insert((block.scope.clone(), block.name.clone()));
            }
            _ => {}
        }
    }
    needs
}

/// What a store is to do. What it is about is there, and in the scope.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    Add(Arc<Stored>),
    Close { id: MemoryId, at: Timestamp, by: Option<MemoryId> },
    Touch { id: MemoryId, at: Timestamp },
    PutVectors { id: MemoryId, vectors: Vec<Vector> },
    DropVectors { model: Arc<str> },
    Remove { id: MemoryId },
    PutBlock(MemoryBlock),
    RemoveBlock { scope: Scope, name: Arc<str> },
}

/// What is there, as far as the changes are about it, and what comes of them.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Those of the tenant.
    pub(crate) memories: BTreeMap<MemoryId, Arc<Stored>>,
    /// Their versions.
    pub(crate) blocks: BTreeMap<(Scope, Arc<str>), u64>,
    /// How long the vectors of a model are.
    pub(crate) widths: BTreeMap<Arc<str>, usize>,
    pub(crate) effects: Vec<Effect>,
}

impl Plan {
    /// Goes through changes that [`check::changes`] has let pass.
    pub(crate) fn apply(&mut self, scope: &Scope, changes: Vec<Change>) -> Result<(), MemoryError> {
        for change in changes {
            match change {
                Change::Add { memory, vectors } => self.add(*memory, vectors)?,
                Change::Close { id, at, kept } => self.close(scope, id, at, None, kept)?,
                Change::Supersede { id, by, vectors, kept } => {
                    let (at, new) = (by.recorded_at, by.id);
                    self.add(*by, vectors)?;
                    self.close(scope, id, at, Some(new), kept)?;
                }
                Change::Yield { id, to, at, kept } => {
                    let missing = || MemoryError::NotFound { id: to, scope: scope.to_string() };
                    if self.within(scope, to).ok_or_else(missing)?.memory.closed_at.is_some() {
                        return Err(MemoryError::Closed { id: to });
                    }
                    self.close(scope, id, at, Some(to), kept)?;
                }
                Change::Touch { ids, at } => {
                    for id in ids {
                        if self.within(scope, id).is_some() {
                            self.effects.push(Effect::Touch { id, at });
                        }
                    }
                }
                Change::PutVectors { id, vectors } => self.put_vectors(scope, id, vectors)?,
                Change::DropVectors { model } => self.drop_vectors(scope, model),
                Change::Remove { id } => {
                    if self.within(scope, id).is_some() {
                        self.memories.remove(&id);
                        self.effects.push(Effect::Remove { id });
                    }
                }
                Change::PutBlock { block, expected } => self.put_block(block, expected)?,
                Change::RemoveBlock { name } => {
                    self.blocks.remove(&(scope.clone(), name.clone()));
                    self.effects.push(Effect::RemoveBlock { scope: scope.clone(), name });
                }
                other => {
                    let what = format!("the change {other:?}");
                    let why = "this store does not know it; it is older than the library that made it".into();
                    return Err(MemoryError::Invalid { what, why });
                }
            }
        }
        Ok(())
    }

    fn within(&self, scope: &Scope, id: MemoryId) -> Option<&Arc<Stored>> {
        self.memories.get(&id).filter(|stored| scope.contains(&stored.memory.scope))
    }

    fn add(&mut self, memory: Memory, mut vectors: Vec<Vector>) -> Result<(), MemoryError> {
        self.fit(&vectors)?;
        vectors.sort_by(|a, b| a.model.cmp(&b.model));
        self.insert(memory, vectors)
    }

    fn insert(&mut self, memory: Memory, vectors: Vec<Vector>) -> Result<(), MemoryError> {
        if self.memories.contains_key(&memory.id) {
            return Err(MemoryError::Exists { id: memory.id });
        }
        let stored = Arc::new(Stored { memory: Arc::new(memory), vectors });
        self.memories.insert(stored.memory.id, stored.clone());
        self.effects.push(Effect::Add(stored));
        Ok(())
    }

    fn close(
        &mut self,
        scope: &Scope,
        id: MemoryId,
        at: Timestamp,
        by: Option<MemoryId>,
        kept: Option<Kept>,
    ) -> Result<(), MemoryError> {
        let missing = || MemoryError::NotFound { id, scope: scope.to_string() };
        let stored = self.within(scope, id).ok_or_else(missing)?.clone();
        if stored.memory.closed_at.is_some() {
            return Err(MemoryError::Closed { id });
        }
        let at = at.max(stored.memory.recorded_at);
        let mut closed = Memory::clone(&stored.memory);
        (closed.closed_at, closed.superseded_by) = (Some(at), by);
        self.replace(id, closed, stored.vectors.clone());
        self.effects.push(Effect::Close { id, at, by });
        if let Some(kept) = kept {
            check::kept(&stored.memory, &kept)?;
            let mut rest = Memory::clone(&stored.memory);
            (rest.id, rest.recorded_at, rest.valid_to) = (kept.id, at, Some(kept.until));
            // Its vectors are there, so they have the right length.
            self.insert(rest, stored.vectors.clone())?;
        }
        Ok(())
    }

    fn replace(&mut self, id: MemoryId, memory: Memory, vectors: Vec<Vector>) {
        self.memories.insert(id, Arc::new(Stored { memory: Arc::new(memory), vectors }));
    }

    fn put_vectors(&mut self, scope: &Scope, id: MemoryId, vectors: Vec<Vector>) -> Result<(), MemoryError> {
        let Some(stored) = self.within(scope, id).cloned() else { return Ok(()) };
        self.fit(&vectors)?;
        let mut merged = stored.vectors.clone();
        merge(&mut merged, &vectors);
        self.replace(id, Memory::clone(&stored.memory), merged);
        self.effects.push(Effect::PutVectors { id, vectors });
        Ok(())
    }

    fn drop_vectors(&mut self, scope: &Scope, model: Arc<str>) {
        let within: Vec<MemoryId> =
            self.memories.keys().copied().filter(|id| self.within(scope, *id).is_some()).collect();
        for id in within {
            if let Some(stored) = self.memories.get_mut(&id) {
                Arc::make_mut(stored).vectors.retain(|vector| vector.model != model);
            }
        }
        self.effects.push(Effect::DropVectors { model });
    }

    fn put_block(&mut self, mut block: MemoryBlock, expected: Option<u64>) -> Result<(), MemoryError> {
        let version = self.blocks.entry((block.scope.clone(), block.name.clone())).or_default();
        if let Some(expected) = expected.filter(|expected| expected != version) {
            return Err(MemoryError::Changed { name: block.name.to_string(), expected, found: *version });
        }
        *version += 1;
        block.version = *version;
        self.effects.push(Effect::PutBlock(block));
        Ok(())
    }

    /// Vectors have the length of the others of their model.
    fn fit(&mut self, vectors: &[Vector]) -> Result<(), MemoryError> {
        for Vector { model, values } in vectors {
            match self.widths.get(model) {
                None => drop(self.widths.insert(model.clone(), values.len())),
                Some(expected) => width(model, *expected, values.len())?,
            }
        }
        Ok(())
    }
}

/// A vector has the length of those that are there of its model.
pub(crate) fn width(model: &str, expected: usize, found: usize) -> Result<(), MemoryError> {
    if expected == found { Ok(()) } else { Err(MemoryError::Width { model: model.into(), expected, found }) }
}

/// Puts vectors in the place of those of the same models.
pub(crate) fn merge(vectors: &mut Vec<Vector>, new: &[Vector]) {
    vectors.retain(|vector| !new.iter().any(|new| new.model == vector.model));
    vectors.extend_from_slice(new);
    vectors.sort_by(|a, b| a.model.cmp(&b.model));
}
