//! `basin schema`: what other programs are told of the formats. `tests/peers/schema.py` validates jobs and records with
//! another program's validator.

use basin_core::job::Kind;
use serde_json::Value;

use crate::support::program::Basin;

#[test]
fn schemas_have_every_kind_of_job_and_outcome() {
    let basin = Basin::new();
    let kinds = |value: &Value| -> Vec<String> {
        let variants = value["oneOf"].as_array().unwrap_or_else(|| panic!("no variants: {value}"));
        let kind = |variant: &Value| variant["properties"]["kind"]["const"].as_str().unwrap().to_owned();
        variants.iter().map(kind).collect()
    };
    let all = || Kind::ALL.iter().map(|kind| kind.name().to_owned()).chain(["train".to_owned()]);
    let job: Value = serde_json::from_str(&basin.run(&["schema", "job"]).out).unwrap();
    assert_eq!(job["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(kinds(&job), all().chain(["import".to_owned()]).collect::<Vec<_>>());
    assert_eq!(job["$defs"]["Flatness"]["properties"]["draws"]["minimum"], 1);

    assert_eq!(basin.run(&["schema", "record", "--out", "record.schema.json"]).code, Some(0));
    let record = basin.json("record.schema.json");
    assert_eq!(kinds(&record["$defs"]["Outcome"]), all().collect::<Vec<_>>());
    assert_eq!(record["required"], serde_json::json!(["format", "job", "outcome"]));
    let unknown = basin.run(&["schema", "figure"]);
    assert!(unknown.code == Some(2) && unknown.err.contains("record"), "{}", unknown.err);
}
