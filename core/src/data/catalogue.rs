//! The data sets Basin knows: how large they are, under which terms, where their official files are, and how to
//! tell that a file is the official one.

use super::locate::Known;

/// One file as its authors offer it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile {
    /// Name, below each mirror and here.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// What is in it, unpacked: name and SHA-256. A `.tar.gz` is unpacked; a `.gz` is read as it is.
    pub holds: Vec<(String, String)>,
}

/// Where a data set comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Name in running text.
    pub title: String,
    /// Its folder, below a data folder.
    pub folder: String,
    /// Addresses, ending in `/`, below which the files are; the first that works is used.
    pub mirrors: Vec<String>,
    /// All files.
    pub files: Vec<RemoteFile>,
}

/// What a data set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Training and test images.
    pub images: [usize; 2],
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// Under which terms it is offered, and whom to cite.
    pub terms: &'static str,
    /// Its home page.
    pub home: &'static str,
}

impl Known {
    /// What the set is.
    pub fn facts(self) -> Facts {
        match self {
            Self::Cifar10 => Facts {
                images: [50_000, 10_000],
                shape: [3, 32, 32],
                terms: "no licence stated; cite Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
                home: "https://www.cs.toronto.edu/~kriz/cifar.html",
            },
            Self::Mnist => Facts {
                images: [60_000, 10_000],
                shape: [1, 28, 28],
                terms: "CC BY-SA 3.0; cite LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998",
                home: "https://yann.lecun.com/exdb/mnist",
            },
            Self::FashionMnist => Facts {
                images: [60_000, 10_000],
                shape: [1, 28, 28],
                terms: "MIT; cite Xiao, Rasul and Vollgraf, Fashion-MNIST, 2017",
                home: "https://github.com/zalandoresearch/fashion-mnist",
            },
            Self::TinyImages500k => Facts {
                images: [500_000, 0],
                shape: [3, 32, 32],
                terms: "its source, 80 Million Tiny Images, was withdrawn by its authors in 2020; cite Carmon et al., \
                        Unlabeled Data Improves Adversarial Robustness, 2019",
                home: "https://github.com/yaircarmon/semisup-adv",
            },
        }
    }

    /// Where [`super::fetch`] gets it; none: it can only be had by hand.
    pub fn source(self) -> Option<Source> {
        let (mirrors, files): (&[&str], Vec<RemoteFile>) = match self {
            Self::Cifar10 => (&["https://www.cs.toronto.edu/~kriz/"], vec![cifar10()]),
            Self::Mnist => (
                &[
                    "https://ossci-datasets.s3.amazonaws.com/mnist/",
                    "https://storage.googleapis.com/cvdf-datasets/mnist/",
                ],
                MNIST.map(gzipped).into(),
            ),
            Self::FashionMnist => (
                &[
                    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
                ],
                FASHION_MNIST.map(gzipped).into(),
            ),
            Self::TinyImages500k => return None,
        };
        let mirrors = mirrors.iter().map(|mirror| (*mirror).to_owned()).collect();
        Some(Source { title: self.title().into(), folder: self.folder().into(), mirrors, files })
    }

    /// Its folder below a data folder.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Cifar10 => "cifar-10-batches-bin",
            other => other.name(),
        }
    }

    /// What to do to have it, as the end of a sentence.
    pub fn remedy(self) -> String {
        match self {
            Self::TinyImages500k => format!(
                "get 500k_pseudolabeled.pickle by way of {} and turn it into a data set with \
                 `basin data convert 500k_pseudolabeled.pickle FOLDER/{}`",
                self.facts().home,
                self.folder()
            ),
            other => format!("`basin data fetch {}` downloads it", other.name()),
        }
    }
}

fn gzipped((name, bytes, sha256, content): (&str, u64, &str, &str)) -> RemoteFile {
    RemoteFile {
        name: format!("{name}.gz"),
        bytes,
        sha256: sha256.into(),
        holds: vec![(name.into(), content.into())],
    }
}

fn cifar10() -> RemoteFile {
    let batches = [
        ("data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
        ("data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
        ("data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
        ("data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
        ("data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
        ("test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
    ];
    RemoteFile {
        name: "cifar-10-binary.tar.gz".into(),
        bytes: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd".into(),
        holds: batches.map(|(name, sha256)| (name.into(), sha256.into())).into(),
    }
}

/// Name without `.gz`, size and SHA-256 of the gzipped file, SHA-256 of what is in it.
type Gzipped = (&'static str, u64, &'static str, &'static str);

const MNIST: [Gzipped; 4] = [
    (
        "train-images-idx3-ubyte",
        9_912_422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    (
        "train-labels-idx1-ubyte",
        28_881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    (
        "t10k-images-idx3-ubyte",
        1_648_877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    (
        "t10k-labels-idx1-ubyte",
        4_542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
];

const FASHION_MNIST: [Gzipped; 4] = [
    (
        "train-images-idx3-ubyte",
        26_421_880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    (
        "train-labels-idx1-ubyte",
        29_515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    (
        "t10k-images-idx3-ubyte",
        4_422_102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    (
        "t10k-labels-idx1-ubyte",
        5_148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
];
