//! From what a file holds to one network: which, with which preparation of images, and what is set aside.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::networks::{Candidate, is_wrapper, networks, outer};
use super::raw::Raw;
use super::reference::Assumptions;
use super::standardize::{self, Standardization};
use super::{Named, fit, native, paper};
use crate::error::{Error, Result};
use crate::model::{Layer, Topology};

/// A network as it is in a file.
pub struct Recognized {
    /// The network.
    pub topology: Topology,
    /// Its tensors by their names in the topology.
    pub tensors: Named,
    /// What the user should know.
    pub notices: Vec<String>,
    /// Epoch that the file tells.
    pub epoch: Option<i64>,
    /// Names of the networks of the file, this one first; none where it has one alone.
    pub networks: Vec<String>,
    /// What is in the file and belongs to no network that is used.
    pub set_aside: Vec<String>,
}

/// Finds the network that is meant.
///
/// # Errors
/// There is none that Basin knows, or not the one that is chosen.
pub fn recognize(path: &Path, raw: Raw, assumed: &Assumptions) -> Result<Recognized> {
    let refused = |reason: String| Error::file(path, reason);
    if let Some(value) = raw.values.get("basin") {
        if let Some(name) = &assumed.weights {
            return Err(refused(format!("was written by Basin and has one network, none named {name:?}")));
        }
        return own(path, value, raw.tensors);
    }
    let found = networks(&raw, assumed.weights.as_deref()).map_err(refused)?;
    let Some(network) = found.first().cloned() else { return Err(refused(no_network(&raw))) };
    let Raw { tensors, values, objects, .. } = raw;
    let mut notices = Vec::new();
    let (mut tensors, mut beside) = split(tensors, &found, &mut notices);
    if network.prefix.contains("module.") {
        notices.push("the prefix \"module.\" of a data-parallel model is removed".into());
    }
    let recognized = paper::from_arguments(&values, &tensors)
        .unwrap_or_else(|| paper::from_keys(&tensors))
        .map_err(|reason| refused(unreadable(&tensors).unwrap_or(reason)))?;
    notices.extend(recognized.notices);
    fit::believable(&recognized.architecture).map_err(refused)?;
    let mut topology = recognized
        .architecture
        .topology()
        .map_err(|e| Error::file(path, format!("describes an impossible network: {e}")))?;
    beside.extend(take_unused(&topology, &mut tensors, &network.prefix));
    let around = beside.iter().filter(|(name, _)| may_prepare(name, &found));
    let around = around.map(|(name, tensor)| (name.as_str(), tensor)).collect();
    if let Some(pair) = standardize::find(&around, &network.prefix, topology.resolution[0]) {
        notices.push(pair.notice());
        pair.names.iter().for_each(|name| drop(beside.remove(name)));
        prepare(&mut topology, &mut tensors, &pair);
    }
    fit::check(&topology).map_err(refused)?;
    notices.extend(unused_notice(&beside, &found, &values));
    Ok(Recognized {
        topology,
        tensors,
        notices,
        epoch: values.get("epoch").and_then(Value::as_i64),
        networks: if found.len() > 1 { found.iter().map(|c| c.name.clone()).collect() } else { Vec::new() },
        set_aside: set_aside(&beside, &objects),
    })
}

/// A checkpoint that Basin wrote.
fn own(path: &Path, value: &Value, tensors: Named) -> Result<Recognized> {
    let metadata: native::Metadata = serde_json::from_value(value.clone()).map_err(|e| {
        Error::file(path, format!("was written by another version of Basin ({e}); save it again"))
    })?;
    if metadata.format > native::FORMAT {
        let reason = format!(
            "was written by a newer Basin (checkpoint format {}, this one reads up to {}); update Basin",
            metadata.format,
            native::FORMAT
        );
        return Err(Error::file(path, reason));
    }
    fit::check(&metadata.topology).map_err(|reason| Error::file(path, reason))?;
    let (networks, set_aside) = (Vec::new(), Vec::new());
    let (topology, epoch) = (metadata.topology, metadata.epoch);
    Ok(Recognized { topology, tensors, notices: Vec::new(), epoch, networks, set_aside })
}

/// The end of a sentence about a file in which no network is recognized.
fn no_network(raw: &Raw) -> String {
    if raw.tensors.is_empty() {
        return "holds no tensors and so no state dictionary; save model.state_dict() with torch.save".into();
    }
    if let Some(class) = raw.values.get("model_class").and_then(Value::as_str) {
        return format!(
            "holds a network of class {class:?}, which Basin does not know (it knows ResNet, LeNet and MLP of the paper's program)"
        );
    }
    let of_optimizer = |name: &String| {
        const STATE: [&str; 6] =
            ["momentum_buffer", "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "square_avg", "step"];
        is_ballast(name) || STATE.contains(&name.rsplit('.').next().unwrap_or(name))
    };
    if raw.tensors.keys().all(of_optimizer) {
        return "holds the state of an optimizer and no network; give the file of the network, saved with \
                torch.save(model.state_dict(), …)"
            .into();
    }
    let first: Vec<&str> = raw.tensors.keys().take(3).map(String::as_str).collect();
    format!(
        "holds a network that Basin does not recognize (no logits.weight among its {} tensors, which begin with {}); it knows ResNet, LeNet and MLP of the paper's program",
        raw.tensors.len(),
        first.join(", ")
    )
}

/// The first tensor that cannot be read, and why.
fn unreadable(tensors: &Named) -> Option<String> {
    tensors.iter().find_map(|(name, tensor)| Some(format!("{name} {}", tensor.problem()?)))
}

/// Tensors of the first network, by their names in it, and all others.
fn split(tensors: Named, found: &[Candidate], notices: &mut Vec<String>) -> (Named, Named) {
    let prefix = &found[0].prefix;
    let inner: Vec<&str> =
        found[1..].iter().map(|c| c.prefix.as_str()).filter(|other| other.starts_with(prefix)).collect();
    let (mut own, mut beside, mut auxiliary) = (BTreeMap::new(), BTreeMap::new(), 0);
    for (name, tensor) in tensors {
        match name.strip_prefix(prefix) {
            Some(key) if key.starts_with("auxiliary.") => {
                auxiliary += 1;
                beside.insert(name, tensor);
            }
            Some(key) if !is_ballast(key) && !inner.iter().any(|other| name.starts_with(other)) => {
                own.insert(key.to_owned(), tensor);
            }
            _ => drop(beside.insert(name, tensor)),
        }
    }
    if auxiliary > 0 {
        notices.push(format!("an auxiliary head ({auxiliary} tensors) is ignored"));
    }
    if let [used, others @ ..] = found
        && !others.is_empty()
    {
        let others: Vec<&str> = others.iter().map(|other| other.name.as_str()).collect();
        notices.push(format!(
            "the file holds {} networks; the one under {:?} is used, not {} (--assume weights={} chooses)",
            found.len(),
            used.name,
            others.join(", "),
            others[0]
        ));
    }
    (own, beside)
}

/// Takes out what the network does not use and what is no part of a layer, by its full name. Weights of layers that
/// the network does not have stay: they make it another network.
fn take_unused(topology: &Topology, tensors: &mut Named, prefix: &str) -> Named {
    const OF_LAYERS: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];
    let used: Vec<String> = topology.tensors().into_iter().map(|spec| spec.name).collect();
    let is_layer = |key: &str| OF_LAYERS.contains(&key.rsplit('.').next().unwrap_or(key));
    let names: Vec<String> =
        tensors.keys().filter(|key| !used.contains(key) && !is_layer(key)).cloned().collect();
    names.into_iter().filter_map(|key| Some((format!("{prefix}{key}"), tensors.remove(&key)?))).collect()
}

/// Whether a tensor is of an optimizer, of an auxiliary head, or of the copy that an attack holds.
fn is_ballast(name: &str) -> bool {
    const BALLAST: [&str; 9] =
        ["optim", "opt", "scheduler", "sched", "lr_scheduler", "scaler", "amp", "attacker", "exp_avg"];
    name.split('.')
        .any(|part| BALLAST.contains(&part) || part.starts_with("optimizer") || part.starts_with("auxiliary"))
}

/// Whether a tensor beside the networks can be one that prepares images for the first.
fn may_prepare(name: &str, found: &[Candidate]) -> bool {
    let of = |candidate: &Candidate| candidate.prefix.split('.').next().unwrap_or_default().to_owned();
    let root = name.split('.').next().unwrap_or_default();
    let of_another = found[1..].iter().any(|other| of(other) == root && of(other) != of(&found[0]));
    let within_another = found[1..].iter().any(|other| {
        !other.prefix.is_empty()
            && name.starts_with(&other.prefix)
            && !found[0].prefix.starts_with(&other.prefix)
    });
    !is_ballast(name) && !of_another && !within_another
}

/// Puts the standardization in front of the network, behind the clamp that keeps images between 0 and 1.
fn prepare(topology: &mut Topology, tensors: &mut Named, pair: &Standardization) {
    let is_taken = tensors.keys().any(|name| name.starts_with("whiten."));
    let name = if is_taken { "normalize" } else { "whiten" };
    let at = usize::from(topology.layers.first() == Some(&Layer::Clamp));
    topology.layers.insert(at, Layer::Standardize { name: name.into(), channels: topology.resolution[0] });
    let [mean, deviation] = pair.tensors();
    tensors.insert(format!("{name}.bias"), mean);
    tensors.insert(format!("{name}.weight"), deviation);
}

/// Names the tensors that belong to the network's own state dictionary and are not used.
fn unused_notice(beside: &Named, found: &[Candidate], values: &Value) -> Option<String> {
    let mut around = found[0].prefix.as_str();
    while is_wrapper(around)
        && let Some(outer) = outer(around)
    {
        around = outer;
    }
    // A file that tells more than tensors keeps its state dictionary in an entry of its own.
    let is_mixed = |value: &Value| value.is_number() || value.is_string() || value.is_boolean();
    let mixed = values.as_object().is_some_and(|values| values.values().any(is_mixed));
    let names: Vec<&str> = beside
        .keys()
        .filter(|name| name.starts_with(around) && may_prepare(name, found))
        .filter(|name| !(mixed && around.is_empty() && !name.starts_with(&found[0].prefix)))
        .map(String::as_str)
        .collect();
    let list = names.iter().take(4).copied().collect::<Vec<_>>().join(", ");
    let more = if names.len() > 4 { format!(" and {} more", names.len() - 4) } else { String::new() };
    (!names.is_empty()).then(|| {
        format!(
            "warning: not used are {list}{more}; if they prepare images or change outputs, all numbers differ from the model's own"
        )
    })
}

/// What is in the file beside the network, by its outermost names.
fn set_aside(beside: &Named, objects: &[(String, String)]) -> Vec<String> {
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for name in beside.keys() {
        *groups.entry(name.split('.').next().unwrap_or(name)).or_default() += 1;
    }
    let class = |name: &str| objects.iter().find(|(object, _)| object == name).map(|(_, class)| class);
    let tensors = groups.iter().map(|(name, count)| {
        let class = class(name).map_or_else(String::new, |class| format!("{class}, "));
        format!("{name} ({class}{count} tensor{})", if *count == 1 { "" } else { "s" })
    });
    let objects = objects.iter().filter(|(name, _)| !groups.contains_key(name.as_str()));
    let objects = objects.map(|(name, class)| format!("{name} ({class})"));
    tensors.chain(objects).collect()
}
