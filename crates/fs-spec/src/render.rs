//! Problems as people read them.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::problem::{Problem, summary};

/// With colours or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Text only: for files, pipes and tests.
    Plain,
    /// With ANSI colours: for terminals.
    Colored,
}

/// Every problem with its line and a caret, then how many there are.
///
/// ```text
/// error: view `origin_weather` has no field `tll`
///  --> views.yaml:5:1
///   |
/// 5 | tll: 3h
///   | ^^^
///   |
///   = help: did you mean `ttl`?
///
/// 1 problem in 1 file
/// ```
pub fn render(problems: &[Problem], style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colored => Renderer::styled(),
    };
    let mut text = String::new();
    for problem in problems {
        text.push_str(&renderer.render(&[group(problem)]));
        text.push_str("\n\n");
    }
    text.push_str(&summary(problems));
    text.push('\n');
    text
}

fn group(problem: &Problem) -> annotate_snippets::Group<'_> {
    let snippet = Snippet::source(problem.at.line_text())
        .line_start(problem.line)
        .path(problem.file.as_str())
        .annotation(AnnotationKind::Primary.span(problem.at.range_in_line()));
    let group = Level::ERROR
        .primary_title(problem.message.as_str())
        .element(snippet);
    match &problem.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}
