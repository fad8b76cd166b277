//! Models that call the same thing over and over.

use serde_json::Value;

use crate::message::{Group, GroupBody, Part};
use crate::model::{ModelRequest, ToolChoice, ToolMode};

/// A small model whose answer is forced into a shape may make one call again and again instead of telling what it found
/// (Qwen2.5-Coder-0.5B does, until it meets the step limit). After the second time in a row with the same arguments and the
/// same results it is offered the final answer only.
#[must_use]
pub fn break_repetition(mode: ToolMode, mut request: ModelRequest) -> ModelRequest {
    if mode == ToolMode::JsonSchema
        && request.tool_choice == ToolChoice::Auto
        && let [.., before, last] = request.groups.as_slice()
        && let (Some(before), Some(last)) = (exchange(before), exchange(last))
        && before == last
    {
        request.tool_choice = ToolChoice::None;
    }
    request
}

/// A call's tool, its arguments, and what came of it.
type Called<'a> = (&'a str, Option<Value>, &'a [Part]);

/// The calls of an answer with their results, without what differs between two of the same.
fn exchange(group: &Group) -> Option<Vec<Called<'_>>> {
    let GroupBody::Assistant { parts, results, .. } = group.body() else { return None };
    let calls = parts.iter().filter_map(Part::as_call).zip(results);
    let calls: Vec<_> = calls
        .map(|(call, result)| (call.name.as_str(), call.input().ok(), result.content.as_slice()))
        .collect();
    (!calls.is_empty()).then_some(calls)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::id::CallId;
    use crate::message::{ToolResult, ToolStatus};

    fn called(id: &str, arguments: &str, result: &str) -> Arc<Group> {
        let content = vec![Part::text(result)];
        let result = ToolResult { call: CallId(id.into()), status: ToolStatus::Ok, content };
        Group::assistant(vec![Part::call(id, "calculate", arguments)], None, vec![result]).unwrap()
    }

    fn choice(mode: ToolMode, groups: Vec<Arc<Group>>) -> ToolChoice {
        let request = ModelRequest { groups: Arc::new(groups), ..ModelRequest::default() };
        break_repetition(mode, request).tool_choice
    }

    #[test]
    fn who_makes_the_same_call_twice_in_a_row_must_answer() {
        let twice = vec![
            Group::user(vec![Part::text("12 * 12?")]),
            called("c1", "{\"expression\": \"12*12\"}", "144"),
            called("c2", "{ \"expression\":\"12*12\" }", "144"),
        ];
        assert_eq!(choice(ToolMode::JsonSchema, twice.clone()), ToolChoice::None);
        assert_eq!(choice(ToolMode::Native, twice), ToolChoice::Auto);
    }

    #[test]
    fn another_argument_another_result_or_another_question_is_no_repetition() {
        let question = || Group::user(vec![Part::text("and now?")]);
        let one = || called("c1", "{}", "07:41");
        for groups in [
            vec![one(), called("c2", "{\"zone\": \"CET\"}", "07:41")],
            vec![one(), called("c2", "{}", "07:42")],
            vec![one(), question(), called("c2", "{}", "07:41")],
            vec![one()],
            vec![question(), question()],
            vec![],
        ] {
            assert_eq!(choice(ToolMode::JsonSchema, groups), ToolChoice::Auto);
        }
    }
}
