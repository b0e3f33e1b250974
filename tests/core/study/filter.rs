//! Expressions that choose models of a table.

use basin_core::study::{Facts, Filter, ModelRow, Table, Value};
use basin_core::study::{GroupLook, Model, Study};

/// Models with a group, robust error, flatness and a number of records.
fn table() -> (Table, Vec<Facts>) {
    let model = |name: &str, group: Option<&str>, numbers: &[(&str, f64)]| Model {
        name: name.into(),
        group: group.map(Into::into),
        numbers: numbers.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
        ..Model::default()
    };
    let study = Study {
        models: vec![
            model("AT", Some("AT"), &[("robust_error", 0.55), ("average_flatness@0.5", 0.3)]),
            model("AT (2)", Some("AT"), &[("robust_error", 0.62), ("average_flatness@0.5", 0.5)]),
            model("label-noise 0.3", Some("Label noise"), &[("robust_error", 0.48), ("trace", -2e3)]),
            model("plain", None, &[]),
        ],
        groups: [("AT".to_owned(), GroupLook::default())].into(),
        ..Study::default()
    };
    let entries = basin_core::study::Entries::<basin_core::record::Record> {
        models: study.models.iter().map(|_| Default::default()).collect(),
        ..Default::default()
    };
    let facts = |records, missing, broken| Facts { records, missing, broken };
    let facts = vec![facts(4, 0, false), facts(2, 2, false), facts(0, 4, true), facts(1, 3, false)];
    (Table::of(&study, &entries), facts)
}

/// Numbers of the models of which an expression is true.
fn chosen(text: &str) -> Vec<usize> {
    let (table, facts) = table();
    let filter = Filter::parse(text, &table).unwrap_or_else(|e| panic!("{text}: {e}"));
    let accepted = |(row, facts): (&ModelRow, &Facts)| filter.accepts(row, *facts);
    (0..table.rows.len()).filter(|i| accepted((&table.rows[*i], &facts[*i]))).collect()
}

#[test]
fn words_are_looked_for_in_names_and_groups() {
    assert_eq!(chosen(""), [0, 1, 2, 3]);
    assert_eq!(chosen("  at "), [0, 1]);
    assert_eq!(chosen("noise LABEL"), [2]);
    assert_eq!(chosen("\"AT (2)\""), [1]);
    assert_eq!(chosen("'label noise'"), [2]);
    assert_eq!(chosen("not at"), [2, 3]);
    assert_eq!(chosen("plain or noise"), [2, 3]);
    assert!(chosen("has been").is_empty());
}

#[test]
fn numbers_and_texts_are_compared() {
    assert_eq!(chosen("group = \"AT\" and robust error < 0.6"), [0]);
    assert_eq!(chosen("group = at && robust_error<60%"), [0]);
    assert_eq!(chosen("Robust Error ≤ 55 % or trace < -1e3"), [0, 2]);
    assert_eq!(chosen("robust_error = 0.62"), [1]);
    assert_eq!(chosen("robust_error != 0.62"), [0, 2]);
    assert_eq!(chosen("average flatness at radius 0.5 >= 0.4"), [1]);
    assert_eq!(chosen("average_flatness@0.5 > 0.2 and average flatness > 0.4"), [1]);
    assert_eq!(chosen("name ~ noise"), [2]);
    assert_eq!(chosen("group != AT"), [2, 3]);
    assert_eq!(chosen("records >= 2"), [0, 1]);
    assert_eq!(chosen("missing > 2 and not broken"), [3]);
    assert_eq!(chosen("has trace"), [2]);
    assert_eq!(chosen("no average flatness"), [2, 3]);
}

#[test]
fn and_binds_before_or_and_parentheses_before_both() {
    assert_eq!(chosen("plain or at and records > 3"), [0, 3]);
    assert_eq!(chosen("(plain or at) and records < 3"), [1, 3]);
    assert_eq!(chosen("not (plain or at)"), [2]);
    assert_eq!(chosen("not not plain"), [3]);
}

#[test]
fn a_wrong_expression_says_what_and_where() {
    let (table, _) = table();
    let cases = [
        ("robst_error < 0.6", "robst_error", "did you mean robust_error?"),
        ("robust error < ", "", "robust error is compared with nothing"),
        ("robust error < much", "much", "\"much\" is no number"),
        ("robust error < 60", "60", "write 60 % or 0.6"),
        ("0.2 < robust error < 0.6", "<", "put `and` between them"),
        ("group < 3", "group", "group is a text"),
        ("trace ~ 3", "trace", "trace is a number"),
        ("< 3", "<", "begins with the name of a column"),
        ("at and", "", "a name or a comparison is missing here"),
        ("at and or b", "or", "a name or a comparison is missing here"),
        ("(at or b", "(", "is not closed"),
        ("at)", ")", "closes nothing"),
        ("name = \"AT", "\"AT", "the quotation mark \" has no end"),
        ("ä = é ≤ 3", "≤", "put `and` between them"),
    ];
    for (text, part, reason) in cases {
        let error = Filter::parse(text, &table).expect_err(text);
        assert!(error.reason.contains(reason), "{text}: {error}");
        assert_eq!(&text[error.at.clone()], part, "{text}: {error}");
    }
}

#[test]
fn what_is_not_there_is_neither_smaller_nor_larger() {
    let (table, facts) = table();
    let empty = ModelRow { values: vec![None::<Value>; table.columns.len()], ..ModelRow::default() };
    for text in ["trace < 0", "trace >= 0", "trace != 0"] {
        assert!(!Filter::parse(text, &table).unwrap().accepts(&empty, facts[0]), "{text}");
    }
}
