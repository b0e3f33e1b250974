//! Every shader file, in every combination it is joined in, parses and validates without a GPU.

use std::collections::BTreeSet;
use std::path::Path;

use basin::gpu::{LINES_WGSL, SURFACE_WGSL};
use naga::valid::{Capabilities, ValidationFlags, Validator};

const JOINED: [(&str, &str); 2] = [("surface", SURFACE_WGSL), ("lines", LINES_WGSL)];

#[test]
fn shaders_are_valid() {
    for (name, source) in JOINED {
        let module =
            naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
        Validator::new(ValidationFlags::all(), Capabilities::default())
            .validate(&module)
            .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(source)));
    }
}

#[test]
fn every_file_is_part_of_a_shader() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shaders");
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).expect("the shaders folder") {
        let path = entry.expect("a file in it").path();
        let text = std::fs::read_to_string(&path).expect("its text");
        assert!(text.starts_with("// "), "{} does not say what it is for", path.display());
        assert!(
            JOINED.iter().any(|(_, source)| source.contains(&text)),
            "{} is used by no shader",
            path.display()
        );
        files.insert(path.file_name().expect("a name").to_owned());
    }
    assert!(files.len() >= 5, "{files:?}");
}
