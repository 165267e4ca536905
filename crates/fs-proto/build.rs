//! Compiles `proto/` without a system protoc and keeps the descriptors for reflection.

use std::path::PathBuf;
use std::{env, error, fs};

use prost::Message;

/// What is compiled; the files that these import come with them.
const FILES: [&str; 2] = [
    "fs/v1/feature_store.proto",
    "feast/serving/GrpcServer.proto",
];

fn main() -> Result<(), Box<dyn error::Error>> {
    // Asked for when it runs: a build folder may serve more than one checkout.
    let here = env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets CARGO_MANIFEST_DIR")?;
    let root = PathBuf::from(here).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());

    let descriptors = protox::compile(FILES.map(|file| root.join(file)), [&root])?;
    let out = env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR for build scripts")?;
    fs::write(
        PathBuf::from(out).join("descriptors.bin"),
        descriptors.encode_to_vec(),
    )?;
    // `bytes` fields share the buffer of the message instead of copying it.
    tonic_prost_build::configure()
        .bytes(".")
        .compile_fds(descriptors)?;
    Ok(())
}
