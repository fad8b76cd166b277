//! Arguments checked by a whole implementation of JSON Schema.

use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use mosaic_core::{Mismatch, SchemaCheck};
use serde_json::Value;

/// All of JSON Schema, for tools whose schemas need more than [`SubsetCheck`](crate::SubsetCheck) knows: `pattern`,
/// `format`, `patternProperties`, `unevaluatedProperties`.
///
/// References out of the schema are not followed: a check reads neither files nor the network. Schemas are compiled once
/// and kept, the last 256 of them.
///
/// ```
/// use mosaic::{FullCheck, SchemaCheck};
/// use serde_json::json;
///
/// let schema = json!({"type": "object", "properties": {"zip": {"type": "string", "pattern": "^[0-9]{5}$"}}});
/// let mismatch = FullCheck::default().check(&schema, &json!({"zip": "abc"})).unwrap_err();
/// assert_eq!(mismatch.path, "/zip");
/// ```
#[derive(Default)]
pub struct FullCheck {
    compiled: Mutex<Vec<Compiled>>,
}

struct Compiled {
    hash: u64,
    schema: Value,
    validator: Arc<Validator>,
}

const KEPT: usize = 256;

impl FullCheck {
    fn validator(&self, schema: &Value) -> Result<Arc<Validator>, Mismatch> {
        let lock = || self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hasher = DefaultHasher::new();
        schema.hash(&mut hasher);
        let hash = hasher.finish();
        let known = |compiled: &&Compiled| compiled.hash == hash && compiled.schema == *schema;
        if let Some(compiled) = lock().iter().find(known) {
            return Ok(Arc::clone(&compiled.validator));
        }
        let validator = jsonschema::validator_for(schema).map(Arc::new).map_err(|error| Mismatch {
            path: String::new(),
            reason: format!("the tool's schema cannot be used: {error}"),
        })?;
        let mut compiled = lock();
        if compiled.len() == KEPT {
            compiled.remove(0);
        }
        compiled.push(Compiled { hash, schema: schema.clone(), validator: Arc::clone(&validator) });
        Ok(validator)
    }
}

impl SchemaCheck for FullCheck {
    fn check(&self, schema: &Value, value: &Value) -> Result<(), Mismatch> {
        self.validator(schema)?
            .validate(value)
            .map_err(|error| Mismatch { path: error.instance_path().to_string(), reason: error.to_string() })
    }
}

impl fmt::Debug for FullCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FullCheck")
    }
}
