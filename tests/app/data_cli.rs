//! `basin data` as a user runs it.

use crate::support::program::Basin;
use crate::support::server::{Answer, Server};

#[test]
fn the_list_says_how_to_have_what_is_missing() {
    let basin = Basin::new();
    let listed = basin.run(&["data", "list"]);
    assert_eq!(listed.code, Some(0), "{}", listed.err);
    for part in
        ["bundled: ", "cifar10: CIFAR-10, 50000 training and 10000 test images", "basin data fetch mnist"]
    {
        assert!(listed.out.contains(part), "{part:?} is not in: {}", listed.out);
    }
    let json: serde_json::Value = serde_json::from_str(&basin.run(&["data", "list", "--json"]).out).unwrap();
    assert_eq!((&json[1]["name"], &json[1]["available"]), (&"cifar10".into(), &false.into()));
    // What is converted into a data folder is found there.
    let converted = basin.run(&["data", "convert", "bundled", "data/Cifar10"]);
    assert_eq!(converted.code, Some(0), "{}", converted.err);
    assert!(converted.out.contains("2000 training and 1000 test images"), "{}", converted.out);
    let output = basin.command(&["data", "list"]).env("BASIN_DATA", basin.path("data")).output().unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    let place = basin.path("data/Cifar10");
    assert!(found.contains(&format!("  found    {} (HDF5, ", place.display())), "{found}");
}

#[test]
fn a_data_set_that_cannot_be_fetched_says_what_to_do() {
    let basin = Basin::new();
    let server = Server::new(vec![Answer::Page("404 Not Found", "gone")]);
    let fetch = |name: &str| basin.run(&["data", "fetch", name, "--to", "data", "--from", &server.address()]);
    let done = fetch("cifar10");
    assert_eq!(done.code, Some(1));
    let url = format!("{}cifar-10-binary.tar.gz answers 404 Not Found", server.address());
    for part in [url.as_str(), "170052171 bytes", "SHA-256 c4a38c50", "put it into data"] {
        assert!(done.err.contains(part), "{part:?} is not in: {}", done.err);
    }
    assert_eq!(done.err.lines().count(), 1, "{}", done.err);
    for (name, code, part) in [
        ("tinyimages500k", 1, "basin data convert 500k_pseudolabeled.pickle"),
        ("bundled", 2, "comes with Basin"),
        ("imagenet", 2, "is no data set Basin knows"),
    ] {
        let done = fetch(name);
        assert!(done.code == Some(code) && done.err.contains(part), "{name}: {:?} {}", done.code, done.err);
    }
    // Whoever asks for the data is told of the command.
    let missing = basin.run(&["evaluate", "bundled", "--data", "cifar10"]);
    assert!(missing.code == Some(1) && missing.err.contains("basin data fetch cifar10"), "{}", missing.err);
}

#[test]
fn slips_are_told() {
    let basin = Basin::new();
    for (arguments, code, part) in [
        (&["data", "convert", "bundled", "out", "--to", "hdf"][..], 2, "hdf5"),
        (&["data", "convert", "bundled", "out", "--to", "idx"], 1, "these are coloured; use --to hdf5"),
        (&["data", "convert", "nowhere", "out"], 1, "neither a folder nor a data set"),
        (&["data"], 2, "list"),
    ] {
        let done = basin.run(arguments);
        assert!(
            done.code == Some(code) && done.err.contains(part),
            "{arguments:?}: {:?} {}",
            done.code,
            done.err
        );
    }
    assert!(!basin.path("out").exists());
}
