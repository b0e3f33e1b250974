//! Tests that change or measure what a whole process shares: libtorch's number of threads, memory.

use std::process::Command;

/// Runs the test of this full name (as `cargo test` prints it) in a process of its own, where it must pass.
/// False in that process, where the test goes on: other tests would run beside it in the first one.
pub fn passed_in_own_process(test: &str) -> bool {
    const OWN: &str = "BASIN_TEST_IN_OWN_PROCESS";
    if std::env::var_os(OWN).is_some() {
        return false;
    }
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    // Threads that wait for each other sleep, as other tests need the cores.
    command.args([test, "--exact"]).env(OWN, "").env("OMP_WAIT_POLICY", "passive");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("1 passed"), "{test}: {text}");
    true
}
