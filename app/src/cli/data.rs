//! `basin data`: which data sets there are, getting them, and turning one layout into another.

use std::path::PathBuf;

use anyhow::Result;
use basin_core::Error;
use basin_core::data::{Entry, Known, Layout, convert, fetch, list, search_folders};
use clap::Subcommand;

use super::failure::{say, usage};
use super::printing::print;
use super::report::size;
use super::terminal::Terminal;
use super::word::word;

/// What to do with data sets.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// The data sets Basin knows: where each was found, its size and terms, and how to get it.
    List {
        /// Print the list as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Download a data set from its official servers; resumes, and checks SHA-256.
    Fetch {
        /// cifar10, mnist or fashion-mnist.
        name: String,
        /// Data folder; without it BASIN_DATA, else the platform's data folder.
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
        /// A mirror to use instead of the official servers: the files are below it by their official names.
        #[arg(long, value_name = "URL")]
        from: Option<String>,
        /// Replace files that are there but are not the official ones.
        #[arg(long)]
        force: bool,
    },
    /// Write a data set in another layout: the paper's HDF5, CIFAR-10's binary batches, or IDX.
    Convert {
        /// Name of a data set, its folder or archive, or 500k_pseudolabeled.pickle.
        #[arg(value_name = "NAME|PATH")]
        source: String,
        /// Folder of the new files.
        folder: PathBuf,
        /// hdf5 (the paper's), cifar10 (32 x 32 colour images of bytes) or idx (grey images of bytes).
        #[arg(long, value_name = "LAYOUT", default_value = "hdf5", value_parser = word::<Layout>)]
        to: Layout,
        /// Replace files that are there.
        #[arg(long)]
        force: bool,
    },
}

/// Does what the command says.
pub fn run(command: DataCommand) -> Result<()> {
    match command {
        DataCommand::List { json } => {
            let folders = search_folders();
            let entries = list(&folders);
            print(&if json {
                serde_json::to_string_pretty(&entries)? + "\n"
            } else {
                listed(&entries, &folders)
            })
        }
        DataCommand::Fetch { name, to, from, force } => fetch_set(&name, to, from, force),
        DataCommand::Convert { source, folder, to, force } => {
            let mut terminal = Terminal::new()?;
            let converted = convert(&search_folders(), &source, to, &folder, force, &mut terminal);
            terminal.finish();
            let converted = converted.inspect_err(|error| {
                if let Error::Cancelled = error {
                    say("cancelled; nothing is kept");
                }
            })?;
            let [train, test] = converted.images;
            print(&format!(
                "{}: {train} training and {test} test images in {}\n",
                folder.display(),
                converted.files.join(", ")
            ))
        }
    }
}

fn fetch_set(name: &str, to: Option<PathBuf>, from: Option<String>, force: bool) -> Result<()> {
    let known = Known::from_name(name).ok_or_else(|| {
        let why = if name == "bundled" { "comes with Basin" } else { "is no data set Basin knows" };
        usage(format!("{name} {why}; cifar10, mnist and fashion-mnist can be fetched"))
    })?;
    let Some(mut source) = known.source() else {
        return Err(Error::invalid(format!("{} cannot be fetched; {}", known.title(), known.remedy())).into());
    };
    if let Some(mirror) = from {
        source.mirrors = vec![format!("{}/", mirror.trim_end_matches('/'))];
    }
    let folders = search_folders();
    let Some(place) = to.or_else(|| folders.first().cloned()) else {
        return Err(usage("there is no data folder; give one with --to FOLDER"));
    };
    let mut terminal = Terminal::in_bytes()?;
    let fetched = fetch(&source, &place, force, &mut terminal);
    terminal.finish();
    let fetched = fetched.inspect_err(|error| {
        if let Error::Cancelled = error {
            say("cancelled; the same command resumes");
        }
    })?;
    let facts = known.facts();
    let what = if fetched.downloaded == 0 { "was there already, complete and unharmed" } else { "is there" };
    let mut text = format!(
        "{} {what}: {} training and {} test images in {}\nterms: {}\n",
        known.title(),
        facts.images[0],
        facts.images[1],
        fetched.folder.display(),
        facts.terms
    );
    text += &if folders.contains(&place) {
        format!("use it with --data {}\n", known.name())
    } else {
        format!("use it with --data {}, or set BASIN_DATA={}\n", fetched.folder.display(), place.display())
    };
    print(&text)
}

fn listed(entries: &[Entry], folders: &[PathBuf]) -> String {
    let mut text = String::new();
    for entry in entries {
        let [channels, height, width] = entry.shape;
        let colour = if channels == 1 { "grey" } else { "colour" };
        let images = match entry.test {
            0 => format!("{} training", entry.train),
            test => format!("{} training and {test} test", entry.train),
        };
        text += &format!(
            "{}: {}, {images} images, {height} x {width} {colour}, {} classes\n",
            entry.name, entry.title, entry.classes
        );
        text += &match (&entry.found, &entry.remedy) {
            (Some(path), _) => format!(
                "  found    {} ({}, {})\n",
                path.display(),
                entry.format.unwrap_or_default(),
                size(entry.bytes_on_disk.unwrap_or_default())
            ),
            (None, Some(remedy)) => {
                let bytes =
                    entry.download_bytes.map(|bytes| format!(" ({})", size(bytes))).unwrap_or_default();
                format!("  missing  {remedy}{bytes}\n")
            }
            (None, None) => "  found    comes with Basin\n".to_owned(),
        };
        text += &format!("  terms    {}\n  home     {}\n", entry.terms, entry.home);
    }
    let looked: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    text + &format!(
        "\nLooked in {}; other places with --data FOLDER or the environment variable BASIN_DATA.\n",
        if looked.is_empty() { "no folder".to_owned() } else { looked.join(" and ") }
    )
}
