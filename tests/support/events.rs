//! Checks that each line of `--json` fits `docs/events.schema.json`. For readers the schema allows new fields. Here a field
//! that is not in the schema is an error, so that the schema stays complete.

use std::collections::BTreeMap;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

const ADDRESS: &str = "https://haul.example/events.schema.json";

/// The text of `docs/events.schema.json`.
pub fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/events.schema.json")).unwrap()
}

struct Judge {
    schemas: Schemas,
    events: BTreeMap<String, SchemaIndex>,
    receipt: SchemaIndex,
}

thread_local! {
    static JUDGE: Judge = judge();
}

fn judge() -> Judge {
    let mut schema = schema();
    close(&mut schema["$defs"]);
    let names: Vec<String> = schema["$defs"]["events"].as_object().unwrap().keys().cloned().collect();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource(ADDRESS, schema).unwrap();
    let mut compiled = |place: &str| compiler.compile(&format!("{ADDRESS}#/$defs/{place}"), &mut schemas).unwrap();
    let receipt = compiled("receipt");
    let events = names.into_iter().map(|name| (name.clone(), compiled(&format!("events/{name}")))).collect();
    Judge { schemas, events, receipt }
}

/// Forbids fields that the schema does not name.
fn close(schema: &mut Value) {
    if schema["type"] == "object" && schema.get("properties").is_some() {
        schema["additionalProperties"] = json!(false);
    }
    match schema {
        Value::Object(fields) => fields.values_mut().for_each(close),
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// The errors of the events in these lines.
pub fn wrong(stdout: &str) -> Vec<String> {
    let lines = stdout.lines().filter(|line| line.starts_with(r#"{"schema":1,"event":"#));
    lines.filter_map(|line| wrong_with_event(&serde_json::from_str(line).ok()?).map(|why| format!("{line}\n{why}"))).collect()
}

/// Why an event does not fit; none if it fits.
pub fn wrong_with_event(event: &Value) -> Option<String> {
    JUDGE.with(|judge| match judge.events.get(event["event"].as_str().unwrap_or_default()) {
        Some(index) => judge.schemas.validate(event, *index).err().map(|e| format!("{e:#}")),
        None => Some("docs/events.schema.json does not know this event".to_owned()),
    })
}

/// Why a line of a receipt does not fit; none if it fits.
pub fn wrong_with_receipt(line: &Value) -> Option<String> {
    JUDGE.with(|judge| judge.schemas.validate(line, judge.receipt).err().map(|e| format!("{e:#}")))
}

#[test]
fn an_event_that_the_schema_does_not_describe_is_found() {
    let good = json!({"schema": 1, "event": "summary", "files": 1, "bytes": 3, "skipped": 0, "failed": 0, "seconds": 0.1});
    assert_eq!(wrong_with_event(&good), None);
    for (field, value) in [("files", json!("1")), ("bytes", json!(-1)), ("schema", json!(2)), ("more", json!(1)), ("event", json!("sum"))] {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(wrong_with_event(&bad).is_some(), "{bad}");
    }
    let mut bad = good;
    bad.as_object_mut().unwrap().shift_remove("seconds");
    assert!(wrong_with_event(&bad).is_some());
    assert_eq!(wrong("{\"schema\":1,\"event\":\"none\"}\nno event\n").len(), 1);
}
