//! Where two JSON values differ first.

use std::fmt;

use serde_json::Value;

/// More of a value than this is not shown.
const SHOWN: usize = 120;

/// The first place where a JSON value is not what was recorded.
///
/// ```
/// use mosaic_core::recording::Difference;
/// use serde_json::json;
///
/// let (recorded, found) = (json!({"a": [1, 2], "id": 7}), json!({"a": [1, 3], "id": 8}));
/// let difference = Difference::first(&recorded, &found, &["/id"]).unwrap();
/// assert_eq!(difference.to_string(), "at `/a/1` 2 was recorded and 3 is there now");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The place, as a JSON pointer (RFC 6901); empty for the whole value.
    pub pointer: String,
    /// What was recorded there; `None` where there was nothing.
    pub recorded: Option<Value>,
    /// What is there now; `None` where there is nothing.
    pub found: Option<Value>,
}

impl Difference {
    /// The first difference in the order of the text; members go by name. A pointer in `ignored` leaves out what it points
    /// to and all below; a `*` stands for any one member or element.
    pub fn first<S: AsRef<str>>(recorded: &Value, found: &Value, ignored: &[S]) -> Option<Self> {
        let ignored: Vec<Vec<&str>> =
            ignored.iter().map(|pointer| pointer.as_ref().split('/').skip(1).collect()).collect();
        walk(Some(recorded), Some(found), &mut Vec::new(), &ignored)
    }
}

fn walk(
    recorded: Option<&Value>,
    found: Option<&Value>,
    path: &mut Vec<String>,
    ignored: &[Vec<&str>],
) -> Option<Difference> {
    let is_here = |pattern: &&Vec<&str>| {
        pattern.len() == path.len()
            && pattern.iter().zip(path.iter()).all(|(want, have)| *want == "*" || want == have)
    };
    if recorded == found || ignored.iter().any(|pattern| is_here(&pattern)) {
        return None;
    }
    match (recorded, found) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let mut names: Vec<&String> = one.keys().chain(other.keys()).collect();
            names.sort();
            names.dedup();
            names.into_iter().find_map(|name| {
                path.push(name.replace('~', "~0").replace('/', "~1"));
                let difference = walk(one.get(name), other.get(name), path, ignored);
                path.pop();
                difference
            })
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            (0..one.len().max(other.len())).find_map(|index| {
                path.push(index.to_string());
                let difference = walk(one.get(index), other.get(index), path, ignored);
                path.pop();
                difference
            })
        }
        _ => Some(Difference {
            pointer: path.iter().map(|name| format!("/{name}")).collect(),
            recorded: recorded.cloned(),
            found: found.cloned(),
        }),
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "at `{}` ", self.pointer)?;
        }
        let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), short);
        write!(f, "{} was recorded and {} is there now", shown(&self.recorded), shown(&self.found))
    }
}

/// The beginning of a value as JSON.
fn short(value: &Value) -> String {
    let mut text = value.to_string();
    if let Some((end, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_missing_on_either_side_is_a_difference() {
        let of = |one: Value, other: Value| Difference::first::<&str>(&one, &other, &[]);
        assert_eq!(of(json!({"a": 1}), json!({"a": 1})), None);
        let gone = of(json!({"a": 1, "b/c": 2}), json!({"a": 1})).unwrap();
        assert_eq!(gone.to_string(), "at `/b~1c` 2 was recorded and nothing is there now");
        let more = of(json!([1]), json!([1, "x"])).unwrap();
        assert_eq!((more.pointer.as_str(), more.recorded), ("/1", None));
        assert_eq!(of(json!(1), json!([])).unwrap().pointer, "");
    }

    #[test]
    fn an_ignored_place_is_ignored_with_all_below_it() {
        let (one, other) = (json!({"m": [{"id": 1, "t": "a"}]}), json!({"m": [{"id": {"x": 2}, "t": "b"}]}));
        assert_eq!(Difference::first(&one, &other, &["/m/*/id"]).unwrap().pointer, "/m/0/t");
        assert_eq!(Difference::first(&one, &other, &["/m/0/id", "/m/*/t"]), None);
        assert_eq!(Difference::first(&one, &other, &[""]), None);
    }

    #[test]
    fn a_long_value_is_cut() {
        let difference = Difference::first::<&str>(&json!("é".repeat(500)), &json!(1), &[]).unwrap();
        assert!(difference.to_string().chars().count() < 200);
    }
}
