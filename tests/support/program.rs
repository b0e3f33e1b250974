//! The built program, run as a user runs it: in a folder of its own, without display, home or settings.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A file or folder below `tests/reference`, as an argument.
pub fn reference(name: &str) -> String {
    let path = super::oracle::reference(name);
    path.canonicalize().unwrap_or_else(|e| panic!("{}: {e}", path.display())).display().to_string()
}

/// Checkpoint of a small LeNet for MNIST: the quickest to run.
pub fn lenet() -> String {
    reference("checkpoints/lenet_bn_trained.pth.tar")
}

/// A folder to run the program in; gone at the end of the test.
pub struct Basin {
    folder: tempfile::TempDir,
}

/// What came of one run.
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Basin {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path(name), bytes).unwrap();
        self
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// Names of everything in the folder, the home folder aside.
    pub fn files(&self) -> BTreeSet<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name != "home").collect()
    }

    /// The command, ready for more settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.wrapped(env!("CARGO_BIN_EXE_basin"), arguments)
    }

    /// Any program in the same surroundings.
    pub fn wrapped(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        for name in [
            "DISPLAY",
            "XDG_RUNTIME_DIR",
            "WAYLAND_DISPLAY",
            "WAYLAND_SOCKET",
            "BASIN_DATA",
            "XDG_DATA_HOME",
            "RUST_BACKTRACE",
        ] {
            command.env_remove(name);
        }
        // Tests run side by side already; one thread each is quicker, and reproducible.
        command.env("HOME", self.path("home")).env("OMP_NUM_THREADS", "1").env("OMP_WAIT_POLICY", "passive");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Done {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs and expects success.
    pub fn ok(&self, arguments: &[&str]) -> Done {
        let done = self.run(arguments);
        assert_eq!(done.code, Some(0), "{arguments:?}: {}{}", done.out, done.err);
        done
    }

    /// Runs with `--json` and gives what it prints.
    pub fn record(&self, arguments: &[&str]) -> Value {
        let done = self.ok(&[arguments, &["--json"]].concat());
        serde_json::from_str(&done.out).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {}", done.out))
    }

    /// Expects a refusal: exit code 1, one sentence that has all of `parts`, no output, and the folder as it was.
    pub fn refused(&self, arguments: &[&str], parts: &[&str]) {
        let before = self.files();
        let done = self.run(arguments);
        done.is_refusal(parts);
        assert_eq!(done.out, "", "{arguments:?} printed something before it failed");
        assert_eq!(before, self.files(), "{arguments:?} left something in the folder");
    }

    /// Expects wrong usage: exit code 2, and an explanation that has all of `parts`.
    pub fn misused(&self, arguments: &[&str], parts: &[&str]) {
        let before = self.files();
        let done = self.run(arguments);
        assert_eq!(done.code, Some(2), "{arguments:?}: {}", done.err);
        for part in parts {
            assert!(done.err.contains(part), "{arguments:?}: no {part:?} in: {}", done.err);
        }
        assert!(done.out.is_empty() && before == self.files());
    }
}

/// A record without what says when, and in which shards, it was computed.
pub fn without_times(mut record: Value) -> Value {
    fn clean(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("seconds");
                fields.values_mut().for_each(clean);
            }
            Value::Array(items) => items.iter_mut().for_each(clean),
            _ => {}
        }
    }
    clean(&mut record);
    let provenance = record["provenance"].as_object_mut().unwrap();
    for name in ["started", "duration_s", "device", "shards"] {
        provenance.remove(name);
    }
    record
}

/// Finished units in a journal, as far as whole lines go.
pub fn units_in(journal: &std::path::Path) -> usize {
    let text = std::fs::read_to_string(journal).unwrap_or_default();
    text.split_inclusive('\n').filter(|line| line.starts_with("{\"unit\"") && line.ends_with('\n')).count()
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Done {
    /// Checks that this is a failure told in one sentence that has all of `parts`.
    pub fn is_refusal(&self, parts: &[&str]) {
        assert_eq!(self.code, Some(1), "{}{}", self.out, self.err);
        let (sentences, others): (Vec<&str>, Vec<&str>) =
            self.err.lines().partition(|line| line.starts_with("basin: "));
        assert!(others.iter().all(|line| line.starts_with("note: ")), "more than one line: {}", self.err);
        let [sentence] = sentences[..] else { panic!("not one sentence: {}", self.err) };
        for part in parts {
            assert!(sentence.contains(part), "no {part:?} in: {sentence}");
        }
        for sign in ["panicked", "bug in Basin", "backtrace", "unwrap()", "Exception raised", "stack"] {
            assert!(!self.err.contains(sign), "{sign:?} in: {}", self.err);
        }
        // The same reason is not told twice, as chains of errors tend to do.
        let parts: Vec<&str> = sentence.split(": ").collect();
        assert!(parts.windows(2).all(|pair| pair[0] != pair[1]), "repeats itself: {sentence}");
    }
}
