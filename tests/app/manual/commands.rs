//! Commands and options that the manual names.

use std::collections::BTreeSet;

use basin::cli;

use super::{lines, pages, short, spans};

/// Words of a command line: quotes hold together, a comment, a pipe or a redirection ends it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.chars().chain([' ']) {
        match (quote, letter) {
            (Some(end), letter) if letter == end => quote = None,
            (Some(_), letter) => word.get_or_insert_default().push(letter),
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(letter);
            }
            (None, '#') if word.is_none() => break,
            (None, '|' | '>' | '&' | ';') => break,
            (None, ' ') => words.extend(word.take()),
            (None, letter) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word.take().filter(|_| quote.is_none()));
    words
}

/// Lines of code in which a line that ends in a backslash goes on.
fn joined(code: &[(usize, &str)]) -> Vec<(usize, String)> {
    let mut whole: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in code {
        let part = line.trim().trim_end_matches('\\');
        match whole.last_mut() {
            Some((_, text)) if goes_on => text.push_str(part),
            _ => whole.push((*number, part.to_owned())),
        }
        goes_on = line.ends_with('\\');
    }
    whole
}

/// The command of a line, behind what hands it its arguments or asks Slurm for a machine.
fn command(line: &str) -> Option<Vec<String>> {
    const BEFORE: [&str; 4] = ["xargs", "parallel", "srun", "seq"];
    let begins = line.starts_with("basin ") || line == "basin";
    let at = if begins { 0 } else { line.find(" basin ")? + 1 };
    let before = line[..at].trim();
    let known = before.is_empty() || before == "$" || BEFORE.iter().any(|word| before.starts_with(word));
    // What parallel and xargs put in is a number; a pattern stands for several files.
    let words = words(&line[at..]).into_iter().take_while(|word| word != ":::");
    let words = words.map(|word| word.replace("{}", "1").replace("K/", "1/"));
    let files = |word: String| match word.contains('*') {
        true => vec![word.replace('*', "1"), word.replace('*', "2")],
        false => vec![word],
    };
    known.then(|| words.flat_map(files).collect())
}

#[test]
fn every_command_parses() {
    let (mut wrong, mut looked) = (Vec::new(), 0);
    for (path, text) in pages() {
        for (number, line) in joined(&lines(&text).0) {
            let Some(words) = command(&line) else { continue };
            looked += 1;
            if let Err(error) = cli::command().try_get_matches_from(&words)
                && error.exit_code() != 0
            {
                let reason = error.to_string().lines().next().unwrap_or_default().to_owned();
                wrong.push(format!("{}:{number}: {line}\n    {reason}", short(&path)));
            }
        }
    }
    assert!(wrong.is_empty(), "commands that make no sense:\n{}", wrong.join("\n"));
    assert!(looked > 100, "only {looked} commands");
}

/// Names of commands, as they are typed behind `basin`, and all options.
fn all(command: &clap::Command, before: &str, names: &mut BTreeSet<String>, flags: &mut BTreeSet<String>) {
    let longs = command.get_arguments().flat_map(|argument| argument.get_long_and_visible_aliases());
    flags.extend(longs.flatten().map(|long| format!("--{long}")));
    for inner in command.get_subcommands() {
        let name = format!("{before}{}", inner.get_name());
        names.insert(name.clone());
        all(inner, &format!("{name} "), names, flags);
    }
}

#[test]
fn every_option_and_command_in_prose_exists() {
    let (mut names, mut flags) = (BTreeSet::new(), BTreeSet::from(["--help".into(), "--version".into()]));
    all(&cli::command(), "", &mut names, &mut flags);
    let mut wrong = Vec::new();
    for (path, text) in pages() {
        for (number, line) in lines(&text).1 {
            // The first column of this page has options of the paper's program.
            let is_theirs = path.ends_with("paper/tools.md") && line.starts_with('|');
            let line = if is_theirs { line[1..].split_once('|').map_or("", |(_, rest)| rest) } else { line };
            for span in spans(line) {
                let words: Vec<&str> = span.split(' ').collect();
                let named = words[0] == "basin" && words.len() > 1;
                let is_path =
                    words.get(1).is_some_and(|word| word.contains(['/', '.']) || word.starts_with('-'));
                let known = |count: usize| words.len() > count && names.contains(&words[1..=count].join(" "));
                if named && !is_path && !known(1) && !known(2) {
                    wrong.push(format!("{}:{number}: {span}: no such command", short(&path)));
                }
                // Options of other programs are theirs.
                let ours = named || words[0].starts_with("--");
                let given = words.iter().filter(|word| ours && word.starts_with("--") && word.len() > 2);
                for flag in given.map(|word| word.split(['=', ',']).next().unwrap_or(word)) {
                    if !flags.contains(flag) {
                        wrong.push(format!("{}:{number}: {span}: no such option", short(&path)));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_measure_names_all_its_options() {
    use basin::settings::Settings as _;
    let pages: String = pages().into_iter().map(|(_, text)| text).collect();
    for measure in basin_core::job::Kind::ALL {
        let flags = measure.settings().iter().filter_map(|setting| setting.flag.as_deref());
        let missing: Vec<&str> = flags.filter(|flag| !pages.contains(&format!("--{flag}"))).collect();
        assert!(missing.is_empty(), "{}: {missing:?} are nowhere in the manual", measure.name());
    }
}
