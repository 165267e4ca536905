//! The foreign clients, run in the virtual environment that `make test` prepares.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Runs `clients/flight_client.py`.
pub fn flight_client(
    mode: &str,
    address: &str,
    spine: &Path,
    command: &Value,
    out: &Path,
) -> Result<Value> {
    let command = command.to_string();
    run("flight_client.py", |python| {
        python
            .args([mode, address])
            .arg(spine)
            .arg(command)
            .arg(out);
    })
}

/// Runs `clients/parquet_record.py`.
pub fn parquet_record(training_set: &Path, spine: &Path) -> Result<Value> {
    run("parquet_record.py", |python| {
        python.arg(training_set).arg(spine);
    })
}

/// Runs `clients/duckdb_training_set.py`.
pub fn duckdb_training_set(training_set: &Path, spine: &Path, spec: &Value) -> Result<Value> {
    let spec = spec.to_string();
    run("duckdb_training_set.py", |python| {
        python.arg(training_set).arg(spine).arg(spec);
    })
}

/// Runs `clients/duckdb_windows.py`.
pub fn duckdb_windows(training_set: &Path, spine: &Path, spec: &Value) -> Result<Value> {
    let spec = spec.to_string();
    run("duckdb_windows.py", |python| {
        python.arg(training_set).arg(spine).arg(spec);
    })
}

/// Runs `clients/grpc_client.py` on the project's protos.
pub fn grpc_client(address: &str, request: &Value) -> Result<Value> {
    let request = request.to_string();
    run("grpc_client.py", |python| {
        python.arg(protos()).arg(address).arg(request);
    })
}

/// Runs `clients/feast_sdk.py`, whose registry lies in `folder`, against `http://…`.
pub fn feast_sdk(folder: &Path, url: &str, steps: &Value) -> Result<Value> {
    let steps = steps.to_string();
    run("feast_sdk.py", |python| {
        python.arg(folder).args([url, &steps]);
    })
}

/// Runs `clients/feast_grpc.py` with the stubs of `which`, on the project's protos.
pub fn feast_grpc(which: &str, address: &str, calls: &Value) -> Result<Value> {
    let calls = calls.to_string();
    run("feast_grpc.py", |python| {
        python.arg(which).arg(protos()).args([address, &calls]);
    })
}

/// What of the project's protos the feast package has otherwise, by `clients/feast_grpc.py`.
pub fn feast_protos_compared() -> Result<Value> {
    run("feast_grpc.py", |python| {
        python.arg("compare").arg(protos());
    })
}

fn protos() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto")
}

fn run(script: &str, arguments: impl FnOnce(&mut Command)) -> Result<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("clients")
        .join(script);
    let mut command = Command::new(interpreter()?);
    command.arg(script);
    arguments(&mut command);
    let output = command.output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "the Python client failed: {stderr}"
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests read where the environment puts the clients"
)]
fn interpreter() -> Result<PathBuf> {
    let environment = match std::env::var("FS_TEST_PYTHON_ENV") {
        Ok(folder) => PathBuf::from(folder),
        Err(_) => Path::new(&std::env::var("HOME").context("HOME is not set")?)
            .join(".cache/fs-test-python"),
    };
    let python = environment.join("bin/python");
    ensure!(
        python.is_file(),
        "{} is missing: `make deps` installs it",
        python.display()
    );
    Ok(python)
}
