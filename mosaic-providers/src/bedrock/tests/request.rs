use std::sync::Arc;

use mosaic_core::{
    Codec, Delivery, Group, ModelParams, OutputSpec, Reasoning, ToolChoice, ToolSpec, ToolStatus,
};
use serde_json::{Value, json};

use super::{Ask, CLAUDE, LLAMA, add, ask, call, profile, result, said, text};
use crate::bedrock::{Bedrock, Cache, Quirks};

#[test]
fn the_models_id_is_one_part_of_the_path() {
    let url = |model: &str, delivery| Ask { delivery, ..ask(model) }.request(&[text("Hi")]).url;
    assert_eq!(
        url(CLAUDE, Delivery::Streamed),
        "https://host/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream"
    );
    let arn = "arn:aws:bedrock:us-east-1:012345678901:inference-profile/us.anthropic.claude-3-7-sonnet-20250219-v1:0";
    assert_eq!(
        url(arn, Delivery::Whole),
        "https://host/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A012345678901%3Ainference-profile%2Fus.anthropic.claude-3-7-sonnet-20250219-v1%3A0/converse"
    );
    assert_eq!(url("../x?y", Delivery::Whole), "https://host/model/..%2Fx%3Fy/converse");
}

#[test]
fn cache_points_stand_where_the_model_takes_them() {
    let point = json!({"cachePoint": {"type": "default"}});
    let answer = said(vec![call("c", None, "{}")], vec![result("c", ToolStatus::Ok, vec![])]);
    let groups = [text("One"), text("Two"), answer];
    let places = |model: &str, quirks: Quirks| {
        let body = Ask { tools: vec![add()], quirks, ..ask(model) }.body(&groups);
        let at = |list: &Value| -> Vec<usize> {
            let list = list.as_array().unwrap().iter().enumerate();
            list.filter(|(_, block)| **block == point).map(|(at, _)| at).collect()
        };
        (
            at(&body["toolConfig"]["tools"]),
            at(&body["system"]),
            at(&body["messages"][0]["content"]),
            at(&body["messages"][2]["content"]),
        )
    };
    let default = Quirks::default;
    assert_eq!(places(CLAUDE, default()), (vec![1], vec![1], vec![2], vec![1]));
    // Nova takes none behind a tool's result, and none behind tools.
    assert_eq!(places("amazon.nova-lite-v1:0", default()), (vec![], vec![1], vec![1, 3], vec![]));
    assert_eq!(places(LLAMA, default()), (vec![], vec![], vec![], vec![]));
    assert_eq!(places(LLAMA, Quirks { cache: Cache::On }), (vec![1], vec![1], vec![2], vec![1]));
    assert_eq!(places(CLAUDE, Quirks { cache: Cache::Off }), (vec![], vec![], vec![], vec![]));
}

#[test]
fn the_choice_of_tools_is_said_as_far_as_the_api_can() {
    let called = [text("Hi"), said(vec![call("c", None, "{}")], vec![result("c", ToolStatus::Ok, vec![])])];
    let config = |choice: ToolChoice, tools: Vec<ToolSpec>, groups: &[Arc<Group>]| {
        Ask { choice, tools, ..ask(LLAMA) }.body(groups)["toolConfig"].clone()
    };
    let new = [text("Hi")];
    let sent = config(ToolChoice::Auto, vec![add()], &new);
    assert_eq!(
        sent,
        json!({"tools": [{"toolSpec": {"name": "add", "description": "Adds.", "inputSchema": {"json": add().input_schema}}}]})
    );
    assert_eq!(config(ToolChoice::Required, vec![add()], &new)["toolChoice"], json!({"any": {}}));
    let named = ToolChoice::Tool { name: "add".to_owned() };
    assert_eq!(config(named, vec![add()], &new)["toolChoice"], json!({"tool": {"name": "add"}}));
    assert_eq!(config(ToolChoice::None, vec![add()], &new), Value::Null);
    assert_eq!(config(ToolChoice::Auto, vec![], &new), Value::Null);
    // Calls in the conversation want tools, so one stands there that does nothing.
    for sent in [config(ToolChoice::None, vec![add()], &called), config(ToolChoice::Auto, vec![], &called)] {
        assert_eq!(sent["tools"][0]["toolSpec"]["name"], "no_tool");
        assert_eq!(sent["tools"].as_array().unwrap().len(), 1);
        assert_eq!(sent["toolChoice"], Value::Null);
    }
}

#[test]
fn a_schema_that_is_of_no_object_is_refused_by_name_and_place() {
    let tools = |schema: Value| {
        let mut spec = add();
        spec.input_schema = schema;
        Bedrock::default()
            .tools(&[&spec], &profile(LLAMA))
            .map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap())
    };
    let open = tools(json!({"properties": {}})).unwrap();
    assert_eq!(open[0]["toolSpec"]["inputSchema"]["json"], json!({"type": "object", "properties": {}}));
    for (schema, place) in [
        (json!({"type": "string"}), r#"tool `add`, which says `"string"` at `/type`"#),
        (json!([1]), "which says `[1]` at ``"),
    ] {
        let error = tools(schema).unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
    }
}

#[test]
fn a_hosts_own_members_stand_beside_ours() {
    let extra = json!({
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
        "inferenceConfig": {"temperature": 0.1},
        "additionalModelRequestFields": {"top_k": 5},
        "toolConfig": {"tools": [{"systemTool": {"name": "nova_code_interpreter"}}]}
    });
    let params = ModelParams {
        max_output_tokens: Some(4_000),
        temperature: Some(0.9),
        reasoning: Some(Reasoning::Low),
        extra: extra.as_object().unwrap().clone(),
        ..ModelParams::default()
    };
    let body = Ask { params, tools: vec![add()], ..ask(CLAUDE) }.body(&[text("Hi")]);
    assert_eq!(body["guardrailConfig"]["guardrailIdentifier"], "g");
    assert_eq!(body["inferenceConfig"], json!({"maxTokens": 4_000, "temperature": 0.1}));
    assert_eq!(
        body["additionalModelRequestFields"],
        json!({"thinking": {"type": "enabled", "budget_tokens": 2_000}, "top_k": 5})
    );
    let tools = body["toolConfig"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 3);
    assert_eq!(tools[2], json!({"systemTool": {"name": "nova_code_interpreter"}}));
}

#[test]
fn each_family_is_told_to_think_in_its_own_way() {
    let of = |model: &str, reasoning, max: Option<u64>| {
        let params = ModelParams {
            reasoning: Some(reasoning),
            max_output_tokens: max,
            temperature: Some(0.5),
            ..ModelParams::default()
        };
        let body = Ask { params, ..ask(model) }.body(&[text("Hi")]);
        (body["additionalModelRequestFields"].clone(), body["inferenceConfig"]["temperature"].clone())
    };
    let budget = json!({"thinking": {"type": "enabled", "budget_tokens": 8_192}});
    assert_eq!(of(CLAUDE, Reasoning::Medium, None), (budget, Value::Null));
    assert_eq!(of(CLAUDE, Reasoning::Off, None), (json!({"thinking": {"type": "disabled"}}), json!(0.5)));
    let adaptive = json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}});
    assert_eq!(of("us.anthropic.claude-opus-4-6-v1", Reasoning::High, None), (adaptive, Value::Null));
    let nova = |effort: &str| json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}});
    assert_eq!(of("us.amazon.nova-2-lite-v1:0", Reasoning::High, None), (nova("high"), Value::Null));
    // The highest effort excludes a limit of tokens.
    assert_eq!(of("us.amazon.nova-2-lite-v1:0", Reasoning::High, Some(9)), (nova("medium"), Value::Null));
    assert_eq!(
        of("openai.gpt-oss-120b-1:0", Reasoning::Low, None),
        (json!({"reasoning_effort": "low"}), json!(0.5))
    );
    assert_eq!(of(LLAMA, Reasoning::High, None), (Value::Null, json!(0.5)));
}

#[test]
fn a_forced_call_goes_before_thinking() {
    let params = ModelParams { reasoning: Some(Reasoning::Medium), ..ModelParams::default() };
    let body =
        Ask { params, tools: vec![add()], choice: ToolChoice::Required, ..ask(CLAUDE) }.body(&[text("Hi")]);
    assert_eq!(body["additionalModelRequestFields"], json!({"thinking": {"type": "disabled"}}));
    assert_eq!(body["toolConfig"]["toolChoice"], json!({"any": {}}));
}

#[test]
fn a_wanted_shape_is_sent_as_text_and_the_tools_stay() {
    let schema =
        json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]});
    let output = Some(OutputSpec { name: "answer".to_owned(), schema });
    let body = Ask { output, tools: vec![add()], ..ask(CLAUDE) }.body(&[text("Hi")]);
    let format = &body["outputConfig"]["textFormat"];
    assert_eq!(format["type"], "json_schema");
    let sent = &format["structure"]["jsonSchema"];
    assert_eq!(sent["name"], "answer");
    assert_eq!(
        serde_json::from_str::<Value>(sent["schema"].as_str().unwrap()).unwrap(),
        json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false})
    );
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], "add");
}
