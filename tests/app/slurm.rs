//! `basin submit` to a real Slurm, on a cluster of two nodes on this machine, one of which fails.

use std::path::Path;

use serde_json::Value;

use crate::support::program::{Basin, lenet, reference, units_in, without_times};
use crate::support::slurm::Cluster;

const SHARDS: usize = 3;

#[test]
#[ignore = "needs Slurm; cargo xtask test runs it where that is, or can be installed"]
fn slurm_computes_shards_moves_those_of_a_failed_node_and_merges() {
    let basin = Basin::new();
    let job = |kind: &str, examples: &str| {
        serde_json::json!({
            "kind": kind,
            "checkpoint": lenet(),
            "data": { "name": reference("mnist"), "examples": examples },
            "compute": { "device": "cpu", "batch_size": 8 },
        })
    };
    let mut flat = job("flatness", "test:0..40");
    flat["loss"] = "robust".into();
    flat["case"] = "average".into();
    flat["radii"] = serde_json::json!([0.5]);
    flat["draws"] = 90.into();
    flat["attack"] = serde_json::json!({ "steps": 5 });
    let mut suite = job("benchmark", "test:0..16");
    suite["attacks"] = serde_json::json!([
        "input_linf_gd_normalized_lr0007_mom0_i7_e00314_at1",
        "weight_l2_random_nonorm2_e025_at3_test"
    ]);
    basin.write("flat.json", flat.to_string()).write("suite.json", suite.to_string());

    let cluster = Cluster::start(2);
    let shards = SHARDS.to_string();
    let submit =
        ["submit", "flat.json", "suite.json", "--shards", &shards, "--out", "100% of it", "--", "--nice=1"];
    let submitted = basin.command(&submit).env("SLURM_CONF", cluster.conf()).output().unwrap();
    let told = String::from_utf8_lossy(&submitted.stderr).into_owned();
    assert!(submitted.status.success(), "{told}{}", cluster.logs());
    assert!(told.contains("queued flat as Slurm job") && told.contains("queued suite as"), "{told}");

    // A node fails in the middle of a task.
    let folder = basin.path("100% of it/flat.shards");
    let mut cut = None;
    cluster.wait("no shard is at work", |cluster| {
        cut = (1..=SHARDS).find_map(|number| at_work(cluster, &folder, number));
        cut.is_some()
    });
    let (number, node) = cut.unwrap();
    cluster.cut_power(&node);
    let journal = folder.join(name_of(number));
    let before = units_in(&journal);
    assert!(before >= 4 && !is_finished(&journal), "shard {number} was not in the middle of its work");

    cluster.wait("the jobs do not end", |cluster| cluster.ask("squeue", &["-h"]).is_empty());
    let text = std::fs::read_to_string(&journal).unwrap();
    let begun = |line: &&str| line.starts_with("{\"shard\"");
    assert_eq!(text.lines().filter(begun).count(), 2, "shard {number} was not requeued: {}", cluster.logs());
    let first = text.lines().position(|line| begun(&line)).unwrap();
    let second = text.lines().skip(first + 1).position(|line| begun(&line)).unwrap();
    assert!(second >= before, "shard {number} was computed again from its beginning");

    for name in ["flat", "suite"] {
        let merged = format!("100% of it/{name}.record.json");
        assert!(basin.path(&merged).is_file(), "{name}: {}{}", logs_in(&basin, name), cluster.logs());
        let merged = basin.json(&merged);
        assert_eq!(merged["provenance"]["shards"].as_array().unwrap().len(), SHARDS);
        // The same name, as records name the files beside them.
        std::fs::create_dir_all(basin.path("plain")).unwrap();
        let plain = format!("plain/{name}.record.json");
        basin.ok(&["run", &format!("{name}.json"), "--out", &plain]);
        assert_eq!(without_times(basin.json(&plain)), without_times(merged), "{name}");
        let status = basin.ok(&["status", &format!("100% of it/{name}.shards")]).out;
        assert!(status.contains("3 of 3 shards are finished"), "{status}");
    }
}

fn name_of(number: usize) -> String {
    format!("shard-{number:04}-of-{SHARDS:04}.journal")
}

fn is_finished(journal: &Path) -> bool {
    std::fs::read_to_string(journal).unwrap().contains("{\"finished\":true}")
}

/// A shard that has some units and is being computed, and its node.
fn at_work(cluster: &Cluster, folder: &Path, number: usize) -> Option<(usize, String)> {
    let journal = folder.join(name_of(number));
    if units_in(&journal) < 4 {
        return None;
    }
    let text = std::fs::read_to_string(&journal).ok()?;
    let begun: Value = serde_json::from_str(text.lines().nth(1)?).ok()?;
    let node = cluster.node_of(begun["shard"]["process"].as_u64()?)?;
    (!is_finished(&journal)).then_some((number, node))
}

/// What the tasks of a job have said.
fn logs_in(basin: &Basin, name: &str) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(basin.path(&format!("100% of it/{name}.shards"))).unwrap().flatten() {
        if entry.path().extension().is_some_and(|ending| ending == "log") {
            text += &format!("== {}\n", entry.file_name().display());
            text += &String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap());
        }
    }
    text
}
