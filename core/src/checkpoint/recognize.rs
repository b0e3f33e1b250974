//! From what a file holds to one network: which, with which preparation of images, and what is set aside.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde_json::Value;

use super::alternatives::Alternative;
use super::networks::{Candidate, is_wrapper, networks, outer};
use super::open_choices::OpenChoices;
use super::raw::{Named, Raw, RawTensor};
use super::reference::Assumptions;
use super::{ensemble, fit, mixed, native, paper, reparametrized, standardize, stored};
use crate::error::{Error, Result};
use crate::model::{
    self, Activation, Architecture, Choices, Family, InputNormalization, Keys, Norm, Topology,
};

/// The families that Basin builds, for messages.
const KNOWN: &str = "it knows ResNet, PreActResNet, WideResNet, VGG, DenseNet, ResNeXt, SmallCNN, and ResNet, LeNet and \
                     MLP of the paper's program";

/// A network as it is in a file.
pub struct Recognized {
    /// The network that is meant where nothing else is known, then those that its tensors can be of, too.
    pub alternatives: Vec<Alternative>,
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
    /// Numbers that the file has about its network, by name: accuracies, losses, learning rates.
    pub stored: Vec<(String, String)>,
    /// What can be assumed where the file leaves something open.
    pub open: OpenChoices,
}

/// Finds the network that is meant.
///
/// # Errors
/// There is none that Basin knows, or not the one that is chosen.
pub fn recognize(path: &Path, mut raw: Raw, assumed: &Assumptions) -> Result<Recognized> {
    let refused = |reason: String| Error::file(path, reason);
    if let Some(value) = raw.values.get("basin") {
        if let Some(name) = &assumed.weights {
            return Err(refused(format!("was written by Basin and has one network, none named {name:?}")));
        }
        if *assumed != Assumptions::default() {
            let reason =
                format!("was written by Basin and leaves nothing open; leave {} out", assumed.text());
            return Err(refused(reason));
        }
        return own(path, value, raw.tensors);
    }
    let mut notices = reparametrized::compute(&mut raw.tensors);
    let found = networks(&raw, assumed.weights.as_deref()).map_err(refused)?;
    let Some(network) = found.first().cloned() else { return Err(refused(no_network(&raw))) };
    let mut stored = stored::numbers(&raw.values);
    let Raw { tensors, values, objects, .. } = raw;
    let (mut tensors, mut beside) = split(tensors, &found, &mut notices);
    if let Some(reason) = mixed::under_two_prefixes(&tensors, &beside, &found) {
        return Err(refused(reason));
    }
    if network.prefix.contains("module.") {
        notices.push("the prefix \"module.\" of a data-parallel model is removed".into());
    }
    let mut names_activation = false;
    let mut architectures = match paper::from_arguments(&values, &tensors) {
        Some(described) => {
            let described = described.map_err(|reason| refused(unreadable(&tensors).unwrap_or(reason)))?;
            notices.extend(described.notices);
            names_activation = true;
            vec![described.architecture]
        }
        None => {
            let found =
                by_keys(&tensors).map_err(|reason| refused(unreadable(&tensors).unwrap_or(reason)))?;
            notices.extend(notices_of_paper(found.usual()));
            notices.extend(unusual_notice(found.usual()));
            notices.extend(cosine_notice(found.usual(), &tensors));
            found.alternatives
        }
    };
    let mut open = OpenChoices::between(&architectures, names_activation);
    choose(&mut architectures, assumed).map_err(refused)?;
    let built = |architecture: &Architecture| {
        architecture.believable().map_err(refused)?;
        architecture.topology().map_err(|e| refused(format!("describes an impossible network: {e}")))
    };
    let usual = built(&architectures[0])?;
    let channels = usual.resolution[0];
    beside.extend(take_unused(&usual, &mut tensors, &network.prefix).map_err(refused)?);
    let around = beside.iter().filter(|(name, _)| may_prepare(name, &found));
    let around = around.map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let pair = standardize::find(&around, &network.prefix, channels);
    if let Some(pair) = &pair {
        pair.names.iter().for_each(|name| drop(beside.remove(name)));
        if assumed.normalization.is_none() {
            notices.push(pair.notice());
        }
    }
    if is_nested(&network, &values) {
        stored.extend(stored::take_numbers(&mut beside));
    }
    let is_papers = matches!(architectures[0].family, Family::ResNet(_) | Family::LeNet(_) | Family::Mlp(_));
    if !is_papers && pair.is_none() {
        open = open.with_normalizations(channels);
    }
    let normalizations = match (&assumed.normalization, pair) {
        (Some(assumed), _) => vec![assumed.for_channels(channels).map_err(refused)?],
        (None, Some(pair)) => vec![pair.normalization()],
        // The paper's networks have their standardization in the file, or none.
        (None, None) if is_papers => vec![InputNormalization::None],
        (None, None) => {
            InputNormalization::candidates(&architectures[0].input, channels, architectures[0].classes)
        }
    };
    let tells = Tells::of(&architectures, normalizations.len());
    let mut alternatives = Vec::new();
    for architecture in &architectures {
        for input in &normalizations {
            let architecture = Architecture { input: input.clone(), ..architecture.clone() };
            let assumed = tells.assumed(assumed, &architecture);
            alternatives.push(Alternative { assumed, topology: built(&architecture)?, is_rare: false });
        }
    }
    if alternatives.len() > 1 && !is_papers && tells.may_be_rare(assumed) {
        for architecture in architectures.iter().flat_map(with_rare_activations) {
            for input in &normalizations {
                let architecture = Architecture { input: input.clone(), ..architecture.clone() };
                let mut assumed = tells.assumed(assumed, &architecture);
                assumed.choices.activation = Some(architecture.activation);
                alternatives.push(Alternative { assumed, topology: built(&architecture)?, is_rare: true });
            }
        }
    }
    fit::check(&alternatives[0].topology).map_err(refused)?;
    alternatives.retain(|alternative| fit::check(&alternative.topology).is_ok());
    notices.extend(unused_notice(&beside, &found, &values));
    Ok(Recognized {
        alternatives,
        tensors,
        notices,
        epoch: values.get("epoch").and_then(Value::as_i64),
        networks: if found.len() > 1 { found.iter().map(|c| c.name.clone()).collect() } else { Vec::new() },
        set_aside: set_aside(&beside, &objects),
        stored,
        open,
    })
}

/// What a file does not tell.
struct Tells {
    shortcut: bool,
    activation: bool,
    pooling: bool,
    normalization: bool,
}

impl Tells {
    /// What differs between the architectures that a file can be of.
    fn of(architectures: &[Architecture], normalizations: usize) -> Self {
        let all: Vec<Choices> = architectures.iter().map(Architecture::choices).collect();
        Self {
            shortcut: all.iter().any(|choices| choices.shortcut != all[0].shortcut),
            activation: all.iter().any(|choices| choices.activation != all[0].activation),
            pooling: all.iter().any(|choices| choices.pooling != all[0].pooling),
            normalization: normalizations > 1,
        }
    }

    /// Whether activations are open that the family rarely has.
    fn may_be_rare(&self, given: &Assumptions) -> bool {
        !self.activation && given.choices.activation.is_none()
    }

    /// What an alternative assumes, and what the user does.
    fn assumed(&self, given: &Assumptions, architecture: &Architecture) -> Assumptions {
        let (own, mut assumed) = (architecture.choices(), given.clone());
        let choices = &mut assumed.choices;
        choices.shortcut = choices.shortcut.or(own.shortcut.filter(|_| self.shortcut));
        choices.activation = choices.activation.or(own.activation.filter(|_| self.activation));
        choices.pooling = choices.pooling.or(own.pooling.filter(|_| self.pooling));
        if self.normalization {
            assumed.normalization = Some(architecture.input.clone());
        }
        assumed
    }
}

/// The same network with activations that its family rarely has. Only batch statistics can tell them.
fn with_rare_activations(usual: &Architecture) -> Vec<Architecture> {
    let has_statistics = usual.normalization.is_some_and(Norm::has_statistics);
    let rare = [Activation::Silu, Activation::Gelu]
        .into_iter()
        .filter(|rare| has_statistics && *rare != usual.activation);
    rare.map(|activation| Architecture { activation, ..usual.clone() }).collect()
}

/// The family of a bare state dictionary.
///
/// # Errors
/// It is none that Basin knows, or of several; the end of a sentence.
fn by_keys(tensors: &Named) -> Result<model::Recognized, String> {
    let keys = Keys::new(tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shape.clone())).collect());
    let mut found = model::recognize(&keys).into_iter();
    let Some(first) = found.next() else {
        let names: Vec<&str> = tensors.keys().take(4).map(String::as_str).collect();
        return Err(model::special(&keys).unwrap_or_else(|| {
            format!(
                "holds a network that Basin does not recognize (its tensors begin with {}); {KNOWN}",
                names.join(", ")
            )
        }));
    };
    let title = |found: &model::Recognized| found.usual().topology().map(|it| it.title).unwrap_or_default();
    let complete = |found: &model::Recognized| {
        let topology = found.usual().topology();
        topology.is_ok_and(|it| it.tensors().iter().all(|spec| spec.is_count || keys.has(&spec.name)))
    };
    let names = |found: &model::Recognized| -> Vec<String> {
        found
            .usual()
            .topology()
            .map(|it| it.tensors().into_iter().map(|spec| spec.name).collect())
            .unwrap_or_default()
    };
    let own = names(&first);
    if !complete(&first)
        && let Some(reason) = model::special(&keys)
    {
        return Err(reason);
    }
    if let Some(other) =
        found.find(|other| complete(other) && names(other).iter().any(|name| !own.contains(name)))
        && complete(&first)
    {
        return Err(format!(
            "holds the weights of two networks under the same names, {} and {}; save each to a file of its own",
            title(&first),
            title(&other)
        ));
    }
    Ok(first)
}

/// What the keys of the paper's networks cannot tell, and what is assumed.
fn notices_of_paper(architecture: &Architecture) -> Vec<String> {
    if !matches!(architecture.family, Family::ResNet(_) | Family::LeNet(_) | Family::Mlp(_)) {
        return Vec::new();
    }
    let mut notices = vec![
        "the file does not name its activation: ReLU is assumed; check the clean error".to_owned(),
        "the file does not say whether inputs are clamped to [0, 1]: they are".to_owned(),
    ];
    if architecture.normalization.is_none() {
        notices.push("no normalization has tensors in the file: none is assumed".into());
    }
    notices
}

/// Numbers of blocks that no published network has: one at the end of a stage may be missing, or too many.
fn unusual_notice(architecture: &Architecture) -> Option<String> {
    let blocks = architecture.unusual_blocks()?;
    let words = blocks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Some(format!(
        "warning: no published {} has {words} blocks in its stages; check that the file is complete and of one network",
        architecture.family.name()
    ))
}

/// A WideResNet without a bias in its last layer may be one of Pang et al. 2020, with logits that are cosines.
fn cosine_notice(architecture: &Architecture, tensors: &Named) -> Option<String> {
    if !matches!(architecture.family, Family::WideResNet(_)) || architecture.bias {
        return None;
    }
    let weights = tensors.get("fc.weight")?.floats().ok()?;
    let rows = weights.chunks(weights.len() / usize::try_from(architecture.classes).ok()?.max(1));
    let length = |row: &[f32]| row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    // Training ends with a small step away from the sphere.
    let is_sphere = rows.map(length).all(|length| (length - 1.0).abs() < 0.02);
    Some(match is_sphere {
        true => "warning: every row of fc.weight has length 1 and there is no bias, as in Pang et al. 2020, where features are \
                 normalized before the last layer and logits are scaled; Basin does neither: predictions are the same, \
                 losses and attacks are not"
            .into(),
        false => "the last layer has no bias: where features and weights are normalized before it (Pang et al. 2020), which \
                  no tensor tells, logits are not these"
            .to_owned(),
    })
}

/// Keeps the architectures that agree with what is assumed.
fn choose(architectures: &mut Vec<Architecture>, assumed: &Assumptions) -> Result<(), String> {
    for architecture in architectures.iter_mut() {
        architecture.choose(&assumed.choices).map_err(|reason| format!("cannot be read so: {reason}"))?;
        if let Some(side) = assumed.resolution {
            architecture.resolution = [architecture.resolution[0], side, side];
        }
    }
    let mut kept: Vec<Architecture> = Vec::new();
    for architecture in architectures.drain(..) {
        if !kept.contains(&architecture) {
            kept.push(architecture);
        }
    }
    *architectures = kept;
    Ok(())
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
    let network =
        Alternative { assumed: Assumptions::default(), topology: metadata.topology, is_rare: false };
    Ok(Recognized {
        alternatives: vec![network],
        tensors,
        notices: Vec::new(),
        epoch: metadata.epoch,
        networks: Vec::new(),
        set_aside: Vec::new(),
        stored: Vec::new(),
        open: OpenChoices::default(),
    })
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
    let keys =
        Keys::new(raw.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shape.clone())).collect());
    if let Some(reason) = model::special(&keys) {
        return reason;
    }
    let first: Vec<&str> = raw.tensors.keys().take(3).map(String::as_str).collect();
    format!(
        "holds a network that Basin does not recognize ({} tensors, which begin with {}); {KNOWN}",
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
    if let Some(notice) = ensemble::notice(found) {
        notices.push(notice);
    } else if let [used, others @ ..] = found
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

/// Takes out what the network does not use, by its full name: what is no part of a layer, and layers beside it (dead
/// weights such as `sub_block1` of TRADES, heads of other tasks). Weights of layers that stand where the network has
/// others (a block too many) stay: they make it another network.
///
/// # Errors
/// Most of the weights are beside the network; the end of a sentence.
fn take_unused(topology: &Topology, tensors: &mut Named, prefix: &str) -> Result<Named, String> {
    const OF_LAYERS: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];
    let used: HashSet<String> = topology.tensors().into_iter().map(|spec| spec.name).collect();
    // `layer3` and `layer5` are of one kind.
    let kind = |key: &str| -> String {
        let root = key.split('.').next().unwrap_or(key);
        root.chars().filter(|letter| !letter.is_ascii_digit()).collect()
    };
    let kinds: HashSet<String> = used.iter().map(|key| kind(key)).collect();
    let is_layer = |key: &str| OF_LAYERS.contains(&key.rsplit('.').next().unwrap_or(key));
    let is_beside = |key: &str| !used.contains(key) && (!is_layer(key) || !kinds.contains(&kind(key)));
    let names: Vec<String> = tensors.keys().filter(|key| is_beside(key)).cloned().collect();
    mixed::check_unused(topology, used.len(), &names)?;
    let elements = |names: &mut dyn Iterator<Item = &String>| -> usize {
        names.filter_map(|name| tensors.get(name)).map(RawTensor::elements).sum()
    };
    let (own, beside) = (elements(&mut used.iter()), elements(&mut names.iter()));
    if beside > own {
        return Err(format!(
            "looks like {}, but most of its weights ({beside} of {}) are not of that network, {} among them; check which program wrote it",
            topology.title,
            own + beside,
            names.first().map_or("", String::as_str)
        ));
    }
    Ok(names.into_iter().filter_map(|key| Some((format!("{prefix}{key}"), tensors.remove(&key)?))).collect())
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

/// Modules that programs of the field have and never use.
const DEAD: [&str; 1] = ["sub_block1"];

/// Counters of programs that average weights: `AveragedModel` of PyTorch and the like.
const COUNTERS: [&str; 4] = ["n_averaged", "num_updates", "initted", "step"];

/// Whether a network is in an entry of the file's outermost dictionary, so that what is beside that entry is no part of
/// its state dictionary.
fn is_nested(network: &Candidate, values: &Value) -> bool {
    let (entry, _) = network.prefix.split_once('.').unwrap_or_default();
    // The names of a module's parts are no entries of a file.
    values.get(entry).is_some_and(Value::is_object) && values.get("_modules").is_none()
}

/// Names the tensors that belong to the network's own state dictionary and are not used.
fn unused_notice(beside: &Named, found: &[Candidate], values: &Value) -> Option<String> {
    let mut around = found[0].prefix.as_str();
    while is_wrapper(around)
        && let Some(outer) = outer(around)
        && !(outer.is_empty() && is_nested(&found[0], values))
    {
        around = outer;
    }
    let is_counter = |name: &str| COUNTERS.contains(&name.rsplit('.').next().unwrap_or(name));
    let names: Vec<&str> = beside
        .keys()
        .filter(|name| name.starts_with(around) && may_prepare(name, found) && !is_counter(name))
        .map(String::as_str)
        .collect();
    let (dead, names): (Vec<&str>, Vec<&str>) = names.into_iter().partition(|name| {
        let inner = name.strip_prefix(found[0].prefix.as_str()).unwrap_or(name);
        DEAD.contains(&inner.split('.').next().unwrap_or(inner))
    });
    if names.is_empty() && !dead.is_empty() {
        return Some(format!(
            "{} tensors of {} are set aside: no forward pass of that network uses them",
            dead.len(),
            DEAD.join(", ")
        ));
    }
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
