//! The `basin` program: a subcommand runs without a window, anything else opens it.

use std::process::ExitCode;

fn main() -> ExitCode {
    basin::cli::main()
}
