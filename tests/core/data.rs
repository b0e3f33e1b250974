//! Tests of basin_core: data. Each format against the same images in another, the bundled images
//! against themselves, and every kind of broken data set against the sentence it must give.

use std::path::{Path, PathBuf};

use basin_core::data::{self, Dataset, Examples, Known, Split};
use tch::Tensor;

use crate::support::datasets::*;

fn load(name: impl AsRef<Path>, examples: &str) -> Result<Dataset, String> {
    let examples = examples.parse::<Examples>()?;
    data::load_from(&[], name.as_ref().to_str().unwrap(), &examples).map_err(|error| error.to_string())
}

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/reference/datasets").join(name)
}

/// Loading must fail with a message that contains all of these.
#[track_caller]
fn fails(name: impl AsRef<Path>, examples: &str, parts: &[&str]) {
    let message = load(name, examples).expect_err("must be refused");
    assert!(!message.contains('\n'), "one sentence: {message}");
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

#[test]
fn bundled_images_are_the_official_ones() {
    let test = load("bundled", "test:0..1000").unwrap();
    assert_eq!(test.images.size(), [1000, 3, 32, 32]);
    assert_eq!(test.images.kind(), tch::Kind::Float);
    assert_eq!((test.classes, test.class_names[3].as_str()), (10, "cat"));
    let labels = Vec::<i64>::try_from(&test.labels).unwrap();
    assert_eq!(labels[..10], [3, 8, 8, 0, 6, 6, 1, 6, 3, 1], "cat, ship, ship, airplane, frog, …");
    // The fingerprints of the same selections of the official binary files.
    assert_eq!(test.fingerprint(), "2baadd649ed50f92");
    assert_eq!(load("bundled", "train:0..2000").unwrap().fingerprint(), "8d235977d695c333");
}

#[test]
fn bundled_images_equal_the_papers_hdf5_of_the_same_images() {
    for split in ["test", "train"] {
        let bundled = load("bundled", &format!("{split}:0..64")).unwrap();
        let paper = load(reference("Cifar10"), &format!("{split}:0..64")).unwrap();
        assert_eq!((paper.name.as_str(), paper.classes), ("cifar10", 10));
        assert_eq!(bundled.images, paper.images, "bit for bit");
        assert_eq!(bundled.labels, paper.labels);
        assert_eq!(bundled.fingerprint(), paper.fingerprint());
    }
}

#[test]
fn a_selection_is_the_part_of_the_whole_that_it_names() {
    let whole = load("bundled", "train:400..1600").unwrap();
    let part = load("bundled", "train:490..1010").unwrap();
    assert_eq!(part.images, whole.images.narrow(0, 90, 520), "across mosaics");
    assert_eq!(part.indices, (490..1010).collect::<Vec<_>>());
    let down = load("bundled", "train:1009..489").unwrap();
    assert_eq!(down.images, part.images.flip([0]), "descending");
    assert_eq!(down.labels, part.labels.flip([0]));
    assert_eq!(down.indices, (490..1010).rev().collect::<Vec<_>>());
    assert_ne!(down.fingerprint(), part.fingerprint(), "the order is part of what was selected");
    assert!(part.images.min().double_value(&[]) >= 0.0 && part.images.max().double_value(&[]) <= 1.0);
}

#[test]
fn the_same_images_have_the_same_fingerprint_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let (pixels, labels) = sample(50, 3072);
    let forms = [
        ("binary", write_binary as fn(&Path, &[u8], &[u8])),
        ("python2", write_python2),
        ("python3", write_python3),
        ("python5", write_python5),
        ("hdf5", write_hdf5),
        ("binary.tar.gz", write_binary_archive),
        ("python.tar.gz", write_python_archive),
    ];
    for selection in ["train:0..50", "train:7..33", "train:33..6", "test:0..10"] {
        let mut expected: Option<Dataset> = None;
        for (name, write) in forms {
            let path = folder.path().join("cifar10").join(name);
            if !path.exists() {
                write(&path, &pixels, &labels);
            }
            let set = load(&path, selection).unwrap();
            let expected = expected.get_or_insert_with(|| load(&path, selection).unwrap());
            assert_eq!(set.images, expected.images, "{name} {selection}");
            assert_eq!(set.fingerprint(), expected.fingerprint(), "{name} {selection}");
        }
    }
    // And the values are byte / 255 in float32, planes in order.
    let set = load(folder.path().join("cifar10/binary"), "train:3..4").unwrap();
    let expected: Vec<f32> = pixels[3 * 3072..4 * 3072].iter().map(|&byte| f32::from(byte) / 255.0).collect();
    assert_eq!(set.images, Tensor::from_slice(&expected).view([1, 3, 32, 32]));
}

#[test]
fn idx_in_all_spellings_and_hdf5_agree() {
    let folder = tempfile::tempdir().unwrap();
    let (pixels, labels) = sample(20, 28 * 28);
    let mut prints = Vec::new();
    for (i, (dot, zip)) in
        [(false, false), (true, false), (false, true), (true, true)].into_iter().enumerate()
    {
        let path = folder.path().join(format!("mnist-{i}"));
        write_idx(&path, &pixels, &labels, [28, 28], dot, zip);
        let set = load(&path, "test:2..19").unwrap();
        assert_eq!((set.name.as_str(), set.image_shape()), ("mnist", [1, 28, 28]));
        prints.push(set.fingerprint());
    }
    assert!(prints.iter().all(|print| *print == prints[0]));
    let paper = load(reference("mnist"), "test:0..64").unwrap();
    assert_eq!((paper.images.size(), paper.name.as_str()), (vec![64, 1, 28, 28], "mnist"));
    assert_eq!(Vec::<i64>::try_from(&paper.labels).unwrap()[..4], [7, 2, 1, 0]);
}

#[test]
fn idx_images_need_not_be_square_nor_a_known_data_set() {
    let folder = tempfile::tempdir().unwrap();
    let (pixels, labels) = sample(6, 12 * 20);
    let labels: Vec<u8> = labels.iter().map(|label| label % 3 + 1).collect();
    write_idx(folder.path(), &pixels, &labels, [12, 20], false, false);
    let set = load(folder.path(), "train:0..6").unwrap();
    assert_eq!(set.image_shape(), [1, 12, 20]);
    assert_eq!((set.classes, set.class_names.join(" ").as_str()), (4, "0 1 2 3"));
    assert_eq!(set.name, folder.path().to_str().unwrap());
}

#[test]
fn names_are_found_in_the_search_folders() {
    let folder = tempfile::tempdir().unwrap();
    let (pixels, labels) = sample(50, 3072);
    write_binary(&folder.path().join("cifar-10-batches-bin"), &pixels, &labels);
    let (pixels, labels) = sample(20, 28 * 28);
    write_idx(&folder.path().join("MNIST/raw"), &pixels, &labels, [28, 28], false, true);
    let folders = [folder.path().join("nothing-here"), folder.path().to_owned()];
    let find = |name| data::load_from(&folders, name, &Examples { split: Split::Test, start: 0, end: 1 });
    assert_eq!(find("cifar10").unwrap().origin.unwrap(), folder.path().join("cifar-10-batches-bin"));
    assert_eq!(find("CIFAR-10").unwrap().name, "cifar10");
    assert_eq!(find("mnist").unwrap().origin.unwrap(), folder.path().join("MNIST/raw"));
    let message = find("fashion-mnist").unwrap_err().to_string();
    for part in
        ["Fashion-MNIST was not found", "nothing-here", "give its folder in place of its name", "BASIN_DATA"]
    {
        assert!(message.contains(part), "{message}");
    }
    // A folder with several data sets: none is guessed.
    fails(folder.path(), "test:0..1", &["holds several data sets", "cifar-10-batches-bin", "MNIST/raw"]);
    // A folder with one below it.
    let one = tempfile::tempdir().unwrap();
    write_idx(&one.path().join("fashion-mnist"), &pixels, &labels, [28, 28], false, true);
    let set = load(one.path(), "test:0..1").unwrap();
    assert_eq!((set.name.as_str(), set.class_names[9].as_str()), ("fashion-mnist", "ankle boot"));
    assert_eq!(Known::from_name("Fashion_MNIST"), Some(Known::FashionMnist));
}

#[test]
fn too_many_examples_say_how_many_there_are() {
    fails("bundled", "test:990..1001", &["test:990..1001", "1000 test images", "choose the folder"]);
    fails("bundled", "train:9999..9899", &["2000 train images"]);
    fails(reference("Cifar10"), "test:0..65", &["has 64 test images", "test:0..64", "Cifar10"]);
    let huge = format!("test:{}..0", isize::MAX - 1);
    fails("bundled", &huge, &["1000 test images"]);
}

#[test]
fn missing_things_are_named() {
    fails("no/such/folder", "test:0..1", &["no/such/folder", "neither a folder nor a data set", "bundled"]);
    let folder = tempfile::tempdir().unwrap();
    fails(folder.path(), "test:0..1", &[folder.path().to_str().unwrap(), "holds no data set"]);
    fails("mnist", "test:0..1", &["MNIST was not found", "BASIN_DATA"]);

    let (pixels, labels) = sample(50, 3072);
    write_binary(folder.path(), &pixels, &labels);
    std::fs::remove_file(folder.path().join("data_batch_3.bin")).unwrap();
    fails(folder.path(), "train:0..1", &["data_batch_3.bin", "missing"]);
    load(folder.path(), "test:0..1").expect("the test images are all there");

    let mnist = tempfile::tempdir().unwrap();
    let (pixels, labels) = sample(5, 28 * 28);
    write_idx(mnist.path(), &pixels, &labels, [28, 28], false, false);
    std::fs::remove_file(mnist.path().join("t10k-labels-idx1-ubyte")).unwrap();
    fails(mnist.path(), "test:0..1", &["t10k-labels-idx1-ubyte", "missing"]);

    let hdf5 = tempfile::tempdir().unwrap();
    std::fs::copy(reference("Cifar10/test_images.h5"), hdf5.path().join("test_images.h5")).unwrap();
    fails(hdf5.path(), "test:0..1", &["test_labels.h5", "missing"]);

    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "hello").unwrap();
    fails(&file, "test:0..1", &["notes.txt", "not a data set"]);
}

#[test]
fn damaged_batches_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (pixels, labels) = sample(50, 3072);
    write_binary(folder.path(), &pixels, &labels);
    let file = folder.path().join("data_batch_2.bin");
    let good = std::fs::read(&file).unwrap();

    std::fs::write(&file, &good[..good.len() - 1]).unwrap();
    fails(folder.path(), "train:0..20", &["data_batch_2.bin", "30730000 bytes expected", "30729 found"]);
    std::fs::write(&file, &good[..good.len() - 3073]).unwrap();
    fails(folder.path(), "train:0..20", &["data_batch_2.bin", "9 images", "10"]);
    std::fs::write(&file, [&[10], &good[1..]].concat()).unwrap();
    fails(folder.path(), "train:0..20", &["data_batch_2.bin", "image 0 has label 10"]);
    std::fs::write(&file, b"").unwrap();
    fails(folder.path(), "train:0..20", &["data_batch_2.bin", "empty"]);
    std::fs::write(&file, b"\n<!DOCTYPE html><html>404</html>").unwrap();
    fails(folder.path(), "train:0..20", &["data_batch_2.bin", "web page"]);
    std::fs::write(&file, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n").unwrap();
    fails(folder.path(), "train:0..20", &["data_batch_2.bin", "git-lfs"]);
    load(folder.path(), "train:0..10").expect("only the batches that are needed are read");
}

#[test]
fn damaged_pickles_are_refused_and_never_run() {
    let folder = tempfile::tempdir().unwrap();
    let (pixels, labels) = sample(50, 3072);
    write_python2(folder.path(), &pixels, &labels);
    let file = folder.path().join("test_batch");
    let good = std::fs::read(&file).unwrap();
    for length in (1..good.len()).step_by(good.len() / 40).chain([good.len() - 1]) {
        std::fs::write(&file, &good[..length]).unwrap();
        fails(folder.path(), "test:0..1", &["test_batch", "not a CIFAR-10 batch"]);
    }
    // Every byte of the structure replaced: an error or data, never a panic.
    for at in (0..400).chain(good.len() - 300..good.len()) {
        for value in [0, b'.', b'(', b't', b'u', b'R', 0xff] {
            let mut bad = good.clone();
            bad[at] = value;
            std::fs::write(&file, &bad).unwrap();
            let _ = load(folder.path(), "test:0..1");
        }
    }
    let witness = folder.path().join("ran");
    let command = format!("touch {}", witness.display());
    let mut pickle = b"\x80\x02cposix\nsystem\nX".to_vec();
    pickle.extend((command.len() as u32).to_le_bytes());
    pickle.extend(command.as_bytes());
    pickle.extend(b"\x85R.");
    std::fs::write(&file, &pickle).unwrap();
    fails(folder.path(), "test:0..1", &["test_batch", "not a CIFAR-10 batch"]);
    assert!(!witness.exists());
    let deep: Vec<u8> = b"\x80\x02".iter().copied().chain(std::iter::repeat_n(0x85, 500_000)).collect();
    std::fs::write(&file, [&b"\x80\x02)"[..], &deep[2..], b"."].concat()).unwrap();
    fails(folder.path(), "test:0..1", &["not a CIFAR-10 batch"]);
}

#[test]
fn damaged_archives_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cifar-10-binary.tar.gz");
    let (pixels, labels) = sample(50, 3072);
    write_binary_archive(&file, &pixels, &labels);
    load(folder.path(), "test:0..1").expect("an archive in a folder is found");
    let good = std::fs::read(&file).unwrap();
    std::fs::write(&file, &good[..good.len() / 2]).unwrap();
    fails(folder.path(), "test:0..1", &["cifar-10-binary.tar.gz", "truncated"]);
    let mut bad = good.clone();
    for byte in &mut bad[good.len() / 2..good.len() / 2 + 200] {
        *byte = !*byte;
    }
    std::fs::write(&file, &bad).unwrap();
    fails(folder.path(), "test:0..1", &["cifar-10-binary.tar.gz", "download it again"]);
    std::fs::write(&file, b"<html>busy</html>").unwrap();
    fails(&file, "test:0..1", &["web page"]);
    std::fs::write(&file, b"plain text").unwrap();
    fails(&file, "test:0..1", &["cifar-10-binary.tar.gz", "download it again"]);
    write_empty_archive(&file);
    fails(&file, "train:0..1", &["has no data_batch_1.bin in it"]);
}

#[test]
fn damaged_idx_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (pixels, labels) = sample(10, 28 * 28);
    let rewrite = |zip| {
        let _ = std::fs::remove_dir_all(folder.path());
        write_idx(folder.path(), &pixels, &labels, [28, 28], false, zip);
    };
    rewrite(false);
    let images = folder.path().join("train-images-idx3-ubyte");
    let good = std::fs::read(&images).unwrap();
    std::fs::write(&images, &good[..5000]).unwrap();
    fails(folder.path(), "train:0..1", &["train-images-idx3-ubyte", "7856 bytes expected", "5000 found"]);
    std::fs::write(&images, &good[..10]).unwrap();
    fails(folder.path(), "train:0..1", &["16 bytes expected", "10 found"]);
    std::fs::write(&images, [&good[..], &[0; 3]].concat()).unwrap();
    fails(folder.path(), "train:0..1", &["too long", "7856 bytes expected", "7859 found"]);
    std::fs::write(&images, [&[0, 0, 9, 3], &good[4..]].concat()).unwrap();
    fails(folder.path(), "train:0..1", &["no IDX file of images", "0x00000903", "0x00000803"]);
    std::fs::write(&images, [&good[..4], &[0xff; 12]].concat()).unwrap();
    fails(folder.path(), "train:0..1", &["train-images-idx3-ubyte"]);
    std::fs::write(&images, "<!doctype html>").unwrap();
    fails(folder.path(), "train:0..1", &["web page"]);
    std::fs::write(&images, &good).unwrap();
    let few = folder.path().join("train-labels-idx1-ubyte");
    std::fs::write(&few, [&[0, 0, 8, 1, 0, 0, 0, 9][..], &labels[..9]].concat()).unwrap();
    fails(folder.path(), "train:0..1", &["train-labels-idx1-ubyte", "9 labels", "10 images"]);

    rewrite(true);
    let images = folder.path().join("train-images-idx3-ubyte.gz");
    let good = std::fs::read(&images).unwrap();
    std::fs::write(&images, &good[..good.len() / 2]).unwrap();
    fails(folder.path(), "train:0..10", &["train-images-idx3-ubyte.gz", "truncated"]);
    let mut bad = good.clone();
    bad[good.len() / 2..].fill(0x55);
    std::fs::write(&images, &bad).unwrap();
    fails(folder.path(), "train:0..10", &["train-images-idx3-ubyte.gz", "download it again"]);

    // A label beyond the ten of MNIST.
    let mnist = folder.path().join("mnist");
    write_idx(&mnist, &pixels, &[11; 10], [28, 28], false, false);
    fails(&mnist, "test:0..1", &["label 11", "MNIST has 10 classes"]);
}

/// Files that h5py wrote: images that hold 0 to 47, divided by 47.
#[test]
fn hdf5_of_newer_layouts_is_read_or_called_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(reference("hdf5/labels.h5"), folder.path().join("test_labels.h5")).unwrap();
    let put = |name: &str| {
        std::fs::copy(reference(&format!("hdf5/{name}.h5")), folder.path().join("test_images.h5")).unwrap();
    };
    for name in ["latest-chunked", "latest-resizable", "v112-gzip", "lzf"] {
        put(name);
        let set = load(folder.path(), "test:0..4").unwrap_or_else(|e| panic!("{name}: {e}"));
        // Channel 2 of the pixel in row 1, column 0 of image 3.
        let value = set.images.double_value(&[3, 2, 1, 0]);
        assert!((value - f64::from(3 * 12 + 6 + 2) / 47.0).abs() < 1e-6, "{name}: {value}");
    }
    for (name, reason) in [
        ("two-unlimited", "uses a part of HDF5 that Basin does not read"),
        ("latest-gzip", "uses a part of HDF5 that Basin does not read"),
        ("soft-link", "soft and external links are not followed"),
    ] {
        put(name);
        fails(folder.path(), "test:0..4", &["test_images.h5", reason]);
    }
}

#[test]
fn damaged_hdf5_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("test_images.h5");
    let labels = folder.path().join("test_labels.h5");
    let good = std::fs::read(reference("Cifar10/test_images.h5")).unwrap();
    std::fs::copy(reference("Cifar10/test_labels.h5"), &labels).unwrap();
    for length in [1, 100, 1000, good.len() / 2] {
        std::fs::write(&images, &good[..length]).unwrap();
        fails(folder.path(), "test:0..64", &["test_images.h5"]);
    }
    std::fs::write(&images, "<html>").unwrap();
    fails(folder.path(), "test:0..64", &["test_images.h5", "web page"]);
    hdf5_file(&images, "other", &[0.5; 12], &[1, 2, 2, 3]);
    fails(folder.path(), "test:0..1", &["no readable data set named tensor"]);
    hdf5_file(&images, "tensor", &[0.5; 12], &[12]);
    fails(folder.path(), "test:0..1", &["shape [12]", "count x height x width x channels"]);
    hdf5_file(&images, "tensor", &[0.5; 12], &[1, 2, 2, 3]);
    fails(folder.path(), "test:0..1", &["test_labels.h5", "[64, 1]", "1 images"]);
    for value in [1.5, f32::NAN, -0.1] {
        let mut values = [0.5; 64 * 12];
        values[12 * 7 + 1] = value;
        hdf5_file(&images, "tensor", &values, &[64, 2, 2, 3]);
        fails(folder.path(), "test:0..64", &["test_images.h5", "image 7", "between 0 and 1"]);
    }
    hdf5_file(&labels, "tensor", &[1.0; 64], &[64, 1]);
    fails(folder.path(), "test:0..64", &["test_labels.h5", "f32", "labels must be integers"]);
}

#[test]
fn examples_are_written_and_read_alike() {
    for text in ["test:0..1000", "train:5..6", "test:9999..9899", "test:99..=0", "train:0..=0"] {
        let examples: Examples = text.parse().unwrap();
        let again: Examples = examples.to_string().parse().unwrap();
        assert_eq!(again, examples, "{text}");
        assert_eq!(examples.indices().len(), examples.len());
        let (mut ascending, range) = (examples.indices(), examples.range());
        ascending.sort_unstable();
        assert_eq!(ascending, range.collect::<Vec<_>>());
    }
    // The end is exclusive, unless it is written otherwise; counting down reaches the first image.
    for (text, first, last, length, shown) in [
        ("test:0..1000", 0, 999, 1000, "test:0..1000"),
        ("test:0..=999", 0, 999, 1000, "test:0..1000"),
        ("test:9999..9899", 9999, 9900, 100, "test:9999..9899"),
        ("test:9999..=9900", 9999, 9900, 100, "test:9999..9899"),
        ("test:3..0", 3, 1, 3, "test:3..0"),
        ("test:3..=0", 3, 0, 4, "test:3..=0"),
        ("train:7..=7", 7, 7, 1, "train:7..8"),
    ] {
        let examples: Examples = text.parse().unwrap();
        let indices = examples.indices();
        assert_eq!((indices[0], indices[indices.len() - 1], indices.len()), (first, last, length), "{text}");
        assert_eq!(examples.to_string(), shown);
    }
    for text in [
        "",
        "test",
        "test:3..3",
        "val:0..1",
        "test:1",
        "test:-1..4",
        "test:a..b",
        "test:3..-1",
        "test:3..==0",
    ] {
        assert!(text.parse::<Examples>().is_err(), "{text}");
    }
}
