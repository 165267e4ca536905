//! Which features a client asks for, whichever wire it uses.

use fs_core::{FeatureRequest, Naming};

use crate::Error;

/// Reads a selection: a service or features, never both.
pub(crate) fn feature_request(
    service: Option<&str>,
    features: Option<&[String]>,
) -> Result<FeatureRequest, Error> {
    match (service, features) {
        (Some(service), None) => Ok(FeatureRequest::Service(service.parse()?)),
        (None, Some(features)) => {
            let features = features.iter().map(|feature| feature.parse());
            Ok(FeatureRequest::Features(
                features.collect::<Result<_, _>>()?,
            ))
        }
        _ => Err(Error::Selection),
    }
}

pub(crate) const fn naming(full_feature_names: bool) -> Naming {
    if full_feature_names {
        Naming::Full
    } else {
        Naming::Short
    }
}
