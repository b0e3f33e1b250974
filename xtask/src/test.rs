//! Every check there is, in the order of their cost, with a summary at the end.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::system::{self, Need};
use crate::{cargo, root, setup, succeed};

/// Runs all checks, also after one has failed.
pub fn run() -> Result<()> {
    let mut needs = vec![Need::Compiler, Need::Vulkan];
    if setup::libtorch_of_user().is_none() && !setup::is_done() {
        needs.push(Need::Pip);
    }
    system::require(&needs, true)?;
    setup::run()?;

    let slurm = cfg!(target_os = "linux") && system::require(&[Need::Slurm], true).is_ok();

    let mut checks: Vec<(&str, &[&str])> = vec![
        ("format", &["fmt", "--all", "--check"]),
        ("lints", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        ("documentation", &["doc", "--no-deps", "--workspace"]),
        ("tests", &["test", "--workspace", "--no-fail-fast"]),
    ];
    if slurm {
        checks.push(("Slurm", &["test", "--workspace", "--test", "app_tests", "--", "--ignored", "slurm"]));
    }
    let mut summary = Vec::new();
    let book = installed("mdbook");
    if book {
        eprintln!("\n== manual: mdbook build docs");
        let start = Instant::now();
        let passed = succeed(Command::new("mdbook").args(["build", "docs"]).current_dir(root())).is_ok();
        summary.push(("manual", passed, start.elapsed().as_secs_f64()));
    }
    for (name, arguments) in checks {
        eprintln!("\n== {name}: cargo {}", arguments.join(" "));
        let start = Instant::now();
        let mut command: Command = cargo();
        command.args(arguments);
        if name == "documentation" {
            command.env("RUSTDOCFLAGS", "-D warnings");
        }
        if arguments[0] == "test" && std::env::var_os("OMP_NUM_THREADS").is_none() {
            // As many tests run at once as there are cores; libtorch's own threads would only wait for each other.
            command.env("OMP_NUM_THREADS", "1");
        }
        let passed = succeed(&mut command).is_ok();
        summary.push((name, passed, start.elapsed().as_secs_f64()));
    }
    eprintln!();
    for (name, passed, seconds) in &summary {
        eprintln!("{name:<14} {:<7} {seconds:6.1} s", if *passed { "passed" } else { "FAILED" });
    }
    if !book {
        eprintln!("{:<14} not built: install mdbook; its links and commands are among the tests", "manual");
    }
    if !slurm {
        eprintln!("{:<14} not run: install slurm-wlm and munge", "Slurm");
    }
    let failed: Vec<_> = summary.iter().filter(|(_, passed, _)| !passed).map(|(name, ..)| *name).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Whether a program can be started.
fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}
