//! `basin study init`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use basin_core::job::{DataSelection, Examples, Job, Split};
use basin_core::run::read_job;
use basin_core::study::{FILE, PlannedMeasure, Study, init, usual_measures};
use clap::Args;
use clap::builder::ValueParser;

use super::folder::{FolderArg, columns, counted, shown};
use crate::cli::failure::{say, usage};
use crate::cli::printing::print;

/// Options of `basin study init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    #[command(flatten)]
    folder: FolderArg,
    /// Every network that a training kept is a model, not only its last one.
    #[arg(long)]
    snapshots: bool,
    /// Data set of the measures of a new study: a name or a folder [default: bundled].
    #[arg(long, value_name = "NAME|DIR")]
    data: Option<String>,
    /// Test images of the measures; those of evaluations on training images have the same numbers [default: test:0..100].
    #[arg(long, value_name = "RANGE", value_parser = ValueParser::new(|text: &str| text.parse::<Examples>().map_err(|e| e.to_string())))]
    examples: Option<Examples>,
    /// Measure by this job in place of the usual ones (evaluation on test and training images, average and worst
    /// flatness of the robust loss); several can be given. NAME stands in file names [default: that of the job's file].
    #[arg(long = "measure", value_name = "NAME=JOB.json", conflicts_with_all = ["data", "examples"])]
    measures: Vec<String>,
}

impl InitArgs {
    pub fn run(self) -> Result<()> {
        let folder = &self.folder.folder;
        let is_new = !Study::is_at(folder);
        let plans = self.data.is_some() || self.examples.is_some() || !self.measures.is_empty();
        if !is_new && plans {
            let file = folder.join(FILE);
            return Err(usage(format!("{} has its measures; change them there", file.display())));
        }
        let (study, added) = init(folder, self.snapshots, self.plan()?)?;
        study.save(folder)?;
        let rows = study.models.iter().map(|model| {
            let path = |path: &Option<PathBuf>| {
                path.as_ref().map_or_else(String::new, |path| path.display().to_string())
            };
            vec![model.name.clone(), model.group.clone().unwrap_or_default(), path(&model.checkpoint)]
        });
        let header = ["model", "group", "checkpoint"].map(str::to_owned).to_vec();
        print(&columns(&std::iter::once(header).chain(rows).collect::<Vec<_>>()))?;
        let measures: Vec<&str> = study.measures.iter().map(|measure| &*measure.name).collect();
        let plan = match &*measures {
            [] => "no measures in study.json".to_owned(),
            measures => format!("to be measured by {}", measures.join(", ")),
        };
        say(format!(
            "{} ({} new), {} and {} found; {plan}",
            counted(study.models.len(), "model"),
            added.models,
            counted(added.trainings, "training"),
            counted(added.records, "record"),
        ));
        say(format!(
            "written: {}; next: basin study {} {}",
            folder.join(FILE).display(),
            if measures.is_empty() { "status" } else { "measure" },
            shown(folder)
        ));
        Ok(())
    }

    fn plan(&self) -> Result<Vec<PlannedMeasure>> {
        if !self.measures.is_empty() {
            return self.measures.iter().map(|text| planned(text)).collect();
        }
        let usual = DataSelection::default();
        let examples = self.examples.unwrap_or(usual.examples);
        if examples.split != Split::Test {
            return Err(usage(format!("{examples} are not test images; give those, such as test:0..1000")));
        }
        Ok(usual_measures(&DataSelection { name: self.data.clone().unwrap_or(usual.name), examples }))
    }
}

/// A measure as `NAME=JOB.json` or `JOB.json`.
fn planned(text: &str) -> Result<PlannedMeasure> {
    let (name, file) = match text.split_once('=') {
        Some((name, file)) if !Path::new(text).exists() => (Some(name), file),
        _ => (None, text),
    };
    let job = read_job(Path::new(file))?.on(Path::new(""));
    if let Job::Train(_) = job {
        return Err(usage(format!("{file} is a training, which measures nothing; use basin train")));
    }
    let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(PlannedMeasure { name: name.map_or(stem, str::to_owned), job })
}
