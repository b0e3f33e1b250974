//! `cargo xtask`: set-up, demo, tests and benchmarks of Basin. Each task says what it does and can be
//! repeated; nothing here links libtorch, so it builds in seconds.

mod demo;
#[cfg(test)]
mod modules;
mod setup;
mod system;
mod test;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::Parser;

/// Set-up, demo, tests and benchmarks of Basin.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Task {
    /// Fetches libtorch into target/libtorch, unless LIBTORCH or a Python with torch 2.11 provides it.
    Setup,
    /// Sets up, builds, and goes from the bundled checkpoint to landscapes, figures and the window.
    Demo {
        /// Do not open the window at the end.
        #[arg(long)]
        no_window: bool,
    },
    /// Sets up and runs every check: format, lints, documentation, tests.
    Test,
    /// Measures speed against the naive way, in release.
    Bench {
        /// Print one JSON object instead of a table.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Setup => setup::run(),
        Task::Demo { no_window } => demo::run(!no_window),
        Task::Test => test::run(),
        Task::Bench { json } => bench(json),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench(json: bool) -> Result<()> {
    setup::run()?;
    // The program itself is timed too.
    succeed(cargo().args(["build", "--release", "--package", "basin"]))?;
    let mut cargo = cargo();
    cargo.args(["run", "--quiet", "--release", "--package", "basin", "--example", "bench", "--"]);
    if json {
        cargo.arg("--json");
    }
    succeed(&mut cargo)
}

/// The top folder of the repository.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// `cargo` in the top folder, with the environment a user's own `cargo` would have there: a LIBTORCH that
/// only `.cargo/config.toml` has set is not passed on, so that neither rebuilds what the other built.
fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    if setup::libtorch_of_user().is_none() {
        cargo.env_remove("LIBTORCH");
    }
    cargo
}

/// Runs a command that must succeed.
fn succeed(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot start {program}"))?;
    if !status.success() {
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        bail!(
            "{} {} failed ({status})",
            program.rsplit(['/', '\\']).next().unwrap_or(&program),
            arguments.join(" ")
        );
    }
    Ok(())
}
