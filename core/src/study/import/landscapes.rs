//! Visualizations along one direction as landscapes.

use std::path::Path;

use super::arrays::Array;
use super::evaluations::{Images, provenance, record};
use super::results::{Network, attempts};
use crate::attack::Pgd;
use crate::attack::names::PaperAttack;
use crate::data::Split;
use crate::error::{Error, Result};
use crate::job::{DirectionKind, Job, Landscape, LandscapeLoss, Normalization, PaperToken, Range};
use crate::record::{Grid, LandscapeOutcome, Outcome, Record, Values};

/// Tells what the name of a folder says: the normalization, and whether examples are attacked.
struct Meaning {
    /// The attack whose directions and images they are.
    directions: String,
    normalize: Normalization,
    loss: LandscapeLoss,
    attack: Option<Pgd>,
}

impl Meaning {
    /// `<attack>_<normalization>[_adversarial]_visualization[/<loss attack>]`.
    fn of(folder: &Path) -> Option<Self> {
        let mut parts = folder.iter().map(|part| part.to_string_lossy().into_owned());
        let name = parts.next()?;
        let attack = parts.next();
        let stem = name.strip_suffix("_visualization")?;
        let (stem, fixed) = match stem.strip_suffix("_adversarial") {
            Some(stem) => (stem, false),
            None => (stem, attack.is_some()),
        };
        // The longest token that ends the name.
        let token = PaperToken::names()
            .flat_map(|name| [name.to_owned(), format!("{name}_rte")])
            .filter(|token| stem.ends_with(&format!("_{token}")))
            .max_by_key(String::len)?;
        let loss = match (&attack, fixed) {
            (None, _) => LandscapeLoss::Clean,
            (Some(_), true) => LandscapeLoss::RobustFixed,
            (Some(_), false) => LandscapeLoss::Robust,
        };
        let attack = attack.and_then(|name| name.parse::<PaperAttack>().ok()).and_then(|attack| attack.pgd());
        let directions = stem.strip_suffix(&format!("_{token}"))?.to_owned();
        Some(Self {
            directions,
            normalize: Normalization::Paper(PaperToken::try_from(token).ok()?),
            loss,
            attack,
        })
    }
}

/// A landscape for each direction of a visualization; none if it is not along one direction of the weights, or the
/// folder's name does not tell the normalization.
///
/// # Errors
/// The file is damaged, or there are no images.
pub fn landscapes(
    root: &Path,
    folder: &Path,
    checkpoint: &Path,
    count: usize,
    images: &mut Images,
) -> Result<Vec<Record>> {
    let file = root.join(folder).join("visualization.h5");
    let (Some(meaning), Ok(steps)) = (Meaning::of(folder), Array::read(&file, "steps")) else {
        return Ok(Vec::new());
    };
    let (losses, errors) = (Array::read(&file, "losses")?, Array::read(&file, "errors")?);
    let &[directions, points] = steps.shape.as_slice() else { return Ok(Vec::new()) };
    if losses.shape != steps.shape || errors.shape != steps.shape {
        let shape = &losses.shape;
        return Err(Error::file(
            &file,
            format!("has losses of shape {shape:?} at {directions} x {points} steps; copy it again"),
        ));
    }
    // The images are those of the attack.
    let of_attack = root.join(&meaning.directions);
    let of_draw = attempts(&of_attack, "probabilities", Network::Final).into_iter().next();
    let of_draw = of_draw.and_then(|file| Array::shape(&file, "probabilities").ok()?.first().copied());
    let count = of_draw.unwrap_or(count).min(count);
    let data = images.selection(Split::Test, count);
    let dataset = images.first(Split::Test, count)?;
    let one = |direction: usize| {
        let part = |array: &Array| array.values[direction * points..(direction + 1) * points].to_vec();
        let line = |array: &Array| Values::Line(part(array).into_iter().map(Some).collect());
        let x = part(&steps);
        let grid = Grid { loss: line(&losses), error: line(&errors) };
        let ends = x
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), step| (low.min(*step), high.max(*step)));
        let clean = meaning.loss == LandscapeLoss::Clean;
        let job = Landscape {
            checkpoint: checkpoint.to_owned(),
            data: data.clone(),
            direction: DirectionKind::Random(direction as u64),
            normalize: meaning.normalize.clone(),
            range: Range::new(ends.0, ends.1),
            steps: points,
            loss: meaning.loss,
            attack: meaning.attack.clone().unwrap_or_default(),
            ..Landscape::default()
        };
        let outcome = LandscapeOutcome {
            x,
            clean: clean.then(|| grid.clone()),
            robust: (!clean).then_some(grid),
            ..LandscapeOutcome::default()
        };
        let mut provenance = provenance(&file, checkpoint, dataset);
        provenance.warnings.push("its direction is that of the other program, not of this seed".into());
        if !clean && meaning.attack.is_none() {
            provenance.warnings.push("the settings of its attack are not known".into());
        }
        record(Job::Landscape(job), Outcome::Landscape(outcome), provenance)
    };
    Ok((0..directions).map(one).collect())
}
