//! `GetOnlineFeaturesRequest`, with the parts left as bytes that are not worth a struct.
//!
//! | Part | Is read | Instead of |
//! |---|---|---|
//! | the list of features | when it is met for the first time | a string for every feature, every time |
//! | strings and bytes of entities | once, into an Arrow column | a string for every entity in between |
//!
//! A message that names such a part twice, which no client does, means the last one.

use bytes::Bytes;
use fs_core::FeatureRequest;
use fs_proto::v1::{Bools, Doubles, FeatureList, Floats, Int32s, Int64s, Lists, Timestamps};
use prost::{Message, Oneof};

use crate::Error;
use crate::request::feature_request;

/// A request as it comes over the wire.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OnlineRequest {
    #[prost(oneof = "Selection", tags = "1, 2")]
    pub(super) selection: Option<Selection>,
    #[prost(message, repeated, tag = "3")]
    pub(super) entities: Vec<EntityColumn>,
    #[prost(bool, tag = "4")]
    pub(super) full_feature_names: bool,
    #[prost(bool, tag = "5")]
    pub(super) include_event_times: bool,
    #[prost(message, repeated, tag = "6")]
    pub(super) request_values: Vec<EntityColumn>,
}

/// Which features.
#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Selection {
    #[prost(string, tag = "1")]
    FeatureService(String),
    /// A `FeatureList`.
    #[prost(bytes = "bytes", tag = "2")]
    Features(Bytes),
}

/// A `NamedColumn`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct EntityColumn {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) values: Option<EntityValues>,
}

/// A `Column`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct EntityValues {
    #[prost(oneof = "Values", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9")]
    pub(super) values: Option<Values>,
    #[prost(bytes = "bytes", tag = "15")]
    pub(super) nulls: Bytes,
}

/// The values of a `Column`.
#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Values {
    #[prost(message, tag = "1")]
    Bools(Bools),
    #[prost(message, tag = "2")]
    Int32s(Int32s),
    #[prost(message, tag = "3")]
    Int64s(Int64s),
    #[prost(message, tag = "4")]
    Floats(Floats),
    #[prost(message, tag = "5")]
    Doubles(Doubles),
    /// A `Strings`.
    #[prost(bytes = "bytes", tag = "6")]
    Strings(Bytes),
    /// A `BytesValues`.
    #[prost(bytes = "bytes", tag = "7")]
    Blobs(Bytes),
    #[prost(message, tag = "8")]
    Timestamps(Timestamps),
    #[prost(message, boxed, tag = "9")]
    Lists(Box<Lists>),
}

/// Reads a list of features as a client has written it.
pub(super) fn read_features(written: &Bytes) -> Result<FeatureRequest, Error> {
    let list = FeatureList::decode(written.clone()).map_err(Error::Protobuf)?;
    feature_request(None, Some(&list.features))
}
