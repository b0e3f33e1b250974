//! An experiment folder as models and records.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::arrays::Array;
use super::evaluations::{Images, attack, attacked, clean, clean_file};
use super::imported::{Imported, stored};
use super::results::{Experiment, Network, attempts, find};
use super::{eigenvalues, events, flatness, landscapes};
use crate::attack::names::{PaperAttack, Recipe};
use crate::data::Split;
use crate::error::{Error, Result};
use crate::files::write_atomically;
use crate::record::{KeptExamples, Outcome, PerExample, Probabilities, Record};
use crate::study::{FORMAT, MEASURES, Model, Study, file_name};

/// Imports every experiment in a folder.
///
/// # Errors
/// There is none, or results cannot be written. Damaged files are notes.
pub fn experiments(source: &Path, out: &Path, data: &str) -> Result<Imported> {
    let found = find(source)?;
    if found.is_empty() {
        let what = "has no experiments of the paper's program (folders with classifier.pth.tar or probabilities.h5) and no \
             output.log of robust_overfitting or AT-AWP";
        return Err(Error::file(source, format!("{what}; give the folder above them, or a table as .csv")));
    }
    let mut all = Import {
        imported: Imported { study: Study { format: FORMAT, ..Study::default() }, ..Imported::default() },
        images: Images::of(data),
        out: out.to_owned(),
    };
    for experiment in &found {
        all.experiment(experiment, source, found.len() > 1)?;
    }
    Ok(all.imported)
}

struct Import {
    imported: Imported,
    images: Images,
    out: PathBuf,
}

/// One network of an experiment while its results are read.
struct Target<'a> {
    experiment: &'a Experiment,
    network: Network,
    checkpoint: PathBuf,
    /// Name of the model.
    name: String,
}

impl Import {
    fn experiment(&mut self, experiment: &Experiment, source: &Path, several: bool) -> Result<()> {
        let name = experiment.name();
        for network in experiment.all_networks() {
            let file = experiment.networks.get(&network).cloned();
            let target = Target {
                experiment,
                network,
                checkpoint: file.clone().unwrap_or_else(|| experiment.folder.join("classifier.pth.tar")),
                name: unique(&self.imported.study, format!("{name}{}", network.words())),
            };
            let mut numbers = BTreeMap::new();
            self.network(&target, &mut numbers)?;
            let group = experiment.folder.parent().and_then(Path::file_name).filter(|_| several);
            self.imported.study.models.push(Model {
                name: target.name.clone(),
                group: group.map(|group| group.to_string_lossy().into_owned()),
                checkpoint: file.map(|file| stored(&file, &self.out)),
                training: Some(stored(&experiment.folder, &self.out)),
                records: Vec::new(),
                numbers,
            });
        }
        for (number, file) in events::find(source, &name).into_iter().enumerate() {
            match events::scalars(&file) {
                Ok(scalars) => {
                    let suffix = if number == 0 { String::new() } else { format!("-{}", number + 1) };
                    let path = self.out.join("logs").join(format!("{}{suffix}.csv", file_name(&name)));
                    create(&path)?;
                    write_atomically(&path, events::csv(&scalars).as_bytes())?;
                }
                Err(error) => self.imported.notes.push(error.to_string()),
            }
        }
        Ok(())
    }

    /// The results of one network.
    fn network(&mut self, target: &Target, numbers: &mut BTreeMap<String, f64>) -> Result<()> {
        let (folder, network) = (&target.experiment.folder, target.network);
        if matches!(network, Network::Average | Network::CalibratedAverage | Network::AverageAt(_)) {
            // The program keeps no results of averages.
            return Ok(());
        }
        let mut rows: Option<PerExample> = None;
        for (split, train, name) in [(Split::Test, false, "clean-test"), (Split::Train, true, "clean-train")]
        {
            let file = clean_file(folder, train, &network.suffix());
            if !file.is_file() {
                continue;
            }
            match clean(&file, &target.checkpoint, split, &mut self.images) {
                Ok((record, kept)) => {
                    if let (Outcome::Evaluate(evaluation), false) = (&record.outcome, train) {
                        rows = Some(evaluation.clean.per_example.clone());
                    }
                    self.save(target, name, record, None, Some(kept))?;
                }
                Err(error) => self.imported.notes.push(error.to_string()),
            }
        }
        let Some(rows) = rows else { return Ok(()) };
        let robust = self.robust_rows(target, &rows);
        for name in &target.experiment.attacks {
            if let Err(error) = self.attack(target, name, &rows, robust.as_ref(), numbers) {
                self.imported.notes.push(error.to_string());
            }
        }
        if network == Network::Final {
            self.others(target, rows.label.len())?;
        }
        Ok(())
    }

    /// The results of one attack.
    fn attack(
        &mut self,
        target: &Target,
        name: &str,
        clean: &PerExample,
        robust: Option<&PerExample>,
        numbers: &mut BTreeMap<String, f64>,
    ) -> Result<()> {
        let folder = target.experiment.folder.join(name);
        if let Some(file) = inputs(&folder, target.network) {
            let (record, kept) = attack(name, &file, &target.checkpoint, clean, &mut self.images)?;
            return self.save(target, name, record, kept, None);
        }
        let weights = attempts(&folder, "probabilities", target.network);
        let joint = attempts(&folder, "perturbations", target.network);
        let joint: Vec<PathBuf> = joint.into_iter().filter(|file| is_joint(file)).collect();
        let files = if weights.is_empty() { joint } else { weights };
        if files.is_empty() {
            return Ok(());
        }
        let record = flatness::flatness(name, &files, &target.checkpoint, clean, robust, &mut self.images)?;
        if let Some(record) = record {
            return self.save(target, name, record, None, None);
        }
        // The settings are not known, so there is no job; the numbers are.
        let found = flatness::perturbed(&files, clean)?;
        let reference = super::evaluations::first(clean, found.count);
        let count = found.losses.len() as f64;
        let largest = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let of_clean = super::evaluations::error(&reference, &reference);
        numbers.extend(
            [
                ("loss", super::evaluations::loss(&reference)),
                ("error", of_clean),
                ("perturbed_loss", found.losses.iter().sum::<f64>() / count),
                ("perturbed_loss_max", largest(&found.losses)),
                ("perturbed_error", found.errors.iter().sum::<f64>() / count),
                ("perturbed_error_max", largest(&found.errors)),
            ]
            .map(|(what, value)| (format!("{name}:{what}"), value)),
        );
        let model = &target.name;
        self.imported.notes.push(format!(
            "{model}: the name {name} does not tell the attack's settings, so its losses are numbers and no record"
        ));
        Ok(())
    }

    /// Under the attack on inputs with the most attempts: the reference of robust flatness.
    fn robust_rows(&self, target: &Target, clean: &PerExample) -> Option<PerExample> {
        let found = target.experiment.attacks.iter().filter_map(|name| {
            let attack: PaperAttack = name.parse().ok()?;
            let Recipe::Pgd(_) = attack.recipe else { return None };
            let file = inputs(&target.experiment.folder.join(name), target.network)?;
            let count = Array::shape(&file, "errors").ok()?.get(1).copied()?;
            let rows = attacked(&file, clean.label.get(..count)?).ok()?.worst;
            (attack.images.split == Split::Test).then_some((attack.attempts, rows))
        });
        found.max_by_key(|(attempts, _)| *attempts).map(|(_, rows)| rows)
    }

    /// Landscapes and eigenvalues of the final network.
    fn others(&mut self, target: &Target, count: usize) -> Result<()> {
        let folder = &target.experiment.folder;
        for below in &target.experiment.visualizations {
            match landscapes::landscapes(folder, below, &target.checkpoint, count, &mut self.images) {
                Ok(records) if records.is_empty() => {
                    let file = folder.join(below);
                    self.imported.notes.push(format!(
                        "{}: not along one direction of weights by a known normalization, left out",
                        file.display()
                    ));
                }
                Ok(records) => {
                    let stem = below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("-");
                    for (number, record) in records.into_iter().enumerate() {
                        self.save(target, &format!("{stem}-{number}"), record, None, None)?;
                    }
                }
                Err(error) => self.imported.notes.push(error.to_string()),
            }
        }
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.sort();
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some(stem) = name.strip_suffix(".pkl").filter(|name| name.starts_with("eigenvalues_")) else {
                continue;
            };
            match eigenvalues::eigenvalues(&file, &target.checkpoint, count, &mut self.images) {
                Ok(record) => self.save(target, stem, record, None, None)?,
                Err(error) => self.imported.notes.push(error.to_string()),
            }
        }
        Ok(())
    }

    /// Writes a record and what is kept beside it.
    fn save(
        &mut self,
        target: &Target,
        name: &str,
        mut record: Record,
        examples: Option<KeptExamples>,
        probabilities: Option<Probabilities>,
    ) -> Result<()> {
        let folder = self.out.join(MEASURES).join(file_name(&target.name));
        let path = folder.join(format!("{}.json", file_name(name)));
        create(&path)?;
        let beside = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        if let Some(examples) = examples {
            let kept = KeptExamples::path_beside(&path);
            examples.save(&kept)?;
            record.examples = beside(&kept);
        }
        if let (Some(probabilities), Outcome::Evaluate(evaluation)) = (probabilities, &mut record.outcome) {
            let kept = Probabilities::path_beside(&path);
            probabilities.save(&kept)?;
            evaluation.probabilities = beside(&kept);
        }
        record.save(&path)?;
        self.imported.records += 1;
        Ok(())
    }
}

/// The folder of a file.
fn create(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(|e| Error::io("cannot create", folder, e))
}

/// The file of an attack on inputs: `perturbations.h5`, of a snapshot `perturbations10.h5`.
fn inputs(folder: &Path, network: Network) -> Option<PathBuf> {
    let number = match network {
        Network::Epoch(epoch) => epoch.to_string(),
        _ => String::new(),
    };
    let file = folder.join(format!("perturbations{number}.h5"));
    // Attacks on weights and inputs number attempts there.
    (file.is_file() && !is_joint(&file)).then_some(file)
}

/// Whether a file of perturbations is of one attempt on weights and inputs: images by their last axis, no attempts.
fn is_joint(file: &Path) -> bool {
    Array::shape(file, "errors").is_ok_and(|shape| shape.len() == 1)
}

/// A name that no model of the study has, not even as a file.
fn unique(study: &Study, name: String) -> String {
    let taken = |name: &str| study.models.iter().any(|model| file_name(&model.name) == file_name(name));
    std::iter::once(name.clone())
        .chain((2..).map(|number| format!("{name} ({number})")))
        .find(|name| !taken(name))
        .unwrap_or(name)
}
