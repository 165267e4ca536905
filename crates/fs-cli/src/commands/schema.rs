//! `fs schema`: the JSON Schema of the definition files.

use crate::output::Output;

pub(super) fn run(output: &Output) {
    output.raw(&format!("{:#}", fs_spec::json_schema()));
}
