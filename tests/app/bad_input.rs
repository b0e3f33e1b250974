//! Bad input, on the built program: each is refused with one sentence that names the file and what to do, with
//! exit code 1 (2 for wrong usage), and leaves nothing behind.

use std::fs::File;
use std::process::Stdio;

use serde_json::json;

use crate::support::crafted::{StateDict, harmful_dictionary, harmful_pickle, idx, zip};
use crate::support::program::{Basin, Done, lenet, reference};

const SMALL: [&str; 2] = ["--examples", "test:0..16"];

fn resnet() -> StateDict {
    StateDict::bare(reference("checkpoints/resnet_rebn_trained.pth.tar"))
}

/// Evaluation of the MNIST LeNet with more options.
fn evaluate<'a>(lenet: &'a str, mnist: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    [&["evaluate", lenet, "--data", mnist], &SMALL[..], options].concat()
}

#[test]
fn files_that_are_no_checkpoints() {
    let basin = Basin::new();
    basin.write("empty.pt", "");
    basin.write("page.pt", "\n<!DOCTYPE html><html><body>404</body></html>");
    basin.write("pointer.pt", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n");
    basin.write("noise.pt", [7u8, 201, 33, 0, 90].repeat(100));
    basin.write("text.pt", "not a checkpoint");
    basin.write("packed.pt", [0x1f, 0x8b, 8, 0]);
    std::fs::create_dir(basin.path("folder")).unwrap();
    for (name, reason, remedy) in [
        ("empty.pt", "is empty", "fetch or save it again"),
        ("page.pt", "is a web page (HTML)", "fetch it again"),
        ("pointer.pt", "is a Git LFS pointer", "run `git lfs pull`"),
        ("noise.pt", "is no PyTorch checkpoint", "give a file written by torch.save"),
        ("text.pt", "is no PyTorch checkpoint", "give a file written by torch.save"),
        ("packed.pt", "is compressed with gzip", "unpack it first"),
        ("folder", "is a folder", "give a checkpoint file"),
        ("missing.pt", "does not exist", "check the path"),
    ] {
        basin.refused(&["inspect", name], &[name, reason, remedy]);
    }
    basin.refused(&["evaluate", "page.pt", "--out", "x.json"], &["page.pt", "fetch it again"]);
    basin.refused(&["landscape", "empty.pt", "--out", "x.json"], &["empty.pt", "fetch or save it again"]);
}

#[test]
fn truncated_checkpoints() {
    for name in ["lenet_tiny.pth.tar", "lenet_bn_trained.state_dict.zip.pth"] {
        let whole = std::fs::read(reference(&format!("checkpoints/{name}"))).unwrap();
        let basin = Basin::new();
        for tenth in 0..10 {
            basin.write("cut.pt", &whole[..whole.len() * tenth / 10 + 5]);
            let done = basin.run(&["inspect", "cut.pt"]);
            done.is_refusal(&["cut.pt"]);
            let known = [
                "ends early: the download or copy is incomplete; fetch it again",
                "is no PyTorch checkpoint",
            ];
            assert!(known.iter().any(|reason| done.err.contains(reason)), "{tenth}: {}", done.err);
        }
        basin.write("cut.pt", &whole[..whole.len() - 1]);
        basin.refused(&["evaluate", "cut.pt", "--out", "x.json"], &["cut.pt", "fetch it again"]);
    }
    let basin = Basin::new();
    let whole = resnet().bytes();
    for tenth in 1..10 {
        basin.write("cut.safetensors", &whole[..whole.len() * tenth / 10]);
        basin.refused(&["inspect", "cut.safetensors"], &["cut.safetensors", "fetch or save it again"]);
    }
}

#[test]
fn a_pickle_with_a_command_runs_nothing() {
    let basin = Basin::new();
    let marker = basin.path("marker");
    let command = format!("touch {}", marker.display());
    let (root, inside) = (harmful_pickle(&command), harmful_dictionary(&command));
    for (name, bytes) in [
        ("root.pt", root.clone()),
        ("inside.pt", inside.clone()),
        ("root.zip.pt", zip(&[("archive/data.pkl", &root), ("archive/version", b"3\n")])),
        ("inside.zip.pt", zip(&[("archive/data.pkl", &inside), ("archive/version", b"3\n")])),
    ] {
        basin.write(name, &bytes);
        basin.refused(&["inspect", name], &[name, "save model.state_dict()"]);
        basin.refused(&["evaluate", name], &[name]);
        assert!(!marker.exists(), "{name} ran its command");
    }
}

#[test]
fn keys_and_shapes_that_fit_no_network() {
    let basin = Basin::new();
    let whole = resnet();
    let missing = whole.clone().without(|name| name == "block1.0.conv2.weight");
    basin.write("missing.safetensors", missing.bytes());
    basin.refused(
        &["inspect", "missing.safetensors"],
        &["missing.safetensors", "lacks block1.0.conv2.weight", "save the whole state dictionary"],
    );
    basin.write("extra.safetensors", whole.clone().with("block3.7.conv1.weight", &[3]).bytes());
    basin.refused(
        &["inspect", "extra.safetensors"],
        &["extra.safetensors", "lacks block3.2.conv1.weight", "save the whole state dictionary"],
    );
    let other = whole.clone().renamed(|name| name.replace("conv1", "convolution"));
    basin.write("other.safetensors", other.bytes());
    basin.refused(
        &["inspect", "other.safetensors"],
        &["other.safetensors", "looks like ResNet-18, 8 channels", "and has block0.0.convolution.weight, "],
    );
    let stranger = whole.clone().renamed(|name| name.replace("conv", "layer"));
    basin.write("stranger.safetensors", stranger.bytes());
    basin.refused(
        &["inspect", "stranger.safetensors"],
        &["stranger.safetensors", "it knows ResNet, PreActResNet, WideResNet"],
    );
    let mut misshapen = whole;
    let kernel = misshapen.get("block0.0.conv1.weight");
    kernel.shape = vec![kernel.shape[0], kernel.shape[1], 9, 1];
    basin.write("misshapen.safetensors", misshapen.bytes());
    basin.refused(
        &["inspect", "misshapen.safetensors"],
        &["misshapen.safetensors: block0.0.conv1.weight has shape", "check which program wrote it"],
    );
}

#[test]
fn damaged_networks_of_other_programs() {
    let basin = Basin::new();
    let whole = StateDict::bare(reference("families/checkpoints/f3_wrn16_2_trades.pt"));
    let missing = whole.clone().without(|name| name.starts_with("block2.layer.1.conv1"));
    basin.write("missing.safetensors", missing.bytes());
    let told = "looks like WideResNet-16-1, bn but lacks block2.layer.1.conv1.weight (1 of its 82 tensors)";
    basin.refused(&["inspect", "missing.safetensors"], &["missing.safetensors: ", told]);
    basin.refused(&["convert", "missing.safetensors", "--out", "x.pt"], &["missing.safetensors: ", told]);
    let half = whole.renamed(|name| if name < "block3" { format!("module.{name}") } else { name.to_owned() });
    basin.write("half.safetensors", half.bytes());
    basin.refused(
        &["evaluate", "half.safetensors"],
        &["half.safetensors: looks like WideResNet-16-1, bn, but ", "the prefix \"module.\""],
    );
}

#[test]
fn weights_that_are_no_numbers() {
    let basin = Basin::new();
    for (value, count) in [(f32::NAN, 2), (f32::INFINITY, 1)] {
        let mut network = resnet();
        for index in 0..count {
            network.get("block1.0.norm1.running_var").set(index, value);
        }
        basin.write("diverged.safetensors", network.bytes());
        let arguments = ["evaluate", "diverged.safetensors", "--out", "x.json"];
        let found = format!("block1.0.norm1.running_var holds {count} of ");
        basin.refused(&arguments, &["diverged.safetensors", &found, "use an earlier checkpoint"]);
    }
}

#[test]
fn images_divided_by_zero() {
    let basin = Basin::new();
    let mut network = resnet();
    network.get("whiten.weight").set(1, 0.0);
    basin.write("zero.safetensors", network.bytes());
    for command in ["evaluate", "attack"] {
        basin.refused(
            &[command, "zero.safetensors"],
            &["zero.safetensors", "whiten.weight holds 0", "divided"],
        );
    }
}

#[test]
fn data_that_does_not_fit_the_network() {
    let basin = Basin::new();
    let (lenet, mnist, binary) = (lenet(), reference("mnist"), reference("checkpoints/mlp_binary.pth.tar"));
    let out = ["--out", "x.json"];
    basin.refused(
        &[&["evaluate", &binary, "--data", &mnist][..], &out].concat(),
        &[&binary, "tells 2 classes apart, but mnist has 10", "choose other data"],
    );
    basin.refused(
        &[&["evaluate", &lenet][..], &out].concat(),
        &[&lenet, "expects images of 1 x 28 x 28, but bundled has 3 x 32 x 32", "choose other data"],
    );
    for (name, side, labels, reason) in [
        ("eleven", 28, &[0u8, 1, 10][..], "tells 10 classes apart"),
        ("small", 8, &[0, 9], "expects images of 1 x 28 x 28"),
    ] {
        std::fs::create_dir(basin.path(name)).unwrap();
        idx(&basin.path(name), side, labels);
        let arguments = ["evaluate", &lenet, "--data", name, "--examples", "test:0..2"];
        basin.refused(&arguments, &[&lenet, reason, name, "choose other data"]);
    }
    // A folder may have images of some classes only.
    std::fs::create_dir(basin.path("sevens")).unwrap();
    idx(&basin.path("sevens"), 28, &[7, 7]);
    let record = basin.record(&["evaluate", &lenet, "--data", "sevens", "--examples", "test:0..2"]);
    assert_eq!(record["outcome"]["clean"]["per_example"]["label"], json!([7, 7]));
}

#[test]
fn data_that_is_not_there() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    std::fs::create_dir(basin.path("empty")).unwrap();
    let data = |name: &str, parts: &[&str]| {
        basin.refused(&["evaluate", &lenet, "--data", name, "--out", "x.json"], parts);
    };
    data("no/such/folder", &["no/such/folder", "is neither a folder nor a data set known by name"]);
    data("empty", &["empty", "holds no data set"]);
    data("mnist", &["MNIST was not found", "give its folder in place of its name", "BASIN_DATA"]);
    basin.refused(
        &["evaluate", &lenet, "--data", &mnist, "--examples", "test:150..170"],
        &[&mnist, "select within test:0..160"],
    );
    basin.refused(
        &["evaluate", "bundled", "--examples", "test:900..1100"],
        &["test:900..1100", "select within test:0..1000"],
    );
}

#[test]
fn output_that_cannot_be_written() {
    let basin = Basin::new();
    let (lenet, mnist, record) = (lenet(), reference("mnist"), reference("records/evaluation.json"));
    std::fs::create_dir(basin.path("folder")).unwrap();
    basin.write("file", "kept");
    for (out, remedy) in [
        ("no/such/x", "create it first"),
        ("file/x", "choose another place"),
        ("/dev/null/x", "choose another place"),
        ("folder", "add the name of a file"),
    ] {
        basin.refused(&evaluate(&lenet, &mnist, &["--out", out]), &[out, remedy]);
        if out != "folder" {
            let figure = format!("{out}.svg");
            basin.refused(&["plot", &record, "--out", &figure], &[&figure, remedy]);
        }
    }
    assert_eq!(basin.read("file"), "kept");
    assert_eq!(std::fs::read_dir(basin.path("folder")).unwrap().count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let printed = |arguments: &[&str]| -> Done {
        let full = File::options().write(true).open("/dev/full").unwrap();
        basin.command(arguments).stdout(Stdio::from(full)).output().unwrap().into()
    };
    printed(&evaluate(&lenet, &mnist, &["--json"])).is_refusal(&["standard output", "No space left"]);
    printed(&["inspect", &lenet]).is_refusal(&["standard output", "No space left"]);
    // A device is written to, never replaced.
    basin.refused(&evaluate(&lenet, &mnist, &["--out", "/dev/full"]), &["/dev/full", "No space left"]);
    assert!(!File::open("/dev/full").unwrap().metadata().unwrap().is_file());
}

/// Files may not grow beyond a size, as on a disk that is almost full.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_becomes_full() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    let within = |half_kilobytes: usize| -> Done {
        let limits = format!("trap '' XFSZ; ulimit -f {half_kilobytes}; exec \"$0\" \"$@\"");
        let arguments = evaluate(&lenet, &mnist, &["--out", "x.json", "--force"]);
        let all = [&["-c", &limits, env!("CARGO_BIN_EXE_basin")][..], &arguments].concat();
        basin.wrapped("sh", &all).output().unwrap().into()
    };
    basin.ok(&evaluate(&lenet, &mnist, &["--out", "x.json"]));
    let old = basin.read("x.json");
    // Not even the first result can be noted.
    within(1).is_refusal(&["cannot write", "x.json"]);
    assert_eq!(basin.files(), ["x.json".to_owned()].into());
    assert_eq!(basin.read("x.json"), old);
    // The results can be noted, the record cannot be written: what is computed is kept for the next run.
    let whole = basin.run(&evaluate(&lenet, &mnist, &["--json"])).out.len();
    within(whole / 512 - 1).is_refusal(&["cannot write", "x.json"]);
    assert_eq!(basin.read("x.json"), old);
    assert_eq!(basin.files(), ["x.json".to_owned(), "x.json.journal".to_owned()].into());
    basin.ok(&evaluate(&lenet, &mnist, &["--out", "x.json", "--force"]));
    assert_eq!(basin.files(), ["x.json".to_owned()].into());
    assert_eq!(basin.json("x.json")["provenance"]["complete"], true);
}

#[cfg(target_os = "linux")]
#[test]
fn no_display() {
    let basin = Basin::new();
    basin.refused(&[], &["there is no display", "use basin evaluate, landscape or plot, which need none"]);
    basin.refused(&[&lenet()], &["there is no display"]);
}

#[test]
fn devices_and_precisions() {
    let basin = Basin::new();
    let lenet = lenet();
    let device = |name: &str, parts: &[&str]| basin.misused(&["evaluate", &lenet, "--device", name], parts);
    device("gpu", &["unknown device \"gpu\"", "use auto, cpu or cuda:0"]);
    device("cuda:x", &["unknown device \"cuda:x\"", "use auto, cpu or cuda:0"]);
    // There may be a GPU, but not a hundred.
    basin.refused(&["evaluate", &lenet, "--device", "cuda:99"], &["there is no cuda:99"]);
    basin.misused(&["evaluate", &lenet, "--precision", "f8"], &["use auto, f32, tf32, bf16 or f64"]);
}

#[test]
fn settings_that_make_no_sense() {
    let basin = Basin::new();
    let lenet = lenet();
    let landscape = |options: &[&str], parts: &[&str]| {
        basin.misused(&[&["landscape", &lenet, "--out", "x.json"], options].concat(), parts);
    };
    landscape(&["--steps", "2"], &["steps 2", "use 3 or more"]);
    landscape(&["--steps", "1"], &["steps 1", "use 3 or more"]);
    landscape(&["--steps", "99999", "--second", "random"], &["steps 99999", "use at most"]);
    landscape(&["--radius", "-0.5"], &["radius -0.5", "use a positive number"]);
    landscape(&["--range", "NaN"], &["--range", "\"NaN\" is no range"]);
    landscape(&["--attack", "none"], &["--attack none", "use --loss clean"]);
    landscape(&["--loss", "clean", "--attack", "pgd"], &["--loss clean has no attack", "use --loss robust"]);
    landscape(&["--loss", "clean", "--epsilon", "8/255"], &["--loss clean has no attack"]);
    landscape(&["--normalize", "layer_l2_05", "--radius", "0.5"], &["layer_l2_05", "leave out --radius"]);
    landscape(&["--second", "random:0"], &["random is the first direction, too", "such as random:1"]);
    landscape(&["--direction", "random:3", "--second", "random:3"], &["random:3 is the first direction"]);
    let attack = |options: &[&str], parts: &[&str]| {
        basin
            .misused(&[&["evaluate", &lenet, "--attack", "pgd", "--out", "x.json"], options].concat(), parts);
    };
    attack(&["--epsilon", "-1"], &["epsilon -1", "use a number of at least 0"]);
    attack(&["--epsilon=-8/255"], &["epsilon -0.03", "use a number of at least 0"]);
    attack(&["--epsilon", "1e300"], &["epsilon 1", "such as 8/255"]);
    attack(&["--step-size", "1e308"], &["step size 1", "such as 0.007"]);
    attack(&["--step-size", "0"], &["step size 0", "use a positive number"]);
    attack(&["--restarts", "0"], &["0 restarts", "use 1 or more"]);
    attack(&["--restarts", "2000000"], &["2000000 restarts are too many", "use at most 1000000"]);
    attack(&["--attack-steps", "99999999999"], &["99999999999 steps are too many", "use at most 1000000"]);
    attack(&["--norm", "l0", "--epsilon", "1.5"], &["epsilon 1.5", "how many pixel values", "whole number"]);
    attack(&["--momentum", "1"], &["momentum 1", "use a number from 0"]);
    attack(&["--norm", "l2", "--start", "uniform"], &["uniform", "use uniform-norm or uniform-sphere"]);
}

#[test]
fn wrong_usage() {
    let basin = Basin::new();
    let lenet = lenet();
    for (options, part) in [
        (&["--epsilon", "NaN"][..], "write e.g. 0.031 or 8/255"),
        (&["--epsilon", "8/0"], "write e.g. 0.031 or 8/255"),
        (&["--attack", "fgsm"], "use none, pgd, pgd:restarts=5, or a name of the paper"),
        (&["--examples", "test:5..5"], "write e.g. test:0..1000"),
        (&["--examples", "all"], "write e.g. test:0..1000"),
        (&["--batch-size", "0"], "use auto or a whole number"),
        (&["--threads", "0"], "use a whole number from 1"),
        (&["--seed", "-1"], "is not a whole number"),
        (&["--attack-steps", "2.5"], "\"2.5\" is not a whole number"),
        (&["--momentum", "much"], "\"much\" is not a number"),
        (&["--epsilon", "4/255"], "attack options are given, but no attack; add --attack pgd"),
        (&["--attack", "none", "--restarts", "1"], "add --attack pgd"),
        (&["--objective", "smooth:lots"], "unknown objective \"smooth:lots\"; use ce, kl"),
        (&["--unheard-of"], "--unheard-of"),
    ] {
        basin.misused(&[&["evaluate", &lenet], options].concat(), &[part]);
    }
    basin.misused(&["evaluate"], &["CHECKPOINT"]);
    basin.misused(&["landscape", &lenet, "--normalize", "most"], &["use layer, filter, global"]);
    basin.misused(&["landscape", &lenet, "--direction", "up"], &["use random"]);
    basin.misused(&["landscape", &lenet, "--loss", "worst"], &["use clean, robust or robust-fixed"]);
    basin.misused(&["hessian", &lenet, "--epsilon", "0.1"], &["--epsilon is for the robust loss"]);
    basin
        .misused(&["hessian", &lenet, "--density-steps", "9"], &["is for the spectral density", "--density"]);
    basin.misused(&["plot", "--out", "x.svg"], &["RECORD"]);
    basin.misused(&["evalute", &lenet], &["no command or file \"evalute\"", "did you mean basin evaluate?"]);
    for word in ["quantize", "sharpen"] {
        basin.misused(&[word], &["there is no command or file", word, "basin --help"]);
    }
    basin.refused(&["missing.json"], &["missing.json", "does not exist; check the path"]);
    basin.refused(&["no/such/folder"], &["no/such/folder", "does not exist; check the path"]);
}

#[test]
fn records_and_checkpoints_mixed_up() {
    let basin = Basin::new();
    let (lenet, record) = (lenet(), reference("records/evaluation.json"));
    basin.refused(&["inspect", &record], &[&record, "is JSON, not a checkpoint", "`basin plot`"]);
    basin.refused(
        &["plot", &lenet, "--out", "x.svg"],
        &[&lenet, "is not a Basin record", "inspect, evaluate"],
    );
    basin.refused(&["run", &lenet], &[&lenet, "is not a job or record", "inspect, evaluate"]);
    basin.refused(&["plot", "missing.json", "--out", "x.svg"], &["missing.json", "check the path"]);
    basin.refused(&["run", "missing.json"], &["missing.json", "check the path"]);
}

#[test]
fn damaged_records_and_jobs() {
    let basin = Basin::new();
    let text = std::fs::read_to_string(reference("records/evaluation.json")).unwrap();
    let mut newer: serde_json::Value = serde_json::from_str(&text).unwrap();
    newer["format"] = json!(99);
    let mut typed: serde_json::Value = serde_json::from_str(&text).unwrap();
    typed["outcome"]["clean"]["loss"] = json!("low");
    let job = json!({ "kind": "evaluate", "checkpoint": "x.pt" });
    let mut slip = job.clone();
    slip["compute"] = json!({ "sead": 7 });
    for (name, content, reason, remedy) in [
        ("empty.json", String::new(), "it is empty", "the \"job\" of any record"),
        ("cut.json", text[..text.len() / 2].to_owned(), "it ends early", "the \"job\" of any record"),
        ("newer.json", newer.to_string(), "was written by a newer Basin", "update Basin"),
        ("typed.json", typed.to_string(), "is a damaged or unknown Basin record", "run its job again"),
        ("list.json", "[1, 2]".into(), "is no job", "the \"job\" of any record"),
        ("kind.json", json!({ "kind": "dance" }).to_string(), "is no job", "the \"job\" of any record"),
        (
            "even.json",
            json!({ "kind": "landscape", "checkpoint": "x.pt", "direction": "random", "steps": 2, "loss": "clean" })
                .to_string(),
            "steps 2",
            "use 3 or more",
        ),
        ("slip.json", slip.to_string(), "has a setting \"compute.sead\"", "the \"job\" of any record"),
    ] {
        basin.write(name, content);
        let path = if name == "even.json" { "" } else { name };
        basin.refused(&["run", name, "--out", "x"], &[path, reason, remedy]);
        basin.refused(&["plot", name, "--out", "x.svg"], &[name, "Basin"]);
    }
}

#[test]
fn files_that_are_no_records() {
    let basin = Basin::new();
    for (name, content, what) in [
        ("notes.txt", "remember the milk", "is another kind of text"),
        ("table.txt", "x,y\n1,2\n", "is another kind of text"),
        ("page.json", "<!DOCTYPE html><html></html>", "is a web page (HTML)"),
        ("empty.json", "\n", "is empty"),
        ("broken.json", "{\"format\": 1,, \"job\": 2}", "is damaged JSON (line 1, column 14)"),
        (
            "log.jsonl",
            "{\"kind\": \"steps\"}\n{\"kind\": \"steps\"}\n",
            "has a JSON object in every line, as the log",
        ),
        ("package.json", "{\"name\": \"x\"}", "has no \"format\""),
    ] {
        basin.write(name, content);
        let remedy = "give the file that --out wrote, or the folder of a training";
        basin.refused(&["plot", name, "--out", "x.svg"], &[name, "is not a Basin record: it", what, remedy]);
        let said = basin.run(&["plot", name, "--out", "x.svg"]).err;
        for jargon in ["expected value", "EOF", "trailing", "serde"] {
            assert!(!said.contains(jargon), "{said}");
        }
    }
}

#[test]
fn figures_that_cannot_be_drawn() {
    let basin = Basin::new();
    let record = reference("records/evaluation.json");
    for out in ["x.gif", "x"] {
        basin.refused(
            &["plot", &record, "--out", out],
            &[out, "end the name with .svg, .pdf, .png, .tex or .csv"],
        );
    }
    basin.refused(
        &["plot", &record, &record, "--figure", "evaluation", "--out", "x.svg"],
        &["shows one record", "give one"],
    );
    basin.refused(&["plot", &record, "--figure", "landscape", "--out", "x.svg"], &["evaluation"]);
    let (line, plane) = (reference("records/landscape-1d.json"), reference("records/landscape-2d.json"));
    for (record, options, part) in [
        (&record, &["--log"][..], "--log has no effect on an evaluation figure"),
        (&record, &["--which", "clean"], "--which has no effect on an evaluation figure"),
        (&record, &["--clip", "2"], "--clip has no effect on an evaluation figure"),
        (&line, &["--colors", "magma"], "--colors has no effect on a figure of curves"),
        (&plane, &["--no-grid"], "--no-grid has no effect on a map"),
        (&plane, &["--figure", "surface", "--title", "T"], "--title has no effect on a surface"),
        (&line, &["--csv"], "an --out that ends in .csv"),
        (&line, &["--name", "a", "--name", "b"], "2 names for 1 record; give at most one"),
    ] {
        basin.misused(&[&["plot", record, "--out", "x.png"], options].concat(), &[part]);
    }
    basin.refused(
        &["plot", &plane, "--clip", "0.1", "--out", "x.png"],
        &["nothing is below the clip value 0.1"],
    );
    basin.misused(&["plot", &record, "--width", "wide", "--out", "x.svg"], &["--width"]);
}

#[test]
fn files_that_are_not_to_be_replaced() {
    let basin = Basin::new();
    let (lenet, mnist) = (lenet(), reference("mnist"));
    basin.write("mine.txt", "precious");
    basin.refused(
        &evaluate(&lenet, &mnist, &["--out", "mine.txt"]),
        &["mine.txt", "is no Basin record", "choose another --out"],
    );
    assert_eq!(basin.read("mine.txt"), "precious");
    let alone = ["evaluate", &lenet, "--data", &mnist, "--examples", "test:0..4", "--restarts", "2"];
    basin.misused(&alone, &["no attack", "--attack pgd"]);
}
