//! Files made by hand for tests: state dictionaries as safetensors, zip containers, pickles, IDX data.
#![allow(dead_code, reason = "each test program uses a part")]

use std::path::Path;

use basin_core::checkpoint;
use serde_json::{Map, Value, json};

/// A state dictionary as safetensors, to be changed and written.
#[derive(Clone)]
pub struct StateDict {
    pub tensors: Vec<Entry>,
    /// Text values, as safetensors has them; Basin's own is at `basin`.
    pub metadata: Map<String, Value>,
}

/// One tensor.
#[derive(Clone)]
pub struct Entry {
    pub name: String,
    pub kind: &'static str,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl StateDict {
    /// The network of a checkpoint, with Basin's metadata.
    pub fn of(checkpoint: impl AsRef<Path>) -> Self {
        let network = checkpoint::open(checkpoint.as_ref()).unwrap().network;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.safetensors");
        checkpoint::save(&path, &network, None).unwrap();
        Self::parse(&std::fs::read(&path).unwrap())
    }

    /// The same without metadata: what other programs write.
    pub fn bare(checkpoint: impl AsRef<Path>) -> Self {
        Self { metadata: Map::new(), ..Self::of(checkpoint) }
    }

    fn parse(bytes: &[u8]) -> Self {
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let (header, data) = bytes[8..].split_at(length);
        let mut header: Map<String, Value> = serde_json::from_slice(header).unwrap();
        let metadata =
            header.remove("__metadata__").map_or_else(Map::new, |m| m.as_object().unwrap().clone());
        let tensors = header.into_iter().map(|(name, entry)| {
            let number = |value: &Value| value.as_u64().unwrap() as usize;
            let (from, to) = (number(&entry["data_offsets"][0]), number(&entry["data_offsets"][1]));
            Entry {
                name,
                kind: if entry["dtype"] == "I64" { "I64" } else { "F32" },
                shape: entry["shape"].as_array().unwrap().iter().map(number).collect(),
                bytes: data[from..to].to_vec(),
            }
        });
        Self { tensors: tensors.collect(), metadata }
    }

    /// A tensor by name.
    pub fn get(&mut self, name: &str) -> &mut Entry {
        self.tensors.iter_mut().find(|t| t.name == name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// Leaves out the tensors whose names `which` picks.
    pub fn without(mut self, which: impl Fn(&str) -> bool) -> Self {
        self.tensors.retain(|t| !which(&t.name));
        self
    }

    /// With other names.
    pub fn renamed(mut self, name: impl Fn(&str) -> String) -> Self {
        self.tensors.iter_mut().for_each(|t| t.name = name(&t.name));
        self
    }

    /// With one more tensor.
    pub fn with(mut self, name: &str, shape: &[usize]) -> Self {
        let bytes = vec![0; 4 * shape.iter().product::<usize>()];
        self.tensors.push(Entry { name: name.into(), kind: "F32", shape: shape.into(), bytes });
        self
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let (mut header, mut data) = (Map::new(), Vec::new());
        if !self.metadata.is_empty() {
            header.insert("__metadata__".into(), Value::Object(self.metadata.clone()));
        }
        for t in &self.tensors {
            let offsets = [data.len(), data.len() + t.bytes.len()];
            header.insert(
                t.name.clone(),
                json!({ "dtype": t.kind, "shape": t.shape, "data_offsets": offsets }),
            );
            data.extend(&t.bytes);
        }
        let header = Value::Object(header).to_string();
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat()
    }
}

impl Entry {
    /// Its values, for float32.
    pub fn values(&self) -> Vec<f32> {
        self.bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
    }

    /// Replaces a float32 value.
    pub fn set(&mut self, index: usize, value: f32) {
        self.bytes[4 * index..4 * index + 4].copy_from_slice(&value.to_le_bytes());
    }
}

/// A zip archive of stored entries, without checksums as `torch.save` can leave them out.
pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let start = file.len() as u32;
        let size = (bytes.len() as u32).to_le_bytes();
        // Version, flags, method, time, date; checksum; packed and unpacked size; lengths of name and extra.
        let common: Vec<u8> = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 33, 0, 0, 0, 0, 0][..],
            &size,
            &size,
            &(name.len() as u16).to_le_bytes(),
            &[0, 0],
        ]
        .concat();
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(start.to_le_bytes());
        directory.extend(name.bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(name.bytes());
        file.extend(*bytes);
    }
    let (offset, size) = ((file.len() as u32).to_le_bytes(), (directory.len() as u32).to_le_bytes());
    let count = (entries.len() as u16).to_le_bytes();
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([count, count].concat());
    file.extend([size, offset].concat());
    file.extend([0, 0]);
    file
}

/// A pickle (protocol 2) that runs a shell command when Python loads it.
pub fn harmful_pickle(command: &str) -> Vec<u8> {
    let mut bytes = b"\x80\x02".to_vec();
    bytes.extend(call(command));
    bytes.push(b'.');
    bytes
}

/// A pickled dictionary `{"model_class": "ResNet", "state": os.system(command)}`.
pub fn harmful_dictionary(command: &str) -> Vec<u8> {
    let text = |s: &str| [b"X", &(s.len() as u32).to_le_bytes()[..], s.as_bytes()].concat();
    let parts = [text("model_class"), text("ResNet"), text("state"), call(command)].concat();
    [b"\x80\x02}(", &parts[..], b"u."].concat()
}

fn call(command: &str) -> Vec<u8> {
    let length = (command.len() as u32).to_le_bytes();
    [b"cposix\nsystem\nX", &length[..], command.as_bytes(), b"\x85R"].concat()
}

/// Writes test images and labels as IDX files into an existing folder; pixels are a fixed pattern.
pub fn idx(folder: &Path, side: usize, labels: &[u8]) {
    idx_of(folder, [side, side], labels);
}

/// The same with images of this height and width.
pub fn idx_of(folder: &Path, [height, width]: [usize; 2], labels: &[u8]) {
    let number = |n: usize| (n as u32).to_be_bytes();
    let count = labels.len();
    let pixels: Vec<u8> = (0..count * height * width).map(|i| (i * 37 % 251) as u8).collect();
    let images = [&[0, 0, 8, 3][..], &number(count), &number(height), &number(width), &pixels].concat();
    std::fs::write(folder.join("t10k-images-idx3-ubyte"), images).unwrap();
    let labels = [&[0, 0, 8, 1][..], &number(count), labels].concat();
    std::fs::write(folder.join("t10k-labels-idx1-ubyte"), labels).unwrap();
}
