//! What a Parquet file says of itself, and what it holds.

use arrow::array::{Array, ArrayRef, TimestampMicrosecondArray};
use arrow::compute::{max, min};
use arrow::datatypes::Schema;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::ParquetMetaData;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::Known;
use crate::convert::{is_instant, to_micros};
use crate::error::BoxError;

/// The event times of each row group, as the footer says. `Known::Nothing` for a column that holds
/// no timestamps or dates, or is not there.
pub(crate) fn of_footer(
    column: &str,
    footer: &ParquetMetaData,
) -> Result<Vec<Known>, ParquetError> {
    let file = footer.file_metadata();
    let schema = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata())?;
    let unknown = || vec![Known::Nothing; footer.num_row_groups()];
    if !holds_instants(&schema, column) {
        return Ok(unknown());
    }
    let groups = || footer.row_groups().iter();
    let statistics = StatisticsConverter::try_new(column, &schema, file.schema_descr())?
        .with_missing_null_counts_as_zero(false);
    let (lows, highs) = (
        statistics.row_group_mins(groups())?,
        statistics.row_group_maxes(groups())?,
    );
    let (Ok(lows), Ok(highs)) = (to_micros(&lows), to_micros(&highs)) else {
        return Ok(unknown());
    };
    let nulls = statistics.row_group_null_counts(groups())?;
    let known = groups().enumerate().map(|(at, group)| {
        Known::of(
            value(&lows, at),
            value(&highs, at),
            u64::try_from(group.num_rows()).unwrap_or_default(),
            nulls.is_valid(at).then(|| nulls.value(at)),
        )
    });
    Ok(known.collect())
}

/// The event times of each row group of a file, as its footer says.
pub(crate) async fn of_file(
    column: &str,
    store: &dyn ObjectStore,
    path: &Path,
) -> Result<Vec<Known>, BoxError> {
    let file = at(store, path).await?;
    let footer = DFParquetMetadata::new(store, &file)
        .fetch_metadata()
        .await?;
    Ok(of_footer(column, &footer)?)
}

/// What the store says of a file, under the path that the store knows it by.
///
/// A store below a folder may answer with the path from its own root.
pub(crate) async fn at(
    store: &dyn ObjectStore,
    path: &Path,
) -> Result<ObjectMeta, object_store::Error> {
    Ok(ObjectMeta {
        location: path.clone(),
        ..store.head(path).await?
    })
}

/// The event times of rows, whose only column they are.
pub(crate) async fn of_rows(mut rows: SendableRecordBatchStream) -> Result<Known, DataFusionError> {
    let (mut low, mut high, mut count) = (None, None, 0);
    while let Some(batch) = rows.try_next().await? {
        let Some(times) = batch.columns().first().and_then(micros) else {
            return Ok(Known::Nothing);
        };
        low = min(&times).into_iter().chain(low).min();
        high = max(&times).into_iter().chain(high).max();
        count += batch.num_rows() as u64;
    }
    let nulls = low.is_none().then_some(count);
    Ok(Known::of(low, high, count, nulls))
}

fn micros(column: &ArrayRef) -> Option<TimestampMicrosecondArray> {
    to_micros(column).ok()
}

fn value(times: &TimestampMicrosecondArray, at: usize) -> Option<i64> {
    times.is_valid(at).then(|| times.value(at))
}

fn holds_instants(schema: &Schema, column: &str) -> bool {
    let field = schema.field_with_name(column);
    field.is_ok_and(|field| is_instant(field.data_type()))
}
