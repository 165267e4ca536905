//! What a Flight client asks for: JSON, so that any client can write it (see `proto/README.md`).

use arrow_flight::FlightDescriptor;
use fs_core::{FeatureRequest, Naming};
use fs_training::{Record, SpineOrigin, TrainingQuery};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;
use crate::request::{feature_request, naming};

/// The command of a training set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Command {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) feature_service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) features: Option<Vec<String>>,
    #[serde(default)]
    pub(super) full_feature_names: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timestamp_field: Option<String>,
    /// The ticket of an uploaded spine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) spine: Option<String>,
    /// The record of a training set, whose versions answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at_versions: Option<Value>,
    /// A query whose rows are the spine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) spine_sql: Option<String>,
    /// The instant as of which every key is the spine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) as_of: Option<String>,
    /// The name of the dataset that the training set is kept as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) save: Option<String>,
}

/// What an upload is answered with: the part of a command that names it.
pub(super) fn receipt(ticket: &str) -> String {
    serde_json::json!({ "spine": ticket }).to_string()
}

impl Command {
    pub(super) fn of_descriptor(descriptor: Option<&FlightDescriptor>) -> Result<Self, Error> {
        match descriptor {
            Some(descriptor) if !descriptor.cmd.is_empty() => Self::parse(&descriptor.cmd),
            _ => Err(Error::NoCommand),
        }
    }

    pub(super) fn parse(json: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(json).map_err(Error::Command)
    }

    /// The record of `at_versions`.
    pub(super) fn record(&self) -> Result<Option<Record>, Error> {
        let record = self.at_versions.as_ref();
        let record = record.map(|record| Record::from_value(record, "the command"));
        Ok(record.transpose()?)
    }

    /// The same command, with the versions of `record`.
    pub(super) fn pinned(&self, record: &Record) -> Self {
        Self {
            at_versions: Some(record.to_value()),
            ..self.clone()
        }
    }

    /// What is asked for. A command that names no features asks for those of its record, named and
    /// timed as they were there.
    pub(super) fn query(&self, record: Option<&Record>) -> Result<TrainingQuery, Error> {
        let mut query = match record {
            Some(record) if self.feature_service.is_none() && self.features.is_none() => {
                record.query.clone()
            }
            _ => TrainingQuery::new(self.request()?, self.naming()),
        };
        if let Some(origin) = self.origin()? {
            // Rows of another origin have a time column of their own.
            query = TrainingQuery::new(query.request, query.naming);
            query.origin = origin;
        }
        Ok(match self.timestamp_field.as_deref() {
            None => query,
            column => query.with_timestamp_field(column),
        })
    }

    /// Where rows come from that the command itself asks for.
    fn origin(&self) -> Result<Option<SpineOrigin>, Error> {
        let as_of = || {
            self.as_of
                .as_deref()
                .map(|at| at.parse().map_err(Error::AsOf))
        };
        match (&self.spine_sql, as_of().transpose()?) {
            (None, None) => Ok(None),
            (Some(sql), None) if self.spine.is_none() => Ok(Some(SpineOrigin::Sql(sql.clone()))),
            (None, Some(at)) if self.spine.is_none() => Ok(Some(SpineOrigin::AsOf(at))),
            _ => Err(Error::TwoSpines),
        }
    }

    /// Whether the command says itself which rows it is about.
    pub(super) const fn names_rows(&self) -> bool {
        self.spine.is_some() || self.spine_sql.is_some() || self.as_of.is_some()
    }

    fn request(&self) -> Result<FeatureRequest, Error> {
        feature_request(self.feature_service.as_deref(), self.features.as_deref())
    }

    const fn naming(&self) -> Naming {
        naming(self.full_feature_names)
    }
}

#[cfg(test)]
mod tests {
    use fs_core::code::report;

    use super::*;

    #[test]
    fn a_command_names_a_service_or_features_and_never_both() {
        let request = |json: &str| Command::parse(json.as_bytes()).unwrap().request();
        let service = FeatureRequest::Service("model".parse().unwrap());
        assert_eq!(request(r#"{"feature_service":"model"}"#).unwrap(), service);
        let features = FeatureRequest::Features(vec!["weather:temp".parse().unwrap()]);
        let json = r#"{"features":["weather:temp"],"timestamp_field":null}"#;
        assert_eq!(request(json).unwrap(), features);
        for neither in ["{}", r#"{"feature_service":"a","features":[]}"#] {
            assert!(
                matches!(request(neither), Err(Error::Selection)),
                "{neither}"
            );
        }
    }

    #[test]
    fn a_command_without_features_asks_for_those_of_its_record() {
        let record = r#"{"format":1,"fs":"0.1.0","project":"flights","registry_version":3,
            "tables":{},"feature_service":"model","features":["weather:temp"],
            "full_feature_names":true,"timestamp_field":"t","spine":{"columns":["t"]}}"#;
        let query = |fields: &str| {
            let json = format!(r#"{{"at_versions":{record}{fields}}}"#);
            let command = Command::parse(json.as_bytes()).unwrap();
            let record = command.record().unwrap();
            command.query(record.as_ref()).unwrap()
        };
        let record = Record::parse(record, "a test").unwrap();
        assert_eq!(query(""), record.query);
        let other = query(r#","timestamp_field":"u""#).timestamp_field;
        assert_eq!(other.as_deref(), Some("u"));
        let own = query(r#","features":["weather:temp"]"#);
        assert_eq!((own.naming, own.timestamp_field), (Naming::Short, None));
    }

    #[test]
    fn a_receipt_is_the_part_of_a_command_that_names_the_spine() {
        let command = Command::parse(receipt("spine-1").as_bytes()).unwrap();
        assert_eq!(command.spine.as_deref(), Some("spine-1"));
    }

    #[test]
    fn a_field_that_is_not_known_is_refused_with_those_that_are() {
        let error = Command::parse(br#"{"feature_servise":"model"}"#).unwrap_err();
        let text = report(&error);
        assert!(
            text.contains("feature_servise") && text.contains("`feature_service`"),
            "{text}"
        );
    }

    #[test]
    fn a_descriptor_without_a_command_is_refused_with_an_example() {
        let path = FlightDescriptor::new_path(vec!["model".to_owned()]);
        for descriptor in [None, Some(&path)] {
            let error = Command::of_descriptor(descriptor).unwrap_err().to_string();
            assert!(error.contains(r#"{"feature_service": "name"}"#), "{error}");
        }
    }
}
