//! Tests of basin_core: fetching data sets from unreliable servers, and turning layouts into one another.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use basin_core::Error;
use basin_core::data::{self, Converted, Examples, Known, Layout, RemoteFile, Source, Split};
use basin_core::progress::{Cancelled, Event, Progress, Silent};
use sha2::{Digest as _, Sha256};

use crate::support::datasets::*;
use crate::support::server::{Answer, Server};

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn noise(length: usize) -> Vec<u8> {
    (0..length as u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

/// A source of one file that is kept as it is.
fn single(content: &[u8], mirrors: &[&Server]) -> Source {
    Source {
        title: "Test set".into(),
        folder: "set".into(),
        mirrors: mirrors.iter().map(|server| server.address()).collect(),
        files: vec![RemoteFile {
            name: "images".into(),
            bytes: content.len() as u64,
            sha256: sha256(content),
            holds: vec![("images".into(), sha256(content))],
        }],
    }
}

fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            found.insert(name);
        }
    }
    found
}

#[track_caller]
fn fails(source: &Source, into: &Path, parts: &[&str]) {
    let message = data::fetch(source, into, false, &mut Silent).expect_err("must be refused").to_string();
    assert!(!message.contains('\n'), "one sentence: {message}");
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

#[test]
fn a_file_comes_whole_and_only_once() {
    let content = noise(300_000);
    let server = Server::new(vec![Answer::File(content.clone())]);
    let (source, home) = (single(&content, &[&server]), tempfile::tempdir().unwrap());
    let fetched = data::fetch(&source, home.path(), false, &mut Silent).unwrap();
    assert_eq!((fetched.downloaded, &fetched.folder), (300_000, &home.path().join("set")));
    assert_eq!(std::fs::read(home.path().join("set/images")).unwrap(), content);
    let again = data::fetch(&source, home.path(), false, &mut Silent).unwrap();
    assert_eq!((again.downloaded, server.requests()), (0, vec!["/images".to_owned()]));
    assert_eq!(files(home.path()), ["set/images".to_owned()].into());
}

#[test]
fn broken_connections_go_on_where_they_broke() {
    let content = noise(300_000);
    let breaking = |after| Answer::Breaking(content.clone(), after);
    let server =
        Server::new(vec![breaking(100_000), breaking(0), breaking(150_000), Answer::File(content.clone())]);
    let (source, home) = (single(&content, &[&server]), tempfile::tempdir().unwrap());
    data::fetch(&source, home.path(), false, &mut Silent).unwrap();
    assert_eq!(std::fs::read(home.path().join("set/images")).unwrap(), content);
    assert_eq!(server.requests(), ["/images", "/images 100000-", "/images 100000-", "/images 250000-"]);
}

#[test]
fn a_server_that_knows_no_parts_sends_the_whole() {
    let content = noise(200_000);
    let server = Server::new(vec![Answer::Breaking(content.clone(), 70_000), Answer::Whole(content.clone())]);
    let (source, home) = (single(&content, &[&server]), tempfile::tempdir().unwrap());
    data::fetch(&source, home.path(), false, &mut Silent).unwrap();
    assert_eq!(std::fs::read(home.path().join("set/images")).unwrap(), content);
}

/// Stops at the first report of at least so many bytes.
struct StopAt(u64, Vec<u64>);

impl Progress for StopAt {
    fn report(&mut self, event: Event) -> Result<(), Cancelled> {
        if let Event::Started { done, .. } | Event::Step { done, .. } = event {
            self.1.push(done);
            return if done >= self.0 { Err(Cancelled) } else { Ok(()) };
        }
        Ok(())
    }
}

#[test]
fn a_cancelled_download_goes_on_the_next_time() {
    let content = noise(1_000_000);
    let server = Server::new(vec![Answer::File(content.clone())]);
    let (source, home) = (single(&content, &[&server]), tempfile::tempdir().unwrap());
    let mut stop = StopAt(400_000, Vec::new());
    let result = data::fetch(&source, home.path(), false, &mut stop);
    assert!(matches!(result, Err(Error::Cancelled)));
    assert_eq!(files(home.path()), ["set/images.part".to_owned()].into());
    let mut watch = StopAt(u64::MAX, Vec::new());
    data::fetch(&source, home.path(), false, &mut watch).unwrap();
    assert_eq!(watch.1[0], *stop.1.last().unwrap(), "what is there already is told at the start");
    assert_eq!(watch.1.last(), Some(&1_000_000));
    assert!(watch.1.is_sorted());
    assert_eq!(server.requests()[1], format!("/images {}-", watch.1[0]));
    assert_eq!(files(home.path()), ["set/images".to_owned()].into());
}

#[test]
fn a_wrong_rest_of_an_earlier_try_is_thrown_away() {
    let content = noise(100_000);
    let server = Server::new(vec![Answer::File(content.clone())]);
    let (source, home) = (single(&content, &[&server]), tempfile::tempdir().unwrap());
    std::fs::create_dir(home.path().join("set")).unwrap();
    for rest in [vec![7; 40_000], vec![7; 100_000], vec![7; 200_000]] {
        let _ = std::fs::remove_file(home.path().join("set/images"));
        std::fs::write(home.path().join("set/images.part"), rest).unwrap();
        data::fetch(&source, home.path(), false, &mut Silent).unwrap();
        assert_eq!(std::fs::read(home.path().join("set/images")).unwrap(), content);
    }
}

#[test]
fn what_is_not_the_file_is_refused_and_the_next_mirror_asked() {
    let content = noise(50_000);
    let other: Vec<u8> = content.iter().map(|byte| !byte).collect();
    let good = Server::new(vec![Answer::File(content.clone())]);
    let page = "<!DOCTYPE html><html>Please log in</html>";
    let bad = [
        (Answer::File(other), "is another file (its SHA-256 is "),
        (Answer::File(content[..40_000].to_vec()), "has 40000 bytes, but the file has 50000"),
        (Answer::Page("404 Not Found", "gone"), "answers 404 Not Found"),
        (Answer::Page("503 Service Unavailable", "busy"), "answers 503 Service Unavailable"),
        (Answer::Page("200 OK", page), "answers with a web page"),
        (Answer::File([page.as_bytes(), &content[page.len()..]].concat()), "is a web page, not data"),
        (Answer::Breaking(content.clone(), 0), "broke off"),
    ];
    for (answer, reason) in bad {
        let server = Server::new(vec![answer]);
        let home = tempfile::tempdir().unwrap();
        // One sentence with all that is needed to get it by hand.
        let address = server.address();
        let (url, sum) = (format!("{address}images "), sha256(&content));
        let place = home.path().join("set").display().to_string();
        fails(
            &single(&content, &[&server]),
            home.path(),
            &[reason, &url, "name images", "50000 bytes", &sum, &place],
        );
        assert_eq!(files(home.path()), BTreeSet::new(), "{reason}: nothing is left");
        data::fetch(&single(&content, &[&server, &good]), home.path(), false, &mut Silent).unwrap();
        assert_eq!(std::fs::read(home.path().join("set/images")).unwrap(), content, "{reason}");
    }
    // No server at all.
    let mut nowhere = single(&content, &[]);
    nowhere.mirrors = vec!["http://127.0.0.1:9/".into()];
    fails(&nowhere, tempfile::tempdir().unwrap().path(), &["http://127.0.0.1:9/images cannot be reached"]);
}

#[test]
fn archives_are_unpacked_as_a_whole_or_not_at_all() {
    let home = tempfile::tempdir().unwrap();
    let (pixels, labels) = sample(50, 3072);
    let archive = home.path().join("cifar-10-binary.tar.gz");
    write_binary_archive(&archive, &pixels, &labels);
    let packed = std::fs::read(&archive).unwrap();
    let plain = home.path().join("plain");
    write_binary(&plain, &pixels, &labels);
    let holds: Vec<(String, String)> = files(&plain)
        .into_iter()
        .map(|name| (name.clone(), sha256(&std::fs::read(plain.join(name)).unwrap())))
        .collect();
    assert_eq!(holds.len(), 6);
    let server = Server::new(vec![Answer::File(packed.clone())]);
    let source = Source {
        title: "CIFAR-10".into(),
        folder: "cifar-10-batches-bin".into(),
        mirrors: vec![server.address()],
        files: vec![RemoteFile {
            name: "cifar-10-binary.tar.gz".into(),
            bytes: packed.len() as u64,
            sha256: sha256(&packed),
            holds,
        }],
    };
    let into = home.path().join("data");
    let fetched = data::fetch(&source, &into, false, &mut Silent).unwrap();
    assert_eq!(files(&into).len(), 6, "the archive is gone: {:?}", files(&into));
    let load = || {
        data::load_from(
            std::slice::from_ref(&into),
            "cifar10",
            &Examples { split: Split::Train, start: 0, end: 50 },
        )
    };
    let set = load().unwrap();
    assert_eq!(set.origin.as_ref(), Some(&fetched.folder));
    // A damaged batch is found, not replaced without being asked, and replaced when asked.
    let batch = fetched.folder.join("data_batch_4.bin");
    let whole = std::fs::read(&batch).unwrap();
    std::fs::write(&batch, &whole[1..]).unwrap();
    fails(&source, &into, &["data_batch_4.bin", "is not the official file of CIFAR-10", "--force"]);
    data::fetch(&source, &into, true, &mut Silent).unwrap();
    assert_eq!(std::fs::read(&batch).unwrap(), whole);
    // An archive that was put there by hand is used; a damaged one is refused.
    std::fs::remove_file(&batch).unwrap();
    let asked = server.requests().len();
    let by_hand = into.join("cifar-10-binary.tar.gz");
    std::fs::write(&by_hand, &packed[1..]).unwrap();
    fails(&source, &into, &["cifar-10-binary.tar.gz", "is damaged"]);
    std::fs::write(&by_hand, &packed).unwrap();
    data::fetch(&source, &into, false, &mut Silent).unwrap();
    assert_eq!((server.requests().len(), load().unwrap().fingerprint()), (asked, set.fingerprint()));
    assert!(!by_hand.exists());
}

#[test]
fn gzipped_or_not_what_is_official_stays() {
    let home = tempfile::tempdir().unwrap();
    let (pixels, labels) = sample(5, 28 * 28);
    let (plain, zipped) = (home.path().join("plain"), home.path().join("zipped/mnist"));
    write_idx(&plain, &pixels, &labels, [28, 28], false, false);
    write_idx(&zipped, &pixels, &labels, [28, 28], false, true);
    let server = Server::new(vec![Answer::Page("404 Not Found", "gone")]);
    let remote = |name: String| {
        let (content, packed) = (
            std::fs::read(plain.join(&name)).unwrap(),
            std::fs::read(zipped.join(format!("{name}.gz"))).unwrap(),
        );
        RemoteFile {
            name: format!("{name}.gz"),
            bytes: packed.len() as u64,
            sha256: sha256(&packed),
            holds: vec![(name, sha256(&content))],
        }
    };
    let source = Source {
        title: "MNIST".into(),
        folder: "mnist".into(),
        mirrors: vec![server.address()],
        files: files(&plain).into_iter().map(remote).collect(),
    };
    data::fetch(&source, &home.path().join("zipped"), false, &mut Silent).unwrap();
    std::fs::create_dir(home.path().join("raw")).unwrap();
    std::fs::rename(&plain, home.path().join("raw/mnist")).unwrap();
    data::fetch(&source, &home.path().join("raw"), false, &mut Silent).unwrap();
    assert_eq!(server.requests().len(), 0, "nothing was missing");
    std::fs::write(zipped.join("t10k-labels-idx1-ubyte.gz"), [0x1f, 0x8b, 8, 0]).unwrap();
    fails(&source, &home.path().join("zipped"), &["t10k-labels-idx1-ubyte.gz", "damaged", "--force"]);
}

#[cfg(unix)]
#[test]
fn a_place_that_is_no_folder_is_told() {
    let content = noise(1000);
    let server = Server::new(vec![Answer::File(content.clone())]);
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("set"), "a file").unwrap();
    fails(&single(&content, &[&server]), home.path(), &["cannot create", "set"]);
    // The file would be on a full disk.
    std::fs::remove_file(home.path().join("set")).unwrap();
    std::fs::create_dir(home.path().join("set")).unwrap();
    if Path::new("/dev/full").exists() {
        std::os::unix::fs::symlink("/dev/full", home.path().join("set/images.part")).unwrap();
        fails(&single(&content, &[&server]), home.path(), &["cannot write", "images.part"]);
    }
}

#[test]
fn official_files_are_what_their_names_say() {
    for known in Known::ALL {
        let Some(source) = known.source() else {
            assert_eq!(known, Known::TinyImages500k);
            continue;
        };
        assert_eq!(source.folder, known.folder());
        assert!(source.mirrors.iter().all(|mirror| mirror.starts_with("http") && mirror.ends_with('/')));
        let sums: Vec<&String> = source
            .files
            .iter()
            .flat_map(|file| std::iter::once(&file.sha256).chain(file.holds.iter().map(|(_, sum)| sum)))
            .collect();
        assert!(sums.iter().all(|sum| sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit())));
        assert_eq!(sums.iter().collect::<BTreeSet<_>>().len(), sums.len(), "no sum stands for two files");
        let facts = known.facts();
        assert_eq!(facts.images.iter().sum::<usize>() % 10_000, 0);
    }
}

fn convert(name: &Path, layout: Layout, folder: &Path) -> Result<Converted, String> {
    let name = name.to_str().unwrap();
    data::convert(&[], name, layout, folder, false, &mut Silent).map_err(|error| error.to_string())
}

/// Both splits, whole.
fn both(folder: &Path, train: isize, test: isize) -> [data::Dataset; 2] {
    [(Split::Train, train), (Split::Test, test)].map(|(split, end)| {
        data::load_from(&[], folder.to_str().unwrap(), &Examples { split, start: 0, end }).unwrap()
    })
}

#[test]
fn colour_images_go_to_the_papers_layout_and_back() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let (pixels, labels) = sample(50, 3072);
    write_binary(&path("cifar10"), &pixels, &labels);
    write_python_archive(&path("cifar-10-python.tar.gz"), &pixels, &labels);
    let converted = convert(&path("cifar10"), Layout::Hdf5, &path("paper/Cifar10")).unwrap();
    assert_eq!(converted.images, [50, 10]);
    let names = ["test_images.h5", "test_labels.h5", "train_images.h5", "train_labels.h5"];
    assert_eq!(files(&path("paper/Cifar10")), names.map(str::to_owned).into());
    for (ours, theirs) in both(&path("paper/Cifar10"), 50, 10).iter().zip(both(&path("cifar10"), 50, 10)) {
        assert_eq!((&ours.images, &ours.labels), (&theirs.images, &theirs.labels));
    }
    // From another form of the same images the same files come, and back the same bytes.
    convert(&path("cifar-10-python.tar.gz"), Layout::Hdf5, &path("second")).unwrap();
    convert(&path("second"), Layout::Cifar10, &path("back")).unwrap();
    for name in files(&path("back")) {
        let read = |folder: &str| std::fs::read(path(folder).join(&name)).unwrap();
        assert_eq!(read("back"), read("cifar10"), "{name}");
    }
    assert_eq!(files(&path("back")).len(), 6);
    // What is not whole is not converted as if it were.
    std::fs::remove_file(path("back").join("test_batch.bin")).unwrap();
    let refused = convert(&path("back"), Layout::Hdf5, &path("half")).unwrap_err();
    assert!(refused.contains("test_batch.bin") && refused.contains("is missing"), "{refused}");
    assert!(!path("half").exists());
}

#[test]
fn grey_images_go_to_the_papers_layout_and_back() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let (pixels, labels) = sample(25, 28 * 28);
    write_idx(&path("mnist"), &pixels, &labels, [28, 28], false, false);
    convert(&path("mnist"), Layout::Hdf5, &path("paper")).unwrap();
    convert(&path("paper"), Layout::Idx, &path("back")).unwrap();
    for name in files(&path("mnist")) {
        let read = |folder: &str| std::fs::read(path(folder).join(&name)).unwrap();
        assert_eq!(read("back"), read("mnist"), "{name}");
    }
}

/// The paper's own files, read and written again: same key, shape, type, chunks, compression and values.
#[test]
fn the_papers_files_are_reproduced() {
    let home = tempfile::tempdir().unwrap();
    for set in ["Cifar10", "mnist"] {
        let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/reference/datasets").join(set);
        let ours = home.path().join(set);
        assert_eq!(convert(&reference, Layout::Hdf5, &ours).unwrap().images, [64, 64]);
        for name in files(&ours) {
            let open =
                |folder: &Path| hdf5_pure::File::open(folder.join(&name)).unwrap().dataset("tensor").unwrap();
            let (ours, theirs) = (open(&ours), open(&reference));
            assert_eq!(ours.shape().unwrap(), theirs.shape().unwrap(), "{name}");
            assert_eq!(ours.dtype().unwrap(), theirs.dtype().unwrap(), "{name}");
            assert_eq!(ours.chunk_shape().unwrap(), theirs.chunk_shape().unwrap(), "{name}");
            assert_eq!(ours.filters(), theirs.filters(), "{name}");
            assert_eq!(ours.read_raw().unwrap(), theirs.read_raw().unwrap(), "{name}");
        }
    }
}

#[test]
fn images_that_do_not_fit_a_layout_leave_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let out = path("out");
    #[track_caller]
    fn refused(result: Result<Converted, String>, out: &Path, part: &str) {
        let message = result.expect_err("must be refused");
        assert!(message.contains(part) && !message.contains('\n'), "{message}");
        assert!(!out.exists(), "{part}: something is left");
    }
    let (pixels, labels) = sample(6, 12 * 20);
    write_idx(&path("grey"), &pixels, &labels, [12, 20], false, false);
    refused(convert(&path("grey"), Layout::Cifar10, &out), &out, "do not fit CIFAR-10's 5 batches");
    refused(convert(Path::new("bundled"), Layout::Idx, &out), &out, "these are coloured");
    std::fs::create_dir(path("odd")).unwrap();
    hdf5_file(&path("odd").join("test_images.h5"), "tensor", &[0.5; 4], &[1, 2, 2, 1]);
    let mut file = hdf5_pure::FileBuilder::new();
    file.create_dataset("tensor").with_i64_data(&[3]).with_shape(&[1, 1]);
    file.write(path("odd/test_labels.h5")).unwrap();
    refused(convert(&path("odd"), Layout::Idx, &out), &out, "image 0 has values that are no bytes");
    convert(&path("odd"), Layout::Hdf5, &out).unwrap();
    // Never over files that are there, and never half.
    let before = std::fs::read(out.join("test_images.h5")).unwrap();
    let message = convert(&path("odd"), Layout::Hdf5, &out).unwrap_err();
    assert!(message.contains("is there already") && message.contains("--force"), "{message}");
    let stopped = data::convert(&[], "bundled", Layout::Hdf5, &out, true, &mut StopAt(1000, Vec::new()));
    assert!(matches!(stopped, Err(Error::Cancelled)));
    assert_eq!(files(&out).len(), 2, "{:?}", files(&out));
    assert_eq!(std::fs::read(out.join("test_images.h5")).unwrap(), before);
}

/// `{"data": numpy bytes N x 32 x 32 x 3, "extrapolated_targets": …}` as Python's pickle writes it, in protocol 3.
fn pseudo_labelled(pixels: &[u8], targets: &[i64], listed: bool) -> Vec<u8> {
    let text = |text: &str| [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
    let int = |value: usize| [&b"J"[..], &(value as i32).to_le_bytes()].concat();
    let array = |shape: &[usize], kind: &str, order: &str, bytes: &[u8]| {
        let mut out =
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\x01b\x87R(K\x01(".to_vec();
        shape.iter().for_each(|&size| out.extend(int(size)));
        out.extend(b"tcnumpy\ndtype\n");
        out.extend(text(kind));
        out.extend(b"K\0K\x01\x87R(K\x03");
        out.extend(text(order));
        out.extend(b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89B");
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend(bytes);
        out.extend(b"tb");
        out
    };
    let mut out = b"\x80\x03}(".to_vec();
    out.extend(text("data"));
    out.extend(array(&[targets.len(), 32, 32, 3], "u1", "|", pixels));
    out.extend(text("extrapolated_targets"));
    if listed {
        out.extend(b"](");
        targets.iter().for_each(|&target| out.extend(int(target as usize)));
        out.push(b'e');
    } else {
        let bytes: Vec<u8> = targets.iter().flat_map(|target| target.to_le_bytes()).collect();
        out.extend(array(&[targets.len()], "i8", "<", &bytes));
    }
    out.extend(b"u.");
    out
}

#[test]
fn pseudo_labelled_images_are_read_and_converted() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let pixels = noise(12 * 3072);
    let targets: Vec<i64> = (0..12).map(|i| (i * 7) % 10).collect();
    let pickle = path("500k_pseudolabeled.pickle");
    for listed in [true, false] {
        std::fs::write(&pickle, pseudo_labelled(&pixels, &targets, listed)).unwrap();
        let load = |range: &str| data::load_from(&[], pickle.to_str().unwrap(), &range.parse().unwrap());
        let set = load("train:2..12").unwrap();
        assert_eq!(Vec::<i64>::try_from(&set.labels).unwrap(), targets[2..]);
        // Row, column, channel there; channel, row, column here.
        let value = |at: usize| f64::from(f32::from(pixels[2 * 3072 + at]) / 255.0);
        assert_eq!(set.images.double_value(&[0, 2, 5, 7]), value((5 * 32 + 7) * 3 + 2));
        assert!(load("test:0..1").unwrap_err().to_string().contains("has 0 test images"));
    }
    let folder = path("data/tinyimages500k");
    assert_eq!(convert(&pickle, Layout::Hdf5, &folder).unwrap().images, [12, 0]);
    assert_eq!(files(&folder), ["train_images.h5", "train_labels.h5"].map(str::to_owned).into());
    let folders: Vec<PathBuf> = vec![path("data")];
    let examples = Examples { split: Split::Train, start: 0, end: 12 };
    let found = data::load_from(&folders, "tinyimages500k", &examples).unwrap();
    let direct = data::load_from(&[], pickle.to_str().unwrap(), &examples).unwrap();
    assert_eq!((found.fingerprint(), found.classes), (direct.fingerprint(), 10));
    let missing = data::load_from(&[], "tinyimages500k", &examples).unwrap_err().to_string();
    for part in ["was not found", "500k_pseudolabeled.pickle", "basin data convert"] {
        assert!(missing.contains(part), "{missing}");
    }
    let mut wrong = targets.clone();
    wrong[3] = -1;
    for (bytes, part) in [
        (pseudo_labelled(&pixels, &wrong, false), "image 3 has label -1"),
        (pseudo_labelled(&pixels, &targets[1..], false), "has the shape [11, 32, 32, 3]"),
        (b"\x80\x03}.".to_vec(), "no entry named data"),
        (b"<html>".to_vec(), "is a web page"),
    ] {
        std::fs::write(&pickle, bytes).unwrap();
        let error = data::load_from(&[], pickle.to_str().unwrap(), &"train:0..1".parse().unwrap());
        let message = error.unwrap_err().to_string();
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

#[test]
fn the_list_tells_what_is_where() {
    let home = tempfile::tempdir().unwrap();
    let (pixels, labels) = sample(5, 28 * 28);
    write_idx(&home.path().join("mnist"), &pixels, &labels, [28, 28], false, false);
    let entries = data::list(&[home.path().to_owned()]);
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["bundled", "cifar10", "mnist", "fashion-mnist", "tinyimages500k"]);
    assert_eq!(
        entries.iter().map(|entry| entry.available).collect::<Vec<_>>(),
        [true, false, true, false, false]
    );
    let mnist = &entries[2];
    assert_eq!((mnist.found.as_ref(), mnist.format), (Some(&home.path().join("mnist")), Some("IDX")));
    assert_eq!(mnist.bytes_on_disk, Some(2 * (16 + 5 * 784 + 8 + 5)));
    assert_eq!(entries[1].download_bytes, Some(170_052_171));
    assert!(entries[1].remedy.as_ref().unwrap().contains("basin data fetch cifar10"));
}
