//! What stands behind `_f100`: one change of the training each.

use super::Preset;
use super::parse::Reader;
use crate::error::Result;
use crate::train::{Average, EntropySgd, Labels, Method, Optimizer, Schedule, Sharpness};

/// The paper's learning rate for Adam.
const ADAM_RATE: f64 = 0.1;

/// The weight decay of every name with one in the paper's registry.
const REGISTERED_DECAY: f64 = 0.001;

/// Reads one variant and changes the training accordingly.
pub(super) fn apply(reader: &mut Reader, preset: &mut Preset) -> Result<()> {
    let Preset { train, notes } = preset;
    let mut note = |text: &str| notes.push(text.to_owned());
    if reader.take("extr_uncal") || reader.take("extr") {
        note(
            "trains the averaged model; average.safetensors and average-calibrated.safetensors are what the paper extracts from it",
        );
        train.average.get_or_insert_with(Average::default);
    } else if train.method == Method::Normal && reader.take("ssl") {
        train.method = Method::Rotation { weight: reader.code()?, fraction: 0.0 };
        note("rotations are learned from clean images; not in the paper, whose names begin with at_ssl");
    } else if reader.take("slog05") || reader.take("slog2") || reader.take("s05") || reader.take("s2") {
        note("trains the plain model; the paper rescales a copy of it afterwards");
    } else if reader.take("sam") {
        train.sharpness = Sharpness::Sam { radius: reader.code()?, adaptive: false };
    } else if reader.take("asam") {
        train.sharpness = Sharpness::Sam { radius: reader.code()?, adaptive: true };
    } else if reader.take("ema") {
        train.average = Some(Average::ema(reader.code()?));
    } else if reader.take("wa") {
        let mut average = Average::default();
        if let Ok(tau) = reader.code() {
            average.tau = if reader.registered { average.tau } else { tau };
            note(&ignored(reader, "averages with tau 0.9975"));
        }
        train.average = Some(average);
    } else if reader.take("adam") {
        train.optimizer = Optimizer::adam(ADAM_RATE);
    } else if reader.take("esgd") {
        let inner_steps = reader.whole()?;
        train.optimizer = Optimizer::EntropySgd(EntropySgd { inner_steps, ..EntropySgd::default() });
        // As many batches as the other trainings see.
        train.epochs = match inner_steps {
            0 | 1 => 150,
            n => 150 / n,
        };
        train.schedule = Schedule::fifths(train.epochs);
    } else if reader.take("es") {
        train.early_stopping = true;
    } else if reader.take("late") {
        train.schedule = Schedule::MultiStep { milestones: vec![140, 145], gamma: 0.1 };
    } else if reader.take("lrf") {
        let gamma = reader.code()?;
        if let Schedule::MultiStep { gamma: factor, .. } = &mut train.schedule {
            *factor = gamma;
        }
    } else if reader.take("lr") {
        set_rate(&mut train.optimizer, reader.code()?);
    } else if reader.take("const") {
        set_rate(&mut train.optimizer, reader.code()?);
        train.schedule = Schedule::Constant;
    } else if reader.take("cyc") {
        let mut cycles = 1;
        if let Ok(number) = reader.whole() {
            cycles = if reader.registered { 1 } else { number };
            note(&ignored(reader, "makes one cycle of 30 epochs"));
        }
        train.schedule = Schedule::cycle();
        train.epochs = Schedule::CYCLE * cycles;
    } else if reader.take("nowd") {
        set_decay(&mut train.optimizer, 0.0);
    } else if reader.take("wd") {
        let mut decay = reader.code()?;
        if (decay - REGISTERED_DECAY).abs() > 1e-12 {
            decay = if reader.registered { REGISTERED_DECAY } else { decay };
            note(&ignored(reader, "uses a weight decay of 0.001"));
        }
        set_decay(&mut train.optimizer, decay);
    } else if reader.take("ls") {
        train.labels = Labels::Smoothed(reader.code()?);
    } else if reader.take("ln") {
        train.labels = Labels::Noisy(reader.code()?);
    } else if reader.take("b") {
        train.batch_size = reader.whole()?;
    } else {
        return Err(reader.unknown());
    }
    Ok(())
}

/// A variant without its number.
fn word(variant: &str) -> &str {
    variant.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// Whether a variant brings another optimizer or schedule, whose settings others may change.
pub(super) fn replaces_much(variant: &str) -> bool {
    ["adam", "esgd", "late"].contains(&word(variant))
}

/// What a variant decides: two of a name must not decide the same.
pub(super) fn decides(variant: &str) -> &'static [&'static str] {
    match word(variant) {
        "ls" | "ln" => &["labels"],
        "wa" | "ema" => &["average"],
        "extr" | "extr_uncal" => &["extraction"],
        "s" | "slog" => &["scale"],
        "ssl" => &["method"],
        "sam" | "asam" => &["sharpness"],
        "adam" => &["optimizer"],
        "esgd" => &["optimizer", "milestones", "epochs"],
        "lr" => &["learning rate"],
        "late" => &["milestones"],
        "lrf" => &["factor"],
        "const" => &["learning rate", "milestones", "factor"],
        "cyc" => &["learning rate", "milestones", "factor", "epochs"],
        "wd" | "nowd" => &["weight decay"],
        "b" => &["batch size"],
        "es" => &["early stopping"],
        _ => &[],
    }
}

/// The note on a number that the paper's program ignores.
fn ignored(reader: &Reader, does: &str) -> String {
    match reader.registered {
        true => format!("as the paper's program, this {does} whatever the name says"),
        false => format!("the paper's program {does} whatever the name says; --as-in-paper does so, too"),
    }
}

fn set_rate(optimizer: &mut Optimizer, rate: f64) {
    match optimizer {
        Optimizer::Sgd { learning_rate, .. } | Optimizer::Adam { learning_rate, .. } => *learning_rate = rate,
        Optimizer::EntropySgd(entropy) => entropy.learning_rate = rate,
    }
}

fn set_decay(optimizer: &mut Optimizer, decay: f64) {
    match optimizer {
        Optimizer::Sgd { weight_decay, .. } | Optimizer::Adam { weight_decay, .. } => *weight_decay = decay,
        Optimizer::EntropySgd(entropy) => entropy.weight_decay = decay,
    }
}
