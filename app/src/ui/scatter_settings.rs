//! What the Scatter tab shows.

use std::sync::Arc;

use basin_core::job::{Case, FlatnessLoss};
use basin_core::record::Record;
use serde::{Deserialize, Serialize};

use crate::plot::scatter::{self, Choice, Lines, Look, Models, Quantity};

/// Whose points are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Source {
    /// Checkpoints with open records.
    #[default]
    Study,
    /// The 29 published models.
    Published,
    /// Both, to place one's own models.
    Both,
}

/// What the tab shows; remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScatterSettings {
    /// Whose points.
    pub source: Source,
    /// Flatness of which loss.
    pub loss: FlatnessLoss,
    /// Average or worst case.
    pub case: Case,
    /// Vertical axis.
    pub y: Quantity,
    /// Of an open study: the numbers on the axes by their names; none: flatness and robust loss.
    pub axes: [Option<String>; 2],
    /// Logarithmic axes, x and y.
    pub log: [bool; 2],
    /// Least squares line.
    pub line: bool,
    /// Its confidence band.
    pub band: bool,
    /// Names beside the points.
    pub labels: bool,
}

impl Default for ScatterSettings {
    fn default() -> Self {
        Self {
            source: Source::default(),
            loss: FlatnessLoss::Robust,
            case: Case::Average,
            y: Quantity::default(),
            axes: [None, None],
            log: [false; 2],
            line: true,
            band: false,
            labels: false,
        }
    }
}

impl ScatterSettings {
    /// What is plotted.
    pub fn choice(&self) -> Choice {
        Choice { loss: self.loss, case: self.case, radius: None, y: self.y }
    }

    /// How it is drawn.
    pub fn look(&self) -> Look {
        let [log_x, log_y] = self.log;
        let lines = match (self.line, self.band) {
            (false, _) => Lines::None,
            (true, false) => Lines::One,
            (true, true) => Lines::Band,
        };
        Look { log_x, log_y, lines, labels: self.labels, ..Look::default() }
    }

    /// The models of the records, the published ones, or both.
    ///
    /// # Errors
    /// The published models do not have what is asked for.
    pub fn models(&self, records: &[Arc<Record>]) -> Result<Models, String> {
        let parts: Vec<_> = records.iter().flat_map(|record| record.parts()).collect();
        let records: Vec<&Record> = parts.iter().map(|part| &**part).collect();
        let own = || scatter::from_records(&records, &self.choice(), &[], &[]);
        match self.source {
            Source::Study => Ok(own()),
            Source::Published => scatter::published::models(&self.choice()),
            Source::Both => {
                let published = scatter::published::models(&self.choice())?;
                let mut all = own();
                let own_count = all.models.len();
                all.models.extend(published.models);
                all.models[own_count..].iter_mut().for_each(|model| model.group = Some("Published".into()));
                all.x_label = published.x_label;
                all.provenance.extend(published.provenance);
                Ok(all)
            }
        }
    }
}
