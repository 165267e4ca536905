//! What is asked for: by the arguments, and by the record of `--at-versions` where they are silent.
//!
//! ```text
//!   --at-versions old.parquet                      the same training set again, to the byte
//!   --at-versions old.parquet --spine more.csv     its features, for other rows, at its versions
//!   --at-versions old.parquet --service other      other features, for its rows, at its versions
//! ```

use std::path::PathBuf;
use std::sync::Arc;

use fs_core::{Catalog, FeatureRequest, FeatureSet, Naming};
use fs_training::{Record, Recorded, Spine, SpineOrigin, TrainingQuery, TrainingSets, Versions};
use serde_json::{Value, json};

use crate::args::HistoricalArgs;
use crate::commands::online::wanted;
use crate::failure::Failure;
use crate::project::Project;
use crate::remote;

/// A question, and the definitions that it is asked of.
pub(super) struct Asked {
    /// The version of the registry.
    pub(super) version: u64,
    pub(super) catalog: Arc<Catalog>,
    pub(super) query: TrainingQuery,
    rows: Rows,
    recorded: Option<Recorded>,
    /// Whether nothing is asked for but what the record says.
    as_recorded: bool,
}

/// Where the rows are.
enum Rows {
    /// In a file.
    File(PathBuf),
    /// In the training set that is made again.
    Recorded,
    /// Where the origin of the query says.
    Made,
}

impl Asked {
    pub(super) async fn of(project: &Project, args: &HistoricalArgs) -> Result<Self, Failure> {
        let recorded = match &args.at_versions {
            Some(path) => Some(Recorded::open(path).await?),
            None => None,
        };
        let record = recorded.as_ref().map(|recorded| &recorded.record);
        let (version, catalog) = match record {
            Some(record) => {
                record.check_project(&project.settings.project)?;
                project.at_version(record.versions.registry).await?
            }
            None => project.applied().await?,
        };
        let own_features = args.wanted.is_given();
        let query = query(args, record)?;
        let own_rows = own_rows(args);
        let in_file = recorded.as_ref().is_some_and(Recorded::has_rows);
        let rows = match &args.spine {
            Some(path) => Rows::File(path.clone()),
            None if own_rows || (!in_file && query.origin != SpineOrigin::Given) => Rows::Made,
            None => Rows::Recorded,
        };
        Ok(Self {
            version,
            catalog,
            query,
            rows,
            as_recorded: !own_rows && !own_features && recorded.is_some(),
            recorded,
        })
    }

    /// The features that it comes to.
    pub(super) fn features(&self) -> Result<FeatureSet, Failure> {
        let TrainingQuery {
            request, naming, ..
        } = &self.query;
        Ok(FeatureSet::resolve(&self.catalog, request, *naming)?)
    }

    /// The versions of the record.
    pub(super) fn pinned(&self) -> Option<&Versions> {
        self.record().map(|record| &record.versions)
    }

    /// The rows that are in a file; none that are to be made.
    pub(super) async fn given(&self) -> Result<Option<Spine>, Failure> {
        Ok(match (&self.rows, &self.recorded) {
            (Rows::File(path), _) => Some(Spine::read(path).await?),
            (Rows::Recorded, Some(recorded)) => Some(recorded.spine().await?),
            (Rows::Recorded | Rows::Made, _) => None,
        })
    }

    /// The rows, found on this machine.
    pub(super) async fn spine(
        &self,
        project: &Project,
        training: &TrainingSets,
    ) -> Result<Spine, Failure> {
        if let Some(given) = self.given().await? {
            return Ok(given);
        }
        let engine = project.engine()?;
        let made = training.spine(&engine, &self.catalog, &self.query, self.pinned());
        made.await?
            .ok_or_else(|| Failure::input("name the rows with --spine FILE"))
    }

    /// The same question as a Flight command.
    pub(super) fn command(&self) -> Value {
        let mut command = if self.as_recorded {
            json!({})
        } else {
            remote::command(&self.query)
        };
        if let Some(record) = self.record() {
            command["at_versions"] = record.to_value();
        }
        if !self.as_recorded && matches!(self.rows, Rows::Made) {
            match &self.query.origin {
                SpineOrigin::Given => {}
                SpineOrigin::Sql(sql) => command["spine_sql"] = json!(sql),
                SpineOrigin::AsOf(at) => command["as_of"] = json!(at.to_string()),
            }
        }
        if self.as_recorded
            && let Some(column) = &self.query.timestamp_field
        {
            command["timestamp_field"] = json!(column);
        }
        command
    }

    fn record(&self) -> Option<&Record> {
        self.recorded.as_ref().map(|recorded| &recorded.record)
    }
}

/// Whether rows are named, by whatever argument.
const fn own_rows(args: &HistoricalArgs) -> bool {
    args.spine.is_some() || args.spine_sql.is_some() || args.as_of.is_some()
}

/// The query: the arguments win, the record fills in.
fn query(args: &HistoricalArgs, record: Option<&Record>) -> Result<TrainingQuery, Failure> {
    let mut query = match record {
        Some(record) if !args.wanted.is_given() => {
            if args.wanted.full_feature_names {
                return Err(Failure::input(
                    "--full-feature-names comes with --service or --features; without them the \
                     record of --at-versions says how columns are named",
                ));
            }
            record.query.clone()
        }
        _ if args.wanted.is_given() => {
            let (request, naming): (FeatureRequest, Naming) = wanted(&args.wanted);
            let mut query = TrainingQuery::new(request, naming);
            if let Some(record) = record {
                query
                    .timestamp_field
                    .clone_from(&record.query.timestamp_field);
            }
            query
        }
        _ => {
            return Err(Failure::input(
                "name the features with --service SERVICE or --features VIEW:FEATURE,…, or a \
                 training set to make again with --at-versions FILE",
            ));
        }
    };
    if own_rows(args) {
        // Rows of another origin have a time column of their own.
        query.timestamp_field = None;
        query.origin = match (&args.spine_sql, args.as_of) {
            (Some(sql), _) => SpineOrigin::Sql(sql.clone()),
            (None, Some(at)) => SpineOrigin::AsOf(at),
            (None, None) => SpineOrigin::Given,
        };
    }
    if args.timestamp_field.is_some() {
        query.timestamp_field.clone_from(&args.timestamp_field);
    }
    Ok(query)
}
