//! Asking before something is removed.

use std::io::{BufRead, IsTerminal, Write};

use crate::failure::Failure;

/// Asks on the terminal to type `word`, the `thing` that goes; without a terminal, `--yes` has to be
/// given.
#[expect(
    clippy::print_stderr,
    reason = "the question must not end up in the answer"
)]
pub(super) fn removal(what: &str, thing: &str, word: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::input(format!(
            "this removes {what}: say `--yes` to do it"
        )));
    }
    eprint!("This removes {what}. Type the name of the {thing} to go on: ");
    std::io::stderr().flush().ok();
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Failure::io("cannot read the answer", &error))?;
    if answer.trim() == word {
        Ok(())
    } else {
        Err(Failure::input("nothing was removed"))
    }
}
