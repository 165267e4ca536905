//! The windows of an aggregation, and the feature that each gives.

use fs_core::{FeatureName, Window};

use crate::decode::fields::Fields;
use crate::decode::{Items, values};
use crate::position::At;
use crate::problem::Sink;
use crate::tree::Node;

/// One window of an aggregation, and the feature that it gives.
#[derive(Debug)]
pub(crate) struct WindowDraft {
    pub(crate) window: Window,
    /// Its name; the place is that of the window.
    pub(crate) feature: At<FeatureName>,
}

/// Reads `windows`. `name` is that of the aggregation, if it could be read.
pub(super) fn decode(
    fields: &Fields<'_>,
    name: Option<&str>,
    sink: &mut Sink,
) -> Items<WindowDraft> {
    let nodes = fields
        .required("windows", "[1h, 7d]", sink)
        .and_then(|node| Some((node, values::list(node, "`windows`", sink)?)));
    let Some((node, nodes)) = nodes else {
        return Items::default();
    };
    if nodes.is_empty() {
        let message = format!("{} needs at least one window", fields.called);
        sink.report_with_help(&node.at, message, "write `windows: [1h, 7d]`");
    }
    let windows: Vec<At<Written>> = nodes.iter().filter_map(|node| window(node, sink)).collect();
    let features = windows.iter().enumerate().filter_map(|(at, window)| {
        if let Some(first) = as_long(window, &windows[..at]) {
            report_repeated(window, first, sink);
            return None;
        }
        feature(window, name?, sink)
    });
    let features: Vec<WindowDraft> = features.collect();
    Items {
        complete: features.len() == nodes.len(),
        items: features,
    }
}

/// A window, and how it was written.
struct Written {
    window: Window,
    text: String,
}

fn window(node: &Node, sink: &mut Sink) -> Option<At<Written>> {
    let parse = |text: &str| {
        let text = text.trim();
        text.parse().map(|window| Written {
            window,
            text: text.to_owned(),
        })
    };
    values::checked::<_, fs_core::model::WindowError>(node, "a window", parse, sink)
}

fn feature(window: &At<Written>, name: &str, sink: &mut Sink) -> Option<WindowDraft> {
    match format!("{name}_{}", window.value.text).parse() {
        Ok(feature) => Some(WindowDraft {
            window: window.value.window,
            feature: At {
                value: feature,
                at: window.at.clone(),
            },
        }),
        Err(error) => {
            let error: fs_core::name::NameError = error;
            let help =
                "a feature is called `<name>_<window>`: give the aggregation a shorter `name`";
            sink.report_with_help(&window.at, error.to_string(), help);
            None
        }
    }
}

fn as_long<'a>(window: &At<Written>, before: &'a [At<Written>]) -> Option<&'a At<Written>> {
    let mut before = before.iter();
    before.find(|first| first.value.window == window.value.window)
}

fn report_repeated(window: &At<Written>, first: &At<Written>, sink: &mut Sink) {
    let (text, other) = (&window.value.text, &first.value.text);
    let message = if text == other {
        format!("the window `{text}` is there twice")
    } else {
        format!("the window `{text}` is as long as `{other}`")
    };
    sink.report_with_help(&window.at, message, format!("the first is at {}", first.at));
}
