//! Walks a value along its schema.

use serde_json::{Map, Number, Value};

use super::Mismatch;
use super::value::{compare, is_multiple, is_of_type, same, shown, type_of};

/// More than any sensible schema needs, and few enough to end at once: alternatives that refer to each other can
/// multiply without end.
const STEPS: usize = 100_000;

/// Deeper than JSON text can be nested (128), and shallow enough for any stack.
const DEPTH: usize = 256;

/// Says, once, that there were alternatives.
const NEAREST: &str = " (of several alternatives, the nearest)";

pub(super) struct Walk<'a> {
    root: &'a Value,
    path: String,
    steps: usize,
    depth: usize,
}

type Checked = Result<(), Mismatch>;

impl<'a> Walk<'a> {
    pub(super) fn new(root: &'a Value) -> Self {
        Self { root, path: String::new(), steps: 0, depth: 0 }
    }

    pub(super) fn check(&mut self, schema: &'a Value, value: &Value) -> Checked {
        self.steps += 1;
        if self.steps > STEPS || self.depth > DEPTH {
            return self.wrong("the schema is too deep or refers to itself without end");
        }
        self.depth += 1;
        let checked = match schema {
            Value::Bool(false) => self.wrong("nothing is allowed here"),
            Value::Object(schema) => self.keywords(schema, value),
            // `true`, and what is no schema at all.
            _ => Ok(()),
        };
        self.depth -= 1;
        checked
    }

    fn keywords(&mut self, schema: &'a Map<String, Value>, value: &Value) -> Checked {
        if value.is_null() && schema.get("nullable") == Some(&Value::Bool(true)) {
            return Ok(());
        }
        self.reference(schema, value)?;
        self.kind(schema, value)?;
        match value {
            Value::Object(object) => self.object(schema, object)?,
            Value::Array(items) => self.array(schema, items)?,
            Value::String(text) => self.string(schema, text)?,
            Value::Number(number) => self.number(schema, number)?,
            Value::Null | Value::Bool(_) => {}
        }
        self.combined(schema, value)
    }

    fn reference(&mut self, schema: &'a Map<String, Value>, value: &Value) -> Checked {
        match schema.get("$ref").and_then(Value::as_str).and_then(|to| resolve(self.root, to)) {
            Some(target) => self.check(target, value),
            None => Ok(()),
        }
    }

    fn kind(&mut self, schema: &Map<String, Value>, value: &Value) -> Checked {
        let fits = match schema.get("type") {
            Some(Value::String(name)) => is_of_type(value, name),
            Some(Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).any(|name| is_of_type(value, name))
            }
            _ => true,
        };
        if !fits {
            let wanted = schema.get("type").map(listed).unwrap_or_default();
            return self.wrong(format!("{} is of type {}, not {wanted}", shown(value), type_of(value)));
        }
        if let Some(Value::Array(allowed)) = schema.get("enum")
            && !allowed.iter().any(|allowed| same(allowed, value))
        {
            let allowed: Vec<_> = allowed.iter().take(50).map(shown).collect();
            return self.wrong(format!("{} is not one of {}", shown(value), allowed.join(", ")));
        }
        match schema.get("const") {
            Some(only) if !same(only, value) => {
                self.wrong(format!("{} is not {}", shown(value), shown(only)))
            }
            _ => Ok(()),
        }
    }

    fn object(&mut self, schema: &'a Map<String, Value>, object: &Map<String, Value>) -> Checked {
        for name in strings(schema.get("required")) {
            if !object.contains_key(name) {
                return self.wrong(format!("`{name}` is missing"));
            }
        }
        if let Some(Value::Object(dependent)) = schema.get("dependentRequired") {
            for (_, names) in dependent.iter().filter(|(name, _)| object.contains_key(*name)) {
                if let Some(name) = strings(Some(names)).find(|name| !object.contains_key(*name)) {
                    return self.wrong(format!("`{name}` is missing"));
                }
            }
        }
        self.size(schema, "Properties", "members", object.len())?;
        let known = schema.get("properties").and_then(Value::as_object);
        // Without regular expressions nobody knows which names a pattern covers.
        let others = match schema.get("patternProperties") {
            None => schema.get("additionalProperties"),
            Some(_) => None,
        };
        for (name, value) in object {
            match (known.and_then(|known| known.get(name)), others) {
                (Some(schema), _) => self.at(&escaped(name), |walk| walk.check(schema, value))?,
                (None, Some(Value::Bool(false))) => {
                    let known: Vec<_> = known.into_iter().flat_map(Map::keys).map(String::as_str).collect();
                    let known = if known.is_empty() { "no members".into() } else { known.join(", ") };
                    return self.wrong(format!("there is no member `{name}`; known: {known}"));
                }
                (None, Some(schema)) => self.at(&escaped(name), |walk| walk.check(schema, value))?,
                (None, None) => {}
            }
        }
        if let Some(names) = schema.get("propertyNames") {
            for name in object.keys() {
                self.check(names, &Value::String(name.clone()))?;
            }
        }
        Ok(())
    }

    fn array(&mut self, schema: &'a Map<String, Value>, items: &[Value]) -> Checked {
        self.size(schema, "Items", "items", items.len())?;
        // Before 2020 the list of the first items' schemas was `items`, and the others' schema `additionalItems`.
        let (first, others) = match (schema.get("prefixItems"), schema.get("items")) {
            (None, Some(first @ Value::Array(_))) => (Some(first), schema.get("additionalItems")),
            (first, others) => (first, others),
        };
        let first = first.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = first.get(index).or(others) {
                self.at(&index.to_string(), |walk| walk.check(schema, item))?;
            }
        }
        if let Some(contained) = schema.get("contains") {
            let least = schema.get("minContains").and_then(Value::as_u64).unwrap_or(1);
            let most = schema.get("maxContains").and_then(Value::as_u64).unwrap_or(u64::MAX);
            let mut found = 0;
            for item in items {
                found += u64::from(self.fits(contained, item));
            }
            if found < least || found > most {
                return self.wrong(format!("{found} of the items fit `contains`"));
            }
        }
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
            for (index, item) in items.iter().enumerate() {
                self.steps = self.steps.saturating_add(index);
                if items.iter().take(index).any(|other| same(other, item)) {
                    return self.wrong(format!("{} is in the list twice", shown(item)));
                }
            }
        }
        Ok(())
    }

    fn string(&mut self, schema: &Map<String, Value>, text: &str) -> Checked {
        if !schema.contains_key("minLength") && !schema.contains_key("maxLength") {
            return Ok(());
        }
        self.size(schema, "Length", "characters", text.chars().count())
    }

    /// `min<what>` and `max<what>`.
    fn size(&mut self, schema: &Map<String, Value>, what: &str, of: &str, size: usize) -> Checked {
        let limit = |end: &str| schema.get(&format!("{end}{what}")).and_then(Value::as_f64);
        // A size above 2^53 has no exact float, and no such value fits into memory.
        #[expect(clippy::cast_precision_loss)]
        let exact = size as f64;
        match (limit("min"), limit("max")) {
            (Some(least), _) if exact < least => {
                self.wrong(format!("{size} {of} are fewer than the minimum of {least}"))
            }
            (_, Some(most)) if exact > most => {
                self.wrong(format!("{size} {of} are more than the maximum of {most}"))
            }
            _ => Ok(()),
        }
    }

    fn number(&mut self, schema: &Map<String, Value>, number: &Number) -> Checked {
        let limit = |name: &str| {
            schema.get(name).and_then(|limit| match limit {
                Value::Number(limit) => Some((limit, compare(number, limit)?)),
                _ => None,
            })
        };
        if let Some((limit, order)) = limit("minimum")
            && order.is_lt()
        {
            return self.wrong(format!("{number} is less than the minimum of {limit}"));
        }
        if let Some((limit, order)) = limit("maximum")
            && order.is_gt()
        {
            return self.wrong(format!("{number} is more than the maximum of {limit}"));
        }
        if let Some((limit, order)) = limit("exclusiveMinimum")
            && order.is_le()
        {
            return self.wrong(format!("{number} is not more than {limit}"));
        }
        if let Some((limit, order)) = limit("exclusiveMaximum")
            && order.is_ge()
        {
            return self.wrong(format!("{number} is not less than {limit}"));
        }
        match schema.get("multipleOf") {
            Some(Value::Number(of)) if !is_multiple(number, of) => {
                self.wrong(format!("{number} is not a multiple of {of}"))
            }
            _ => Ok(()),
        }
    }

    fn combined(&mut self, schema: &'a Map<String, Value>, value: &Value) -> Checked {
        for part in list(schema.get("allOf")) {
            self.check(part, value)?;
        }
        if let Some(Value::Array(branches)) = schema.get("anyOf") {
            self.any_of(branches, value)?;
        }
        if let Some(Value::Array(branches)) = schema.get("oneOf") {
            let mut fitting = 0;
            for branch in branches {
                fitting += usize::from(self.fits(branch, value));
            }
            match fitting {
                0 => self.any_of(branches, value)?,
                1 => {}
                more => return self.wrong(format!("it fits {more} of the alternatives, and one is wanted")),
            }
        }
        if let Some(not) = schema.get("not")
            && self.fits(not, value)
        {
            return self.wrong(format!("{} is not allowed here", shown(value)));
        }
        if let Some(condition) = schema.get("if") {
            let then = if self.fits(condition, value) { "then" } else { "else" };
            if let Some(then) = schema.get(then) {
                self.check(then, value)?;
            }
        }
        Ok(())
    }

    /// Reports the alternative that went furthest into the value: most likely the one that was meant.
    fn any_of(&mut self, branches: &'a [Value], value: &Value) -> Checked {
        let mut nearest: Option<Mismatch> = None;
        for branch in branches {
            let Err(mismatch) = self.check(branch, value) else {
                return Ok(());
            };
            let deeper = |than: &Mismatch| mismatch.path.len() > than.path.len();
            if nearest.as_ref().is_none_or(deeper) {
                nearest = Some(mismatch);
            }
        }
        match nearest {
            Some(mut mismatch) if branches.len() > 1 && !mismatch.reason.ends_with(NEAREST) => {
                mismatch.reason.push_str(NEAREST);
                Err(mismatch)
            }
            Some(mismatch) => Err(mismatch),
            None => self.wrong("there are no alternatives to fit"),
        }
    }

    /// A walk that ran out of steps fits nothing, and everything after it fails too.
    fn fits(&mut self, schema: &'a Value, value: &Value) -> bool {
        self.check(schema, value).is_ok()
    }

    fn at(&mut self, step: &str, check: impl FnOnce(&mut Self) -> Checked) -> Checked {
        let here = self.path.len();
        self.path.push('/');
        self.path.push_str(step);
        let checked = check(self);
        self.path.truncate(here);
        checked
    }

    fn wrong(&self, reason: impl Into<String>) -> Checked {
        Err(Mismatch { path: self.path.clone(), reason: reason.into() })
    }
}

/// What a reference within the schema means.
pub(super) fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(reference.strip_prefix('#')?)
}

/// A name as a step of a JSON pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn strings(list: Option<&Value>) -> impl Iterator<Item = &str> {
    self::list(list).filter_map(Value::as_str)
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn listed(names: &Value) -> String {
    match names {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        Value::String(name) => name.clone(),
        _ => String::new(),
    }
}
