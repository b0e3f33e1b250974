//! Variables that libraries read when they are loaded, before `main` could set them: where one is missing, the program
//! starts itself once more, in the same process, with it. To be called on the main thread before any work.

/// How often a thread that waits looks again before it sleeps: about a quarter of a millisecond.
const LOOKS: &str = "5000";

/// For long computations: threads of libtorch that wait for each other soon sleep.
///
/// GNU OpenMP, which libtorch computes with on Linux, lets them spin, and on a machine with other work every parallel
/// step then waits for a thread that was put aside: measured five to eight times slower at about four busy threads per
/// core. Sleeping at once (`OMP_WAIT_POLICY=passive`) makes short steps about a tenth slower on a quiet machine. This
/// many looks cost little on either. A user's own `OMP_WAIT_POLICY` or `GOMP_SPINCOUNT` stays.
pub fn for_computing() {
    if cfg!(target_os = "linux") && !is_set("OMP_WAIT_POLICY") && !is_set("GOMP_SPINCOUNT") {
        start_again_with("GOMP_SPINCOUNT", LOOKS);
    }
}

/// For pictures without a display: Mesa's choice among graphics cards asks the desktop, and complains where there is
/// none.
pub fn for_drawing() {
    if cfg!(target_os = "linux") && !is_set("XDG_RUNTIME_DIR") && !is_set("NODEVICE_SELECT") {
        start_again_with("NODEVICE_SELECT", "1");
    }
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

#[cfg(unix)]
fn start_again_with(name: &str, value: &str) {
    use std::os::unix::process::CommandExt as _;

    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut again = std::process::Command::new(program);
    if let Some(called) = arguments.next() {
        again.arg0(called);
    }
    // Comes back only where the program cannot be started again: then it goes on without the variable.
    let _ = again.args(arguments).env(name, value).exec();
}

#[cfg(not(unix))]
fn start_again_with(_: &str, _: &str) {}
