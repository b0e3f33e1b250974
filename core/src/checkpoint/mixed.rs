//! Files whose tensors are not those of one network: parts under different prefixes, several networks under the same
//! names, far more tensors than a network has.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::networks::{Candidate, is_wrapper_name};
use super::raw::Named;
use crate::model::{Keys, Topology, anchors, recognize};

/// Unused tensors that are believed in any case, and for each one that a network uses.
const BELIEVED: usize = 200;
const BELIEVED_EACH: usize = 4;

/// The end of a sentence about a file in which a network has a part of its tensors under another prefix; none: it has
/// not. `own` are those under the prefix of the first candidate, without it; `beside` are all others.
pub fn under_two_prefixes(own: &Named, beside: &Named, found: &[Candidate]) -> Option<String> {
    let shapes = |tensors: &Named| -> BTreeMap<String, Vec<i64>> {
        tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shape.clone())).collect()
    };
    let fits = complete(&shapes(own)).is_some_and(|topology| {
        let used: HashSet<String> = topology.tensors().into_iter().map(|spec| spec.name).collect();
        own.keys().all(|name| used.contains(name))
    });
    if fits {
        return None;
    }
    let prefix = &found[0].prefix;
    let mut all = shapes(beside);
    all.extend(own.iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor.shape.clone())));
    let mut prefixes: BTreeSet<&str> = found[1..].iter().map(|candidate| candidate.prefix.as_str()).collect();
    prefixes.extend(all.keys().flat_map(|name| wrappers(name)));
    prefixes.into_iter().filter(|other| other != prefix).find_map(|other| {
        // Of two prefixes the longer one decides where a tensor is.
        let under = |prefix: &str, not: &str| -> BTreeMap<String, Vec<i64>> {
            let names = all.iter().filter(|(name, _)| not.len() < prefix.len() || !name.starts_with(not));
            names.filter_map(|(name, shape)| Some((name.strip_prefix(prefix)?.to_owned(), shape.clone()))).collect()
        };
        let (first, second) = (under(prefix, other), under(other, prefix));
        if second.is_empty() || first.keys().any(|name| second.contains_key(name)) {
            return None;
        }
        let union: BTreeMap<String, Vec<i64>> = first.iter().chain(&second).map(|(n, s)| (n.clone(), s.clone())).collect();
        let topology = complete(&union)?;
        let used: HashSet<String> = topology.tensors().into_iter().map(|spec| spec.name).collect();
        let moved: Vec<&String> = second.keys().filter(|name| used.contains(*name)).collect();
        let words = |prefix: &str| match prefix {
            "" => "no prefix".to_owned(),
            prefix => format!("the prefix {prefix:?}"),
        };
        Some(format!(
            "looks like {}, but {} of its {} tensors, {} among them, stand under {}, the others under {}; give all of them one prefix",
            topology.title,
            moved.len(),
            used.len(),
            moved.first()?,
            words(other),
            words(prefix),
        ))
    })
}

/// Prefixes of a name that only wrap a network: `module.` and nothing of `module.conv1.weight`.
fn wrappers(name: &str) -> Vec<&str> {
    let mut prefixes = vec![""];
    for (dot, _) in name.match_indices('.') {
        let start = prefixes.last().map_or(0, |prefix| prefix.len());
        if !is_wrapper_name(&name[start..dot]) {
            break;
        }
        prefixes.push(&name[..=dot]);
    }
    prefixes
}

/// The network whose tensors are all there; none: there is no such network.
fn complete(shapes: &BTreeMap<String, Vec<i64>>) -> Option<Topology> {
    let keys = Keys::new(shapes.clone());
    recognize(&keys).into_iter().find_map(|found| {
        let topology = found.usual().topology().ok()?;
        topology.tensors().iter().all(|spec| spec.is_count || keys.has(&spec.name)).then_some(topology)
    })
}

/// Refuses unused tensors that are another network's, or far more than a network has beside it.
///
/// # Errors
/// The end of a sentence about the file.
pub fn check_unused(topology: &Topology, used: usize, unused: &[String]) -> Result<(), String> {
    let title = &topology.title;
    if let Some(anchor) = anchors().find(|anchor| unused.iter().any(|name| name == anchor)) {
        return Err(format!(
            "holds the weights of two networks under the same names, {title} and another one with {anchor}; save each to a file of its own"
        ));
    }
    if let Some(first) = unused.first().filter(|_| unused.len() > BELIEVED.max(BELIEVED_EACH * used)) {
        return Err(format!(
            "looks like {title} but also has {} tensors that it does not use, {first} among them, beside the {used} of that network; check which program wrote it",
            unused.len()
        ));
    }
    Ok(())
}
