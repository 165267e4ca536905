//! From a folder to [`Definitions`].

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_core::{Code, Coded};

use crate::decode::{self, Drafts};
use crate::definitions::Definitions;
use crate::interpolate::{Environment, interpolate};
use crate::position::{FileText, Position};
use crate::problem::{Problem, Sink, summary};
use crate::settings::Settings;
use crate::tree::{self, Documents, MAX_FILE_BYTES};

/// The file at the root of every feature repo.
pub const FEATURE_STORE_YAML: &str = "feature_store.yaml";

/// Why a folder is no feature repo.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is nothing to start from.
    #[error(
        "there is no {FEATURE_STORE_YAML} in {}: run `fs init DIR` to make a feature repo, or \
         choose one with `-C REPO`", .root.display()
    )]
    NoFeatureStoreYaml {
        /// The folder that was looked at.
        root: PathBuf,
    },
    /// A file or folder cannot be read.
    #[error("cannot read {}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The definitions are wrong.
    #[error("{}", summary(.0))]
    Problems(Vec<Problem>),
}

impl Coded for LoadError {
    fn code(&self) -> Code {
        match self {
            Self::NoFeatureStoreYaml { .. } => Code::NotFound,
            Self::Io { .. } => Code::FailedPrecondition,
            Self::Problems(_) => Code::InvalidArgument,
        }
    }
}

/// Reads the feature repo at `root`, or finds everything that is wrong with it as far as the files tell.
///
/// What they do not tell is [wanted](Definitions::wanted) of the sources; without that, the definitions
/// [are complete](Definitions::complete).
///
/// Settings come from [`FEATURE_STORE_YAML`], definitions from all other `*.yaml` and `*.yml` files
/// below the root. Hidden files and folders (`.fs`, `.git`) are left out. `environment` answers
/// `${NAME}`; nothing else is read from outside the folder.
pub fn load(
    root: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Definitions, LoadError> {
    let (absolute, _) = find_settings(root)?;
    let mut walk = Walk::default();
    walk.folder(&absolute)?;
    walk.files.sort();
    let mut files = Vec::with_capacity(walk.files.len());
    for path in walk.files {
        let name = path.strip_prefix(&absolute).unwrap_or(&path);
        let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
        let name = parts.join("/");
        let bytes = std::fs::read(&path).map_err(unreadable(&path))?;
        files.push((name, bytes));
    }
    read(&absolute, files, environment).map_err(LoadError::Problems)
}

/// Reads the settings of the repo in `root`, and leaves the definitions alone.
///
/// For whoever works with what is applied: definitions that are being edited are none of their
/// business.
pub fn load_settings(
    root: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Settings, LoadError> {
    let (absolute, path) = find_settings(root)?;
    let bytes = std::fs::read(&path).map_err(unreadable(&path))?;
    let mut sink = Sink::default();
    let settings = text(FEATURE_STORE_YAML.to_owned(), bytes, &mut sink).and_then(|file| {
        let documents = documents(&file, environment, &mut sink);
        settings_of(&file, &documents, &absolute, &mut sink)?.finish()
    });
    match settings.filter(|_| sink.is_empty()) {
        Some(settings) => Ok(settings),
        None => Err(LoadError::Problems(sink.into_problems())),
    }
}

/// The absolute folder of the repo in `root`, and its settings file.
fn find_settings(root: &Path) -> Result<(PathBuf, PathBuf), LoadError> {
    let no_settings = || LoadError::NoFeatureStoreYaml {
        root: root.to_owned(),
    };
    let absolute = match root.canonicalize() {
        Ok(absolute) => absolute,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(no_settings()),
        Err(error) => return Err(unreadable(root)(error)),
    };
    let path = absolute.join(FEATURE_STORE_YAML);
    if path.is_file() {
        Ok((absolute, path))
    } else {
        Err(no_settings())
    }
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> LoadError {
    move |source| LoadError::Io {
        path: path.to_owned(),
        source,
    }
}

#[derive(Default)]
struct Walk {
    files: Vec<PathBuf>,
    /// Folders by their real path: links may lead in circles.
    seen: BTreeSet<PathBuf>,
}

impl Walk {
    fn folder(&mut self, folder: &Path) -> Result<(), LoadError> {
        let mut waiting = vec![folder.to_owned()];
        while let Some(folder) = waiting.pop() {
            let real = folder.canonicalize().map_err(unreadable(&folder))?;
            if !self.seen.insert(real) {
                continue;
            }
            for entry in std::fs::read_dir(&folder).map_err(unreadable(&folder))? {
                let path = entry.map_err(unreadable(&folder))?.path();
                let hidden = path
                    .file_name()
                    .is_none_or(|name| name.to_string_lossy().starts_with('.'));
                if hidden {
                    continue;
                }
                if path.is_dir() {
                    waiting.push(path);
                } else if path
                    .extension()
                    .is_some_and(|extension| extension == "yaml" || extension == "yml")
                {
                    self.files.push(path);
                }
            }
        }
        Ok(())
    }
}

/// Reads definitions from the names (below the root) and bytes of its files.
pub(crate) fn read(
    root: &Path,
    files: Vec<(String, Vec<u8>)>,
    environment: Environment<'_>,
) -> Result<Definitions, Vec<Problem>> {
    let mut sink = Sink::default();
    let mut drafts = Drafts::default();
    let mut settings = None;
    for (name, bytes) in files {
        let is_settings = name == FEATURE_STORE_YAML;
        let Some(file) = text(name, bytes, &mut sink) else {
            drafts.anything_may_be_missing();
            continue;
        };
        let documents = documents(&file, environment, &mut sink);
        if is_settings {
            settings = settings_of(&file, &documents, root, &mut sink);
        } else {
            if !documents.complete {
                drafts.anything_may_be_missing();
            }
            for document in &documents.nodes {
                drafts.add(document, &mut sink);
            }
        }
    }
    Definitions::checked(root, settings, drafts, sink)
}

/// The text of a file; `None` if it is too long or not UTF-8, which is reported.
fn text(name: String, bytes: Vec<u8>, sink: &mut Sink) -> Option<Arc<FileText>> {
    let file = |name: String, text: String| Arc::new(FileText { name, text });
    if bytes.len() > MAX_FILE_BYTES {
        let message = format!("this file is longer than {MAX_FILE_BYTES} bytes");
        let help = "split it; if it holds no definitions, move it out of the repo";
        let at = Position::new(&file(name, String::new()), 0, 0);
        sink.report_with_help(&at, message, help);
        return None;
    }
    match String::from_utf8(bytes) {
        Ok(text) => {
            let without_mark = text.strip_prefix('\u{feff}').map(str::to_owned);
            Some(file(name, without_mark.unwrap_or(text)))
        }
        Err(error) => {
            let start = error.utf8_error().valid_up_to();
            let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let at = Position::new(&file(name, shown), start, start);
            sink.report_with_help(&at, "this is not UTF-8", "save the file as UTF-8");
            None
        }
    }
}

fn documents(file: &Arc<FileText>, environment: Environment<'_>, sink: &mut Sink) -> Documents {
    let mut documents = tree::parse(file, sink);
    for document in &mut documents.nodes {
        interpolate(document, environment, sink);
    }
    documents
}

fn settings_of(
    file: &Arc<FileText>,
    documents: &Documents,
    root: &Path,
    sink: &mut Sink,
) -> Option<decode::SettingsDraft> {
    match documents.nodes.as_slice() {
        [document] => decode::settings(document, root, sink),
        [_, second, ..] => {
            let message = format!("{FEATURE_STORE_YAML} holds one document, and this is another");
            sink.report_with_help(
                &second.at,
                message,
                "put definitions into files of their own",
            );
            None
        }
        [] => {
            if documents.complete {
                let message = format!("{FEATURE_STORE_YAML} is empty");
                sink.report_with_help(
                    &Position::new(file, 0, 0),
                    message,
                    "add `project: some_name`",
                );
            }
            None
        }
    }
}
