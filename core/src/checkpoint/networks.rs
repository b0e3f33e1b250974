//! Which networks a file holds, and which of them is meant.
//!
//! What files in use call them (trained and averaged weights, last and best) decides which one is taken where nobody
//! chooses: the network under a plain name (`model`, `state_dict`) or under `last`, as the programs that load such
//! files do (RobustBench takes `last` of {last, best}, and `model_state_dict` of {model_state_dict,
//! unaveraged_model_state_dict}); then `best`; then averages. Names of equal rank are taken in alphabetical order.

use std::collections::HashMap;

use super::raw::Raw;
use crate::model::anchors;

/// Parts of names that are no network of their own: heads of auxiliary tasks; the copy in an attacker (robustness).
const PARTS: [&str; 2] = ["auxiliary", "attacker"];
/// What is around a network by whatever name.
const WRAPPERS: [&str; 10] =
    ["module", "model", "net", "network", "backbone", "encoder", "_orig_mod", "state_dict", "0", "1"];
/// Name of a network whose tensors have no prefix.
const TOP: &str = "top-level";

/// A network of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What stands before the names of its tensors, `state_dict.module.`.
    pub prefix: String,
    /// What it is called, `state_dict`.
    pub name: String,
}

/// The networks of a file, the one that is meant first.
///
/// # Errors
/// The chosen one is not among them; the end of a sentence about the file.
pub fn networks(raw: &Raw, chosen: Option<&str>) -> Result<Vec<Candidate>, String> {
    let anchored = raw.tensors.keys().filter_map(|name| {
        // The longest: `0.lin1.weight` ends with the name of one, too.
        let prefixes = anchors().filter_map(|anchor| name.strip_suffix(anchor));
        prefixes.min_by_key(|prefix| prefix.len())
    });
    let mut prefixes: Vec<&str> = anchored
        .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
        .filter(|prefix| !PARTS.iter().any(|part| prefix.contains(part)))
        .collect();
    prefixes.sort_by_key(|prefix| (rank(prefix), *prefix));
    prefixes.dedup();
    let first = |prefix: &str| prefix.split('.').next().unwrap_or_default().to_owned();
    let mut counts: HashMap<String, usize> = HashMap::new();
    prefixes.iter().for_each(|prefix| *counts.entry(first(prefix)).or_default() += 1);
    let named = |prefix: &&str| {
        let ambiguous = counts[&first(prefix)] > 1;
        let name = match (prefix.is_empty(), ambiguous) {
            (true, _) => TOP.to_owned(),
            (_, true) => prefix.trim_end_matches('.').to_owned(),
            (_, false) => first(prefix),
        };
        Candidate { prefix: (**prefix).to_owned(), name }
    };
    let mut found: Vec<Candidate> = prefixes.iter().map(named).collect();
    let Some(chosen) = chosen else { return Ok(found) };
    let wanted = format!("{}.", chosen.trim_end_matches('.'));
    let is_meant = |candidate: &Candidate| candidate.name == chosen || candidate.prefix.starts_with(&wanted);
    let meant: Vec<usize> = (0..found.len()).filter(|&at| is_meant(&found[at])).collect();
    let exact = meant.iter().copied().find(|&at| found[at].name == chosen);
    match (exact, meant.as_slice()) {
        (Some(at), _) | (None, &[at]) => {
            found[..=at].rotate_right(1);
            Ok(found)
        }
        _ => {
            let names: Vec<&str> = found.iter().map(|candidate| candidate.name.as_str()).collect();
            let known =
                if names.is_empty() { "no network that Basin knows".to_owned() } else { names.join(", ") };
            Err(format!("has no network named {chosen:?}; it has {known}"))
        }
    }
}

/// 0 for what is usually meant, more for the others.
fn rank(prefix: &str) -> usize {
    const AVERAGES: [&str; 9] =
        ["ema", "average", "averaged", "avg", "swa", "teacher", "shadow", "momentum", "target"];
    let lower = prefix.to_lowercase();
    let has = |words: &[&str]| lower.split(['.', '_', '-']).any(|word| words.contains(&word));
    match () {
        () if has(&["unaveraged", "init", "initial"]) => 3,
        () if has(&AVERAGES) => 2,
        () if has(&["best"]) => 1,
        () => 0,
    }
}

/// What stands before a prefix's last part: `state_dict.` of `state_dict.module.`; none of nothing.
pub fn outer(prefix: &str) -> Option<&str> {
    let inner = prefix.strip_suffix('.')?;
    Some(inner.rfind('.').map_or("", |dot| &prefix[..=dot]))
}

/// Whether the last part of a prefix only wraps a network, so that what is beside it belongs to the network.
pub fn is_wrapper(prefix: &str) -> bool {
    let inner = prefix.strip_suffix('.').unwrap_or(prefix);
    is_wrapper_name(inner.rsplit('.').next().unwrap_or_default())
}

/// Whether a part of a name only wraps a network.
pub fn is_wrapper_name(part: &str) -> bool {
    WRAPPERS.contains(&part) || part.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::checkpoint::raw::RawTensor;

    fn file(prefixes: &[&str]) -> Raw {
        let tensor =
            |prefix: &&str| (format!("{prefix}block0.0.conv1.weight"), RawTensor::unreadable(String::new()));
        let tensors: BTreeMap<_, _> = prefixes.iter().map(tensor).collect();
        Raw { container: "", tensors, values: serde_json::Value::Null, objects: Vec::new() }
    }

    fn taken(prefixes: &[&str], chosen: Option<&str>) -> Result<String, String> {
        networks(&file(prefixes), chosen).map(|found| found[0].name.clone())
    }

    #[test]
    fn the_trained_weights_come_before_averages_and_last_before_best() {
        for (prefixes, name) in [
            (&["ema.", "model."][..], "model"),
            (&["state_dict.", "state_dict_ema."], "state_dict"),
            (&["best.", "last."], "last"),
            (&["model_state_dict.module.", "unaveraged_model_state_dict.module."], "model_state_dict"),
            (&["ema.", "best."], "best"),
            (&["", "ema."], "top-level"),
            (&["module.model.", "module.attacker.model."], "module"),
            (&["checkpoint.ema.", "checkpoint.net."], "checkpoint.net"),
        ] {
            assert_eq!(taken(prefixes, None).as_deref(), Ok(name), "{prefixes:?}");
        }
    }

    #[test]
    fn any_network_can_be_chosen_by_its_name() {
        let prefixes = ["", "ema.module.", "swa.model.", "swa.other."];
        for name in ["top-level", "ema", "swa.model", "swa.other"] {
            assert_eq!(taken(&prefixes, Some(name)).as_deref(), Ok(name));
        }
        let refused = taken(&prefixes, Some("swa")).unwrap_err();
        assert_eq!(refused, "has no network named \"swa\"; it has top-level, ema, swa.model, swa.other");
    }
}
