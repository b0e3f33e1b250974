//! Small made-up data sets in every format, for the tests of the loaders.

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use hdf5_pure::FileBuilder;

/// `count` images of `size` bytes that do not repeat, and labels that cover all ten classes.
pub fn sample(count: usize, size: usize) -> (Vec<u8>, Vec<u8>) {
    let noise = |i: usize| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17) >> 40;
    ((0..count * size).map(|i| noise(i) as u8).collect(), (0..count).map(|i| (i * 7 % 10) as u8).collect())
}

/// Five training batches and, from the first images once more, a test batch: name, pixels, labels.
fn batches<'a>(pixels: &'a [u8], labels: &'a [u8]) -> Vec<(String, &'a [u8], &'a [u8])> {
    let size = labels.len() / 5;
    let batch =
        |i: usize| (&pixels[i * size * 3072..(i + 1) * size * 3072], &labels[i * size..(i + 1) * size]);
    let train = (0..5).map(|i| (format!("data_batch_{}", i + 1), batch(i).0, batch(i).1));
    train.chain([("test_batch".to_owned(), batch(0).0, batch(0).1)]).collect()
}

fn binary_batch(pixels: &[u8], labels: &[u8]) -> Vec<u8> {
    let rows = pixels.chunks_exact(3072).zip(labels);
    rows.flat_map(|(image, &label)| std::iter::once(label).chain(image.iter().copied())).collect()
}

/// `data_batch_1.bin`, …
pub fn write_binary(folder: &Path, pixels: &[u8], labels: &[u8]) {
    std::fs::create_dir_all(folder).unwrap();
    for (name, pixels, labels) in batches(pixels, labels) {
        std::fs::write(folder.join(name + ".bin"), binary_batch(pixels, labels)).unwrap();
    }
}

/// How the array's bytes are pickled.
enum Python {
    /// As in the official files: protocol 2, strings of Python 2.
    Two,
    /// Protocol 2 of Python 3: bytes as encoded text.
    Three,
    /// Protocol 5: frames, numpy's `_frombuffer`.
    Five,
}

fn pickled_batch(python: &Python, pixels: &[u8], labels: &[u8]) -> Vec<u8> {
    let count = labels.len() as u8;
    let list: Vec<u8> = labels.iter().flat_map(|&label| [b'K', label]).collect();
    let shape = [b"K", &[count][..], b"M\x00\x0c\x86"].concat();
    let length = |bytes: &[u8]| (bytes.len() as u32).to_le_bytes();
    match python {
        Python::Two => {
            let data = [b"T", &length(pixels)[..], pixels].concat();
            [
                &b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x0amade up 12q\x03U\x06labelsq\x04]q\x05("[..],
                &list,
                b"eU\x04dataq\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85q\x09U\x01bq\x0a\x87q\x0bRq\x0c(K\x01",
                &shape,
                b"q\x0dcnumpy\ndtype\nq\x0eU\x02u1q\x0fK\x00K\x01\x87q\x10Rq\x11(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x12b\x89",
                &data,
                b"q\x13tbu.",
            ]
            .concat()
        }
        Python::Three => {
            let text: String = pixels.iter().map(|&byte| char::from(byte)).collect();
            let data = [
                b"c_codecs\nencode\nX",
                &length(text.as_bytes())[..],
                text.as_bytes(),
                b"X\x06\x00\x00\x00latin1\x86R",
            ]
            .concat();
            [
                &b"\x80\x02}(c_codecs\nencode\nX\x06\x00\x00\x00labelsX\x06\x00\x00\x00latin1\x86R]("[..],
                &list,
                b"eX\x04\x00\x00\x00datacnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01",
                &shape,
                b"cnumpy\ndtype\nX\x02\x00\x00\x00u1\x89\x88\x87R(K\x03X\x01\x00\x00\x00|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",
                &data,
                b"tbu.",
            ]
            .concat()
        }
        Python::Five => {
            let data = [b"\x96", &(pixels.len() as u64).to_le_bytes()[..], pixels].concat();
            let mut pickle =
                b"\x80\x05\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94(C\x06labels\x94]\x94(".to_vec();
            pickle.extend(&list);
            pickle.extend(b"eC\x04data\x94\x8c\x13numpy._core.numeric\x94\x8c\x0b_frombuffer\x94\x93\x94(");
            pickle.extend(&data);
            pickle.extend(b"\x94\x8c\x05numpy\x94\x8c\x05dtype\x94\x93\x94\x8c\x02u1\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94b");
            pickle.extend(&shape);
            pickle.extend(b"\x94\x8c\x01C\x94t\x94R\x94u.");
            pickle
        }
    }
}

fn write_python(python: &Python, folder: &Path, pixels: &[u8], labels: &[u8]) {
    std::fs::create_dir_all(folder).unwrap();
    for (name, pixels, labels) in batches(pixels, labels) {
        std::fs::write(folder.join(name), pickled_batch(python, pixels, labels)).unwrap();
    }
}

/// `data_batch_1`, … as in the official files.
pub fn write_python2(folder: &Path, pixels: &[u8], labels: &[u8]) {
    write_python(&Python::Two, folder, pixels, labels);
}

/// The same, pickled again by Python 3.
pub fn write_python3(folder: &Path, pixels: &[u8], labels: &[u8]) {
    write_python(&Python::Three, folder, pixels, labels);
}

/// The same, pickled again in protocol 5.
pub fn write_python5(folder: &Path, pixels: &[u8], labels: &[u8]) {
    write_python(&Python::Five, folder, pixels, labels);
}

fn write_archive(path: &Path, files: &[(String, Vec<u8>)]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("cifar-10-batches/{name}"), &bytes[..]).unwrap();
    }
    std::fs::write(path, archive.into_inner().unwrap().finish().unwrap()).unwrap();
}

/// The binary archive as downloaded.
pub fn write_binary_archive(path: &Path, pixels: &[u8], labels: &[u8]) {
    let files: Vec<_> =
        batches(pixels, labels).into_iter().map(|(name, x, y)| (name + ".bin", binary_batch(x, y))).collect();
    write_archive(path, &files);
}

/// The Python archive as downloaded.
pub fn write_python_archive(path: &Path, pixels: &[u8], labels: &[u8]) {
    let pickle = |x: &[u8], y: &[u8]| pickled_batch(&Python::Two, x, y);
    let files: Vec<_> =
        batches(pixels, labels).into_iter().map(|(name, x, y)| (name, pickle(x, y))).collect();
    write_archive(path, &files);
}

/// A sound archive with nothing of use in it.
pub fn write_empty_archive(path: &Path) {
    write_archive(path, &[("readme.html".into(), b"hello".to_vec())]);
}

/// One HDF5 data set of float32, in chunks of up to ten images like the paper's.
pub fn hdf5_file(path: &Path, name: &str, values: &[f32], shape: &[u64]) {
    let mut file = FileBuilder::new();
    let chunks: Vec<u64> = [shape[0].min(10)].iter().chain(&shape[1..]).copied().collect();
    file.create_dataset(name).with_f32_data(values).with_shape(shape).with_chunks(&chunks).with_deflate(4);
    file.write(path).unwrap();
}

/// The paper's HDF5 layout.
pub fn write_hdf5(folder: &Path, pixels: &[u8], labels: &[u8]) {
    std::fs::create_dir_all(folder).unwrap();
    let test = labels.len() / 5;
    for (split, count) in [("train", labels.len()), ("test", test)] {
        let images = pixels[..count * 3072].chunks_exact(3072);
        let values: Vec<f32> = images
            .flat_map(|image| (0..3072).map(|i| f32::from(image[i % 3 * 1024 + i / 3]) / 255.0))
            .collect();
        hdf5_file(&folder.join(format!("{split}_images.h5")), "tensor", &values, &[count as u64, 32, 32, 3]);
        let labels: Vec<i64> = labels[..count].iter().map(|&label| label.into()).collect();
        let mut file = FileBuilder::new();
        file.create_dataset("tensor").with_i64_data(&labels).with_shape(&[count as u64, 1]);
        file.write(folder.join(format!("{split}_labels.h5"))).unwrap();
    }
}

/// MNIST's four files: the same images for training and test.
pub fn write_idx(folder: &Path, pixels: &[u8], labels: &[u8], size: [u32; 2], dot: bool, zip: bool) {
    std::fs::create_dir_all(folder).unwrap();
    let word = |value: u32| value.to_be_bytes();
    let count = word(labels.len() as u32);
    let images = [&word(0x803)[..], &count, &word(size[0]), &word(size[1]), pixels].concat();
    let labels = [&word(0x801)[..], &count, labels].concat();
    for prefix in ["train", "t10k"] {
        for (what, kind, bytes) in [("images", "idx3", &images), ("labels", "idx1", &labels)] {
            let name = format!(
                "{prefix}-{what}{}{kind}-ubyte{}",
                if dot { "." } else { "-" },
                if zip { ".gz" } else { "" }
            );
            let mut content = bytes.clone();
            if zip {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(bytes).unwrap();
                content = encoder.finish().unwrap();
            }
            std::fs::write(folder.join(name), content).unwrap();
        }
    }
}
