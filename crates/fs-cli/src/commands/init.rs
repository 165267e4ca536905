//! `fs init DIR`: a small repo that runs as it is.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::args::InitArgs;
use crate::failure::Failure;
use crate::output::{Output, lines};

const FILES: [(&str, &str); 6] = [
    (
        "feature_store.yaml",
        include_str!("../../templates/feature_store.yaml"),
    ),
    (
        "definitions.yaml",
        include_str!("../../templates/definitions.yaml"),
    ),
    (
        "data/orders.csv",
        include_str!("../../templates/data/orders.csv"),
    ),
    ("spine.csv", include_str!("../../templates/spine.csv")),
    ("README.md", include_str!("../../templates/README.md")),
    (".gitignore", include_str!("../../templates/gitignore")),
];

pub(super) fn run(args: &InitArgs, output: Output) -> Result<(), Failure> {
    let dir = args.dir.as_path();
    if let Some(taken) = FILES
        .iter()
        .map(|(name, _)| dir.join(name))
        .find(|path| path.exists())
    {
        return Err(Failure::input(format!(
            "`{}` exists already; choose a folder that holds no repo",
            taken.display()
        )));
    }
    for (name, text) in FILES {
        write(&dir.join(name), text)?;
    }
    let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
    output.answer(&json!({ "dir": dir, "files": names }), || {
        let dir = dir.display();
        let files = lines(names.iter().map(|name| format!("  {name}")));
        format!("Wrote a feature repo to {dir}:\n{files}Go on with: fs -C {dir} apply")
    });
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let doing = format!("cannot write `{}`", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| Failure::io(&doing, &error))?;
    }
    fs::write(path, text).map_err(|error| Failure::io(&doing, &error))
}
