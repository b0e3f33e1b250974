//! Lets the tests of this package find libtorch where it was linked from.

fn main() {
    if let Some(lib) = std::env::var_os("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
        println!("cargo:rustc-env=BASIN_LIBTORCH_LIB={}", lib.display());
    }
}
