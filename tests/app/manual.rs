//! The manual and the README: their links lead somewhere, and their commands and options exist.
//!
//! Tables of options are those of the command line: `UPDATE_DOCS=1` writes them anew.

mod commands;
mod links;
mod tables;

use std::path::{Path, PathBuf};

/// The top folder of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every page, the README first, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    let mut paths = vec![root().join("README.md")];
    collect(&root().join("docs/src"), &mut paths);
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap())).collect()
}

/// A page in messages.
fn short(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Lines with their numbers, from 1.
type Numbered<'a> = Vec<(usize, &'a str)>;

/// Lines of code blocks, and all other lines.
fn lines(text: &str) -> (Numbered<'_>, Numbered<'_>) {
    let mut inside = false;
    let (mut code, mut prose) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside {
            code.push((number + 1, line));
        } else {
            prose.push((number + 1, line));
        }
    }
    assert!(!inside, "a block of code does not end");
    (code, prose)
}

/// What stands between single backticks in a line.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}
