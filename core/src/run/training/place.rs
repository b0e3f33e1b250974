//! What the last digits of a training depend on beyond its job. It is kept with the state, so that a training that goes
//! on does so likewise, or says in what it differs.

use serde::{Deserialize, Serialize};
use tch::Device;

use crate::device::{Precision, threads};

/// Where a training computes, and how exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// On an NVIDIA GPU instead of the CPU.
    gpu: bool,
    /// Threads on the CPU.
    pub threads: u16,
    /// Of the search for perturbations, resolved.
    precision: Precision,
}

impl Place {
    /// Here and now.
    pub fn here(device: Device, precision: Precision) -> Self {
        Self { gpu: device.is_cuda(), threads: threads(), precision }
    }

    /// How this differs from where the training was before, as a sentence.
    pub fn unlike(&self, before: &Self) -> Option<String> {
        let device = |place: &Self| if place.gpu { "a GPU" } else { "the CPU" };
        let mut differences = Vec::new();
        if self.gpu != before.gpu {
            differences.push(format!("on {} instead of {}", device(self), device(before)));
        } else if !self.gpu && self.threads != before.threads {
            let plural = if self.threads == 1 { "" } else { "s" };
            differences.push(format!("with {} thread{plural} instead of {}", self.threads, before.threads));
        }
        if self.precision != before.precision {
            differences.push(format!("with attacks in {} instead of {}", self.precision, before.precision));
        }
        (!differences.is_empty()).then(|| {
            let differences = differences.join(" and ");
            format!("continues {differences}, so not to the very bits of a training that never stopped")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_told_in_words() {
        let place = |gpu, threads, precision| Place { gpu, threads, precision };
        let here = place(false, 1, Precision::F32);
        assert_eq!(here.unlike(&here), None);
        let told = |before: Place| here.unlike(&before).unwrap();
        assert!(
            told(place(false, 2, Precision::F32)).starts_with("continues with 1 thread instead of 2, so ")
        );
        assert!(told(place(true, 9, Precision::Bf16)).starts_with(
            "continues on the CPU instead of a GPU and with attacks in f32 instead of bf16, so "
        ));
        // A GPU does not care for threads.
        let gpu = |threads| place(true, threads, Precision::Tf32);
        assert_eq!(gpu(1).unlike(&gpu(8)), None);
    }
}
