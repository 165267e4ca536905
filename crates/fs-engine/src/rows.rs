//! A stream of rows with its schema.

use std::fmt;

use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;

/// The rows of a view in a range of event time, in the order of the source.
///
/// ```text
///   join keys …   event_timestamp     created_timestamp   features …
///   declared      timestamp[us,UTC]   timestamp[us,UTC]   declared
///   not null      not null            nullable            nullable
/// ```
/// Rows without a key or an event time are left out and counted; where there were any, the stream
/// ends with [`Error::BadRows`](crate::Error::BadRows), to be found with
/// [`Error::from_datafusion`](crate::Error::from_datafusion).
///
/// Rows that are read for a [`Validator`](crate::Validator) may have nulls in keys and event time, where
/// a `not_null` of the view says what happens to them.
pub struct ViewRows {
    /// The columns, as above.
    pub schema: SchemaRef,
    /// The rows.
    pub stream: SendableRecordBatchStream,
}

impl fmt::Debug for ViewRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewRows")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}
