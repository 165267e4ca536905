//! What a Flight client asks for: JSON, so that any client can write it (see `proto/README.md`).

use arrow_flight::FlightDescriptor;
use fs_core::{FeatureRequest, Naming};
use fs_training::TrainingQuery;
use serde::Deserialize;

use crate::Error;
use crate::request::{feature_request, naming};

/// The command of a training set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Command {
    #[serde(default)]
    pub(super) feature_service: Option<String>,
    #[serde(default)]
    pub(super) features: Option<Vec<String>>,
    #[serde(default)]
    pub(super) full_feature_names: bool,
    #[serde(default)]
    pub(super) timestamp_field: Option<String>,
    /// The ticket of an uploaded spine.
    #[serde(default)]
    pub(super) spine: Option<String>,
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

    pub(super) fn request(&self) -> Result<FeatureRequest, Error> {
        feature_request(self.feature_service.as_deref(), self.features.as_deref())
    }

    pub(super) fn query(&self) -> Result<TrainingQuery, Error> {
        let query = TrainingQuery::new(self.request()?, self.naming());
        Ok(query.with_timestamp_field(self.timestamp_field.as_deref()))
    }

    pub(super) const fn naming(&self) -> Naming {
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
