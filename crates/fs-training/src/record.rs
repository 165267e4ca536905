//! The record that every training set carries: what it was made of, and how to make it again.
//!
//! ```text
//!   fs.training_set = {"format":1, "fs":"0.1.0", "project":"flights", "registry_version":3,
//!                      "tables":{"origin_weather":{"version":4,"id":"6f1c…"}},
//!                      "feature_service":"delay_model_v1", "features":["origin_weather:temp"],
//!                      "full_feature_names":false, "timestamp_field":"departure",
//!                      "spine":{"columns":["origin","departure","late"]}}
//! ```
//!
//! It is an entry of the metadata of the Arrow schema. From there it reaches Flight, in the schema
//! message, and files, where Parquet keeps it as a key and a value of its own. It says nothing of
//! when or where a training set was made: the same set made again has the same record, to the byte.

mod file;
mod format;

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use fs_core::{FeatureRef, FeatureRequest, FeatureSet, Naming, ProjectName};

use crate::{Error, SpineOrigin, TrainingQuery, Versions};

pub use file::Recorded;

/// The entry of the schema metadata, and of a Parquet file's, that holds the record.
pub const RECORD: &str = "fs.training_set";

/// What a training set was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The version of `fs` that made it.
    pub fs: String,
    /// The project.
    pub project: ProjectName,
    /// The versions that answered.
    pub versions: Versions,
    /// What was asked for.
    pub query: TrainingQuery,
    /// The features that this came to, in the order of their columns; views under their labels.
    pub features: Vec<FeatureRef>,
    /// The names of the columns of the spine, which come first.
    pub spine_columns: Vec<String>,
}

impl Record {
    /// The record of `features`, joined to a spine with the columns of `spine`.
    pub fn new(
        project: &ProjectName,
        query: &TrainingQuery,
        features: &FeatureSet,
        versions: Versions,
        spine: &Schema,
    ) -> Self {
        let columns = features.columns.iter();
        let fields = spine.fields().iter();
        Self {
            fs: env!("CARGO_PKG_VERSION").to_owned(),
            project: project.clone(),
            versions,
            query: query.clone(),
            features: columns.map(|column| features.feature_ref(column)).collect(),
            spine_columns: fields.map(|field| field.name().clone()).collect(),
        }
    }

    /// The same columns with the record beside their metadata.
    pub fn on(&self, schema: &Schema) -> SchemaRef {
        let mut metadata = schema.metadata().clone();
        metadata.insert(RECORD.to_owned(), self.to_json());
        let fields = schema.fields().clone();
        Arc::new(Schema::new_with_metadata(fields, metadata))
    }

    /// The record that a schema carries.
    pub fn of_schema(schema: &Schema) -> Result<Option<Self>, Error> {
        let json = schema.metadata().get(RECORD);
        json.map(|json| Self::parse(json, "the training set"))
            .transpose()
    }

    /// Makes sure that the record is of `project`.
    pub fn check_project(&self, project: &ProjectName) -> Result<(), Error> {
        if self.project == *project {
            return Ok(());
        }
        Err(Error::OtherProject {
            recorded: self.project.clone(),
            project: project.clone(),
        })
    }

    /// The request as the record has it: a service, or all features by name.
    pub const fn request(&self) -> &FeatureRequest {
        &self.query.request
    }

    /// Whether columns are called `view__feature`.
    pub fn full_feature_names(&self) -> bool {
        self.query.naming == Naming::Full
    }

    /// Where the rows came from.
    pub const fn origin(&self) -> &SpineOrigin {
        &self.query.origin
    }
}

/// The columns of a training set: those of the spine as they are, then the features.
pub(crate) fn columns(spine: &Schema, features: &FeatureSet) -> Schema {
    let columns = features.columns.iter().map(|column| {
        let data_type = column.data_type.to_arrow();
        Arc::new(Field::new(&column.name, data_type, true))
    });
    let fields: Vec<_> = spine.fields().iter().cloned().chain(columns).collect();
    Schema::new_with_metadata(fields, spine.metadata().clone())
}

#[cfg(test)]
mod tests;
