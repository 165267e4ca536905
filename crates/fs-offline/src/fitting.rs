//! Dictionaries and codecs where they pay: judged column by column, by the first rows of a file.
//!
//! One setting for all columns is wrong for half of them. Doubles with all their bits come out of a codec as
//! large as they went in, and a reader still copies each of them through a cleared buffer; a dictionary of
//! values that hardly repeat is filled in every row group, until it is given up. So the first rows are
//! encoded on trial, with dictionaries and without, and every column of leaves keeps what pays:
//!
//! | | Kept where it saves | Otherwise |
//! |---|---|---|
//! | the dictionary | a quarter of the bytes, before compression | the encoding below it: plain, if none is asked for |
//! | the codec | a tenth of the bytes that are left | uncompressed |
//!
//! A column with few values among these rows keeps what it was given: they tell little of the others.
//! Only rows decide, so that the same rows make the same file.

use std::io;

use arrow::array::RecordBatch;
use deltalake::parquet::arrow::ArrowWriter;
use deltalake::parquet::basic::Compression;
use deltalake::parquet::errors::ParquetError;
use deltalake::parquet::file::metadata::ColumnChunkMetaData;
use deltalake::parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder,
};
use deltalake::parquet::file::statistics::Statistics;
use futures::{Stream, StreamExt};

/// The size of the values that dictionaries are sized for: doubles, long integers, times.
const VALUE_BYTES: usize = size_of::<f64>();

/// No more rows than these are judged, however large a dictionary may be.
const MOST_ROWS: usize = 64 * 1024;

/// Nor more bytes than about these, of rows that are very wide.
const SAMPLE_BYTES: usize = 32 << 20;

/// A column with fewer values than these, nulls aside, is not judged.
const ENOUGH_VALUES: u64 = 4096;

/// `base`, with dictionaries and codecs only where they pay for the rows of `sample`.
///
/// Looks at the first [`sample_rows`], and encodes them twice. Everything else that `base` says stays as
/// it is.
pub fn fitted(
    base: WriterProperties,
    sample: &[RecordBatch],
) -> Result<WriterProperties, ParquetError> {
    let sample = judged(sample, sample_rows(&base));
    let trial = base
        .clone()
        .into_builder()
        .set_key_value_metadata(None)
        .set_max_row_group_row_count(None)
        .set_max_row_group_bytes(None)
        .build();
    let given = encoded(&sample, trial.clone())?;
    let without = given.iter().fold(trial.into_builder(), |trial, column| {
        let path = column.column_path();
        trial
            .set_column_dictionary_enabled(path.clone(), false)
            // Counts the nulls.
            .set_column_statistics_enabled(path.clone(), EnabledStatistics::Chunk)
    });
    let without = encoded(&sample, without.build())?;
    let columns = given.iter().zip(&without);
    let fitted = columns.fold(base.into_builder(), |fitted, (given, without)| {
        fit(fitted, given, without)
    });
    Ok(fitted.build())
}

/// How many rows [`fitted`] looks at: two for every value that a dictionary has room for.
///
/// Among fewer, values that just fill the dictionary look as if they did not repeat: of 8,192 values
/// there are 5,200 in as many rows, and 7,100 in twice as many.
pub fn sample_rows(base: &WriterProperties) -> usize {
    let values = base.dictionary_page_size_limit() / VALUE_BYTES;
    values.saturating_mul(2).min(MOST_ROWS)
}

/// Takes batches off `rows` until they are enough for [`fitted`], or many bytes, or there are no more.
pub(crate) async fn sample<S, E>(
    rows: &mut S,
    base: &WriterProperties,
) -> Result<Vec<RecordBatch>, E>
where
    S: Stream<Item = Result<RecordBatch, E>> + Unpin,
{
    let (mut taken, mut count, mut bytes) = (Vec::new(), 0, 0);
    while count < sample_rows(base) && bytes < SAMPLE_BYTES {
        let Some(batch) = rows.next().await.transpose()? else {
            break;
        };
        count += batch.num_rows();
        bytes += batch.get_array_memory_size();
        taken.push(batch);
    }
    Ok(taken)
}

/// Keeps what pays for a column, of which the sample was encoded as it was given and without dictionary.
fn fit(
    fitted: WriterPropertiesBuilder,
    given: &ColumnChunkMetaData,
    without: &ColumnChunkMetaData,
) -> WriterPropertiesBuilder {
    let nulls = without.statistics().and_then(Statistics::null_count_opt);
    let levels = u64::try_from(without.num_values()).unwrap_or(0);
    if levels.saturating_sub(nulls.unwrap_or(levels)) < ENOUGH_VALUES {
        return fitted;
    }
    let path = given.column_path();
    let (fitted, kept) = if saves_one_in(4, given.uncompressed_size(), without.uncompressed_size())
    {
        (fitted, given)
    } else {
        let fitted = fitted.set_column_dictionary_enabled(path.clone(), false);
        (fitted, without)
    };
    if saves_one_in(10, kept.compressed_size(), kept.uncompressed_size()) {
        fitted
    } else {
        fitted.set_column_compression(path.clone(), Compression::UNCOMPRESSED)
    }
}

/// Whether `less` is smaller than `bytes` by one part of `parts` at least.
const fn saves_one_in(parts: i64, less: i64, bytes: i64) -> bool {
    less <= bytes - bytes / parts
}

/// The first `rows` of `sample`.
fn judged(sample: &[RecordBatch], rows: usize) -> Vec<RecordBatch> {
    let mut missing = rows;
    let cut = sample.iter().map(|batch| {
        let rows = batch.num_rows().min(missing);
        missing -= rows;
        batch.slice(0, rows)
    });
    cut.filter(|batch| batch.num_rows() > 0).collect()
}

/// What became of every column of leaves when `sample` was encoded as one row group; nothing if it is empty.
fn encoded(
    sample: &[RecordBatch],
    properties: WriterProperties,
) -> Result<Vec<ColumnChunkMetaData>, ParquetError> {
    let Some(first) = sample.first() else {
        return Ok(Vec::new());
    };
    let mut writer = ArrowWriter::try_new(io::sink(), first.schema(), Some(properties))?;
    for batch in sample {
        writer.write(batch)?;
    }
    let written = writer.close()?;
    let group = written.row_groups().first();
    Ok(group.map_or_else(Vec::new, |group| group.columns().to_vec()))
}

#[cfg(test)]
mod tests;
