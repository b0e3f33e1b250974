//! Merge tree of sublevel sets, as branches: 0-dimensional persistent homology.
//!
//! While a level rises, the set of points below it begins a component at every minimum, and two components merge at a
//! saddle. There the component of the higher minimum ends (the elder rule); its persistence is the value of the saddle
//! minus that of the minimum. See Edelsbrunner, Letscher, Zomorodian, "Topological persistence and simplification"
//! (2002).

use std::collections::BTreeMap;

use super::Surface;

/// The life of a minimum while the level rises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Branch {
    /// The grid point of the minimum.
    pub minimum: usize,
    /// The grid point where its component merges into that of a lower minimum; none: never.
    pub saddle: Option<usize>,
    /// Value of the saddle minus that of the minimum; of a branch without saddle, that of its highest point instead.
    pub persistence: f64,
    /// Number of the branch it merges into.
    pub parent: Option<usize>,
}

/// Branches of the merge tree, the most persistent first: a branch stands after the one it merges into.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MergeTree {
    branches: Vec<Branch>,
}

impl MergeTree {
    /// The tree of a surface, without branches of persistence 0. Takes `O(n log n)` for `n` points.
    pub fn of(surface: &Surface) -> Self {
        let order = surface.ascending();
        let value = |point: usize| surface.value(point).unwrap_or_default();
        // Of a component, by its latest point: its minimum.
        let mut minimum: Vec<usize> = (0..surface.len()).collect();
        let mut rank = vec![0; surface.len()];
        for (at, point) in order.iter().enumerate() {
            rank[*point] = at;
        }
        // Minima that end: the saddle, and the minimum of the component that goes on.
        let mut ended: Vec<(usize, usize, usize)> = Vec::new();
        let mut open: BTreeMap<usize, usize> = BTreeMap::new();
        surface.sweep(&order, |point, joined| {
            let eldest = joined.iter().map(|latest| minimum[*latest]).min_by_key(|minimum| rank[*minimum]);
            for latest in joined {
                let own = minimum[*latest];
                if Some(own) != eldest {
                    ended.push((own, point, eldest.unwrap_or(point)));
                    open.remove(&own);
                }
            }
            minimum[point] = eldest.unwrap_or(point);
            open.insert(minimum[point], point);
        });
        let root = |(minimum, highest): (usize, usize)| {
            let persistence = value(highest) - value(minimum);
            (Branch { minimum, saddle: None, persistence, parent: None }, None)
        };
        let branch = |(minimum, saddle, into): (usize, usize, usize)| {
            let persistence = value(saddle) - value(minimum);
            (Branch { minimum, saddle: Some(saddle), persistence, parent: None }, Some(into))
        };
        // What ends last stands first among equals, so that parents stand before their children.
        let ended = ended.into_iter().rev().map(branch).filter(|(branch, _)| branch.persistence > 0.0);
        let mut all: Vec<_> = open.into_iter().map(root).chain(ended).collect();
        all.sort_by(|(a, _), (b, _)| {
            a.saddle.is_some().cmp(&b.saddle.is_some()).then(b.persistence.total_cmp(&a.persistence))
        });
        let numbers: BTreeMap<usize, usize> =
            all.iter().enumerate().map(|(number, (branch, _))| (branch.minimum, number)).collect();
        let with_parent = |(branch, into): (Branch, Option<usize>)| {
            let parent = into.and_then(|into| numbers.get(&into).copied());
            Branch { parent, ..branch }
        };
        Self { branches: all.into_iter().map(with_parent).collect() }
    }

    /// The branches, those without saddle first, then the most persistent first.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// The same without branches of less persistence, and with at most so many.
    #[must_use]
    pub fn simplified(&self, persistence: f64, most: usize) -> Self {
        let kept = self.branches.iter().filter(|b| b.saddle.is_none() || b.persistence >= persistence);
        Self { branches: kept.take(most).copied().collect() }
    }
}
