//! [`Definitions`], as far as the files tell, and the [`Repo`] that they become.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_core::{
    Catalog, Feature, FeatureRequest, FeatureSet, Naming, ProjectName, ViewName, WantedInputs,
};

use crate::check;
use crate::decode::{Drafts, SettingsDraft, ViewDraft};
use crate::lineage::Lineage;
use crate::places::{Place, Positions};
use crate::problem::{Problem, Sink};
use crate::settings::Settings;

/// A feature repo without problems.
#[derive(Debug, Clone)]
pub struct Repo {
    /// The folder, absolute.
    pub root: PathBuf,
    /// What `feature_store.yaml` says.
    pub settings: Settings,
    /// What all the other files define.
    pub catalog: Catalog,
    /// Where everything is written.
    pub positions: Positions,
}

/// Definitions without problems, as far as the files tell.
///
/// ```no_run
/// # use std::collections::BTreeMap;
/// # fn find(_: &fs_core::Catalog, _: &fs_core::WantedInputs) -> Vec<fs_core::Feature> { Vec::new() }
/// let definitions = fs_spec::load("repo".as_ref(), &|name| std::env::var(name).ok())?;
/// let mut found = BTreeMap::new();
/// for wanted in definitions.wanted() {
///     found.insert(wanted.view.clone(), find(definitions.catalog(), &wanted));
/// }
/// let repo = definitions.complete(found);
/// # Ok::<(), fs_spec::LoadError>(())
/// ```
#[derive(Debug)]
pub struct Definitions {
    root: PathBuf,
    settings: Settings,
    written: SettingsDraft,
    drafts: Drafts,
    positions: Positions,
    /// What is complete already.
    catalog: Catalog,
}

impl Repo {
    /// A problem with what is written at `place`, found later.
    pub fn problem_at(
        &self,
        place: &Place,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Problem {
        problem_at(&self.positions, place, message, help)
    }
}

fn problem_at(
    positions: &Positions,
    place: &Place,
    message: impl Into<String>,
    help: Option<String>,
) -> Problem {
    let mut problem = Problem::new(positions.get(place), message);
    problem.help = help;
    problem
}

impl Definitions {
    /// Checks what was read.
    pub(crate) fn checked(
        root: &Path,
        written: Option<SettingsDraft>,
        drafts: Drafts,
        mut sink: Sink,
    ) -> Result<Self, Vec<Problem>> {
        check::check(&drafts, &mut sink);
        let Some(written) = written.filter(|_| sink.is_empty()) else {
            return Err(sink.into_problems());
        };
        let positions = Positions::of(&written, &drafts);
        let finished = written.finish().and_then(|settings| {
            let catalog =
                without_services(&settings.project, &drafts, |view| view.wanted().is_none())?;
            Some((settings, catalog))
        });
        let Some((settings, catalog)) = finished else {
            return Err(incomplete(&positions, sink));
        };
        Ok(Self {
            root: root.to_owned(),
            settings,
            written,
            drafts,
            positions,
            catalog,
        })
    }

    /// What `feature_store.yaml` says.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is complete already: entities, sources, and the views of which nothing is
    /// [wanted](Self::wanted). No services: their features may be of other views.
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The windowed views whose definitions do not tell all types, with what the sources have to tell.
    pub fn wanted(&self) -> Vec<WantedInputs> {
        self.drafts
            .views
            .iter()
            .filter_map(ViewDraft::wanted)
            .collect()
    }

    /// A problem with what is written at `place`, found in a source.
    pub fn problem_at(
        &self,
        place: &Place,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Problem {
        problem_at(&self.positions, place, message, help)
    }

    /// Adds the inputs that were `found` for what is [wanted](Self::wanted), and checks all that depends on
    /// them: whether functions fit, values of expectations, services and lineage.
    pub fn complete(
        mut self,
        mut found: BTreeMap<ViewName, Vec<Feature>>,
    ) -> Result<Repo, Vec<Problem>> {
        let mut sink = Sink::default();
        for view in &mut self.drafts.views {
            if let Some(wanted) = view.wanted() {
                let found = found.remove(&wanted.view).unwrap_or_default();
                report_not_found(&wanted, &found, &self.positions, &mut sink);
                view.take_inputs(found);
            }
        }
        if sink.is_empty() {
            check::check(&self.drafts, &mut sink);
        }
        if !sink.is_empty() {
            return Err(sink.into_problems());
        }
        let positions = Positions::of(&self.written, &self.drafts);
        let catalog = without_services(&self.settings.project, &self.drafts, |_| true);
        let Some(mut catalog) = catalog else {
            return Err(incomplete(&positions, sink));
        };
        let services = self.drafts.services.iter();
        let services = services.map(|draft| (draft.name.value.clone(), draft.finish()));
        catalog.feature_services = services.collect();
        check_services(&catalog, &positions, &mut sink);
        check_lineage(&catalog, &self.root, &self.settings, &positions, &mut sink);
        if !sink.is_empty() {
            return Err(sink.into_problems());
        }
        Ok(Repo {
            root: self.root,
            settings: self.settings,
            catalog,
            positions,
        })
    }
}

/// Reports columns that nobody found.
fn report_not_found(
    wanted: &WantedInputs,
    found: &[Feature],
    positions: &Positions,
    sink: &mut Sink,
) {
    for wanted_column in &wanted.columns {
        let column = &wanted_column.column;
        if found.iter().all(|input| input.name != *column) {
            let place =
                Place::ViewFeatureColumn(wanted.view.clone(), wanted_column.feature.clone());
            let message = format!("the type of column `{column}` is not known");
            let help = format!("declare it: `schema: [{{ name: {column}, type: float64 }}]`");
            sink.report_with_help(positions.get(&place), message, help);
        }
    }
}

/// Cannot happen: whatever is missing was reported.
fn incomplete(positions: &Positions, mut sink: Sink) -> Vec<Problem> {
    let at = positions.get(&Place::Settings);
    sink.report(at, "a definition is incomplete");
    sink.into_problems()
}

/// The entities, the sources and some views; `None` only if a problem was reported.
fn without_services(
    project: &ProjectName,
    drafts: &Drafts,
    which: impl Fn(&ViewDraft) -> bool,
) -> Option<Catalog> {
    let mut catalog = Catalog::empty(project.clone());
    for draft in &drafts.entities {
        let entity = draft.finish()?;
        catalog.entities.insert(entity.name.clone(), entity);
    }
    for draft in &drafts.sources {
        let source = draft.finish()?;
        catalog.sources.insert(source.name.clone(), source);
    }
    for draft in drafts.views.iter().filter(|view| which(view)) {
        let view = draft.finish(&catalog)?;
        catalog.feature_views.insert(view.name.clone(), view);
    }
    Some(catalog)
}

/// Whether some view comes first: one that is computed from none of the others.
fn check_lineage(
    catalog: &Catalog,
    root: &Path,
    settings: &Settings,
    positions: &Positions,
    sink: &mut Sink,
) {
    let lineage = Lineage::of(catalog, root, &settings.offline_store);
    let Some(circle) = lineage.circle() else {
        return;
    };
    let names: Vec<&str> = circle.iter().map(|view| view.as_str()).collect();
    let message = format!(
        "views are computed from each other in a circle: {}",
        names.join(" -> ")
    );
    let place = circle
        .first()
        .map_or(Place::Settings, |view| Place::ViewSource((*view).clone()));
    let help = "one of them must read something else than the offline table of the next";
    sink.report_with_help(positions.get(&place), message, help);
}

/// Whether every service can be asked for, with full feature names at least.
fn check_services(catalog: &Catalog, positions: &Positions, sink: &mut Sink) {
    for name in catalog.feature_services.keys() {
        let request = FeatureRequest::Service(name.clone());
        if let Err(error) = FeatureSet::resolve(catalog, &request, Naming::Full) {
            let at = positions.get(&Place::Service(name.clone()));
            sink.report(at, format!("service `{name}` cannot be answered: {error}"));
        }
    }
}
