//! Jobs that several processes share, as users run them: killed, out of order, merged, handed to Slurm; and what users
//! are told when it cannot be.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::program::{Basin, Done, lenet, reference, units_in, without_times};

/// A folder with `job.json` of as many draws.
fn with_job(draws: usize) -> Basin {
    let basin = Basin::new();
    let job = serde_json::json!({
        "kind": "flatness",
        "checkpoint": lenet(),
        "data": { "name": reference("mnist"), "examples": "test:0..40" },
        "loss": "robust",
        "case": "average",
        "radii": [0.5],
        "draws": draws,
        "attack": { "steps": 5 },
        "compute": { "device": "cpu", "batch_size": 8 },
    });
    basin.write("job.json", job.to_string());
    basin
}

fn shard(share: &str) -> [&str; 6] {
    ["run", "job.json", "--shard", share, "--out", "shards"]
}

fn signal(name: &str, process: &Child) {
    let status = Command::new("kill").args([name, &process.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// What `status --json` says of each shard.
fn states(basin: &Basin) -> Vec<String> {
    let status: Value = serde_json::from_str(&basin.ok(&["status", "shards", "--json"]).out).unwrap();
    assert_eq!(status["job"]["kind"], "flatness");
    let shards = status["shards"].as_array().unwrap();
    shards.iter().map(|shard| format!("{} {}", shard["shard"], shard["state"]).replace('"', "")).collect()
}

#[test]
fn killed_shards_resume_in_any_order_and_are_merged_to_the_record_of_one_process() {
    let basin = with_job(12);
    std::fs::create_dir(basin.path("plain")).unwrap();
    basin.ok(&["run", "job.json", "--out", "plain/x.json"]);
    basin.refused(&["status", "shards"], &["shards", "holds no shards of a job", "--shard 1/2"]);

    // One that is at work, held still.
    let journal = basin.path("shards/shard-0002-of-0003.journal");
    let mut process =
        basin.command(&shard("2/3")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(240);
    while units_in(&journal) < 4 {
        assert!(Instant::now() < end && process.try_wait().unwrap().is_none(), "the shard is not at work");
        std::thread::sleep(Duration::from_millis(1));
    }
    signal("-STOP", &process);
    assert_eq!(states(&basin), ["1/3 missing", "2/3 running", "3/3 missing"]);
    let told = basin.ok(&["status", "shards"]).out;
    assert!(told.contains("robust flatness of ") && told.contains("0 of 3 shards are finished"), "{told}");
    let locked = ["shard-0002-of-0003.journal", "is locked by another basin process", "run another shard"];
    basin.refused(&shard("2/3"), &locked);
    basin.refused(
        &["merge", "shards", "--out", "x.json", "--finish"],
        &["still being computed", "2/3", "wait"],
    );
    signal("-KILL", &process);
    process.wait().unwrap();
    assert_eq!(states(&basin), ["1/3 missing", "2/3 stopped", "3/3 missing"]);
    let killed = std::fs::read_to_string(&journal).unwrap();
    let whole_lines = &killed[..killed.rfind('\n').unwrap() + 1];

    basin.ok(&shard("3/3"));
    let all = ["shards: lacks work of shards 1/3, 2/3", "--finish", "--partial"];
    basin.refused(&["merge", "shards", "--out", "x.json"], &all);
    let resumed = basin.ok(&shard("2/3"));
    assert!(resumed.err.contains("shard 2/3 is finished") && resumed.err.contains("basin merge shards"));
    assert!(std::fs::read_to_string(&journal).unwrap().starts_with(whole_lines), "computed again");
    basin.refused(&["merge", "shards", "--out", "x.json"], &["lacks work of shard 1/3; run it"]);
    assert_eq!(states(&basin), ["1/3 missing", "2/3 finished", "3/3 finished"]);
    basin.ok(&shard("1/3"));
    let told = basin.ok(&["status", "shards"]).out;
    assert!(told.contains("3 of 3 shards are finished") && told.contains("basin merge shards"), "{told}");

    let merged = basin.record(&["merge", "shards", "--out", "x.json"]);
    assert_eq!(merged, basin.json("x.json"));
    let provenance = &merged["provenance"];
    assert_eq!(provenance["shards"].as_array().unwrap().len(), 3);
    assert_eq!(without_times(merged.clone()), without_times(basin.json("plain/x.json")));
    let losses = |record: &str| std::fs::read(basin.path(&format!("{record}.losses.safetensors"))).unwrap();
    assert_eq!(losses("x.json"), losses("plain/x.json"));

    // A finished record stays; that of another job, too.
    let again = basin.ok(&["merge", "shards", "--out", "plain/x.json"]);
    assert!(again.err.contains("done already") && !again.err.contains("merged"), "{}", again.err);
    assert!(basin.json("plain/x.json")["provenance"].get("shards").is_none());
    basin.ok(&["merge", "shards", "--out", "plain/x.json", "--force"]);
    assert!(basin.json("plain/x.json")["provenance"].get("shards").is_some());
    let mut other = merged["job"].clone();
    other["compute"]["seed"] = 1.into();
    basin.write("job.json", other.to_string());
    basin.refused(&shard("1/3"), &["shards: holds shards of another job", "choose another --out"]);
    basin.ok(&["run", "job.json", "--out", "other.json"]);
    let of_another = ["other.json", "record of another job (flatness)", "--force"];
    basin.refused(&["merge", "shards", "--out", "other.json"], &of_another);
    // Another version's work is kept, and the way on is named.
    let of_shard = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, of_shard.replacen("\"version\":\"", "\"version\":\"0.", 1)).unwrap();
    basin.write("job.json", merged["job"].to_string());
    basin.refused(&shard("2/3"), &["another version of Basin", "remove this journal"]);
    let mixed = ["shards that do not fit together", "another version of Basin", "remove the journal"];
    basin.refused(&["merge", "shards", "--out", "y.json"], &mixed);
}

#[test]
fn wrong_shares_and_folders() {
    let basin = with_job(2);
    basin.misused(&["run", "job.json", "--shard", "1/3"], &["--shard 1/3 needs", "--out FOLDER"]);
    for wrong in ["0/3", "4/3", "3", "1/0", "a/b", ""] {
        basin.misused(&shard(wrong), &["is not a shard", "K from 1 to N"]);
    }
    basin.misused(&[&shard("1/3")[..], &["--force"]].concat(), &["--force"]);
    std::fs::create_dir(basin.path("empty")).unwrap();
    for folder in ["empty", "nowhere"] {
        for command in [&["merge", folder, "--out", "x.json"][..], &["status", folder]] {
            basin.refused(command, &[folder, "holds no shards of a job", "--shard 1/2"]);
        }
    }
    std::fs::create_dir(basin.path("begun")).unwrap();
    std::fs::copy(basin.path("job.json"), basin.path("begun/job.json")).unwrap();
    assert!(basin.ok(&["status", "begun"]).out.contains("No shard has begun."));
    basin
        .refused(&["merge", "begun", "--out", "x.json"], &["begun: has no shard that has begun", "run them"]);
    basin.refused(&[&shard("1/2")[..4], &["--out", "job.json"]].concat(), &["job.json"]);
}

/// Networks stay with the shards until all are there, and then go beside each record that is merged.
#[test]
fn kept_networks_come_beside_the_record() {
    let basin = with_job(2);
    let mut job = basin.json("job.json");
    job["keep_networks"] = true.into();
    basin.write("job.json", job.to_string());
    basin.ok(&shard("1/2"));
    basin.refused(&["merge", "shards", "--out", "x.json"], &["lacks work of shard 2/2"]);
    basin.ok(&shard("2/2"));
    for record in ["x.json", "y.json"] {
        let merged = basin.record(&["merge", "shards", "--out", record]);
        let networks = merged["outcome"]["networks"].as_array().unwrap();
        assert_eq!(networks.len(), 2);
        for network in networks {
            assert!(basin.path(network["network"].as_str().unwrap()).is_file(), "{network}");
        }
    }
}

/// A path as the program sees it.
fn seen(basin: &Basin, name: &str) -> String {
    basin.path("").canonicalize().unwrap().join(name).display().to_string()
}

#[test]
fn submit_prints_the_scripts_it_would_hand_to_slurm() {
    let basin = with_job(2);
    std::fs::create_dir(basin.path("it's mine")).unwrap();
    std::fs::rename(basin.path("job.json"), basin.path("it's mine/two words.json")).unwrap();
    let before = basin.files();
    let submit = ["submit", "it's mine/two words.json", "--shards", "4", "--out", "100 %", "--dry-run"];
    let slurm = ["--partition", "gpu", "--account", "us", "--time", "2:00:00", "--gres", "gpu:1"];
    let cores =
        ["--cpus-per-task", "3", "--mem", "16G", "--", "--constraint=a100", r#"--comment=of "two" words"#];
    let text = basin.ok(&[&submit[..], &slurm, &cores].concat()).out;
    assert_eq!(before, basin.files(), "a dry run left something");
    let program = std::fs::canonicalize(env!("CARGO_BIN_EXE_basin")).unwrap();
    let (program, out) = (program.display(), seen(&basin, "100 %"));
    let job = seen(&basin, r"it'\''s mine/two words.json");
    let options = "#SBATCH --partition=gpu
#SBATCH --account=us
#SBATCH --time=2:00:00
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=3
#SBATCH --mem=16G
#SBATCH --constraint=a100
#SBATCH \"--comment=of \\\"two\\\" words\"";
    // Slurm has placeholders of its own in names of logs.
    let logs = format!("{out}%/two words.shards");
    let wanted = format!(
        r#"# {out}/two words.shards/shards.sh
#!/bin/bash
#SBATCH --job-name="basin two words"
#SBATCH --output="{logs}/slurm-%A_%a.log"
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --array=1-4
{options}

exec '{program}' run '{job}' --shard "$SLURM_ARRAY_TASK_ID/4" --out '{out}/two words.shards'

# {out}/two words.shards/merge.sh
#!/bin/bash
#SBATCH --job-name="basin two words merge"
#SBATCH --output="{logs}/slurm-%j-merge.log"
#SBATCH --open-mode=append
#SBATCH --requeue
{options}

exec '{program}' merge '{out}/two words.shards' --out '{out}/two words.record.json' --finish
"#
    );
    assert_eq!(text, wanted);
}

#[test]
fn submissions_that_cannot_be() {
    let basin = with_job(2);
    basin.write("empty", "").misused(&["submit"], &["JOB.json"]);
    basin.misused(&["submit", "job.json", "--shards", "0"], &["0 shards", "1 or more"]);
    std::fs::create_dir(basin.path("other")).unwrap();
    std::fs::copy(basin.path("job.json"), basin.path("other/job.json")).unwrap();
    basin.misused(
        &["submit", "job.json", "other/job.json", "--dry-run"],
        &["two jobs are called job", "rename one"],
    );
    basin.misused(&["submit", "job.json", "--dry-run", "--", "--comment=a\nb"], &["--comment=", "line ends"]);
    basin.refused(&["submit", "nothing.json"], &["nothing.json", "does not exist"]);
    // Nothing is written where nothing can be submitted.
    let before = basin.files();
    let done: Done = basin.command(&["submit", "job.json"]).env("PATH", "").output().unwrap().into();
    done.is_refusal(&["sbatch is not on PATH", "login node", "basin run JOB.json --shard K/N", "xargs"]);
    assert_eq!(before, basin.files());
    basin.write("job.record.json", "{}");
    basin.refused(&["submit", "job.json"], &["job.record.json", "is there already", "--force"]);
    let forced = basin.ok(&["submit", "job.json", "--dry-run", "--force"]).out;
    assert!(forced.contains("--finish --force\n"), "{forced}");
}

/// Submits with an `sbatch` that notes how it was called, and refuses what has this in its arguments.
fn submit(basin: &Basin, arguments: &[&str], refused: &str) -> (Done, String) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(basin.path("bin")).unwrap();
    let script = r#"#!/bin/sh
[ "$1" = --version ] && exit
case "$*" in *"$REFUSED"*) echo "sbatch: error: invalid partition" >&2; exit 1;; esac
echo "$@" >>calls
echo "$(($(wc -l <calls) + 100));cluster"
"#;
    basin.write("bin/sbatch", script).write("calls", "");
    std::fs::set_permissions(basin.path("bin/sbatch"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", basin.path("bin").display());
    let mut command = basin.command(&[&["submit"], arguments].concat());
    let done = command.env("PATH", path).env("REFUSED", refused).output().unwrap().into();
    (done, basin.read("calls"))
}

#[test]
fn submit_hands_over_an_array_and_a_merge_and_trainings_as_a_whole() {
    let basin = with_job(2);
    let (done, calls) = submit(&basin, &["job.json", "--shards", "4"], "never");
    assert_eq!(done.code, Some(0), "{}", done.err);
    let folder = seen(&basin, "job.shards");
    let wanted = format!(
        "--parsable {folder}/shards.sh\n--parsable --dependency=afterok:101 --kill-on-invalid-dep=yes {folder}/merge.sh\n"
    );
    assert_eq!(calls, wanted);
    for part in ["Slurm job 101, merged by job 102", "job.record.json", "basin status", "scancel 101 102"] {
        assert!(done.err.contains(part), "no {part:?} in {}", done.err);
    }
    assert!(basin.ok(&["status", "job.shards"]).out.contains("No shard has begun."));
    // The same again resumes; another job does not mix with it.
    assert_eq!(submit(&basin, &["job.json", "--shards", "2"], "never").0.code, Some(0));
    let (refused, calls) = submit(&basin, &["job.json"], "shards.sh");
    refused.is_refusal(&["Slurm refuses", "shards.sh", "invalid partition"]);
    assert_eq!(calls, "");
    let (refused, calls) = submit(&basin, &["job.json"], "merge.sh");
    refused.is_refusal(&["Slurm job 101", "not merged", "scancel 101", "merge.sh", "invalid partition"]);
    assert_eq!(calls.lines().count(), 1);
    let mut other = basin.json("job.json");
    other["draws"] = 3.into();
    basin.write("job.json", other.to_string());
    let (refused, calls) = submit(&basin, &["job.json"], "never");
    refused.is_refusal(&["job.shards: holds shards of another job", "choose another --out"]);
    assert_eq!(calls, "");

    let preset = ["train", "--preset", "normal_training", "--data", "bundled", "--dry-run"];
    basin.write("training.json", basin.ok(&preset).out);
    let (done, calls) = submit(&basin, &["training.json", "--shards", "4", "--out", "runs"], "never");
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert_eq!(calls, format!("--parsable {}\n", seen(&basin, "runs/training.slurm.sh")));
    let script = basin.read("runs/training.slurm.sh");
    assert!(!script.contains("--array") && !script.contains("merge"), "{script}");
    let (job, out) = (seen(&basin, "training.json"), seen(&basin, "runs/training"));
    assert!(script.ends_with(&format!("run '{job}' --out '{out}'\n")), "{script}");
    for part in ["Slurm job 101", "it trains in", "runs/training", "scancel 101", "resumes"] {
        assert!(done.err.contains(part), "no {part:?} in {}", done.err);
    }
}
