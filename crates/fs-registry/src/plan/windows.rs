//! What changes for whoever reads the features of a windowed view, and what does not.

use fs_core::{Aggregation, FeatureSet, FeatureView};

use super::hurt::Services;

/// What to know about the aggregations that `after` has and `before` had not, or had otherwise; `services`
/// are those of the new definitions.
///
/// | Feature | Training | Online |
/// |---|---|---|
/// | new | at once, from the events that are stored | from the next materialization on |
/// | computed otherwise | likewise | likewise; services that read it are named |
pub(super) fn notes(before: &FeatureView, after: &FeatureView, services: &Services) -> Vec<String> {
    let (Some(was), Some(is)) = (&before.windows, &after.windows) else {
        return Vec::new();
    };
    let (mut new, mut otherwise) = (Vec::new(), Vec::new());
    for (aggregation, window) in is.features() {
        let name = window.feature.as_str();
        match was.feature(name) {
            None => new.push(name),
            Some((other, over)) if over.window != window.window || !same(other, aggregation) => {
                otherwise.push(name);
            }
            Some(_) => {}
        }
    }
    let view = &after.name;
    let when = if after.online {
        "for training at once, and online from the next materialization on"
    } else {
        "for training at once"
    };
    let mut notes = Vec::new();
    if !new.is_empty() {
        let are = if new.len() == 1 { "is" } else { "are" };
        notes.push(format!("{view}: {} {are} there {when}", listed(&new)));
    }
    if !otherwise.is_empty() {
        let mean = if otherwise.len() == 1 {
            "means"
        } else {
            "mean"
        };
        let readers = readers(view.as_str(), &otherwise, services);
        notes.push(format!(
            "{view}: {} {mean} something else, {when}{readers}",
            listed(&otherwise)
        ));
    }
    notes
}

fn same(one: &Aggregation, other: &Aggregation) -> bool {
    one.column == other.column && one.function == other.function && one.filter == other.filter
}

/// The services that read some of `features`, for the end of a sentence.
fn readers(view: &str, features: &[&str], services: &Services) -> String {
    let reads = |set: &FeatureSet| {
        set.columns.iter().any(|column| {
            let selection = &set.views[column.view];
            let feature = &selection.view.schema[column.feature].name;
            selection.view.name.as_str() == view && features.contains(&feature.as_str())
        })
    };
    let names = services.iter().filter(|(_, set)| reads(set));
    let names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("; read by {}", listed(&names))
    }
}

/// What becomes of the rows of a view that turns into a windowed one, or back.
pub(super) fn turn(before: &FeatureView, after: &FeatureView) -> Option<String> {
    let view = &after.name;
    match (&before.windows, &after.windows) {
        (None, Some(_)) => Some(format!(
            "{view}: becomes windowed; the rows that are there already become events of its windows"
        )),
        (Some(_), None) => Some(format!(
            "{view}: is no longer windowed; the events that are there already become its rows"
        )),
        _ => None,
    }
}

fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
