//! Writing several state dictionaries into one file as `torch.save` does since PyTorch 1.6, for benchmarks.

use std::io::Write as _;
use std::path::Path;

use basin_core::model::Network;
use tch::Kind;

/// Writes the tensors of networks, with a prefix before all names of each.
pub fn write(path: &Path, networks: &[(&str, &Network)]) -> std::io::Result<()> {
    let mut archive = zip::ZipWriter::new(std::io::BufWriter::new(std::fs::File::create(path)?));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut pickle = b"\x80\x02}(".to_vec();
    let mut storages = Vec::new();
    let tensors = networks.iter().flat_map(|(prefix, network)| {
        network.state_dict().into_iter().map(move |(name, tensor)| (format!("{prefix}{name}"), tensor))
    });
    for (number, (name, tensor)) in tensors.enumerate() {
        let tensor = tensor.contiguous();
        let class = if tensor.kind() == Kind::Int64 { "LongStorage" } else { "FloatStorage" };
        text(&mut pickle, &name);
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut pickle, "storage");
        pickle.extend(format!("ctorch\n{class}\n").bytes());
        text(&mut pickle, &number.to_string());
        text(&mut pickle, "cpu");
        integer(&mut pickle, tensor.numel() as i64);
        pickle.extend(b"tQ");
        integer(&mut pickle, 0);
        tuple(&mut pickle, &tensor.size());
        tuple(&mut pickle, &tensor.stride());
        pickle.extend(b"\x89}tR");
        let mut bytes = vec![0; tensor.numel() * tensor.kind().elt_size_in_bytes()];
        tensor.copy_data_u8(&mut bytes, tensor.numel());
        storages.push(bytes);
    }
    pickle.extend(b"u.");
    archive.start_file("archive/data.pkl", stored)?;
    archive.write_all(&pickle)?;
    for (number, bytes) in storages.into_iter().enumerate() {
        archive.start_file(format!("archive/data/{number}"), stored)?;
        archive.write_all(&bytes)?;
    }
    archive.start_file("archive/version", stored)?;
    archive.write_all(b"3\n")?;
    archive.finish()?.flush()
}

fn text(pickle: &mut Vec<u8>, text: &str) {
    pickle.push(b'X');
    pickle.extend((text.len() as u32).to_le_bytes());
    pickle.extend(text.bytes());
}

fn integer(pickle: &mut Vec<u8>, value: i64) {
    pickle.push(b'J');
    pickle.extend((value as i32).to_le_bytes());
}

fn tuple(pickle: &mut Vec<u8>, values: &[i64]) {
    pickle.push(b'(');
    values.iter().for_each(|value| integer(pickle, *value));
    pickle.push(b't');
}
