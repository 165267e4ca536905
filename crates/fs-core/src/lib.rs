//! The domain of the feature store: what things are called, when they are true and what they are.
//!
//! Nothing here reads a file, opens a socket or looks at the wall clock. Every other crate speaks
//! in these types, so a name, a time or a type is parsed once at the edge and trusted after.
//!
//! | Module | Holds |
//! |---|---|
//! | [`name`] | checked names: [`ViewName`], [`FeatureName`], [`FeatureRef`] … |
//! | [`time`] | [`EventTime`], [`CreatedTime`], [`Span`], [`Ttl`], [`TimeRange`] |
//! | [`data_type`] | [`DataType`], [`KeyType`] and their Arrow types |
//! | [`key`] | [`KeyValue`], one part of an entity key |
//! | [`literal`] | [`Literal`], what a definition compares a column with |
//! | [`model`] | entities, sources, views, services and the [`Catalog`] that holds them |
//! | [`selection`] | a service or a list of features, resolved into a [`FeatureSet`] |
//! | [`location`] | where a store lives: a folder or an object-store URL |
//! | [`fence`] | what a writer shows to prove that nobody has taken over from it |
//! | [`code`] | the closed set of error codes behind gRPC, HTTP and exit statuses |
//! | [`clock`] | time as an argument |
//! | [`suggest`] | "did you mean" |

pub mod clock;
pub mod code;
pub mod data_type;
pub mod fence;
pub mod key;
pub mod literal;
pub mod location;
pub mod model;
pub mod name;
pub mod selection;
pub mod suggest;
pub mod time;

pub use clock::{Clock, FixedClock};
pub use code::{Code, Coded};
pub use data_type::{DataType, KeyType, ScalarType};
pub use fence::Fence;
pub use key::KeyValue;
pub use literal::{Finite, Literal};
pub use location::Location;
pub use model::{
    Aggregation, AggregationWindow, Catalog, Check, CsvOptions, Entity, Expectation, Feature,
    FeatureService, FeatureView, FileFormat, Fraction, Function, JoinKey, Kind, ListSize, Meta,
    OnFailure, PointInTime, Quantile, SchemaError, Selected, ServiceEntry, Source, SourceKind,
    WantedInputs, Window, WindowLength, Windows,
};
pub use name::{
    DatasetName, EntityName, FeatureName, FeatureRef, KeyName, ProjectName, ServiceName,
    SourceName, ViewName,
};
pub use selection::{
    FeatureRequest, FeatureSet, KeyBinding, Naming, OutputColumn, SelectionError, ViewSelection,
};
pub use time::{CreatedTime, EventTime, Span, TimeRange, Ttl};

/// The column of every offline table, spine default and training set that holds event time.
pub const EVENT_TIMESTAMP: &str = "event_timestamp";
/// The column of every offline table that holds created time; null where the source has none.
pub const CREATED_TIMESTAMP: &str = "created_timestamp";
/// The column of every offline table that holds the order in which its rows were committed.
///
/// It is `commit number << 32 | row in the commit`, so it is unique in a table, grows with every
/// commit, and survives compaction. Ties of `(event, created)` go to the greater sequence.
pub const SEQUENCE: &str = "_sequence";
/// The column of an offline table, where it is read by address, that counts its files.
pub const FILE_NUMBER: &str = "_file";
/// The column of an offline table, where it is read by address, that counts the rows of a file.
pub const ROW_NUMBER: &str = "_row";
