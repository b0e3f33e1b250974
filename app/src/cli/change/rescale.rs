//! `basin rescale`: another network with the same function.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use basin_core::Error;
use basin_core::checkpoint::check_alike;
use basin_core::data::Dataset;
use basin_core::job::Examples;
use basin_core::model::{Network, Normalized, Norms, last_linear, normalized_layers, norms, rescaled};
use basin_core::run::change::{Agreement, agreement, images_for};
use clap::{Args, ValueEnum};

use super::{Destination, open};
use crate::cli::args::CheckpointArgs;
use crate::cli::failure::usage;
use crate::cli::printing::print;
use crate::cli::terminal::Terminal;

/// How sizes are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Size {
    /// Largest absolute value.
    Linf,
    /// Euclidean norm.
    L2,
    /// Sum of absolute values.
    L1,
}

impl Size {
    fn of(self, norms: Norms) -> f64 {
        match self {
            Self::Linf => norms.linf,
            Self::L2 => norms.l2,
            Self::L1 => norms.l1,
        }
    }
}

/// Which checkpoint, by how much, and where to.
#[derive(Debug, Args)]
pub struct RescaleArgs {
    #[command(flatten)]
    checkpoint: CheckpointArgs,
    /// Multiply every layer before a normalization by this; the running statistics behind it follow, so that the function
    /// stays as it is.
    #[arg(long, value_name = "F", required_unless_present = "like")]
    factor: Option<f64>,
    /// Give these layers the size that they have in another network.
    #[arg(long, value_name = "CHECKPOINT", conflicts_with = "factor")]
    like: Option<PathBuf>,
    /// With --like: which size.
    #[arg(long, value_enum, default_value = "linf", requires = "like")]
    norm: Size,
    /// With --like: each layer by a factor of its own.
    #[arg(long, requires = "like")]
    per_layer: bool,
    /// Multiply the last linear layer, too: the function changes, as logits are multiplied; predictions stay.
    #[arg(long)]
    last_layer: bool,
    /// Data set on which the two networks are compared.
    #[arg(long, default_value = "bundled")]
    data: String,
    /// Images on which they are compared.
    #[arg(long, value_name = "EXAMPLES", default_value = "test:0..200")]
    examples: Examples,
    #[command(flatten)]
    destination: Destination,
}

impl RescaleArgs {
    /// Writes the network, and says how it compares.
    ///
    /// # Errors
    /// A checkpoint cannot be opened, or has no layer before a normalization; the file cannot be written or is there
    /// already.
    pub fn run(self) -> Result<()> {
        let Self { checkpoint, factor, like, norm, per_layer, last_layer, data, examples, destination } =
            self;
        if let Some(factor) = factor.filter(|factor| !(factor.is_finite() && *factor > 0.0)) {
            return Err(usage(format!(
                "--factor {factor} is not possible; use a positive number such as 0.5"
            )));
        }
        let format = destination.check()?;
        let mut terminal = Terminal::new()?;
        let mut opened = open(&checkpoint.path(), &mut terminal)?;
        let layers = normalized_layers(&opened.network.topology);
        if layers.is_empty() && !last_layer {
            let reason = "has no layer before a normalization, so that none can be scaled without changing its function";
            return Err(Error::file(&opened.summary.path, reason).into());
        }
        let other = like.map(|path| open(&path, &mut terminal)).transpose()?;
        let last = last_linear(&opened.network.topology).filter(|_| last_layer);
        let factor_of = |names: &[&str]| -> Result<f64> {
            let Some(other) = &other else { return Ok(factor.unwrap_or(1.0)) };
            let size = |network: &Network| norm.of(norms(network, names.iter().copied()));
            let (own, wanted) = (size(&opened.network), size(&other.network));
            if own > 0.0 && wanted > 0.0 {
                return Ok(wanted / own);
            }
            let reason = format!("has only zeros in {}, which no factor changes", names.join(", "));
            Err(Error::file(&opened.summary.path, reason).into())
        };
        if let Some(other) = &other {
            check_alike(&opened, other)?;
        }
        let mut names: Vec<&str> = layers.iter().map(|layer| &*layer.layer).collect();
        names.extend(last);
        let all = if per_layer { 1.0 } else { factor_of(&names)? };
        let own = |name: &str| if per_layer { factor_of(&[name]) } else { Ok(all) };
        let factors: Vec<(Normalized, f64)> =
            layers.iter().map(|layer| Ok((layer.clone(), own(&layer.layer)?))).collect::<Result<_>>()?;
        let of_last = last.map(own).transpose()?;
        let scaled = rescaled(&opened.network, &factors, of_last);
        let mut text = String::new();
        let _ = writeln!(text, "{}", words(&factors, of_last));
        let before = norms(&opened.network, names.iter().copied());
        let after = norms(&scaled, names.iter().copied());
        for (name, size) in [("L2", Size::L2), ("L-inf", Size::Linf), ("L1", Size::L1)] {
            let _ = writeln!(
                text,
                "{name} norm of these layers: {:.4} before, {:.4} after",
                size.of(before),
                size.of(after)
            );
        }
        let dataset = images_for(&opened, &data, &examples)?;
        text += &compared(&opened.network, &scaled, &dataset, &format!("{data} {examples}"));
        drop(names);
        opened.network = scaled;
        text += &destination.write(&opened, format)?;
        print(&text)
    }
}

/// What was multiplied by what.
fn words(factors: &[(Normalized, f64)], of_last: Option<f64>) -> String {
    let all = factors.iter().map(|(_, factor)| *factor).chain(of_last);
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), f| (l.min(f), h.max(f)));
    let by = if low == high { format!("{low}") } else { format!("{low:.4} to {high:.4}") };
    let also = if of_last.is_some() { ", the last one among them" } else { "" };
    let count = factors.len() + usize::from(of_last.is_some());
    let layers = if count == 1 { "layer" } else { "layers" };
    format!("{count} {layers} multiplied by {by}{also}")
}

/// Errors of both networks on some images, and how far their logits are apart.
fn compared(before: &Network, after: &Network, dataset: &Dataset, images: &str) -> String {
    let Agreement { errors: [was, is], difference, largest } = agreement([before, after], dataset);
    let (was, is) = (100.0 * was, 100.0 * is);
    format!(
        "on {images}: error {was:.2} % before, {is:.2} % after; logits differ by {difference:.1e} at most (the largest is {largest:.1})\n"
    )
}
