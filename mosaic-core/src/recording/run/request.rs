//! What a model was asked, in a few digests: enough to see that it is another request, and in what.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::clean;
use crate::agent::Fnv;
use crate::message::{Group, GroupBody};
use crate::model::ModelRequest;
use crate::tool::ToolSpecs;
use crate::transport::record::Secrets;

/// By name.
type ToolDigests = Arc<BTreeMap<String, String>>;

/// The digests of a request. Apart, so that a replay can say what of it is another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RequestDigest {
    instructions: String,
    tools: ToolDigests,
    /// How many groups the conversation has.
    groups: usize,
    conversation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    params: String,
}

/// What was digested before: a step over a long conversation costs what is new in it.
#[derive(Debug, Default)]
pub(super) struct Digester {
    groups: Vec<(Arc<Group>, u64)>,
    tools: Option<(Arc<ToolSpecs>, ToolDigests)>,
}

impl Digester {
    pub(super) fn of(&mut self, request: &ModelRequest, secrets: &Secrets) -> RequestDigest {
        let digest = |value: Value| digest(value, secrets).to_string();
        RequestDigest {
            instructions: digest(Value::from(&*request.instructions)),
            tools: self.tools(&request.tools, secrets),
            groups: request.groups.len(),
            conversation: self.conversation(&request.groups, secrets),
            output: request.output.as_ref().map(|output| digest(json(output))),
            params: digest(Value::from(vec![json(&request.tool_choice), json(&request.params)])),
        }
    }

    fn tools(&mut self, tools: &Arc<ToolSpecs>, secrets: &Secrets) -> ToolDigests {
        if let Some((known, digests)) = &self.tools
            && Arc::ptr_eq(known, tools)
        {
            return Arc::clone(digests);
        }
        let digests = tools.iter().map(|spec| {
            let (effect, approval) = (format!("{:?}", spec.effect), format!("{:?}", spec.approval));
            let all = serde_json::json!([spec.description, spec.input_schema, effect, approval]);
            (spec.name.to_string(), digest(all, secrets).to_string())
        });
        let digests = Arc::new(digests.collect());
        self.tools = Some((Arc::clone(tools), Arc::clone(&digests)));
        digests
    }

    fn conversation(&mut self, groups: &[Arc<Group>], secrets: &Secrets) -> String {
        let same = self.groups.iter().zip(groups).take_while(|((known, _), group)| Arc::ptr_eq(known, group));
        let same = same.count();
        self.groups.truncate(same);
        for group in groups.iter().skip(same) {
            self.groups.push((Arc::clone(group), digest(group_json(group), secrets).number()));
        }
        let mut all = Fnv::default();
        self.groups.iter().for_each(|(_, number)| all.feed(&number.to_le_bytes()));
        all.to_string()
    }
}

fn group_json(group: &Group) -> Value {
    match group.body() {
        GroupBody::User { parts } => Value::from(vec![Value::from("user"), json(parts)]),
        GroupBody::Assistant { parts, origin, results } => {
            Value::from(vec![Value::from("assistant"), json(parts), json(origin), json(results)])
        }
    }
}

fn json(value: &impl Serialize) -> Value {
    // Of plain data, which always is JSON.
    serde_json::to_value(value).unwrap_or_default()
}

fn digest(mut value: Value, secrets: &Secrets) -> Fnv {
    clean(&mut value, secrets);
    let mut fnv = Fnv::default();
    feed(&mut fnv, &value);
    fnv
}

/// Members go by name, whatever order this build of `serde_json` keeps them in. A fraction counts with twelve digits: the
/// last ones of it may change when it is written and read.
fn feed(fnv: &mut Fnv, value: &Value) {
    match value {
        Value::Null => fnv.feed(b"n"),
        Value::Bool(is) => fnv.feed(if *is { b"t" } else { b"f" }),
        Value::Number(number) => {
            fnv.feed(b"#");
            match number.as_f64().filter(|_| number.is_f64()) {
                Some(fraction) => fnv.text(&format!("{fraction:.11e}")),
                None => fnv.text(&number.to_string()),
            }
        }
        Value::String(text) => {
            fnv.feed(b"s");
            fnv.text(text);
        }
        Value::Array(items) => {
            fnv.feed(b"[");
            items.iter().for_each(|item| feed(fnv, item));
            fnv.feed(b"]");
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            fnv.feed(b"{");
            for (name, member) in members {
                fnv.text(name);
                feed(fnv, member);
            }
            fnv.feed(b"}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::message::Part;
    use crate::model::{ModelParams, OutputSpec};

    fn of(request: &ModelRequest) -> RequestDigest {
        Digester::default().of(request, &Secrets::default())
    }

    fn request(texts: &[&str]) -> ModelRequest {
        let groups = texts.iter().map(|text| Group::user(vec![Part::text(*text)])).collect();
        ModelRequest { groups: Arc::new(groups), ..ModelRequest::default() }
    }

    #[test]
    fn each_piece_of_a_request_has_a_digest_of_its_own() {
        let plain = of(&request(&["a"]));
        let output = Some(Arc::new(OutputSpec { name: "n".into(), schema: json!({}) }));
        let params = ModelParams { temperature: Some(0.5), ..ModelParams::default() };
        let others = [
            ModelRequest { instructions: "x".into(), ..request(&["a"]) },
            ModelRequest { output, ..request(&["a"]) },
            ModelRequest { params, ..request(&["a"]) },
            request(&["b"]),
        ];
        let changed = |other: &ModelRequest| {
            let (one, other) = (json(&plain), json(&of(other)));
            let difference = crate::recording::Difference::first::<&str>(&one, &other, &[]);
            difference.map(|difference| difference.pointer)
        };
        let places: BTreeSet<String> = others.iter().filter_map(changed).collect();
        assert_eq!(
            places.into_iter().collect::<Vec<_>>(),
            ["/conversation", "/instructions", "/output", "/params"]
        );
        assert_eq!(changed(&request(&["a"])), None);
    }

    #[test]
    fn what_was_digested_before_is_used_as_long_as_it_is_the_same() {
        let mut digester = Digester::default();
        let (one, two) = (request(&["a", "b"]), request(&["a", "c"]));
        for request in [&one, &two, &one] {
            assert_eq!(digester.of(request, &Secrets::default()), of(request));
        }
        assert!(Arc::ptr_eq(&digester.groups[1].0, &one.groups[1]));
    }

    #[test]
    fn the_order_of_members_and_the_last_digits_of_a_fraction_do_not_count() {
        let number = |value| digest(value, &Secrets::default()).number();
        let (one, other) = ("{\"a\":1,\"b\":0.1234567890123456}", "{\"b\":0.1234567890123457,\"a\":1}");
        let parsed = |text| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(number(parsed(one)), number(parsed(other)));
        assert_ne!(number(json!(["ab", "c"])), number(json!(["a", "bc"])));
        assert_ne!(number(json!([["a"], "b"])), number(json!([["a", "b"]])));
    }
}
