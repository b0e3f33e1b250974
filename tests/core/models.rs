//! The paper's names of models: every row of its registry resolves to that row's hyperparameters, and every name
//! of its grammar is understood.

use basin_core::attack::Objective;
use basin_core::attack::weights::{Bookkeeping, Sampling, Scope, Tensors, WeightGradient};
use basin_core::data::Augmentation;
use basin_core::model::{Family, LeNet};
use basin_core::train::preset::{decode, groups, preset, registered};
use basin_core::train::{Curriculum, Labels, Method, Optimizer, Schedule, Sharpness, Train, WeightAttack};
use sha2::{Digest as _, Sha256};

/// A number as C's `%g` writes it.
fn g(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let decimals = (5 - value.abs().log10().floor() as i32).max(0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// The columns of the registry, as its own program would write them.
fn row(train: &Train) -> Vec<(&'static str, String)> {
    let entropy = matches!(train.optimizer, Optimizer::EntropySgd(_));
    let weights = if let Sharpness::Awp(awp) = &train.sharpness { Some(awp) } else { None };
    let (trainer, fraction) = match train.method {
        Method::Normal => ("normal", String::new()),
        Method::Adversarial { .. } if weights.is_some() => ("awit", String::new()),
        Method::Adversarial { fraction, .. } => (if entropy { "at_entropy" } else { "at" }, g(fraction)),
        Method::Trades { weight } => ("trades", g(1.0 / weight)),
        Method::Mart { weight } => ("mart", g(1.0 / weight)),
        Method::Rotation { fraction, .. } => ("at_ssl", g(fraction)),
    };
    let attacked = train.method != Method::Normal;
    let only = |text: String| if attacked { text } else { String::new() };
    let (loss, loss_params) = match train.labels {
        Labels::Exact => ("ce", String::new()),
        Labels::Smoothed(smoothing) => ("smooth_ce", format!("K=10;epsilon={}", g(smoothing))),
        Labels::Noisy(rate) => ("noisy_ce", format!("K=10;noise_rate={}", g(rate))),
    };
    let objective = match train.attack.objective {
        Objective::CrossEntropy => "UntargetedF0Objective",
        Objective::Kl => "UntargetedKLObjective",
        _ => "unexpected",
    };
    let (optimizer, rate, decay, parameters) = match &train.optimizer {
        Optimizer::Sgd { learning_rate, momentum, nesterov, weight_decay } => {
            assert!(*momentum == 0.9 && *nesterov);
            ("sgd", *learning_rate, *weight_decay, String::new())
        }
        Optimizer::Adam { learning_rate, weight_decay, .. } => {
            ("adam", *learning_rate, *weight_decay, String::new())
        }
        Optimizer::EntropySgd(e) => {
            let parameters = format!(
                "L={};eps={};gamma={};scoping={}",
                e.inner_steps,
                g(e.noise),
                g(e.scope),
                g(e.scoping)
            );
            ("entropy_sgd", e.learning_rate, e.weight_decay, parameters)
        }
    };
    let (schedule, schedule_parameters) = match &train.schedule {
        Schedule::Constant => ("constant", String::new()),
        Schedule::MultiStep { milestones, gamma } => {
            let milestones: Vec<String> = milestones.iter().map(ToString::to_string).collect();
            ("multistep", format!("milestones={};gamma={}", milestones.join("/"), g(*gamma)))
        }
        Schedule::Cyclic { low, high, up, down } => {
            ("cyclic", format!("base={};max={};up={up};down={down}", g(*low), g(*high)))
        }
        _ => ("unexpected", String::new()),
    };
    let loader = match (&train.method, train.batch_size) {
        (Method::Rotation { .. }, 128) => "rot_trainloader".to_owned(),
        (_, 128) => "trainloader".into(),
        (_, 512) => "trainloader_bs".into(),
        (_, size) => format!("trainloader_{size}"),
    };
    let (ii, pll) = match train.method {
        Method::Adversarial { ignore_incorrect, prevent_label_leaking, .. } => {
            (ignore_incorrect, prevent_label_leaking)
        }
        _ => (false, false),
    };
    vec![
        ("trainer", trainer.into()),
        (
            "attack",
            only(
                if train.attack.tau.is_some() { "BatchTauGradientDescent" } else { "BatchGradientDescent" }
                    .into(),
            ),
        ),
        ("epsilon", only(g(train.attack.epsilon))),
        ("iterations", only(train.attack.steps.to_string())),
        ("tau", train.attack.tau.map_or(String::new(), |tau| tau.to_string())),
        ("fraction", fraction),
        ("loss", loss.into()),
        ("loss_params", loss_params),
        ("objective", only(objective.into())),
        ("optimizer", optimizer.into()),
        ("lr", g(rate)),
        ("weight_decay", g(decay)),
        ("opt_params", parameters),
        ("scheduler", schedule.into()),
        ("scheduler_params", schedule_parameters),
        ("epochs", train.epochs.to_string()),
        ("loader", loader),
        ("average_tau", train.average.as_ref().map_or(String::new(), |average| g(average.tau))),
        ("pll", u8::from(pll).to_string()),
        ("ii", u8::from(ii).to_string()),
        (
            "unsup_weight",
            if let Method::Rotation { weight, .. } = train.method { g(weight) } else { String::new() },
        ),
        ("projection", train.clipping.map_or(String::new(), |c| format!("box({},{})", g(-c), g(c)))),
        (
            "curriculum",
            weights.map_or(String::new(), |awp| match awp.curriculum {
                Curriculum::Threshold(below) => {
                    assert_eq!(below, 2.1);
                    "threshold_curriculum".into()
                }
                Curriculum::Simple => "simple_curriculum".into(),
                Curriculum::Constant => "unexpected".into(),
            }),
        ),
        ("population", weights.map_or(String::new(), |awp| awp.population.to_string())),
        ("weight_attack", weights.map_or(String::new(), weight_attack)),
        ("snapshot", train.snapshot_every.to_string()),
        ("directory", format!("ICCV/Cifar10NoAA//{}", train.name)),
    ]
}

fn weight_attack(awp: &basin_core::train::Awp) -> String {
    assert_eq!((&awp.tensors, awp.gradient_clamp), (&Tensors::NoBias, Some(0.05)));
    match &awp.attack {
        WeightAttack::Random { ball, sampling } => {
            assert_eq!((ball.scope, ball.relative, *sampling), (Scope::Layer, true, Sampling::Sphere));
            format!(
                "RandomAttack;epochs=1;lr=;norm=NoneType;init=LayerWiseL2UniformSphereInitialization({});proj=none",
                g(ball.radius)
            )
        }
        WeightAttack::Descent { descent, ball } => {
            assert_eq!((descent.momentum, descent.bookkeeping), (0.0, Bookkeeping::Exact));
            let norm = match descent.gradient {
                WeightGradient::LayerRelativeL2 => "LayerWiseRelativeL2Normalization",
                WeightGradient::RelativeL2 => "RelativeL2Normalization",
                WeightGradient::L2 => "L2Normalization",
                WeightGradient::Raw => "NoneType",
                _ => "unexpected",
            };
            let start = match (descent.start, ball) {
                (Some(Sampling::UniformNorm), Some(ball)) => {
                    format!("LayerWiseL2UniformNormInitialization({})", g(ball.radius))
                }
                (None, _) => "none".into(),
                _ => "unexpected".into(),
            };
            let projection =
                ball.map_or("none".into(), |ball| format!("LayerWiseL2Projection({})", g(ball.radius)));
            let (epochs, rate) = (descent.epochs, g(descent.step_size));
            format!(
                "GradientDescentAttack;epochs={epochs};lr={rate};norm={norm};init={start};proj={projection}"
            )
        }
    }
}

#[test]
fn every_row_of_the_papers_registry_resolves_to_its_hyperparameters() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/reference/training/models.tsv");
    let table = std::fs::read_to_string(path).unwrap();
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let mut rows = 0;
    for line in lines {
        let expected: Vec<&str> = line.split('\t').collect();
        let name = expected[0];
        let train = registered(name).unwrap().train;
        train.check().unwrap();
        let got = row(&train);
        assert_eq!(header.len(), got.len() + 1);
        for ((column, got), (title, expected)) in got.iter().zip(header.iter().zip(&expected).skip(1)) {
            assert_eq!(column, title);
            if *column == "average_tau" && name.contains("_extr") {
                // There the registry describes the folder an average is copied to; Basin trains the average.
                assert_eq!((got.as_str(), *expected), ("0.9975", ""));
                continue;
            }
            assert_eq!(got, expected, "{column} of {name}");
        }
        rows += 1;
    }
    assert_eq!(rows, 186);
}

/// Every name of the paper's grammar, written from the specification's tables.
fn all_names() -> Vec<String> {
    const EPSILON: [&str; 4] = ["00235", "00275", "00314", "00352"];
    let pgd = |steps: &[u32]| -> Vec<String> {
        let all = EPSILON
            .iter()
            .flat_map(|e| steps.iter().map(move |i| format!("linf_gd_normalized_lr0007_mom0_i{i}_e{e}")));
        all.collect()
    };
    let variants: Vec<String> = [
        "s05",
        "s2",
        "slog05",
        "slog2",
        "b4",
        "b8",
        "b16",
        "b32",
        "b64",
        "b256",
        "b512",
        "adam",
        "esgd1",
        "esgd2",
        "esgd3",
        "esgd5",
        "late",
        "lrf0316",
        "lr02",
        "lr01",
        "lr001",
        "const01",
        "const001",
        "const0005",
        "cyc",
        "cyc2",
        "cyc3",
        "cyc4",
        "nowd",
        "wd005",
        "wd001",
        "wd0005",
        "wd0001",
        "wd00001",
        "ls001",
        "ls005",
        "ls01",
        "ls02",
        "ls03",
        "ls04",
        "ls05",
        "ln005",
        "ln01",
        "ln02",
        "ln03",
        "ln04",
        "ln05",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain(
        ["wa", "wa098", "wa0985", "wa099"]
            .iter()
            .flat_map(|wa| ["", "_extr", "_extr_uncal"].map(|e| format!("{wa}{e}"))),
    )
    .collect();
    let mut names = vec!["normal_training".to_owned()];
    for p in pgd(&[1, 3, 5, 7, 14]) {
        names.push(format!("at_{p}"));
        names.push(format!("at_{p}_f100"));
        names.extend(variants.iter().map(|variant| format!("at_{p}_f100_{variant}")));
        names.extend(["at_pll", "at_ii"].map(|method| format!("{method}_{p}_f100")));
        for method in ["trades", "mart"] {
            names.extend([1, 3, 6, 9].map(|weight| format!("{method}{weight}_{p}_f100")));
        }
        names.extend(["05", "1", "2", "4", "8"].map(|weight| format!("at_ssl{weight}_{p}_f100")));
        names.extend(["0005", "001", "0015", "002"].map(|clip| format!("{clip}p_at_{p}_f100")));
    }
    const RADII: [&str; 13] = [
        "005", "001", "00075", "0005", "0004", "0003", "00025", "0002", "0001", "000075", "00005", "000025",
        "00001",
    ];
    for p in pgd(&[7]) {
        names.extend((0..5).map(|tau| format!("at_tau{tau}_{p}_f100")));
        for (curriculum, population) in [("threshold", 1), ("threshold", 3), ("simple", 1), ("simple", 3)] {
            let mut add =
                |weights: String| names.push(format!("{curriculum}_awit_{weights}_{p}_pop{population}"));
            for radius in ["1", "075", "05", "04", "03", "025", "02", "01", "005"] {
                add(format!("nonb_l2_random_e{radius}"));
            }
            for radius in RADII {
                add(format!("nonb_l2_gd_fgsm_lwrl2normalized_e{radius}"));
                for kind in ["nonb_l2_gd", "nonb2_l2_gd_normalized"] {
                    for norm in ["_lwrl2normalized", "_rl2normalized", "_l2normalized", ""] {
                        for (rate, steps) in
                            ["001", "1"].iter().flat_map(|rate| [1, 3, 5].map(|steps| (rate, steps)))
                        {
                            add(format!("{kind}{norm}_lr{rate}_mom0_i{steps}_e{radius}"));
                        }
                    }
                }
            }
        }
    }
    names
}

/// The digest shows that these are exactly the registry's names; each of them, and its early-stopped copy, is a training.
#[test]
fn every_registered_name_is_a_training() {
    let mut names = all_names();
    names.sort_unstable();
    assert_eq!(names.len(), 11957);
    let digest: String = Sha256::digest((names.join("\n") + "\n").as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(digest, "eb48397cdf6684458222ee2042403f4ea3a431857ecfa097f1f9227756c823c1");
    for name in &names {
        let plain = preset(name).unwrap().train;
        plain.check().unwrap_or_else(|e| panic!("{name}: {e}"));
        let stopped = preset(&format!("{name}_es")).unwrap().train;
        assert!(stopped.early_stopping && !plain.early_stopping);
        assert_eq!(Train { early_stopping: false, name: name.clone(), ..stopped }, plain);
    }
}

#[test]
fn codes_are_decoded() {
    let values = [
        (0.0235, "00235"),
        (0.00075, "000075"),
        (0.1, "01"),
        (1.0, "1"),
        (10.0, "10"),
        (0.0, "0"),
        (0.0001, "00001"),
    ];
    for (value, code) in values {
        assert_eq!(decode(code), Some(value));
    }
    assert_eq!(decode("1e5"), None);
}

#[test]
fn listed_names_are_trainings_and_wrong_ones_are_told() {
    let mut listed = 0;
    for group in groups() {
        for name in &group.names {
            let train = preset(name).unwrap_or_else(|e| panic!("{e}")).train;
            assert_eq!(&train.name, name);
            listed += 1;
        }
    }
    assert!(listed > 60);
    for (name, place) in [
        ("madry", "it begins like no model"),
        ("at_linf_gd_normalized_lr0007_mom0_i7_e00314_f100_ls", "\"ls\" is not understood"),
        ("at_linf_gd_normalized_lr0007_mom0_i7_e00314_f100_best", "\"best\" is not understood"),
        ("trades6_linf_gd_normalized_lr0007_mom0_i7_e00314", "it ends too early"),
    ] {
        let error = preset(name).unwrap_err().to_string();
        assert!(error.contains(place) && error.contains("basin train --list"), "{error}");
    }
    for (name, parts) in [
        ("_ls03_ln03", "\"ls03\" and \"ln03\""),
        ("_ls03_ls01", "\"ls03\" and \"ls01\""),
        ("_late_cyc", "\"late\" and \"cyc\""),
        ("_const01_wa_late", "\"const01\" and \"late\""),
        ("_lrf0316_const01", "\"lrf0316\" and \"const01\""),
        ("_cyc2_lr02", "\"cyc2\" and \"lr02\""),
        ("_esgd3_late", "\"esgd3\" and \"late\""),
        ("_adam_esgd3", "\"adam\" and \"esgd3\""),
        ("_sam005_asam01", "\"sam005\" and \"asam01\""),
    ] {
        let name = format!("at_linf_gd_normalized_lr0007_mom0_i7_e00314_f100{name}");
        let error = preset(&name).unwrap_err().to_string();
        assert!(error.contains(parts) && error.contains("leave one out"), "{error}");
    }
    assert!(preset("at_linf_gd_normalized_lr0007_mom0_i7_e00314_f100").unwrap().notes.is_empty());
    // Variants of other methods, and what these decide themselves.
    let perturbed = "simple_awit_nonb_l2_random_e05_linf_gd_normalized_lr0007_mom0_i7_e00314_pop1";
    let clipped = preset(&format!("001p_{perturbed}_wa_ls01_es")).unwrap().train;
    assert!(clipped.clipping == Some(0.01) && clipped.average.is_some() && clipped.early_stopping);
    assert_eq!(clipped.labels, Labels::Smoothed(0.1));
    assert_ne!(clipped.sharpness, basin_core::train::Sharpness::None);
    assert!(preset("normal_training_ema0999").unwrap().train.average.is_some());
    let error = preset(&format!("{perturbed}_sam005")).unwrap_err().to_string();
    assert!(error.contains("\"awit\" and \"sam005\""), "{error}");
}

/// Every variant counts, wherever it stands in the name.
#[test]
fn the_order_of_variants_does_not_matter() {
    let read = |variants: &[&str]| {
        let name = format!("at_linf_gd_normalized_lr0007_mom0_i7_e00314_f100_{}", variants.join("_"));
        Train { name: String::new(), ..preset(&name).unwrap().train }
    };
    for variants in [
        ["adam", "lr001", "wd0001"],
        ["esgd3", "lr02", "nowd"],
        ["late", "lrf0316", "lr02"],
        ["cyc2", "wa", "b64"],
        ["ema0999", "ls01", "sam005"],
        ["es", "wa", "ln03"],
    ] {
        let [a, b, c] = variants;
        let train = read(&[a, b, c]);
        for other in [[a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]] {
            assert_eq!(read(&other), train, "{other:?}");
        }
        let last = read(&[a, b, c]);
        assert_eq!(last.early_stopping, variants.contains(&"es"));
        assert!([[a, b], [a, c], [b, c]].iter().all(|fewer| read(fewer) != train));
    }
}

/// A job survives its file, and a wrong field is named.
#[test]
fn jobs_are_plain_data() {
    for group in groups() {
        let train = preset(&group.names[0]).unwrap().train;
        let text = serde_json::to_string_pretty(&train).unwrap();
        assert_eq!(serde_json::from_str::<Train>(&text).unwrap(), train);
    }
    let error = serde_json::from_str::<Train>(r#"{"epoch": 3}"#).unwrap_err().to_string();
    assert!(error.contains("unknown field `epoch`"), "{error}");
    assert_eq!(serde_json::from_str::<Train>("{}").unwrap(), Train::default());
}

/// What stands in the place of a name brings its usual settings, so that one change is enough.
#[test]
fn one_change_names_another_kind() {
    let job = Train { epochs: 10, ..Train::default() };
    let with = |setting: &str| job.with(setting).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(with("method.kind=trades").method, Method::Trades { weight: 6.0 });
    assert_eq!(
        with("method.kind=mart").with("method.weight=3").unwrap().method,
        Method::Mart { weight: 3.0 }
    );
    assert_eq!(with("method.kind=rotation").method, Method::Rotation { weight: 1.0, fraction: 1.0 });
    assert_eq!(
        with("schedule.kind=cyclic").schedule,
        Schedule::Cyclic { low: 0.0, high: 0.2, up: 5, down: 5 }
    );
    assert_eq!(with("labels.smoothed=0.1").labels, Labels::Smoothed(0.1));
    assert_eq!(with("labels.noisy=1/5").labels, Labels::Noisy(0.2));
    let lenet = with("architecture.family=LeNet").with("architecture.family.LeNet.channels=8").unwrap();
    assert_eq!(lenet.architecture.family, Family::LeNet(LeNet { channels: 8, linear: 256 }));
    assert!(lenet.architecture.topology().is_ok());
    let error = job.with("schedule.milestones=5,3").unwrap_err();
    assert!(error.ends_with("schedule.milestones should be a list, not \"5,3\""), "{error}");
    let error = job.with("labels.smoothd=0.1").unwrap_err();
    assert!(error.contains("(did you mean smoothed?)"), "{error}");
}

/// Other data bring what is usual for them, unless somebody has chosen otherwise.
#[test]
fn data_sets_bring_their_images() {
    let mut job = Train::default();
    job.use_data("mnist");
    assert_eq!((job.data.train.len(), job.data.augmentation), (60_000, Augmentation::None));
    let mut fashion = Train::default();
    fashion.use_data("fashion-mnist");
    assert_eq!((fashion.data.train.len(), fashion.data.augmentation), (60_000, Augmentation::PadResizeFlip));
    let mut some = Train::default().with("data.train=train:0..100").unwrap();
    some.use_data("mnist");
    assert_eq!(some.data.train.len(), 100);
}

/// A name means what it says; the paper's registry is there where it is asked for.
#[test]
fn numbers_that_the_papers_program_ignores_count() {
    let name = |variant| format!("at_linf_gd_normalized_lr0007_mom0_i7_e00314_f100_{variant}");
    let both = |variant| [preset, registered].map(|read| read(&name(variant)).unwrap());
    let noted = |presets: &[basin_core::train::preset::Preset; 2]| {
        presets
            .iter()
            .all(|preset| preset.notes.len() == 1 && preset.notes[0].contains("whatever the name says"))
    };
    let wa = both("wa098");
    assert_eq!(wa.each_ref().map(|preset| preset.train.average.clone().unwrap().tau), [0.98, 0.9975]);
    let wd = both("wd005");
    let decay = |train: &Train| match train.optimizer {
        Optimizer::Sgd { weight_decay, .. } => weight_decay,
        _ => f64::NAN,
    };
    assert_eq!(wd.each_ref().map(|preset| decay(&preset.train)), [0.05, 0.001]);
    let cyc = both("cyc2");
    assert_eq!(cyc.each_ref().map(|preset| preset.train.epochs), [60, 30]);
    assert!(noted(&wa) && noted(&wd) && noted(&cyc));
    assert!(
        preset(&name("wd0001")).unwrap().notes.is_empty() && preset(&name("cyc")).unwrap().notes.is_empty()
    );
}

/// However many epochs, a cycle ends where it began.
#[test]
fn cycles_finish() {
    let cyclic = |up, down| Schedule::Cyclic { low: 0.0, high: 0.2, up, down };
    for (epochs, up, down) in [(30, 15, 15), (10, 5, 5), (5, 2, 3), (7, 3, 4), (2, 1, 1)] {
        assert_eq!(cyclic(15, 15).scaled(30, epochs), cyclic(up, down), "{epochs} epochs");
    }
    assert_eq!(cyclic(15, 15).scaled(60, 10), cyclic(2, 3), "two cycles");
}

/// Labels of TRADES are those of its clean term; those of MART are weights, too, so they stay what they are.
#[test]
fn labels_count_or_are_refused() {
    let mart = preset("mart6_linf_gd_normalized_lr0007_mom0_i7_e00314_f100_ls03").unwrap().train;
    let error = mart.check().unwrap_err().to_string();
    assert!(error.contains("MART") && error.contains("use exact ones"), "{error}");
    let trades = preset("trades6_linf_gd_normalized_lr0007_mom0_i7_e00314_f100_ls03").unwrap().train;
    assert!(trades.check().is_ok() && trades.labels == Labels::Smoothed(0.3));
}
