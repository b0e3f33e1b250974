//! What the Model tab keeps between frames: search, expanded blocks, and the form of assumptions.

use std::collections::BTreeSet;
use std::path::PathBuf;

use basin_core::checkpoint::{Assumptions, OpenChoices, Summary};
use basin_core::model::{Activation, InputNormalization, Pooling, Shortcut};

use crate::ui::session::Model;

/// State of the tab for the checkpoint that is shown; another checkpoint begins anew.
#[derive(Debug, Default)]
pub(crate) struct ModelState {
    /// The checkpoint, and what is assumed of it.
    of: Option<(PathBuf, String)>,
    /// Search in names of tensors.
    pub search: String,
    /// Blocks and runs of blocks that show what is in them.
    pub expanded: BTreeSet<Expandable>,
    /// What is to be assumed.
    pub form: AssumeForm,
}

/// A part of the drawing that can be expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Expandable {
    /// The run of equal blocks that begins with this one.
    Run(usize),
    /// A block.
    Block(usize),
}

impl ModelState {
    /// Begins anew where another checkpoint, or another reading of it, is shown.
    pub fn follow(&mut self, model: &Model, summary: &Summary) {
        let of = (model.path.clone(), summary.assumed.clone());
        if self.of.as_ref() != Some(&of) {
            *self = Self { of: Some(of), form: AssumeForm::of(summary), ..Self::default() };
        }
    }

    /// Shows or hides what is in a part of the drawing.
    pub fn toggle(&mut self, part: Expandable) {
        if !self.expanded.remove(&part) {
            self.expanded.insert(part);
        }
    }
}

/// Fields of the form of assumptions.
#[derive(Debug, Default, Clone)]
pub(crate) struct AssumeForm {
    /// Name of the normalization; empty: the numbers of `custom`.
    pub normalization: String,
    /// `MEAN,MEAN,MEAN/STD,STD,STD`.
    pub custom: String,
    /// What a convolution in a shortcut sees.
    pub shortcut: Option<Shortcut>,
    /// The activation.
    pub activation: Option<Activation>,
    /// What follows the first convolution.
    pub pooling: Option<Pooling>,
}

/// What is assumed of a checkpoint now.
fn current(summary: &Summary) -> Assumptions {
    Assumptions::parse(&summary.assumed).unwrap_or_default()
}

impl AssumeForm {
    /// The form that says what is assumed now.
    fn of(summary: &Summary) -> Self {
        let Assumptions { normalization, choices, .. } = current(summary);
        let text = normalization.unwrap_or_default().to_string();
        let is_named = summary.open.normalization.contains(&text);
        let (normalization, custom) = if is_named { (text, String::new()) } else { (String::new(), text) };
        Self {
            normalization,
            custom,
            shortcut: choices.shortcut,
            activation: choices.activation.or_else(|| Activation::from_name(&summary.activation)),
            pooling: choices.pooling,
        }
    }

    /// What the form says; none: what is assumed already.
    ///
    /// # Errors
    /// The normalization cannot be used; one sentence.
    pub fn chosen(&self, summary: &Summary) -> Result<Option<Assumptions>, String> {
        let OpenChoices { normalization, shortcut, activation, pooling } = &summary.open;
        let now = current(summary);
        let mut chosen = now.clone();
        if !normalization.is_empty() {
            let text = if self.normalization.is_empty() { self.custom.trim() } else { &self.normalization };
            let channels = summary.resolution[0] as i64;
            let parsed = InputNormalization::parse(text)?;
            let fitted = parsed.for_channels(channels).map_err(|reason| format!("the images {reason}"))?;
            if now.normalization.as_ref().is_none_or(|now| !now.is_same(&fitted)) {
                chosen.normalization = Some(fitted);
            }
        }
        if !shortcut.is_empty() {
            chosen.choices.shortcut = self.shortcut;
        }
        if !pooling.is_empty() {
            chosen.choices.pooling = self.pooling;
        }
        let unchanged = self.activation.is_none_or(|activation| activation.name() == summary.activation);
        if !activation.is_empty() && !unchanged {
            chosen.choices.activation = self.activation;
        }
        Ok((chosen != now).then_some(chosen))
    }
}
