//! Brings libtorch 2.11 to `target/libtorch/torch`, where `.cargo/config.toml` points.
//!
//! In this order: a LIBTORCH set by the user; what is there already; the torch 2.11 of the Python in
//! use, linked; PyPI's wheel. A download is made in a folder beside and renamed when it is complete,
//! so an interrupted set-up never counts.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::root;
use crate::system::{self, Need};

const VERSION: &str = "2.11";
const WHEEL: &str = "torch==2.11.0";
/// The two libraries of CUDA that even the CPU part of the wheel for Linux links.
const CUDA_LIBRARIES: [&str; 2] = ["nvidia-cuda-runtime==13.0.*", "nvidia-cuda-cupti==13.0.*"];
/// Room for the wheel and its content, before the part for GPUs is removed; and with all of CUDA.
const ROOM_GIB: [f64; 2] = [4.0, 14.0];

/// Sets up; does nothing if that has been done.
pub fn run() -> Result<()> {
    if let Some(folder) = libtorch_of_user() {
        check(&folder).with_context(|| {
            format!(
                "LIBTORCH is {}, which cannot be used; set it to a libtorch {VERSION}, or unset it to have one fetched",
                folder.display()
            )
        })?;
        eprintln!("libtorch: {} (from LIBTORCH)", folder.display());
        return system::require(&[Need::Compiler], false);
    }
    let target = root().join("target");
    let home = target.join("libtorch");
    fs::create_dir_all(&target).with_context(|| format!("cannot create {}", target.display()))?;
    // A second set-up at the same time waits here, and then finds everything done.
    let lock = target.join("libtorch.lock");
    let lock = fs::File::create(&lock).with_context(|| format!("cannot write {}", lock.display()))?;
    lock.lock().context("cannot lock target/libtorch.lock")?;

    let torch = home.join("torch");
    if check(&torch).is_ok() {
        if system::nvidia_driver() && cuda_libraries(&torch).is_empty() {
            eprintln!(
                "note: target/libtorch is without CUDA; remove it and run cargo xtask setup to use the GPU"
            );
        }
        return system::require(&[Need::Compiler], false);
    }
    system::require(&[Need::Compiler], false)?;
    remove(&home)?;
    if let Some(installed) = torch_of_python() {
        match link(&installed, &torch) {
            Ok(()) => {
                eprintln!("libtorch: linked {}", installed.display());
                return Ok(());
            }
            Err(error) => {
                eprintln!("note: cannot link {} ({error}); fetching libtorch instead", installed.display())
            }
        }
    }
    fetch(&target, &home)
}

/// The LIBTORCH of the user's own environment; the one that `.cargo/config.toml` sets does not count.
pub fn libtorch_of_user() -> Option<PathBuf> {
    let folder = std::env::var_os("LIBTORCH").filter(|value| !value.is_empty()).map(PathBuf::from)?;
    (folder != root().join("target/libtorch/torch")).then_some(folder)
}

/// Whether libtorch is in its place already.
pub fn is_done() -> bool {
    check(&root().join("target/libtorch/torch")).is_ok()
}

/// Whether a folder holds a libtorch of the right version; the error says what is wrong with it.
fn check(torch: &Path) -> Result<()> {
    let library = if cfg!(windows) {
        "torch_cpu.dll"
    } else if cfg!(target_os = "macos") {
        "libtorch_cpu.dylib"
    } else {
        "libtorch_cpu.so"
    };
    let library = torch.join("lib").join(library);
    if !library.is_file() {
        bail!("{} is missing", library.display());
    }
    // A Python package has version.py, a libtorch archive build-version; one built from source neither.
    let read = |name: &str| fs::read_to_string(torch.join(name)).ok();
    let version = read("build-version").or_else(|| {
        let text = read("version.py")?;
        let line = text.lines().find(|line| line.starts_with("__version__"))?;
        line.split(['\'', '"']).nth(1).map(str::to_owned)
    });
    match version {
        Some(version) if !version.trim().starts_with(&format!("{VERSION}.")) => {
            bail!("it is version {}, {VERSION} is needed", version.trim())
        }
        _ => Ok(()),
    }
}

/// The folder of the torch 2.11 that the Python in use has, found without importing it.
fn torch_of_python() -> Option<PathBuf> {
    let script = "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])";
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let output = Command::new(python).args(["-c", script]).stderr(Stdio::null()).output().ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    (output.status.success() && check(&folder).is_ok()).then_some(folder)
}

fn link(installed: &Path, torch: &Path) -> Result<()> {
    fs::create_dir_all(torch.parent().context("no parent folder")?)?;
    #[cfg(unix)]
    std::os::unix::fs::symlink(installed, torch)?;
    #[cfg(windows)]
    std::os::windows::fs::symlink_dir(installed, torch)?;
    Ok(())
}

/// Installs the wheel with pip beside its place, and moves it there.
fn fetch(target: &Path, home: &Path) -> Result<()> {
    system::require(&[Need::Pip], false)?;
    let python = system::python().context("Python with pip has just been there")?;
    let cuda = system::nvidia_driver();
    let room = ROOM_GIB[usize::from(cuda)];
    if let Some(free) = system::free_gib(target).filter(|&free| free < room) {
        bail!("too little disk space in {}: {room} GiB needed, {free:.1} GiB free", target.display());
    }
    for stale in fs::read_dir(target).into_iter().flatten().flatten() {
        if stale.file_name().to_string_lossy().starts_with("libtorch.partial") {
            remove(&stale.path())?;
        }
    }
    // Named after this process: the pip of a killed set-up may still be writing into its own.
    let partial = target.join(format!("libtorch.partial-{}", std::process::id()));
    let (install, scratch) = (partial.join("install"), partial.join("tmp"));
    fs::create_dir_all(&scratch).with_context(|| format!("cannot create {}", scratch.display()))?;

    eprintln!(
        "libtorch: fetching {WHEEL} with pip into target/libtorch (once, {})",
        if cuda { "with CUDA" } else { "CPU only" }
    );
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-compile", "--target"])
        .arg(&install)
        .arg(WHEEL);
    if !cuda {
        pip.arg("--no-deps");
        if cfg!(target_os = "linux") {
            pip.args(CUDA_LIBRARIES);
        }
    }
    pip.env("PIP_ROOT_USER_ACTION", "ignore").env("PIP_USER", "0");
    // pip unpacks into the folder for temporary files first: on the same disk, moving costs nothing.
    pip.env("TMPDIR", &scratch);
    if let Err(error) = watched(&mut pip) {
        remove(&partial)?;
        return Err(error);
    }
    let torch = install.join("torch");
    if !cuda {
        for library in cuda_libraries(&torch) {
            remove(&library)?;
        }
    }
    check(&torch).context("pip has not installed a complete torch")?;
    fs::rename(&install, home)
        .with_context(|| format!("cannot rename {} to {}", install.display(), home.display()))?;
    remove(&partial)
}

/// The libraries that only a GPU needs: the largest part of the wheel by far.
fn cuda_libraries(torch: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(torch.join("lib")).into_iter().flatten().flatten();
    files
        .map(|file| file.path())
        .filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libtorch_cuda"))
        })
        .collect()
}

/// Runs pip, shows what it says, and turns its usual failures into advice.
fn watched(pip: &mut Command) -> Result<()> {
    let mut child = pip.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().context("cannot start pip")?;
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            eprintln!("{line}");
            said.push_str(&line);
            said.push('\n');
        }
    }
    if child.wait().context("pip was lost")?.success() {
        return Ok(());
    }
    let says = |parts: &[&str]| parts.iter().any(|part| said.contains(part));
    if says(&["No space left", "Errno 28"]) {
        bail!("the disk is full; make room and run cargo xtask setup again");
    }
    if says(&[
        "NewConnectionError",
        "ConnectTimeout",
        "name resolution",
        "Network is unreachable",
        "Max retries",
        "ReadTimeout",
    ]) {
        bail!(
            "PyPI cannot be reached; check the network (pip obeys HTTPS_PROXY and PIP_INDEX_URL) and run cargo xtask setup again"
        );
    }
    if says(&["No matching distribution", "Could not find a version"]) {
        bail!(
            "pip finds no {WHEEL} for this Python and platform (or cannot reach PyPI); choose another Python with the \
             environment variable PYTHON, or set LIBTORCH to a libtorch {VERSION}"
        );
    }
    bail!("pip could not install {WHEEL}; what it said is above")
}

/// Removes a file or a folder with all its content; a link is removed, not followed.
fn remove(path: &Path) -> Result<()> {
    let result = match fs::symlink_metadata(path) {
        Err(_) => return Ok(()),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    result.with_context(|| format!("cannot remove {}", path.display()))
}
