//! The 29 published models as a built-in example (`resources/published/README.md` says how far to trust them).

use std::collections::BTreeMap;

use basin_core::job::{Case, FlatnessLoss};

use super::models::{Choice, Measured, Model, Models, Quantity};
use super::stage::Stage;

const TABLE: &str = include_str!("../../../../resources/published/models.csv");

/// The models with the numbers that are asked for.
///
/// # Errors
/// The table does not have them.
pub fn models(choice: &Choice) -> Result<Models, String> {
    if choice.loss == FlatnessLoss::Clean {
        return Err(
            "the published models have flatness of the robust loss only; use --flatness robust".to_owned()
        );
    }
    let (x_column, radius, case) = match choice.case {
        Case::Average => ("average_flatness", 0.5, "Average"),
        Case::Worst => ("worst_flatness", 0.00075, "Worst"),
    };
    if choice.radius.is_some_and(|asked| (asked - radius).abs() > 1e-9) {
        return Err(format!(
            "the published models have the {} case at radius {radius} only",
            case.to_lowercase()
        ));
    }
    let (y_column, y_label, factor, what) = match choice.y {
        Quantity::Loss => ("loss", "RLoss (PGD)", 1.0, "robust loss"),
        Quantity::Gap => ("gap", "Test − Train RLoss (PGD)", 1.0, "robust loss on training images"),
        Quantity::Error => ("error_percent", "RErr (AutoAttack) (%)", 0.01, "robust error"),
    };
    let mut lines = TABLE.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let position = |name: &str| header.iter().position(|column| *column == name).unwrap_or(usize::MAX);
    let columns = ["model", "group", "setting", x_column, y_column].map(position);
    let models = lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let [name, group, setting, x, y] = columns.map(|i| cells.get(i).copied().unwrap_or(""));
            let number = |cell: &str, factor: f64, what: &str| match cell.parse::<f64>() {
                Ok(value) => Ok(Measured { value: factor * value, interval: None }),
                Err(_) => Err(what.to_owned()),
            };
            Model {
                name: name.to_owned(),
                // The legend says the rest.
                label: if setting.contains(' ') { String::new() } else { setting.to_owned() },
                group: (group != "Unresolved").then(|| group.to_owned()),
                training: None,
                stage: Stage::Unknown,
                hash: String::new(),
                x: number(x, 1.0, &format!("{} flatness", case.to_lowercase())),
                y: number(y, factor, what),
            }
        })
        .collect();
    Ok(Models {
        models,
        x_label: format!("{case}-Case Flatness in RLoss ($\\xi={radius}$)"),
        y_label: y_label.to_owned(),
        y_name: what.to_owned(),
        by_method: true,
        looks: BTreeMap::new(),
        x_percent: false,
        percent: choice.y == Quantity::Error,
        notes: Vec::new(),
        provenance: vec![
            "29 adversarially trained ResNet-18 on CIFAR-10, read from the published figures of Stutz, Hein, Schiele (ICCV 2021)".to_owned(),
            "uncertainty: loss 0.005, average flatness 0.004, worst flatness 0.001, gap 0.008; identities partly inferred".to_owned(),
        ],
    })
}
