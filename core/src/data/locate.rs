//! Where data sets are: the ones Basin knows by name, the folders they are looked for in, and which
//! format a folder holds.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A data set Basin knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// 50,000 + 10,000 colour images of 32 x 32 pixels.
    Cifar10,
    /// 60,000 + 10,000 handwritten digits of 28 x 28 pixels.
    Mnist,
    /// 60,000 + 10,000 articles of clothing of 28 x 28 pixels.
    FashionMnist,
    /// 500,000 training images like CIFAR-10's, whose labels a network guessed (Carmon et al. 2019).
    TinyImages500k,
}

impl Known {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Cifar10, Self::Mnist, Self::FashionMnist, Self::TinyImages500k];

    /// The name used in jobs and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cifar10 => "cifar10",
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::TinyImages500k => "tinyimages500k",
        }
    }

    /// The name in running text.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cifar10 => "CIFAR-10",
            Self::Mnist => "MNIST",
            Self::FashionMnist => "Fashion-MNIST",
            Self::TinyImages500k => "the 500k set of pseudo-labelled tiny images",
        }
    }

    /// Name of each class, in the order of the labels.
    pub fn class_names(self) -> &'static [&'static str] {
        match self {
            Self::Cifar10 | Self::TinyImages500k => {
                &["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
            }
            Self::Mnist => &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
            Self::FashionMnist => &[
                "T-shirt/top",
                "trouser",
                "pullover",
                "dress",
                "coat",
                "sandal",
                "shirt",
                "sneaker",
                "bag",
                "ankle boot",
            ],
        }
    }

    /// Finds a data set by its name; spelling with or without hyphens and capitals does not matter.
    pub fn from_name(name: &str) -> Option<Self> {
        let plain = simplified(name);
        Self::ALL.into_iter().find(|known| simplified(known.name()) == plain)
    }

    /// The data set whose name a folder's path (its last two parts) contains.
    fn from_folder(path: &Path) -> Option<Self> {
        let parts =
            path.components().rev().take(2).map(|part| part.as_os_str().to_string_lossy().into_owned());
        parts.into_iter().find_map(|part| {
            let plain = simplified(&part);
            // Fashion first: its name contains the other's.
            [Self::FashionMnist, Self::Mnist, Self::Cifar10, Self::TinyImages500k]
                .into_iter()
                .find(|known| plain.contains(&simplified(known.name())))
        })
    }
}

fn simplified(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}

/// How a data set is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `data_batch_1.bin` to `_5.bin` and `test_batch.bin`, or `cifar-10-binary.tar.gz`.
    CifarBinary,
    /// `data_batch_1` to `_5` and `test_batch` (pickles), or `cifar-10-python.tar.gz`.
    CifarPython,
    /// `train_images.h5`, `train_labels.h5` and the same for test.
    Hdf5,
    /// `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the same for `t10k`, or with `.gz`.
    Idx,
    /// `500k_pseudolabeled.pickle`: training images alone, with guessed labels.
    PseudoLabelled,
}

impl Format {
    /// Name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::CifarBinary => "CIFAR-10 binary",
            Self::CifarPython => "CIFAR-10 python",
            Self::Hdf5 => "HDF5",
            Self::Idx => "IDX",
            Self::PseudoLabelled => "pickle of pseudo-labelled images",
        }
    }
}

/// A data set on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Folder or archive.
    pub path: PathBuf,
    /// How it is stored.
    pub format: Format,
    /// Which it is, as far as its files and its folder's name tell.
    pub known: Option<Known>,
}

/// Folders in which a data set may be below the one given.
const BELOW: [&str; 13] = [
    "cifar-10-batches-bin",
    "cifar-10-batches-py",
    "Cifar10",
    "cifar10",
    "cifar-10",
    "mnist",
    "MNIST",
    "MNIST/raw",
    "fashion-mnist",
    "fashion_mnist",
    "FashionMNIST",
    "FashionMNIST/raw",
    "tinyimages500k",
];

/// One file of each format gives the format away.
const MARKERS: [(&str, Format); 15] = [
    ("test_batch.bin", Format::CifarBinary),
    ("data_batch_1.bin", Format::CifarBinary),
    ("test_batch", Format::CifarPython),
    ("data_batch_1", Format::CifarPython),
    ("train_images.h5", Format::Hdf5),
    ("test_images.h5", Format::Hdf5),
    ("train-images-idx3-ubyte", Format::Idx),
    ("train-images-idx3-ubyte.gz", Format::Idx),
    ("train-images.idx3-ubyte", Format::Idx),
    ("train-images.idx3-ubyte.gz", Format::Idx),
    ("t10k-images-idx3-ubyte", Format::Idx),
    ("t10k-images-idx3-ubyte.gz", Format::Idx),
    ("t10k-images.idx3-ubyte", Format::Idx),
    ("t10k-images.idx3-ubyte.gz", Format::Idx),
    ("cifar-10-binary.tar.gz", Format::CifarBinary),
];

const PYTHON_ARCHIVE: &str = "cifar-10-python.tar.gz";

/// Where data sets known by name are looked for: the folder in `BASIN_DATA`, then the platform's data
/// folder of Basin.
pub fn search_folders() -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let platform = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        variable("XDG_DATA_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/share")))
    };
    variable("BASIN_DATA")
        .into_iter()
        .chain(platform.map(|folder| folder.join("basin").join("data")))
        .collect()
}

/// Finds a data set known by name in the given folders.
pub(super) fn find_known(known: Known, folders: &[PathBuf]) -> Result<Found> {
    let found = folders
        .iter()
        .flat_map(|folder| here(folder).into_iter().chain(below(folder)))
        .find(|found| found.known == Some(known));
    found.ok_or_else(|| {
        let looked: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let looked = if looked.is_empty() { "no folder".into() } else { looked.join(" and ") };
        Error::invalid(format!(
            "{} was not found; {}, or give its folder in place of its name; looked in {looked} (BASIN_DATA, an \
             environment variable, names another folder)",
            known.title(),
            known.remedy(),
        ))
    })
}

/// Finds the data set in a folder, below it, or in an archive.
pub(super) fn find_at(name: &str) -> Result<Found> {
    let path = Path::new(name);
    if path.is_file() {
        return archive(path).ok_or_else(|| {
            Error::file(
                path,
                "is not a data set Basin can read; give its folder, cifar-10-binary.tar.gz, cifar-10-python.tar.gz, or \
                 500k_pseudolabeled.pickle",
            )
        });
    }
    if !path.is_dir() {
        return Err(Error::file(
            path,
            "is neither a folder nor a data set known by name (bundled, cifar10, mnist, fashion-mnist, tinyimages500k)",
        ));
    }
    if let Some(found) = here(path) {
        return Ok(found);
    }
    let found = below(path);
    let first = found.first().ok_or_else(|| {
        Error::file(
            path,
            "holds no data set (looked for CIFAR-10 batches or archives, IDX files, and train_images.h5 or test_images.h5)",
        )
    })?;
    match found.iter().find(|other| other.known != first.known) {
        None => Ok(first.clone()),
        Some(other) => Err(Error::file(
            path,
            format!(
                "holds several data sets; give one of them: {} or {}",
                first.path.display(),
                other.path.display()
            ),
        )),
    }
}

/// The data set whose files are right in a folder.
fn here(folder: &Path) -> Option<Found> {
    let (marker, format) = MARKERS
        .into_iter()
        .find(|(marker, _)| folder.join(marker).is_file())
        .or_else(|| folder.join(PYTHON_ARCHIVE).is_file().then_some((PYTHON_ARCHIVE, Format::CifarPython)))?;
    if marker.ends_with(".tar.gz") {
        return archive(&folder.join(marker));
    }
    let known = match format {
        Format::CifarBinary | Format::CifarPython => Some(Known::Cifar10),
        Format::Hdf5 | Format::Idx | Format::PseudoLabelled => {
            Known::from_folder(&std::path::absolute(folder).unwrap_or_else(|_| folder.into()))
        }
    };
    Some(Found { path: folder.into(), format, known })
}

/// The data sets in the usual folders below a folder.
fn below(folder: &Path) -> Vec<Found> {
    BELOW.iter().filter_map(|name| here(&folder.join(name))).collect()
}

fn archive(path: &Path) -> Option<Found> {
    let name = path.file_name()?.to_str()?;
    let (format, known) = if name.ends_with("binary.tar.gz") {
        (Format::CifarBinary, Known::Cifar10)
    } else if name.ends_with("python.tar.gz") {
        (Format::CifarPython, Known::Cifar10)
    } else if name.ends_with(".pickle") || name.ends_with(".pkl") {
        (Format::PseudoLabelled, Known::TinyImages500k)
    } else {
        return None;
    };
    Some(Found { path: path.into(), format, known: Some(known) })
}
