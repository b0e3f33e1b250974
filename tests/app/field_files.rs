//! Files that people reported about other programs of this kind, rebuilt (`tests/field-reports`), on the built program.
//! The right losses are of independent networks in PyTorch, in float64.

use std::path::Path;

use serde_json::Value;

use crate::support::program::{self, Basin};

/// A file below `tests/field-reports`.
fn report(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/field-reports").join(name);
    path.canonicalize().unwrap_or_else(|e| panic!("{}: {e}", path.display())).display().to_string()
}

/// The record of an evaluation on bundled images.
fn evaluated(checkpoint: &str, options: &[&str]) -> Value {
    let common = ["--examples", "test:0..100", "--threads", "1", "--device", "cpu"];
    Basin::new().record(&[&["evaluate", checkpoint], &common[..], options].concat())
}

#[track_caller]
fn assert_loss(record: &Value, right: f64) {
    let loss = record["outcome"]["clean"]["loss"].as_f64().unwrap();
    assert!((loss - right).abs() < 2e-4, "{loss}, right is {right}");
}

fn warnings(record: &Value) -> String {
    record["provenance"]["warnings"].to_string()
}

#[test]
fn normalization_beside_the_network_is_applied() {
    let file = report("01-normalize-0-mean/seq_normalize.pt");
    let record = evaluated(&file, &[]);
    assert_loss(&record, 3.0785);
    assert!(warnings(&record).contains("standardized by 0.mean"), "{}", warnings(&record));
    let shown = Basin::new().ok(&["inspect", &file]).out;
    assert!(shown.contains("standardized by 0.mean") && shown.contains("standardize channels"), "{shown}");
}

#[test]
fn objects_beside_the_network_are_set_aside() {
    for (name, beside) in [
        ("03-python-containers/defaultdict.pt", "defaultdict"),
        ("03-python-containers/attrdict.pt", "AttrDict"),
        ("03-python-containers/ordered_sub.pt", ""),
        ("03-python-containers/deque.pt", "deque"),
        ("05-optimizer-object/optimizer.pt", "torch.optim.sgd.SGD"),
        ("05-optimizer-object/sched.pt", "StepLR"),
    ] {
        assert_loss(&evaluated(&report(name), &[]), 4.5369);
        let shown = Basin::new().ok(&["inspect", &report(name)]).out;
        assert!(shown.contains("set aside") && shown.contains(beside), "{name}: {shown}");
    }
}

#[test]
fn one_of_two_networks_is_told_and_can_be_chosen() {
    let (raw, averaged) = (4.5369, 4.0004);
    for (name, used, other) in [
        ("ema_model.pt", "model", "ema"),
        ("ema_first.pt", "model_state_dict", "ema"),
        ("model_ema_timm.pt", "state_dict", "state_dict_ema"),
        ("best_last.pt", "last", "best"),
    ] {
        let file = report(&format!("06-two-networks/{name}"));
        let record = evaluated(&file, &[]);
        assert_loss(&record, raw);
        let told = format!("the one under \\\"{used}\\\" is used, not {other} (--assume weights={other}");
        assert!(warnings(&record).contains(&told), "{}", warnings(&record));
        let assumed = format!("weights={other}");
        let chosen = evaluated(&file, &["--assume", &assumed]);
        assert_loss(&chosen, averaged);
        let path = chosen["job"]["checkpoint"].as_str().unwrap();
        assert!(path.ends_with(&format!("{name}::weights={other}")), "{path}");
        let hash = |record: &Value| record["provenance"]["checkpoint_hash"].as_str().unwrap().to_owned();
        assert_ne!(hash(&record), hash(&chosen));
        // The job of the record gives the same again.
        let basin = Basin::new();
        basin.write("record.json", chosen.to_string());
        assert_loss(&basin.record(&["run", "record.json"]), averaged);
    }
    let basin = Basin::new();
    let file = report("06-two-networks/ema_model.pt");
    basin
        .refused(&["inspect", &file, "--assume", "weights=emo"], &["no network named \"emo\"", "model, ema"]);
    basin.misused(&["inspect", &file, "--assume", "colour=red"], &["use weights=NAME"]);
}

#[test]
fn other_files_are_called_what_they_are() {
    let basin = Basin::new();
    for (name, what, remedy) in [
        ("script.pt", "is a TorchScript archive", "model.state_dict()"),
        ("quantized.pt", "is quantized", "before quantization"),
        ("sparse.pt", "is a sparse tensor", "to_dense()"),
        ("weights.npz", "is a NumPy archive", "torch.save"),
        ("optimizer_only.pt", "holds the state of an optimizer and no network", "model.state_dict()"),
    ] {
        basin.refused(&["inspect", &report(&format!("08-wrong-words/{name}"))], &[name, what, remedy]);
    }
}

#[test]
fn a_gzip_with_a_wrong_checksum_is_refused() {
    let basin = Basin::new();
    let (net, data) = (report("09-gzip-checksum/mnist_net.pt"), report("09-gzip-checksum/mnist_flip"));
    basin.refused(
        &["evaluate", &net, "--data", &data, "--examples", "test:0..20"],
        &["t10k-images-idx3-ubyte.gz", "is damaged", "download it again"],
    );
}

#[test]
fn python_batches_of_other_programs_load() {
    for data in ["py_npscalars", "py_fortran"] {
        let (net, data) = (report("10-cifar-pickles/plain.pt"), report(&format!("10-cifar-pickles/{data}")));
        let options = ["--data", &data, "--examples", "test:0..20", "--threads", "1", "--device", "cpu"];
        let record = Basin::new().record(&[&["evaluate", &net][..], &options].concat());
        assert_loss(&record, 4.092_995);
    }
}

#[test]
fn jobs_and_records_may_have_a_byte_order_mark() {
    let basin = Basin::new();
    let marked = std::fs::read(report("12-job-bom/job.json")).unwrap();
    assert!(marked.starts_with(b"\xef\xbb\xbf"));
    let text = String::from_utf8(marked[3..].to_vec()).unwrap();
    let utf16 = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    basin.write("job.json", &marked).write("powershell.json", utf16);
    let printed = |name: &str| basin.ok(&["train", name, "--dry-run"]).out;
    let right = basin.ok(&["train", &report("12-job-bom/job_crlf.json"), "--dry-run"]).out;
    assert_eq!([printed("job.json"), printed("powershell.json")], [right.clone(), right]);
    let record = basin.record(&[
        "evaluate",
        &program::lenet(),
        "--data",
        &program::reference("mnist"),
        "--examples",
        "test:0..4",
    ]);
    basin.write("record.json", format!("\u{feff}{record}"));
    basin.ok(&["run", "record.json"]);
    basin.write("latin1.json", b"{\"kind\": \"evaluate\", \"checkpoint\": \"m\xfcnchen.pt\"}");
    basin.refused(&["run", "latin1.json"], &["latin1.json", "not UTF-8"]);
}

#[cfg(unix)]
#[test]
fn paths_need_not_be_unicode() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let basin = Basin::new();
    let name = OsStr::from_bytes(b"m\xfcnchen.pt");
    std::fs::copy(report("14-path-not-utf8/model.pt"), basin.path("").join(name)).unwrap();
    let run = |before: &[&str], after: &[&str]| {
        let done: program::Done = basin.command(before).arg(name).args(after).output().unwrap().into();
        done
    };
    let images = ["--examples", "test:0..5", "--threads", "1", "--device", "cpu"];
    let done = run(&["evaluate"], &[&images[..], &["--out", "rec.json"]].concat());
    assert_eq!(done.code, Some(0), "{}", done.err);
    let record = basin.json("rec.json");
    assert_loss(&record, 5.7267);
    assert_eq!(record["job"]["checkpoint"]["text"], "m\u{fffd}nchen.pt");
    assert_eq!(record["job"]["checkpoint"]["bytes"], "6dfc6e6368656e2e7074");
    // It is found as done, and its job runs again.
    assert_eq!(run(&["evaluate"], &[&images[..], &["--out", "rec.json"]].concat()).code, Some(0));
    assert_loss(&basin.record(&["run", "rec.json"]), 5.7267);
    for (command, options) in [
        ("inspect", &["--json"][..]),
        (
            "flatness",
            &[
                "--loss",
                "clean",
                "--case",
                "average",
                "--draws",
                "1",
                "--examples",
                "test:0..5",
                "--out",
                "f.json",
            ],
        ),
        ("attack", &["--version", "fab-t", "--examples", "test:0..1", "--out", "a.json"]),
        ("landscape", &["--loss", "clean", "--steps", "3", "--examples", "test:0..5", "--out", "l.json"]),
        ("benchmark", &["--dry-run"]),
    ] {
        let done = run(&[command], options);
        assert!(!done.err.contains("bug in Basin"), "{command}: {}", done.err);
        assert_eq!(done.code, Some(0), "{command}: {}", done.err);
    }
    let outside = basin
        .command(&["evaluate", "bundled", "--examples", "test:0..1", "--out"])
        .arg(OsStr::from_bytes(b"\xfc.json"))
        .output();
    assert_eq!(outside.unwrap().status.code(), Some(0));
}

#[test]
fn a_tilde_behind_an_equals_sign_is_the_home_folder() {
    let basin = Basin::new();
    std::fs::create_dir_all(basin.path("home")).unwrap();
    basin.ok(&["evaluate", "bundled", "--examples", "test:0..1", "--out=~/x.json"]);
    assert!(basin.path("home/x.json").is_file() && !basin.files().contains("~"));
    let arguments = ["evaluate", "bundled", "--examples", "test:0..1", "--out=~/x.json"];
    let done: program::Done = basin.command(&arguments).env_remove("HOME").output().unwrap().into();
    done.is_refusal(&["HOME is not set", "write the whole path"]);
}

#[test]
fn zip_archives_open_whatever_their_names_length() {
    let basin = Basin::new();
    let refusal = |letters: usize| {
        let name = format!("{}.pt", "m".repeat(letters));
        let done = basin.run(&["inspect", &report(&format!("26-stem-of-21-characters/{name}"))]);
        done.is_refusal(&["does not recognize"]);
        done.err.split(": ").last().unwrap().to_owned()
    };
    assert_eq!(refusal(20), refusal(21));
}
