//! Smoothness by the saddle-minimum average distance (SMAD) of Landscaper 1.3 (Chen, Hadler, Xie, Hnatyshyn, 2025).
//!
//! SMAD is the mean height of the arcs of the contour tree that join a minimum to a node with more than one arc. The
//! contour tree is made of the join tree and the split tree (Carr, Snoeyink, Axen, "Computing contour trees in all
//! dimensions", 2003). As in Landscaper, maxima are cut off first and minima then, once each: on a rough grid a part of
//! the tree can be left, whose arcs do not count.

use serde::{Deserialize, Serialize};

use super::Surface;

/// How much the loss rises from minima to the saddles beside them, on average.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Smoothness {
    /// Saddle-minimum average distance, in units of the values; 0 if there is no saddle. Small is smooth.
    pub distance: f64,
    /// The same divided by the range of the values, 0 to 1.
    pub normalized: f64,
}

impl Smoothness {
    /// That of a surface; none if no minimum has a saddle beside it, or without values.
    pub fn of(surface: &Surface) -> Option<Self> {
        let order = surface.ascending();
        let value = |point: usize| surface.value(point).unwrap_or_default();
        let range = value(*order.last()?) - value(*order.first()?);
        let arcs = arcs(surface, &order);
        let mut count = vec![0_usize; surface.len()];
        arcs.iter().flatten().for_each(|point| count[*point] += 1);
        let branches = |point: usize| count[point] > 1;
        if !arcs.iter().flatten().any(|point| branches(*point)) {
            return Some(Self { distance: 0.0, normalized: 0.0 });
        }
        let is_minimum = |point: usize| {
            surface.neighbours(point).all(|other| (value(point), point) < (value(other), other))
        };
        let pair = |[a, b]: [usize; 2]| (branches(a) && is_minimum(b)) || (branches(b) && is_minimum(a));
        let gaps: Vec<f64> =
            arcs.into_iter().filter(|arc| pair(*arc)).map(|[a, b]| (value(a) - value(b)).abs()).collect();
        let distance = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let normalized = if range > 0.0 { distance / range } else { 0.0 };
        distance.is_finite().then_some(Self { distance, normalized })
    }
}

/// Arcs of the contour tree between its nodes, by grid points.
fn arcs(surface: &Surface, ascending: &[usize]) -> Vec<[usize; 2]> {
    let descending: Vec<usize> = ascending.iter().rev().copied().collect();
    let mut join = Tree::of(surface, ascending);
    let mut split = Tree::of(surface, &descending);
    let regular: Vec<bool> = (0..surface.len())
        .map(|point| join.children[point].len() == 1 && split.children[point].len() == 1)
        .collect();
    let nodes: Vec<usize> = ascending.iter().copied().filter(|point| !regular[*point]).collect();
    join.keep(&nodes, &regular);
    split.keep(&nodes, &regular);
    let mut arcs = Vec::new();
    split.cut_leaves(&mut join, &nodes, &mut arcs);
    join.cut_leaves(&mut split, &nodes, &mut arcs);
    arcs
}

/// A join or split tree: leaves are minima or maxima.
struct Tree {
    parent: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
    there: Vec<bool>,
    size: usize,
}

impl Tree {
    /// That of all points.
    fn of(surface: &Surface, order: &[usize]) -> Self {
        let mut tree = Self {
            parent: vec![None; surface.len()],
            children: vec![Vec::new(); surface.len()],
            there: vec![false; surface.len()],
            size: order.len(),
        };
        surface.sweep(order, |point, joined| {
            joined.iter().for_each(|child| tree.parent[*child] = Some(point));
            tree.children[point] = joined.to_vec();
        });
        tree
    }

    /// Keeps these nodes alone; regular points are skipped.
    fn keep(&mut self, nodes: &[usize], regular: &[bool]) {
        let mut parent = vec![None; self.parent.len()];
        self.children.iter_mut().for_each(Vec::clear);
        for &node in nodes {
            let next = |point: &usize| self.parent[*point];
            let mut above = std::iter::successors(self.parent[node], next);
            parent[node] = above.find(|point| !regular[*point]);
            if let Some(above) = parent[node] {
                self.children[above].push(node);
            }
            self.there[node] = true;
        }
        self.parent = parent;
        self.size = nodes.len();
    }

    /// Cuts leaves off that do not branch in the other tree, with their arcs, until none is left.
    fn cut_leaves(&mut self, other: &mut Self, nodes: &[usize], arcs: &mut Vec<[usize; 2]>) {
        let mut waiting: Vec<usize> = nodes.to_vec();
        while let Some(node) = waiting.pop() {
            let is_leaf = self.there[node] && self.children[node].is_empty();
            let Some(parent) = self.parent[node].filter(|_| is_leaf && self.size > 1) else { continue };
            if !other.there[node] || other.children[node].len() > 1 {
                continue;
            }
            arcs.push([node, parent]);
            self.remove(node);
            waiting.push(parent);
            waiting.extend(other.remove(node));
        }
    }

    /// Takes a node with at most one child out, joins that to its parent, and returns the parent.
    fn remove(&mut self, node: usize) -> Option<usize> {
        let parent = self.parent[node].take();
        let child = self.children[node].pop();
        if let Some(parent) = parent {
            self.children[parent].retain(|other| *other != node);
            self.children[parent].extend(child);
        }
        if let Some(child) = child {
            self.parent[child] = parent;
        }
        self.there[node] = false;
        self.size -= 1;
        parent
    }
}
