//! Reading a name from left to right.

use super::variant::{apply, decides, replaces_much};
use super::{Preset, decode};
use crate::attack::weights::{Ball, Descent, Sampling, WeightGradient};
use crate::attack::{Objective, Pgd};
use crate::error::{Error, Result};
use crate::train::{Awp, Curriculum, EvaluationSettings, Method, Sharpness, Train, WeightAttack};

/// The rest of a name, with the whole for messages.
pub(super) struct Reader<'a> {
    name: &'a str,
    rest: &'a str,
    /// Numbers are those of the paper's registry where it does not do what a name says.
    pub registered: bool,
}

impl<'a> Reader<'a> {
    /// Takes a literal, if it is next.
    pub fn take(&mut self, literal: &str) -> bool {
        match self.rest.strip_prefix(literal) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes a literal that must be next.
    pub fn expect(&mut self, literal: &str) -> Result<()> {
        if self.take(literal) { Ok(()) } else { Err(self.unknown()) }
    }

    /// Takes digits and decodes them.
    pub fn code(&mut self) -> Result<f64> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let value = decode(&self.rest[..end]).ok_or_else(|| self.unknown())?;
        self.rest = &self.rest[end..];
        Ok(value)
    }

    /// Takes digits that are a whole number.
    pub fn whole(&mut self) -> Result<usize> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let value = self.rest[..end].parse().map_err(|_| self.unknown())?;
        self.rest = &self.rest[end..];
        Ok(value)
    }

    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn unknown(&self) -> Error {
        let place = match self.rest {
            "" => "it ends too early".to_owned(),
            rest if rest == self.name => "it begins like no model".to_owned(),
            rest => format!("{rest:?} is not understood"),
        };
        Error::invalid(format!(
            "{:?} is no name of a model: {place}; `basin train --list` shows them",
            self.name
        ))
    }
}

pub(super) fn parse(name: &str, registered: bool) -> Result<Preset> {
    let (base, early_stopping) = name.strip_suffix("_es").map_or((name, false), |base| (base, true));
    let mut reader = Reader { name, rest: base, registered };
    let mut preset = Preset {
        train: Train { name: name.to_owned(), early_stopping, ..Train::default() },
        notes: Vec::new(),
    };
    if reader.rest.starts_with(|c: char| c.is_ascii_digit()) {
        preset.train.clipping = Some(reader.code()?);
        reader.expect("p_")?;
    }
    if reader.take("normal_training") {
        preset.train.method = Method::Normal;
        variants(&mut reader, &mut preset)?;
    } else if reader.take("threshold_awit_") {
        weights(&mut reader, &mut preset.train, Curriculum::Threshold(2.1))?;
        variants(&mut reader, &mut preset)?;
    } else if reader.take("simple_awit_") {
        weights(&mut reader, &mut preset.train, Curriculum::Simple)?;
        preset.notes.push("the simple curriculum uses one perturbation, whatever the population".into());
        variants(&mut reader, &mut preset)?;
    } else {
        inputs(&mut reader, &mut preset)?;
    }
    if reader.is_done() { Ok(preset) } else { Err(reader.unknown()) }
}

/// Everything but weight perturbation.
fn inputs(reader: &mut Reader, preset: &mut Preset) -> Result<()> {
    let train = &mut preset.train;
    let adversarial = |fraction, ignore_incorrect, prevent_label_leaking| Method::Adversarial {
        fraction,
        ignore_incorrect,
        prevent_label_leaking,
    };
    let mut needs_full = true;
    if reader.take("trades") {
        train.method = Method::Trades { weight: reader.code()? };
        reader.expect("_")?;
        pgd(reader, train)?;
        train.attack.objective = Objective::Kl;
    } else if reader.take("mart") {
        train.method = Method::Mart { weight: reader.code()? };
        reader.expect("_")?;
        pgd(reader, train)?;
    } else {
        reader.expect("at_")?;
        if reader.take("pll_") {
            train.method = adversarial(1.0, false, true);
        } else if reader.take("ii_") {
            train.method = adversarial(1.0, true, false);
        } else if reader.take("ssl") {
            let weight = reader.code()?;
            reader.expect("_")?;
            train.method = Method::Rotation { weight, fraction: 0.5 };
            preset
                .notes
                .push("in the paper's program only half of each batch is attacked, despite f100".into());
        } else if reader.take("tau") {
            train.attack.tau = Some(reader.whole()? as u32);
            reader.expect("_")?;
        } else {
            train.method = adversarial(0.5, false, false);
            needs_full = false;
        }
        pgd(reader, train)?;
    }
    if !reader.take("_f100") {
        return if needs_full { Err(reader.unknown()) } else { Ok(()) };
    }
    if !needs_full {
        train.method = adversarial(1.0, false, false);
    }
    variants(reader, preset)
}

/// The variants to the end of the name. What they are does not depend on their order: those that replace what others
/// change come first.
fn variants(reader: &mut Reader, preset: &mut Preset) -> Result<()> {
    let mut found: Vec<&str> = Vec::new();
    // A name that begins with weight perturbation has decided this.
    let is_perturbed = preset.train.sharpness != Sharpness::None;
    // Notes and changes of this reading are not kept.
    let mut scratch = preset.clone();
    while reader.take("_") {
        let variant = reader.rest;
        apply(reader, &mut scratch).map_err(|_| Reader { rest: variant, ..*reader }.unknown())?;
        found.push(&variant[..variant.len() - reader.rest.len()]);
    }
    for (number, variant) in found.iter().enumerate() {
        let what = decides(variant);
        let shares = |other: &&&str| decides(other).iter().any(|setting| what.contains(setting));
        let earlier = found[..number].iter().find(shares).copied();
        let perturbed = (is_perturbed && what.contains(&"sharpness")).then_some("awit");
        if let Some(earlier) = earlier.or(perturbed) {
            return Err(Error::invalid(format!(
                "{:?} is no name of a model: {earlier:?} and {variant:?} decide the same setting; leave one out",
                reader.name
            )));
        }
    }
    found.sort_by_key(|variant| !replaces_much(variant));
    for variant in found {
        apply(&mut Reader { rest: variant, ..*reader }, preset)?;
    }
    Ok(())
}

/// The attack on inputs.
fn pgd(reader: &mut Reader, train: &mut Train) -> Result<()> {
    reader.expect("linf_gd_normalized_lr")?;
    let step_size = reader.code()?;
    reader.expect("_mom")?;
    let momentum = reader.code()?;
    reader.expect("_i")?;
    let steps = reader.whole()?;
    reader.expect("_e")?;
    let epsilon = reader.code()?;
    train.attack = Pgd { step_size, momentum, steps, epsilon, ..train.attack.clone() };
    // An epsilon of the method's own does not change the threat model.
    let threat = EvaluationSettings::PAPER_EPSILON;
    train.evaluation.epsilon = (epsilon != threat).then_some(threat);
    Ok(())
}

/// Weight perturbation.
fn weights(reader: &mut Reader, train: &mut Train, curriculum: Curriculum) -> Result<()> {
    let attack = if reader.take("nonb_l2_random_e") {
        WeightAttack::Random { ball: Ball::layerwise(reader.code()?), sampling: Sampling::Sphere }
    } else if reader.take("nonb_l2_gd_fgsm_lwrl2normalized_e") {
        let descent = Descent { epochs: 1, step_size: reader.code()?, start: None, ..Descent::default() };
        WeightAttack::Descent { descent, ball: None }
    } else {
        if !reader.take("nonb2_l2_gd_normalized") {
            reader.expect("nonb_l2_gd")?;
        }
        let gradient = if reader.take("_lwrl2normalized") {
            WeightGradient::LayerRelativeL2
        } else if reader.take("_rl2normalized") {
            WeightGradient::RelativeL2
        } else if reader.take("_l2normalized") {
            WeightGradient::L2
        } else {
            WeightGradient::Raw
        };
        reader.expect("_lr")?;
        let step_size = reader.code()?;
        reader.expect("_mom")?;
        let momentum = reader.code()?;
        reader.expect("_i")?;
        let epochs = reader.whole()?;
        reader.expect("_e")?;
        let ball = Some(Ball::layerwise(reader.code()?));
        WeightAttack::Descent {
            descent: Descent { epochs, step_size, momentum, gradient, ..Descent::default() },
            ball,
        }
    };
    reader.expect("_")?;
    pgd(reader, train)?;
    reader.expect("_pop")?;
    let population = reader.whole()?;
    train.sharpness = Sharpness::Awp(Awp { attack, population, curriculum, ..Awp::default() });
    Ok(())
}
