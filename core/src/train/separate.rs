//! What is learned from must not be what is tested on: refused where the job alone makes it certain.

use super::TrainData;
use crate::data::{Examples, Known};
use crate::error::{Error, Result};

impl TrainData {
    /// Checks that no image is both learned from and tested on, as far as names and ranges tell. The held-out images
    /// count where early stopping looks at them.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the two ranges and what they share.
    pub fn check_separate(&self, early_stopping: bool) -> Result<()> {
        let mut learned = vec![("training", self.name.as_str(), self.train)];
        learned.extend(self.extra.as_ref().map(|extra| ("extra", extra.name.as_str(), extra.examples)));
        let mut tested = vec![("test", self.test)];
        tested.extend(early_stopping.then_some(("held-out", self.held_out)));
        for (role, name, examples) in learned {
            for (other_role, other) in &tested {
                if identity(name) == identity(&self.name)
                    && let Some(shared) = shared(&examples, other)
                {
                    return Err(Error::invalid(format!(
                        "the {role} images ({examples}) and the {other_role} images ({other}) of {name} share {shared}; \
                         a network must not be tested on what it learned, so choose ranges apart, such as train:0..1000 and \
                         test:0..500"
                    )));
                }
            }
        }
        Ok(())
    }
}

/// What a name stands for, whichever way it is spelled. The bundled images are the first ones of CIFAR-10.
fn identity(name: &str) -> &str {
    match name {
        "bundled" => Known::Cifar10.name(),
        _ => Known::from_name(name).map_or(name, |known| known.name()),
    }
}

/// The indices that two selections of one data set have in common.
fn shared(one: &Examples, other: &Examples) -> Option<Examples> {
    let (a, b) = (one.range(), other.range());
    let (start, end) = (a.start.max(b.start), a.end.min(b.end));
    let split = one.split;
    (split == other.split && start < end).then_some(Examples { split, start, end: end as isize })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{Extra, Train};

    fn data(name: &str, train: &str, test: &str, held_out: &str) -> TrainData {
        let parse = |text: &str| text.parse::<Examples>().unwrap();
        TrainData {
            name: name.into(),
            train: parse(train),
            test: parse(test),
            held_out: parse(held_out),
            ..TrainData::default()
        }
    }

    #[test]
    fn shared_images_are_found_by_name_and_range() {
        let shares = |data: &TrainData, early_stopping, what: Option<&str>| {
            let result = data.check_separate(early_stopping).map_err(|error| error.to_string());
            match what {
                None => assert_eq!(result, Ok(())),
                Some(what) => assert!(result.as_ref().is_err_and(|text| text.contains(what)), "{result:?}"),
            }
        };
        let apart = data("bundled", "test:0..100", "test:100..200", "test:99..49");
        shares(&apart, false, None);
        shares(
            &apart,
            true,
            Some("(test:0..100) and the held-out images (test:99..49) of bundled share test:50..100"),
        );
        shares(
            &data("mnist", "test:0..101", "test:100..200", "test:9..0"),
            false,
            Some("share test:100..101"),
        );
        shares(&data("mnist", "train:0..500", "test:0..500", "test:999..499"), true, None);
        let mut extra = data("cifar10", "train:0..500", "test:0..500", "test:999..499");
        let mut add = |name: &str, examples: &str| {
            extra.extra = Some(Extra { name: name.into(), examples: examples.parse().unwrap(), share: 0.5 });
            extra.clone()
        };
        shares(&add("bundled", "test:400..600"), false, Some("the extra images (test:400..600)"));
        shares(&add("CIFAR-10", "test:600..400"), false, Some("share test:401..500"));
        shares(&add("mnist", "test:400..600"), true, None);
        assert!(Train::default().check().is_ok());
    }
}
