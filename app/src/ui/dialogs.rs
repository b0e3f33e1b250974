//! Native file dialogs. They block their thread, so they are asked on a worker thread.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rfd::FileDialog;

use crate::ui::answers::Purpose;

/// What a dialog is to ask.
#[derive(Debug, Clone)]
pub struct Request {
    /// Why.
    pub purpose: Purpose,
    /// Where to start.
    pub folder: Option<PathBuf>,
    /// File name to start from, when saving.
    pub suggestion: Option<String>,
}

/// Endings of records, and of what becomes one.
const RECORDS: [&str; 5] = ["json", "h5", "hdf5", "npz", "csv"];

/// No human dismisses a dialog this fast: it never appeared.
const TOO_FAST: Duration = Duration::from_millis(250);

/// Asks; no paths: dismissed. None: the desktop has no file dialog.
pub fn ask(request: &Request) -> Option<Vec<PathBuf>> {
    let asked = Instant::now();
    let paths = show(request);
    (!paths.is_empty() || asked.elapsed() >= TOO_FAST).then_some(paths)
}

fn show(request: &Request) -> Vec<PathBuf> {
    let mut dialog = FileDialog::new();
    if let Some(folder) = &request.folder {
        dialog = dialog.set_directory(folder);
    }
    let one = |path: Option<PathBuf>| path.into_iter().collect();
    match request.purpose {
        Purpose::OpenCheckpoints => dialog
            .set_title("Open checkpoint")
            .add_filter("Checkpoints", &["tar", "pth", "pt", "ckpt", "safetensors"])
            .add_filter("All files", &["*"])
            .pick_files()
            .unwrap_or_default(),
        Purpose::OpenRecords => dialog
            .set_title("Open record")
            .add_filter("Records and landscapes of other programs", &RECORDS)
            .add_filter("Basin records", &["json"])
            .pick_files()
            .unwrap_or_default(),
        Purpose::OpenFolder => one(dialog.set_title("Open folder").pick_folder()),
        Purpose::Data => one(dialog.set_title("Choose the folder of the data set").pick_folder()),
        Purpose::TrainingData => one(dialog.set_title("Choose the folder of the data set").pick_folder()),
        Purpose::TrainingFolder => one(dialog.set_title("Choose the folder of the training").pick_folder()),
        Purpose::Export => {
            let name = request.suggestion.clone().unwrap_or_default();
            one(dialog.set_title("Export").set_file_name(name).save_file())
        }
    }
}
