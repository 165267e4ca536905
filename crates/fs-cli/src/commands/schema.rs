//! `fs schema`: the JSON Schema of the definition files.

use crate::output::raw;

pub(super) fn run() {
    raw(&format!("{:#}", fs_spec::json_schema()));
}
