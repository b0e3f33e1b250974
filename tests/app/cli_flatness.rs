//! `basin flatness` on the built program: the record's fields, refusals, and going on after a kill at any moment.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::support::program::{Basin, lenet, reference};

fn flatness<'a>(lenet: &'a str, mnist: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    let quick = ["--examples", "test:0..16", "--attack-steps", "5"];
    let restarts = ["--reference-restarts", "2"];
    let restarts = if options.contains(&restarts[0]) { &[] } else { &restarts[..] };
    [&["flatness", lenet, "--data", mnist][..], &quick, restarts, options].concat()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().map(String::as_str).collect()
}

#[test]
fn the_record_has_the_promised_fields() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let record =
        basin.record(&flatness(&lenet, &mnist, &["--radius", "0.25,1/2", "--per-layer", "--draws", "3"]));
    let outcome = &record["outcome"];
    assert_eq!(keys(outcome), ["kind", "reference_loss", "reference_error", "radii", "layers"], "{outcome}");
    let at = &outcome["radii"][1];
    assert_eq!(
        keys(at),
        ["radius", "loss", "flatness", "standard_error", "interval", "levels", "mean", "worst", "draws"],
        "{at}"
    );
    assert_eq!(at["radius"], 0.5);
    assert_eq!(at["draws"].as_array().unwrap().len(), 3);
    assert_eq!(keys(&at["draws"][0]), ["seed", "loss", "error"]);
    assert_eq!(outcome["layers"].as_array().unwrap().len(), 8);
    assert_eq!(keys(&outcome["layers"][0]), ["name", "radii"]);
    assert_eq!(outcome["layers"][0]["radii"].as_array().unwrap().len(), 2);
    let job = &record["job"];
    assert_eq!(
        (&job["kind"], &job["loss"], &job["case"]),
        (&"flatness".into(), &"robust".into(), &"average".into())
    );
    assert_eq!(job["tensors"], "no-normalization");

    let clean = ["--loss", "clean", "--case", "worst", "--epochs", "2", "--examples", "test:0..16"];
    let table = basin.ok(&[&["flatness", &lenet, "--data", &mnist][..], &clean].concat());
    for word in [
        "worst-case clean flatness",
        "reference loss",
        "0.003",
        "restarts",
        "the largest of 10 restarts of the search: a lower bound of the worst case",
        " to ",
    ] {
        assert!(table.out.contains(word), "{word} in {}", table.out);
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    for (options, words) in [
        (&["--radius", "-0.5"][..], &["radius -0.5 is not possible", "at least 0"][..]),
        (&["--radius", "1e7"], &["radius 1e7 is beyond the upper limit", "0 to 1e6"]),
        (&["--radius", "wide"], &["wide"]),
        (&["--epsilon", "8"], &["epsilon 8 is not possible in L-inf", "did you mean 8/255?"]),
        (&["--radius", "nan"], &["nan"]),
        (&["--draws", "0"], &["0 draws are not possible"]),
        (&["--absolute"], &["scope global"]),
        (&["--case", "middle"], &["average", "worst"]),
        (&["--scope", "row"], &["layer", "filter", "global"]),
        (&["--case", "worst", "--weight-momentum", "0.9"], &["joint attack"]),
        (&["--epochs", "3"], &["--epochs is for the worst case", "--case worst"]),
        (&["--weight-start", "none"], &["--weight-start is for the worst case", "leave it out"]),
        (&["--bookkeeping", "paper"], &["--bookkeeping is for the worst case"]),
        (&["--weight-norm", "l1"], &["l2", "linf"]),
        (&["--worst-of", "0"], &["the worst of 0 perturbations"]),
        (&["--case", "worst", "--worst-of", "3"], &["--worst-of is for the average case", "--draws"]),
        (&["--search-batch", "9"], &["--search-batch is for the worst case"]),
        (&["--joint", "sequential"], &["--joint is for the worst case"]),
        (&["--joint", "both", "--case", "worst"], &["simultaneous", "sequential"]),
        (&["--case", "worst", "--weight-step-divisor", "2"], &["refused steps", "--loss-bound"]),
        (&["--case", "worst", "--weight-early-stopping"], &["--loss-bound"]),
        (&["--case", "worst", "--loss-bound", "4", "--weight-early-stopping"], &["joint attack"]),
        (&["--weight-box", "1..-1"], &["no box of weights", "-0.1..0.1"]),
        (&["--weight-box", ".."], &["no box of weights"]),
        (
            &["--case", "worst", "--sampling", "ball"],
            &["--sampling is for the average case", "--weight-start"],
        ),
    ] {
        basin.misused(&flatness(&lenet, &mnist, options), words);
    }
    let chosen = ["--loss", "clean", "--examples", "test:0..16", "--draws", "2", "--worst-of", "2"];
    let other = ["--weight-norm", "linf", "--scope", "filter", "--search-batch", "9", "--radius", "0.1"];
    let all = [&["flatness", &lenet, "--data", &mnist], &chosen[..], &other].concat();
    let job = &basin.record(&all)["job"];
    assert_eq!((&job["weight_norm"], &job["worst_of"]), (&"linf".into(), &2.into()));
    let table = basin.ok(&all).out;
    for words in ["each the worst of 2 perturbations on clean images", "radius in L-inf, relative per filter"]
    {
        assert!(table.contains(words), "{words} in {table}");
    }
    let unknown = flatness(&lenet, &mnist, &["--tensors", "conv9.*"]);
    basin.refused(&unknown, &["conv9.*", "basin inspect"]);
}

#[test]
fn names_of_the_paper_take_its_bookkeeping_and_images_only() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let few = ["--data", &mnist, "--examples", "test:0..8"];
    let preset = |name: &str, options: &[&str]| -> Vec<String> {
        let all = [&["flatness", &lenet, "--preset", name], &few[..], options].concat();
        all.into_iter().map(str::to_owned).collect()
    };
    let worst = "weight_l2_gd_nonorm2_lwrl2normalized_i7_lr001_mom0_e0003_at1_test_test";
    let run =
        |arguments: Vec<String>| basin.record(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(run(preset(worst, &[]))["job"]["descent"]["bookkeeping"], "exact");
    let paper = run(preset(worst, &["--bookkeeping", "paper"]));
    assert_eq!(paper["job"]["descent"]["bookkeeping"], "paper");
    for (options, words) in [
        (
            preset("weight_l2_random_nonorm2_e05_at50_test", &["--bookkeeping", "paper"]),
            "searches no weights",
        ),
        (preset(worst, &["--weight-box", "0..1"]), "cannot be used with"),
    ] {
        basin.misused(&options.iter().map(String::as_str).collect::<Vec<_>>(), &[words]);
    }
}

#[test]
fn a_note_says_why_flatness_is_negative() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let tiny = ["--radius", "1e-7", "--draws", "2", "--reference-restarts"];
    let told = |restarts| basin.ok(&flatness(&lenet, &mnist, &[&tiny[..], &[restarts]].concat()));
    let (uneven, even) = (told("5"), told("1"));
    let note = "flatness is below 0: the reference is the worst of 5 restarts and a draw has 1";
    assert!(uneven.err.contains(note) && !even.err.contains("below 0"), "{}", uneven.err);
    assert!(uneven.out.contains("at the worst of 5 restarts (perturbed networks: 1)"), "{}", uneven.out);
    assert!(even.out.contains(" at 1 restart\n"), "{}", even.out);
}

#[test]
fn weights_then_inputs_are_searched_and_networks_kept() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let quick = ["--examples", "test:0..8", "--epochs", "2", "--draws", "2", "--case", "worst"];
    let asked = [&["flatness", &lenet, "--data", &mnist], &quick[..], &["--attack-steps", "2"]].concat();
    let joint = ["--joint", "sequential", "--weight-momentum", "0.5", "--keep-networks"];
    basin.misused(&[&asked[..], &joint].concat(), &["networks are kept in a folder", "add --out"]);
    let found = basin.ok(&[&asked[..], &joint, &["--out", "x.json"]].concat());
    assert!(found.out.contains(", then the inputs\n"), "{}", found.out);
    let record = basin.json("x.json");
    assert_eq!(record["job"]["joint"], "sequential");
    assert!(record["job"]["reference_restarts"].is_null());
    let kept = &record["outcome"]["networks"][1];
    assert_eq!((&kept["radius"], &kept["draw"]), (&0.003.into(), &1.into()));
    assert_eq!(kept["network"], "x.json.networks/radius-0.003-draw-1.safetensors");
    let network = basin.ok(&["inspect", kept["network"].as_str().unwrap()]);
    assert!(network.out.contains("LeNet"), "{}", network.out);
    assert!(basin.path(kept["examples"].as_str().unwrap()).is_file());
    // What has no attack has nothing to be searched after the weights.
    let clean = [&["flatness", &lenet, "--loss", "clean", "--joint", "sequential"], &quick[..]].concat();
    basin.misused(&clean, &["--joint is for the robust loss"]);
}

fn units(basin: &Basin) -> usize {
    let journal = std::fs::read_to_string(basin.path("x.json.journal")).unwrap_or_default();
    journal.lines().filter(|line| line.starts_with("{\"unit\"")).count()
}

#[test]
fn killed_at_any_moment_at_most_one_unit_is_lost() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    // 4 batches: 12 units of the reference, and 4 for each of 3 draws of 2 radii.
    let options = ["--radius", "0.25,0.5", "--batch-size", "4", "--draws", "3", "--levels", "off"];
    let whole = basin.record(&flatness(&lenet, &mnist, &options));
    let options = [&options[..], &["--out", "x.json"]].concat();
    let job = flatness(&lenet, &mnist, &options);
    let mut before = 0;
    for more in [1, 12, 9] {
        let mut child = basin.command(&job).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while units(&basin) < before + more && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let now = units(&basin);
        assert!(now >= before + more, "{now} units after {before}");
        before = now;
    }
    // A line that was cut off is computed again; nothing else.
    let journal = basin.read("x.json.journal");
    basin.write("x.json.journal", &journal[..journal.trim_end().len() - 7]);
    let rest = basin.ok(&job);
    assert!(rest.err.contains(&format!("resumes: {} of 36", before - 1)), "{}", rest.err);
    let record = basin.json("x.json");
    let mut outcome = record["outcome"].clone();
    let losses = outcome.as_object_mut().unwrap().remove("losses");
    assert_eq!(losses, Some("x.json.losses.safetensors".into()), "the name of the file beside the record");
    assert_eq!(outcome, whole["outcome"]);
    assert_eq!(record["provenance"]["complete"], true);
}

#[test]
fn two_records_are_compared() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    for (name, radius) in [("a.json", "0.25"), ("b.json", "0.5")] {
        let options = ["--radius", radius, "--draws", "3", "--out", name];
        basin.ok(&flatness(&lenet, &mnist, &options));
    }
    let text = basin.ok(&["compare", "a.json", "a.json"]).out;
    for words in
        ["B minus A", "flatness at radius 0.25: the interval holds 0", "3 draws and 16 examples paired"]
    {
        assert!(text.contains(words), "{words} in {text}");
    }
    let json: Value =
        serde_json::from_str(&basin.ok(&["compare", "a.json", "a.json", "--json"]).out).unwrap();
    assert_eq!(json["differences"][0]["difference"], 0.0);
    basin.refused(&["compare", "a.json", "b.json"], &["no radius in common"]);
    basin.refused(&["compare", "a.json", "missing.json"], &["missing.json", "does not exist"]);
}

#[test]
fn evaluations_and_attacks_are_compared_example_by_example() {
    let basin = Basin::new();
    let (trained, fresh) = (lenet(), reference("checkpoints/lenet_bn_init.pth.tar"));
    let mnist = reference("mnist");
    let quick = ["--data", &mnist, "--examples", "test:0..32"];
    for (name, checkpoint) in [("trained", &trained), ("fresh", &fresh)] {
        let evaluation = format!("{name}.json");
        let attack = ["--attack", "pgd", "--attack-steps", "3", "--out", &evaluation];
        basin.ok(&[&["evaluate", checkpoint][..], &quick, &attack].concat());
        let attacked = format!("{name}.attack.json");
        basin.ok(&[&["attack", checkpoint, "--version", "apgd-ce", "--out", &attacked][..], &quick].concat());
    }
    let compare = |a: &str, b: &str| -> Value {
        serde_json::from_str(&basin.ok(&["compare", a, b, "--json"]).out).unwrap()
    };
    let losses = |name: &str| -> Vec<f64> {
        let record = basin.json(name);
        let rows = record["outcome"]["robust"]["per_example"]["loss"].as_array().unwrap();
        rows.iter().map(|loss| loss.as_f64().unwrap()).collect()
    };
    let differences: Vec<f64> =
        losses("fresh.json").iter().zip(losses("trained.json")).map(|(b, a)| b - a).collect();
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
    // Student's t with 31 degrees of freedom, 97.5 %.
    let half = 2.0395 * (variance / n).sqrt();
    let found = compare("trained.json", "fresh.json");
    let robust = &found["differences"][2];
    assert_eq!(
        (robust["name"].as_str(), robust["paired_examples"].as_u64()),
        (Some("robust loss"), Some(32))
    );
    assert!((robust["difference"].as_f64().unwrap() - mean).abs() < 1e-6, "{robust}, not {mean}");
    for (end, plain) in [(0, mean - half), (1, mean + half)] {
        // The interval also corrects for skewness.
        let end = robust["interval"][end].as_f64().unwrap();
        assert!((end - plain).abs() < 0.35 * half, "{end}, plain t gives {plain}");
    }
    let attacks = compare("trained.attack.json", "fresh.attack.json");
    let rate = |name: &str| basin.json(name)["outcome"]["robust_error"].as_f64().unwrap();
    let difference = rate("fresh.attack.json") - rate("trained.attack.json");
    assert!(
        (attacks["differences"][0]["difference"].as_f64().unwrap() - difference).abs() < 1e-9,
        "{attacks}"
    );
    basin.refused(&["compare", "trained.json", "fresh.attack.json"], &["cannot be compared"]);
}
