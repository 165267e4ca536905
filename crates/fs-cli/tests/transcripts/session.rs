//! A session at the command line: written down first, run when it is compared.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// What happens in a session, in order.
enum Step {
    Fs(String),
    Write {
        name: String,
        text: String,
    },
    Edit {
        name: String,
        from: String,
        to: String,
    },
    Show(String),
    Absent(String),
    Same(String, String),
    Other(String, String),
}

/// A session in a folder of its own.
pub(crate) struct Session {
    repo: bool,
    steps: Vec<Step>,
    hidden: Vec<(String, &'static str)>,
    filters: Vec<(&'static str, &'static str)>,
}

impl Session {
    /// A session in an empty folder.
    pub(crate) const fn new() -> Self {
        Self {
            repo: false,
            steps: Vec::new(),
            hidden: Vec::new(),
            filters: Vec::new(),
        }
    }

    /// A session in the repo that `fs init` makes.
    pub(crate) const fn in_new_repo() -> Self {
        Self {
            repo: true,
            steps: Vec::new(),
            hidden: Vec::new(),
            filters: Vec::new(),
        }
    }

    /// Runs `fs LINE`, where `RUN` stands for the run that was seen last.
    pub(crate) fn fs(self, line: &str) -> Self {
        self.then(Step::Fs(line.to_owned()))
    }

    /// Writes a file.
    pub(crate) fn write(self, name: &str, text: &str) -> Self {
        self.then(Step::Write {
            name: name.to_owned(),
            text: text.to_owned(),
        })
    }

    /// Replaces a part of a file.
    pub(crate) fn edit(self, name: &str, from: &str, to: &str) -> Self {
        self.then(Step::Edit {
            name: name.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        })
    }

    /// Shows a file.
    pub(crate) fn show(self, name: &str) -> Self {
        self.then(Step::Show(name.to_owned()))
    }

    /// Fails if there is a file of this name.
    pub(crate) fn absent(self, name: &str) -> Self {
        self.then(Step::Absent(name.to_owned()))
    }

    /// Fails unless both files have the same bytes.
    pub(crate) fn same(self, one: &str, other: &str) -> Self {
        self.then(Step::Same(one.to_owned(), other.to_owned()))
    }

    /// Fails if both files have the same bytes.
    pub(crate) fn other(self, one: &str, other: &str) -> Self {
        self.then(Step::Other(one.to_owned(), other.to_owned()))
    }

    /// Writes `instead` wherever `text` comes up: it differs from run to run.
    pub(crate) fn hide(mut self, text: impl Into<String>, instead: &'static str) -> Self {
        self.hidden.push((text.into(), instead));
        self
    }

    /// The same for whatever matches a regular expression.
    pub(crate) fn hide_all(mut self, pattern: &'static str, instead: &'static str) -> Self {
        self.filters.push((pattern, instead));
        self
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Runs the session and compares what was seen with the snapshot `name`.
    pub(crate) fn matches(self, name: &str) -> Result<()> {
        let folder = tempfile::tempdir()?;
        if self.repo {
            let made = fs(&folder, "init .").output()?;
            ensure!(made.status.success(), "{made:?}");
        }
        let mut seen = Vec::new();
        let mut run = None;
        for step in &self.steps {
            let told = step.run(&folder, run.as_deref())?;
            run = run_id(&told).or(run);
            seen.push(told);
        }
        let mut text = seen.join("\n");
        for (hidden, instead) in &self.hidden {
            text = text.replace(hidden, instead);
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_snapshot_path("../snapshots");
        settings.set_omit_expression(true);
        // The folder as a path, as a URL and as a link of the system (macOS).
        for path in [folder.path(), &folder.path().canonicalize()?] {
            let path = path.to_str().context("a folder with an odd name")?;
            settings.add_filter(path, "REPO");
        }
        // What the clock says has a fraction of a second; what the files hold has none. The widths
        // of such columns differ from run to run.
        settings.add_filter(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z +", "NOW  ");
        settings.add_filter(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z", "NOW");
        settings.add_filter("applied at +views", "applied at  views");
        settings.add_filter(r"\b\d+(\.\d+)? (ms|s)\b", "TIME");
        settings.add_filter(r"\b\d{16}-", "0000000000000000-");
        settings.add_filter(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "TABLE-ID");
        settings.add_filter(r#""fs": "[^"]+""#, r#""fs": "VERSION""#);
        settings.add_filter(r"\bfs \d+\.\d+\.\d+", "fs VERSION");
        for (pattern, instead) in &self.filters {
            settings.add_filter(pattern, *instead);
        }
        settings.bind(|| insta::assert_snapshot!(name, text.trim_end()));
        Ok(())
    }
}

impl Step {
    /// Does it, and returns what there is to see.
    fn run(&self, folder: &TempDir, run: Option<&str>) -> Result<String> {
        let path = |name: &str| folder.path().join(name);
        Ok(match self {
            Self::Fs(line) => {
                let arguments = line.replace("RUN", run.unwrap_or("RUN"));
                let output = fs(folder, &arguments).output()?;
                let mut seen = vec![format!("$ fs {line}").trim_end().to_owned()];
                let (out, err) = (
                    String::from_utf8(output.stdout)?,
                    String::from_utf8(output.stderr)?,
                );
                seen.extend(out.lines().map(str::to_owned));
                seen.extend(
                    err.lines()
                        .map(|line| format!("! {line}").trim_end().to_owned()),
                );
                match output.status.code() {
                    Some(0) => {}
                    Some(status) => seen.push(format!("exit status {status}")),
                    None => seen.push("killed".to_owned()),
                }
                seen.join("\n") + "\n"
            }
            Self::Write { name, text } => {
                std::fs::write(path(name), text)?;
                format!("# {name}\n{}\n", text.trim_end())
            }
            Self::Edit { name, from, to } => {
                edit(&path(name), from, to)?;
                format!("# {name}: `{}` becomes `{}`\n", from.trim(), to.trim())
            }
            Self::Show(name) => format!("# {name}\n{}", std::fs::read_to_string(path(name))?),
            Self::Absent(name) => {
                ensure!(!path(name).exists(), "{name} was written");
                format!("# there is no {name}\n")
            }
            Self::Same(one, other) => {
                let (first, second) = (std::fs::read(path(one))?, std::fs::read(path(other))?);
                ensure!(first == second, "{one} and {other} differ");
                format!("# {one} and {other} are the same, byte for byte\n")
            }
            Self::Other(one, other) => {
                let (first, second) = (std::fs::read(path(one))?, std::fs::read(path(other))?);
                ensure!(first != second, "{one} and {other} are the same");
                format!("# {one} and {other} differ\n")
            }
        })
    }
}

/// The first id of a run in a text: microseconds and the name of a view.
fn run_id(text: &str) -> Option<String> {
    let mut words = text.split(|c: char| c.is_whitespace() || c == '"');
    let id = words.find(|word| {
        let micros = word.split('-').next().unwrap_or_default();
        micros.len() == 16 && micros.bytes().all(|byte| byte.is_ascii_digit())
    });
    id.map(str::to_owned)
}

fn edit(path: &Path, from: &str, to: &str) -> Result<()> {
    let text = std::fs::read_to_string(path)?;
    ensure!(text.contains(from), "{} has no {from:?}", path.display());
    std::fs::write(path, text.replace(from, to))?;
    Ok(())
}

fn fs(folder: &TempDir, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fs"));
    command
        .args(words(line))
        .current_dir(folder.path())
        .env_remove("RUST_LOG")
        .env("COLUMNS", "100")
        .stdin(Stdio::null());
    command
}

/// The words of a line; blanks between single quotes belong to a word.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, piece) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}
