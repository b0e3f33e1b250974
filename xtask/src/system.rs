//! What the operating system has to provide, and the exact packages where it does not.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::succeed;

/// Something needed from the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Compiles the bindings of libtorch.
    Compiler,
    /// Fetches libtorch.
    Pip,
    /// Draws the surface in tests, without a graphics card.
    Vulkan,
    /// Runs jobs on a cluster of two nodes on this machine.
    Slurm,
}

impl Need {
    fn title(self) -> &'static str {
        match self {
            Self::Compiler => "a C++ compiler (c++)",
            Self::Pip => "Python 3 with pip (only to fetch libtorch; or set LIBTORCH to a libtorch 2.11)",
            Self::Vulkan => "a Vulkan driver (Mesa's software driver will do)",
            Self::Slurm => "Slurm with its daemons, and MUNGE",
        }
    }

    /// Packages on Debian and Ubuntu, Fedora, Arch.
    fn packages(self) -> [&'static str; 3] {
        match self {
            Self::Compiler => ["g++", "gcc-c++", "gcc"],
            Self::Pip => ["python3-pip", "python3-pip", "python-pip"],
            Self::Vulkan => [
                "mesa-vulkan-drivers libvulkan1",
                "mesa-vulkan-drivers vulkan-loader",
                "vulkan-swrast vulkan-icd-loader",
            ],
            Self::Slurm => {
                ["slurm-wlm munge", "slurm slurm-slurmctld slurm-slurmd munge", "slurm-llnl munge"]
            }
        }
    }

    /// Whether it is there. Windows and macOS bring their own graphics and find their own compiler.
    fn met(self) -> bool {
        match self {
            Self::Compiler => {
                let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
                cfg!(windows) || runs(compiler.split_whitespace().next().unwrap_or("c++"), &["--version"])
            }
            Self::Pip => python().is_some(),
            Self::Vulkan => !cfg!(target_os = "linux") || vulkan(),
            Self::Slurm => ["sbatch", "slurmctld", "slurmd", "munged"].into_iter().all(is_installed),
        }
    }
}

/// Makes sure that everything needed is there; `install` lets Debian's root install what is missing.
pub fn require(needs: &[Need], install: bool) -> Result<()> {
    let missing = || needs.iter().copied().filter(|need| !need.met()).collect::<Vec<_>>();
    let before = missing();
    if before.is_empty() {
        return Ok(());
    }
    if install && runs("apt-get", &["--version"]) && is_root() {
        let packages: Vec<&str> = before.iter().flat_map(|need| need.packages()[0].split(' ')).collect();
        eprintln!("installing {}", packages.join(" "));
        let apt = |arguments: &[&str]| {
            let mut apt = Command::new("apt-get");
            succeed(apt.env("DEBIAN_FRONTEND", "noninteractive").args(arguments))
        };
        apt(&["update", "-qq"])?;
        apt(&[&["install", "-y", "-qq", "--no-install-recommends"], &packages[..]].concat())?;
        if missing().is_empty() {
            return Ok(());
        }
    }
    bail!("{}", advice(&missing()));
}

fn advice(missing: &[Need]) -> String {
    let packages =
        |system: usize| missing.iter().map(|need| need.packages()[system]).collect::<Vec<_>>().join(" ");
    let mut text = String::from("missing:");
    for need in missing {
        text += &format!("\n  {}", need.title());
    }
    if cfg!(target_os = "macos") {
        text += "\ninstall it with: xcode-select --install (compiler), brew install python (Python with pip)";
    } else if cfg!(windows) {
        text += "\ninstall Python 3 from https://www.python.org";
    } else {
        text += &format!("\ninstall it with\n  Debian, Ubuntu: apt-get install {}", packages(0));
        text += &format!("\n  Fedora: dnf install {}\n  Arch: pacman -S {}", packages(1), packages(2));
    }
    text
}

/// The Python interpreter to use, if there is one that has pip: `PYTHON`, else python3, else python.
pub fn python() -> Option<String> {
    let chosen = std::env::var("PYTHON").ok().filter(|python| !python.is_empty());
    let candidates =
        chosen.map_or_else(|| vec!["python3".to_owned(), "python".to_owned()], |python| vec![python]);
    candidates.into_iter().find(|python| runs(python, &["-m", "pip", "--version"]))
}

/// Whether this machine has an NVIDIA driver.
pub fn nvidia_driver() -> bool {
    Path::new("/proc/driver/nvidia/version").exists() || runs("nvidia-smi", &["-L"])
}

/// Free space on the disk of a folder, in GiB, where `df` knows.
pub fn free_gib(folder: &Path) -> Option<f64> {
    let output = Command::new("df").arg("-Pk").arg(folder).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let kib: f64 = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kib / (1 << 20) as f64)
}

/// Whether a display is there to open a window on.
pub fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(windows) || cfg!(target_os = "macos") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

fn vulkan() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let folders = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    let driver = set("VK_DRIVER_FILES")
        || set("VK_ICD_FILENAMES")
        || folders.iter().any(|folder| {
            let mut files = std::fs::read_dir(folder).into_iter().flatten().flatten();
            files.any(|file| file.path().extension().is_some_and(|extension| extension == "json"))
        });
    let cached = |program: &str| {
        let output = Command::new(program).arg("-p").stderr(Stdio::null()).output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("libvulkan.so.1"))
    };
    driver && (cached("ldconfig") || cached("/sbin/ldconfig"))
}

/// Whether a program is where users or daemons look for programs.
fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let daemons = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(daemons).any(|folder| folder.join(program).is_file())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
