//! What is said on standard error: notes, and every failure as one sentence, bugs included.

use std::fmt::Display;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use anyhow::{Result, anyhow};

/// Writes one line to standard error. A reader that closed the pipe, or a full disk behind it, stops no job.
pub fn say(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Wrong usage: something on the command line that no run could make sense of. Exit code 2.
#[derive(Debug)]
pub struct Usage(String);

impl Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Wrong usage, in one sentence.
pub fn usage(sentence: impl Display) -> anyhow::Error {
    Usage(sentence.to_string()).into()
}

/// The chain of reasons as one line.
pub fn one_line(error: &impl Display) -> String {
    format!("{error:#}").lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Does `work`; a panic, libtorch's included, becomes an error in one sentence. `RUST_BACKTRACE=1` shows where
/// it came from.
///
/// # Errors
/// Those of `work`, and panics.
pub fn guarded(work: impl FnOnce() -> Result<()>) -> Result<()> {
    static PLACE: Mutex<String> = Mutex::new(String::new());
    let place = || PLACE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        *place() = panic.location().map(|l| format!(" at {}:{}", l.file(), l.line())).unwrap_or_default();
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            usual(panic);
        }
    }));
    let result = catch_unwind(AssertUnwindSafe(work));
    let _ = std::panic::take_hook();
    result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown reason");
        Err(anyhow!(sentence(text, &place())))
    })
}

/// What a panic means for the user.
fn sentence(panic: &str, place: &str) -> String {
    // libtorch appends its C++ stack, as text that tch escapes once more.
    let first = panic.split("\\n").next().unwrap_or(panic).lines().next().unwrap_or(panic);
    let reason =
        first.replace("called `Result::unwrap()` on an `Err` value: ", "").replace("Torch(\"", "libtorch: ");
    if panic.contains("out of memory") || panic.contains("allocate memory") {
        return format!("not enough memory ({reason}); use a smaller --batch-size or fewer --examples");
    }
    format!("this is a bug in Basin: {reason}{place}; please report it with the command line")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_become_sentences() {
        let error = guarded(|| panic!("index {} is out of bounds", 3)).unwrap_err().to_string();
        assert!(error.starts_with("this is a bug in Basin: index 3 is out of bounds at "), "{error}");
        assert!(error.contains("failure.rs:") && error.ends_with("; please report it with the command line"));
        assert!(guarded(|| Ok(())).is_ok());
    }

    #[test]
    fn libtorch_speaks_one_line() {
        let torch = r#"called `Result::unwrap()` on an `Err` value: Torch("mat1 and mat2 shapes cannot be multiplied\nException raised from meta at x.cpp:1\nframe #0")"#;
        assert_eq!(
            sentence(torch, " at a.rs:1"),
            "this is a bug in Basin: libtorch: mat1 and mat2 shapes cannot be multiplied at a.rs:1; please report it with the command line"
        );
        let memory = r#"Torch("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.\nframe #0")"#;
        assert!(sentence(memory, "").ends_with("use a smaller --batch-size or fewer --examples"));
    }

    #[test]
    fn line_breaks_do_not_survive() {
        assert_eq!(one_line(&anyhow!("a\n  b").context("c  d")), "c  d: a b");
    }
}
