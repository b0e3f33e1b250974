//! Which examples are in which batch, as a function of the seed and the batch's number alone.

use rand::Rng as _;
use rand::seq::SliceRandom as _;

use crate::seed::generator;

/// Keys of examples drawn with replacement begin here.
const DRAWN_KEYS: u64 = 1 << 40;

/// One example of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pick {
    /// From the pool that is drawn from with replacement, not from the labelled images.
    pub drawn: bool,
    /// Index there.
    pub index: i64,
    /// Tells it apart from every other pick of the epoch.
    pub key: u64,
}

/// The order of examples: labelled ones in a random permutation, each once per pass; beside them, if asked
/// for, others drawn with replacement.
#[derive(Debug)]
pub struct Order {
    seed: u64,
    labelled: usize,
    batch_size: usize,
    /// Drawn examples per batch, and how many there are to draw from.
    drawn: Option<(usize, usize)>,
    steps: u64,
    /// The permutation used last.
    pass: Option<((u64, u64), Vec<i64>)>,
}

impl Order {
    /// An epoch has `steps` batches; none: as many as it takes to see `labelled` images in full batches of
    /// labelled and drawn ones together (so that, as in the paper, drawn images do not lengthen an epoch).
    pub fn new(
        seed: u64,
        labelled: usize,
        batch_size: usize,
        drawn: Option<(usize, usize)>,
        steps: Option<usize>,
    ) -> Self {
        let steps = steps.unwrap_or_else(|| labelled.div_ceil(batch_size)) as u64;
        Self { seed, labelled, batch_size, drawn, steps, pass: None }
    }

    /// Batches per epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.steps
    }

    /// Examples in the smallest batch.
    pub fn smallest_batch(&self) -> usize {
        let whole = (self.labelled / self.batch_size) as u64;
        match (self.drawn, self.labelled % self.batch_size) {
            // An epoch of fewer steps does not come to the rest.
            (None, rest) if rest > 0 && self.steps > whole => rest,
            _ => self.batch_size,
        }
    }

    /// Batch `number`, counted over all epochs.
    pub fn batch(&mut self, number: u64) -> Vec<Pick> {
        let (epoch, position) = (number / self.steps, number % self.steps);
        let per_batch = self.batch_size - self.drawn.map_or(0, |(count, _)| count);
        let chunks = self.labelled.div_ceil(per_batch) as u64;
        let (pass, chunk) = (position / chunks, (position % chunks) as usize);
        let labelled = self.labelled as u64;
        let permutation = self.permutation(epoch, pass);
        let end = permutation.len().min((chunk + 1) * per_batch);
        let mut picks: Vec<Pick> = permutation[chunk * per_batch..end]
            .iter()
            .map(|index| Pick { drawn: false, index: *index, key: *index as u64 + pass * labelled })
            .collect();
        if let Some((_, pool)) = self.drawn {
            let mut rng = generator(self.seed, "drawn-examples", &[epoch, position]);
            while picks.len() < self.batch_size {
                let key = DRAWN_KEYS + position * self.batch_size as u64 + picks.len() as u64;
                picks.push(Pick { drawn: true, index: rng.random_range(0..pool as i64), key });
            }
            picks.shuffle(&mut rng);
        }
        picks
    }

    fn permutation(&mut self, epoch: u64, pass: u64) -> &[i64] {
        if self.pass.as_ref().is_none_or(|(which, _)| *which != (epoch, pass)) {
            let mut indices: Vec<i64> = (0..self.labelled as i64).collect();
            indices.shuffle(&mut generator(self.seed, "order", &[epoch, pass]));
            self.pass = Some(((epoch, pass), indices));
        }
        &self.pass.as_ref().expect("just set").1
    }
}
