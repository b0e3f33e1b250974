//! Statistics of a relation as JSON, for `basin plot --json` and `basin study stats --json`.
//!
//! `x`, `y`, `n`; for each of `pearson`, `spearman` and `kendall` its value and, where they are known, `…_interval`,
//! `…_interval_with_errors` (both `[low, high]`) and `…_p`; `slope`, `intercept`, `slope_interval`; `sign_error` with
//! `all`, `coupled` (each `value`, `pairs`), `worst` and `per_group`; `within_groups` and `given[]` (partial
//! correlations); `without_group[]` and `without_model`; `warnings[]`.

use basin_core::measure::statistics::{Correlation, Interval, Partial, Relation, SignError};
use serde_json::{Map, Value, json};

use crate::plot::scatter::Models;
use crate::plot::text;

/// Of which two numbers over how many models, and how they go together; without coefficients if models are too few.
pub fn of_axes(models: &Models, relation: Option<&Relation>) -> Value {
    of(&text::plain(&models.x_label), &text::plain(&models.y_label), models.count(), relation)
}

/// The same of any two quantities.
pub fn of(x: &str, y: &str, n: usize, relation: Option<&Relation>) -> Value {
    let mut all = Map::new();
    all.insert("x".into(), x.into());
    all.insert("y".into(), y.into());
    all.insert("n".into(), relation.map_or(n, |relation| relation.n).into());
    let Some(relation) = relation else { return all.into() };
    let coefficients =
        [("pearson", relation.pearson), ("spearman", relation.spearman), ("kendall", relation.kendall)];
    for (name, correlation) in coefficients {
        put(&mut all, name, &correlation);
    }
    all.insert("slope".into(), relation.fit.line.slope.into());
    all.insert("intercept".into(), relation.fit.line.intercept.into());
    insert(&mut all, "slope_interval", relation.fit.slope_interval.map(ends));
    insert(&mut all, "sign_error", relation.sign_error.as_ref().map(|signs| {
        let named = |(group, error): &(String, SignError)| {
            json!({ "group": group, "value": error.value, "pairs": error.pairs })
        };
        let mut all = Map::new();
        all.insert("all".into(), json!(signs.all));
        insert(&mut all, "coupled", signs.coupled.as_ref().map(|error| json!(error)));
        insert(&mut all, "worst", signs.worst.as_ref().map(named));
        all.insert("per_group".into(), signs.per_group.iter().map(named).collect());
        all.into()
    }));
    insert(&mut all, "within_groups", relation.within_groups.as_ref().map(partial));
    if !relation.given.is_empty() {
        all.insert("given".into(), relation.given.iter().map(partial).collect());
    }
    all.insert("without_group".into(), json!(relation.without_group));
    insert(&mut all, "without_model", relation.without_model.as_ref().map(|without| json!(without)));
    all.insert("warnings".into(), json!(relation.warnings));
    all.into()
}

fn insert(all: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        all.insert(name.into(), value);
    }
}

fn ends(interval: Interval) -> Value {
    json!([interval.low, interval.high])
}

fn put(all: &mut Map<String, Value>, name: &str, correlation: &Correlation) {
    all.insert(name.into(), correlation.value.into());
    insert(all, &format!("{name}_interval"), correlation.interval.map(ends));
    insert(all, &format!("{name}_interval_with_errors"), correlation.interval_with_errors.map(ends));
    insert(all, &format!("{name}_p"), correlation.p.map(Value::from));
}

fn partial(partial: &Partial) -> Value {
    let mut all = Map::new();
    all.insert("given".into(), partial.given.clone().into());
    all.insert("n".into(), partial.n.into());
    all.insert("pearson".into(), partial.pearson.into());
    insert(&mut all, "pearson_interval", partial.pearson_interval.map(ends));
    all.insert("spearman".into(), partial.spearman.into());
    insert(&mut all, "spearman_interval", partial.spearman_interval.map(ends));
    all.into()
}
