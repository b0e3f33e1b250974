//! HDF5: the layout of loss-landscape, and that of the paper's program.
//!
//! loss-landscape writes `xcoordinates`, `ycoordinates` (in 2-D), `train_loss` and `train_acc` (percent), with −1 where
//! a point is not computed yet, and `dir_file`, the name of the file with its directions. Values stand row by row along
//! y. Basin adds `robust_loss` and `robust_acc`.
//!
//! The paper's program writes, for each attempt (pair of directions), `steps` or `xsteps` and `ysteps`, `losses` and
//! `errors` (shares), in 2-D indexed by x first; a landscape is the mean over attempts, as in its figures.

use std::path::Path;

use hdf5_pure::{AttrValue, File, FileBuilder};

use super::table::{Cells, Layer, MOST_CELLS, Table, finite};
use crate::measure::landscape::{Grid, LandscapeOutcome, Values};

/// Reads either layout.
///
/// # Errors
/// A sentence with what is missing or does not fit.
pub(super) fn read(path: &Path) -> Result<Table, String> {
    let damaged = |error| format!("is truncated, damaged or no HDF5 file ({error})");
    let file = File::open_streaming(path).map_err(damaged)?;
    let content = Content { names: file.root().datasets().map_err(damaged)?, file };
    if content.has("xcoordinates") {
        loss_landscape(&content)
    } else if content.has("losses") && (content.has("steps") || content.has("xsteps")) {
        paper(&content, under_attack(path))
    } else {
        let needed =
            "xcoordinates and train_loss (of loss-landscape), or steps and losses (of the paper's program)";
        Err(format!("holds no landscape: it has {}; a landscape has {needed}", content.list()))
    }
}

/// An open file.
struct Content {
    file: File,
    names: Vec<String>,
}

/// An array with its shape.
struct Array {
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl Content {
    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|other| other == name)
    }

    fn list(&self) -> String {
        match self.names.len() {
            0 => "no data sets".into(),
            count if count > 12 => {
                format!("{} and {} more data sets", self.names[..12].join(", "), count - 12)
            }
            _ => self.names.join(", "),
        }
    }

    fn get(&self, name: &str) -> Result<Array, String> {
        if !self.has(name) {
            return Err(format!("has no data set {name}; it has {}", self.list()));
        }
        let failed = |error| format!("has a data set {name} that cannot be read ({error})");
        let dataset = self.file.dataset(name).map_err(failed)?;
        let shape: Vec<usize> = dataset
            .shape()
            .map_err(failed)?
            .into_iter()
            .map(|size| usize::try_from(size).unwrap_or(usize::MAX))
            .collect();
        let count = shape.iter().try_fold(1_usize, |all, size| all.checked_mul(*size));
        if count.is_none_or(|count| count > 64 * MOST_CELLS) {
            return Err(format!("has a data set {name} of the shape {shape:?}, which is too large"));
        }
        let values = dataset.read_f64().map_err(failed)?;
        if Some(values.len()) != count {
            return Err(format!("has a data set {name} that holds less than its shape {shape:?} says"));
        }
        Ok(Array { shape, values })
    }

    fn steps(&self, name: &str) -> Result<Vec<f64>, String> {
        let array = self.get(name)?;
        match array.shape[..] {
            [_] => Ok(array.values),
            _ => Err(format!("has a data set {name} of the shape {:?}; steps are one list", array.shape)),
        }
    }
}

fn loss_landscape(content: &Content) -> Result<Table, String> {
    let x = content.steps("xcoordinates")?;
    let y = if content.has("ycoordinates") { Some(content.steps("ycoordinates")?) } else { None };
    let (columns, rows) = (x.len(), y.as_ref().map_or(1, Vec::len));
    // Negative numbers stand for points that are not computed.
    let cells = |name: &str| -> Result<Cells, String> {
        let array = content.get(name)?;
        let fits = match array.shape[..] {
            [only] => y.is_none() && only == columns,
            // Points are counted along x first, whatever the shape says.
            [a, b] => (a, b) == (rows, columns) || (y.is_some() && (a, b) == (columns, rows)),
            _ => false,
        };
        if !fits {
            let grid = if y.is_some() { format!("{columns} x {rows}") } else { columns.to_string() };
            return Err(format!("has {name} of the shape {:?} for a grid of {grid} points", array.shape));
        }
        Ok(array.values.into_iter().map(|value| finite(value).filter(|value| *value != -1.0)).collect())
    };
    let layer = |of: &str| -> Result<Option<Layer>, String> {
        let (loss, accuracy) = (format!("{of}_loss"), format!("{of}_acc"));
        if !content.has(&loss) {
            return Ok(None);
        }
        let error = if content.has(&accuracy) { Some(cells(&accuracy)?) } else { None };
        let error =
            error.map(|cells| cells.into_iter().map(|acc| acc.map(|acc| 1.0 - acc / 100.0)).collect());
        Ok(Some(Layer { loss: cells(&loss)?, error }))
    };
    let (train, test, robust) = (layer("train")?, layer("test")?, layer("robust")?);
    let mut warnings = Vec::new();
    if train.is_some() && test.is_some() {
        warnings.push("the loss is train_loss; test_loss of the same file is left out".to_owned());
    }
    if train.is_none() && test.is_none() && robust.is_none() {
        return Err(format!("has the steps of a landscape but no train_loss; it has {}", content.list()));
    }
    Ok(Table {
        layout: "HDF5 of loss-landscape",
        x,
        y,
        clean: train.or(test),
        robust,
        cosine: None,
        warnings,
    })
}

/// Whether the paper's program wrote a file of this path on adversarial examples: it says so in folders.
fn under_attack(path: &Path) -> bool {
    let folders: Vec<String> = path
        .parent()
        .map(|folder| folder.iter().map(|part| part.to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    let visualization = folders.iter().rposition(|folder| folder.ends_with("visualization"));
    visualization
        .is_some_and(|at| at + 1 < folders.len() || folders[at].contains("adversarial_visualization"))
}

fn paper(content: &Content, robust: bool) -> Result<Table, String> {
    let plane = content.has("xsteps");
    let losses = content.get("losses")?;
    let dimensions = if plane { 3 } else { 2 };
    if losses.shape.len() != dimensions {
        let expected = if plane { "attempts x steps x steps" } else { "attempts x steps" };
        return Err(format!("has losses of the shape {:?}, expected is {expected}", losses.shape));
    }
    let attempts = losses.shape[0];
    let [width, height] = [losses.shape[1], losses.shape.get(2).copied().unwrap_or(1)];
    let like_losses = |name: &str| -> Result<Array, String> {
        let array = content.get(name)?;
        if array.shape == losses.shape {
            Ok(array)
        } else {
            Err(format!("has {name} of the shape {:?}, but losses of {:?}", array.shape, losses.shape))
        }
    };
    // Of the first attempt; all have the same.
    let axis = |name: &str, along: usize, count: usize| -> Result<Vec<f64>, String> {
        let array = like_losses(name)?;
        let steps: Vec<f64> =
            (0..count).map(|i| array.values.get(i * along).copied().unwrap_or(0.0)).collect();
        let same = array.values.iter().enumerate().all(|(at, step)| *step == steps[at / along % count]);
        if same { Ok(steps) } else { Err(format!("has {name} that differ between attempts or are no grid")) }
    };
    let (x, y) = if plane {
        (axis("xsteps", height, width)?, Some(axis("ysteps", 1, height)?))
    } else {
        (axis("steps", 1, width)?, None)
    };
    // From attempts, x, y to the mean by y, x.
    let mean = |array: &Array| -> Cells {
        let at = |attempt: usize, x: usize, y: usize| array.values[(attempt * width + x) * height + y];
        let of = |x: usize, y: usize| {
            finite((0..attempts).map(|attempt| at(attempt, x, y)).sum::<f64>() / attempts as f64)
        };
        (0..height).flat_map(|y| (0..width).map(move |x| of(x, y))).collect()
    };
    let error = if content.has("errors") { Some(mean(&like_losses("errors")?)) } else { None };
    let layer = Some(Layer { loss: mean(&losses), error });
    let (clean, robust) = if robust { (None, layer) } else { (layer, None) };
    let several = (attempts > 1).then(|| format!("values are the mean over {attempts} attempts"));
    let cosine = content.get("similarities").ok().filter(|_| attempts == 1);
    Ok(Table {
        layout: "HDF5 of the paper's program",
        x,
        y,
        clean,
        robust,
        cosine: cosine.and_then(|array| array.values.first().copied()),
        warnings: several.into_iter().collect(),
    })
}

/// A landscape in the layout of loss-landscape; `about` says where it comes from.
///
/// # Errors
/// A sentence: the file cannot be made.
pub fn hdf5(outcome: &LandscapeOutcome, about: &str) -> Result<Vec<u8>, String> {
    let mut file = FileBuilder::new();
    let (columns, rows) = (outcome.x.len() as u64, outcome.y.as_ref().map(|y| y.len() as u64));
    let shape: Vec<u64> = rows.into_iter().chain([columns]).collect();
    file.set_attr("source", AttrValue::String(about.to_owned()));
    file.create_dataset("dir_file").with_vlen_strings(&[about]).with_shape(&[]);
    file.create_dataset("xcoordinates").with_f64_data(&outcome.x).with_shape(&[columns]);
    if let (Some(y), Some(rows)) = (&outcome.y, rows) {
        file.create_dataset("ycoordinates").with_f64_data(y).with_shape(&[rows]);
    }
    let missing = -1.0;
    for (name, grid) in [("train", &outcome.clean), ("robust", &outcome.robust)] {
        let Some(Grid { loss, error }) = grid else { continue };
        let mut add = |name: String, values: &Values, of: &dyn Fn(f64) -> f64| {
            let values: Vec<f64> = values.iter().map(|value| value.map_or(missing, of)).collect();
            file.create_dataset(&name).with_f64_data(&values).with_shape(&shape);
        };
        add(format!("{name}_loss"), loss, &|loss| loss);
        if error.iter().any(|error| error.is_some()) {
            add(format!("{name}_acc"), error, &|error| 100.0 * (1.0 - error));
        }
    }
    file.finish().map_err(|error| format!("cannot be made ({error})"))
}
