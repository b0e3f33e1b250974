//! Images of a record with what an attack made of them, ready to be drawn.

use std::ops::Range;

use basin_core::data::Known;
use basin_core::record::{KeptExamples, Outcome, Record};

/// What the network said of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Name of the predicted class.
    pub class: String,
    /// Its probability.
    pub confidence: f32,
    /// Whether it is the true class.
    pub right: bool,
}

/// How an example fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Right on the image and under attack.
    Robust,
    /// Right on the image, wrong under attack.
    Broken,
    /// Wrong on the image already.
    Wrong,
}

/// One image.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Index in the split.
    pub index: usize,
    /// Name of the true class.
    pub label: String,
    /// On the image as it is.
    pub clean: Verdict,
    /// On the adversarial example.
    pub attacked: Verdict,
    /// What broke it, e.g. `apgd-t`; empty: not told.
    pub broken_by: String,
    /// Whether an attempt breaks it that is not the one shown.
    pub broken_elsewhere: bool,
}

impl Row {
    /// How it fared.
    pub fn fate(&self) -> Fate {
        match (self.clean.right, self.attacked.right && !self.broken_elsewhere) {
            (false, _) => Fate::Wrong,
            (true, true) => Fate::Robust,
            (true, false) => Fate::Broken,
        }
    }
}

/// Images, perturbations, and what the network said.
#[derive(Debug, Clone, PartialEq)]
pub struct ExampleSet {
    /// Channels (1 or 3), height, width.
    pub shape: [usize; 3],
    /// In `0..=1`, one image after another, each channel by channel.
    pub images: Vec<f32>,
    /// What the attack added, in the same order.
    pub perturbations: Vec<f32>,
    /// One per image.
    pub rows: Vec<Row>,
}

/// Which of the three pictures of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Picture {
    /// The image as it is.
    Clean,
    /// The perturbation, amplified, around grey.
    Perturbation,
    /// Image plus perturbation.
    Adversarial,
}

impl ExampleSet {
    /// What a record says of the examples it kept.
    ///
    /// # Errors
    /// A sentence: the record and its examples do not fit together.
    pub fn new(record: &Record, kept: KeptExamples) -> Result<Self, String> {
        let rows = rows(record);
        let [count, channels, height, width] = kept.shape;
        if rows.len() != count || channels == 0 {
            return Err(format!(
                "the record has {} examples, but {count} are kept beside it; run its job again",
                rows.len()
            ));
        }
        let (images, perturbations) = (kept.images, kept.perturbations);
        Ok(Self { shape: [channels, height, width], images, perturbations, rows })
    }

    /// Largest change of any pixel.
    pub fn largest_change(&self) -> f32 {
        self.perturbations.iter().fold(0.0, |largest, change| largest.max(change.abs()))
    }

    /// The amplification that makes the largest change just visible in full: black to white.
    pub fn fitting_amplification(&self) -> f32 {
        let largest = self.largest_change();
        if largest > 0.0 { (0.5 / largest).clamp(1.0, 1000.0) } else { 1.0 }
    }

    /// A picture as RGB bytes, row by row from the top.
    pub fn pixels(&self, example: usize, picture: Picture, amplification: f32) -> Vec<u8> {
        let [channels, height, width] = self.shape;
        let plane = height * width;
        let range: Range<usize> = example * channels * plane..(example + 1) * channels * plane;
        let (image, change) = (&self.images[range.clone()], &self.perturbations[range]);
        let value = |at: usize| match picture {
            Picture::Clean => image[at],
            Picture::Perturbation => 0.5 + amplification * change[at],
            Picture::Adversarial => image[at] + change[at],
        };
        let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        let mut bytes = Vec::with_capacity(plane * 3);
        for pixel in 0..plane {
            bytes.extend((0..3).map(|channel| byte(value(channel.min(channels - 1) * plane + pixel))));
        }
        bytes
    }
}

/// Every example of the record.
fn rows(record: &Record) -> Vec<Row> {
    let names = class_names(&record.provenance.data);
    let class = |label: i64| {
        let name = usize::try_from(label).ok().and_then(|label| names.get(label));
        name.map_or_else(|| format!("class {label}"), |name| (*name).to_owned())
    };
    let verdict = |predicted: i64, confidence: f32, label: i64| Verdict {
        class: class(predicted),
        confidence,
        right: predicted == label,
    };
    match &record.outcome {
        Outcome::Evaluate(evaluation) => {
            let Some(robust) = &evaluation.robust else { return Vec::new() };
            let (clean, robust) = (&evaluation.clean.per_example, &robust.per_example);
            let row = |at: usize| {
                let label = *robust.label.get(at)?;
                let elsewhere = robust.predicted.get(at) == Some(&label) && robust.is_wrong(at);
                Some(Row {
                    index: *robust.index.get(at)?,
                    label: class(label),
                    clean: verdict(*clean.predicted.get(at)?, *clean.confidence.get(at)?, label),
                    attacked: verdict(*robust.predicted.get(at)?, *robust.confidence.get(at)?, label),
                    broken_by: if elsewhere { "another attempt".to_owned() } else { String::new() },
                    broken_elsewhere: elsewhere,
                })
            };
            (0..robust.index.len()).filter_map(row).collect()
        }
        Outcome::Attack(attack) => {
            let all = &attack.per_example;
            let row = |at: usize| {
                let label = *all.label.get(at)?;
                let by = all.broken_by.get(at)?.clone().filter(|by| by != "clean");
                Some(Row {
                    index: *all.index.get(at)?,
                    label: class(label),
                    clean: verdict(*all.clean_predicted.get(at)?, *all.clean_confidence.get(at)?, label),
                    attacked: verdict(*all.predicted.get(at)?, *all.confidence.get(at)?, label),
                    broken_by: by.unwrap_or_default(),
                    broken_elsewhere: false,
                })
            };
            (0..all.index.len()).filter_map(row).collect()
        }
        _ => Vec::new(),
    }
}

/// Names of the classes of a data set; none if it is not known by name.
fn class_names(data: &str) -> &'static [&'static str] {
    let known = if data.contains("bundled") { Some(Known::Cifar10) } else { Known::from_name(data) };
    known.map_or(&[], Known::class_names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> ExampleSet {
        let verdict = |class: &str, right| Verdict { class: class.into(), confidence: 0.5, right };
        let row = Row {
            index: 3,
            label: "cat".into(),
            clean: verdict("cat", true),
            attacked: verdict("dog", false),
            broken_by: String::new(),
            broken_elsewhere: false,
        };
        ExampleSet {
            shape: [1, 1, 2],
            images: vec![0.0, 1.0],
            perturbations: vec![0.1, -0.2],
            rows: vec![row],
        }
    }

    #[test]
    fn pictures_are_amplified_around_grey() {
        let set = set();
        assert!((set.fitting_amplification() - 2.5).abs() < 1e-6);
        assert_eq!(set.pixels(0, Picture::Clean, 1.0), [0, 0, 0, 255, 255, 255]);
        assert_eq!(set.pixels(0, Picture::Perturbation, 2.5), [191, 191, 191, 0, 0, 0]);
        assert_eq!(set.pixels(0, Picture::Adversarial, 1.0), [26, 26, 26, 204, 204, 204]);
    }

    #[test]
    fn an_image_that_was_wrong_before_is_not_broken() {
        let mut row = set().rows.remove(0);
        assert_eq!(row.fate(), Fate::Broken);
        row.attacked.right = true;
        assert_eq!(row.fate(), Fate::Robust);
        row.broken_elsewhere = true;
        assert_eq!(row.fate(), Fate::Broken, "by a restart whose loss is lower");
        row.clean.right = false;
        assert_eq!(row.fate(), Fate::Wrong);
    }
}
