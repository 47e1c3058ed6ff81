//! The JSON Schema that pins every JSON line. No test reads a line past it.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = include_str!("../schema/p2pprobe.schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    jsonschema::draft202012::new(&schema).expect("the schema is a schema")
});

/// The line as a value. Panics, with the line and what is wrong with it, where the schema does not allow it.
pub fn validate(line: &str) -> Value {
    let value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in the line\n{line}"));
    let faults = faults(&value);
    assert!(faults.is_empty(), "the schema does not allow the line\n{line}\n{}", faults.join("\n"));
    value
}

/// [`validate`] each line of a whole output.
pub fn validate_all(output: &str) -> Vec<Value> {
    output.lines().map(validate).collect()
}

/// What the schema says against a value.
pub fn faults(value: &Value) -> Vec<String> {
    SCHEMA.iter_errors(value).map(|e| format!("{e} (at '{}')", e.instance_path())).collect()
}
