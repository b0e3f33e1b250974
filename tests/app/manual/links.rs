//! Links between pages.

use std::collections::BTreeSet;
use std::path::Path;

use super::{lines, pages, root, short};

/// Targets of the links and pictures in a line of Markdown.
fn targets(line: &str) -> Vec<&str> {
    line.match_indices("](").filter_map(|(at, _)| line[at + 2..].split(')').next()).collect()
}

/// The anchor of a heading, as mdBook and GitHub make it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let (_, prose) = lines(text);
    let headings = prose.iter().filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| anchor(line.trim_start_matches('#').trim())).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    for (path, text) in pages() {
        for (number, line) in lines(&text).1 {
            for target in targets(line).into_iter().filter(|target| !target.contains("://")) {
                let (file, place) = target.split_once('#').unwrap_or((target, ""));
                let full = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
                let there = full.exists()
                    && (place.is_empty()
                        || anchors(&std::fs::read_to_string(&full).unwrap()).contains(place));
                if !there {
                    wrong.push(format!("{}:{number}: {target}", short(&path)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let book = root().join("docs/src");
    let contents = std::fs::read_to_string(book.join("SUMMARY.md")).unwrap();
    let listed: BTreeSet<&str> = contents.lines().flat_map(targets).collect();
    let missing: Vec<String> = pages()
        .into_iter()
        .filter_map(|(path, _)| path.strip_prefix(&book).map(Path::to_owned).ok())
        .map(|path| path.to_str().unwrap().replace('\\', "/"))
        .filter(|path| path != "SUMMARY.md" && !listed.contains(&**path))
        .collect();
    assert!(missing.is_empty(), "SUMMARY.md lacks {missing:?}");
}
