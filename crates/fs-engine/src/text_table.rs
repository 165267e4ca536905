//! CSV and JSON files as one table.
//!
//! Both are decoded into texts first and into types after, by one set of rules that names the
//! value it cannot read. The decoders' own typing is not used: it cuts `1.5` to `1` where an
//! integer is wanted, and drops the zeros of `007`.

mod decode;
mod sample;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use fs_core::SourceName;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::{ObjectMeta, ObjectStoreExt};

pub(crate) use decode::TextFormat;

use crate::convert::{BadCell, convert, item_type, type_name};
use crate::files::Files;
use crate::union::union_by_name;
use crate::{BadValue, Error};

/// CSV or JSON files as one table, read lazily and in order.
#[derive(Debug)]
pub(crate) struct TextTable {
    /// Each file with the columns that it is decoded into.
    files: Arc<[TextFile]>,
    format: TextFormat,
    schema: SchemaRef,
}

#[derive(Debug)]
struct TextFile {
    name: String,
    store: Arc<dyn object_store::ObjectStore>,
    meta: ObjectMeta,
    raw: SchemaRef,
}

impl TextTable {
    /// Reads a sample of every file; the columns are the union of theirs, with the types that all
    /// values of the sample have.
    pub(crate) async fn open(
        source: &SourceName,
        files: &Files,
        format: TextFormat,
    ) -> Result<Self, Error> {
        let sampled: Vec<(String, SchemaRef)> = stream::iter(files.list.clone())
            .map(|file| sample::sample(files, file, format))
            .buffered(8)
            .try_collect()
            .await?;
        let schema = match union_by_name(source, &sampled) {
            Ok(schema) => schema,
            // Guesses may differ where the files agree; text holds them all.
            Err(Error::MixedTypes { .. }) => {
                let texts: Vec<_> = sampled
                    .iter()
                    .map(|(name, schema)| (name.clone(), raw_schema(schema)))
                    .collect();
                union_by_name(source, &texts)?
            }
            Err(error) => return Err(error),
        };
        // Nothing but nulls so far is text until something else is declared.
        let fields = schema.fields().iter().map(|field| match field.data_type() {
            ArrowType::Null => Field::new(field.name(), ArrowType::Utf8, true),
            _ => field.as_ref().clone(),
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let raw = raw_schema(&schema);
        let files = files.list.iter().zip(sampled).map(|(meta, (name, own))| {
            TextFile {
                name,
                store: Arc::clone(&files.store),
                meta: meta.clone(),
                // A line of CSV has the columns of its file's header, in that order.
                raw: match format {
                    TextFormat::Csv { .. } => raw_schema(&own),
                    TextFormat::Json => Arc::clone(&raw),
                },
            }
        });
        Ok(Self {
            files: files.collect(),
            format,
            schema,
        })
    }

    /// The same files, every value still text; `arrays` are the columns declared as lists, which
    /// JSON has to know beforehand.
    pub(crate) fn into_raw(self, arrays: &[&str]) -> Self {
        let with_arrays = |schema: &SchemaRef| {
            let fields = schema.fields().iter().map(|field| {
                let is_array = arrays.contains(&field.name().as_str());
                if is_array && *field.data_type() == ArrowType::Utf8 {
                    Field::new(
                        field.name(),
                        ArrowType::new_list(ArrowType::Utf8, true),
                        true,
                    )
                } else {
                    field.as_ref().clone()
                }
            });
            Arc::new(Schema::new(fields.collect::<Vec<_>>()))
        };
        let raw = raw_schema(&self.schema);
        if self.format != TextFormat::Json {
            return Self {
                schema: raw,
                ..self
            };
        }
        let raw = with_arrays(&raw);
        let files = self.files.iter().map(|file| TextFile {
            name: file.name.clone(),
            store: Arc::clone(&file.store),
            meta: file.meta.clone(),
            raw: Arc::clone(&raw),
        });
        Self {
            files: files.collect(),
            schema: raw,
            ..self
        }
    }

    /// All rows, file by file.
    pub(crate) fn rows(&self) -> SendableRecordBatchStream {
        let (schema, format) = (Arc::clone(&self.schema), self.format);
        let out = Arc::clone(&schema);
        let count = self.files.len();
        let files = Arc::clone(&self.files);
        let rows = stream::iter(0..count)
            .map(move |at| {
                let (files, schema) = (Arc::clone(&files), Arc::clone(&schema));
                async move {
                    let Some(file) = files.get(at) else {
                        return Ok(stream::empty().boxed());
                    };
                    rows_of(file, format, schema).await
                }
            })
            .buffered(1)
            .try_flatten()
            .map_err(|error: Error| DataFusionError::External(Box::new(error)));
        Box::pin(RecordBatchStreamAdapter::new(out, rows))
    }
}

impl PartitionStream for TextTable {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _task: Arc<TaskContext>) -> SendableRecordBatchStream {
        self.rows()
    }
}

async fn rows_of(
    file: &TextFile,
    format: TextFormat,
    schema: SchemaRef,
) -> Result<stream::BoxStream<'static, Result<RecordBatch, Error>>, Error> {
    let name = file.name.clone();
    let content = file
        .store
        .get(&file.meta.location)
        .await
        .map_err(|cause| Error::Unreachable {
            location: name.clone(),
            cause: Box::new(cause),
        })?
        .into_stream();
    let decoder = format.decoder(Arc::clone(&file.raw), &name)?;
    let mut rows = 0_u64;
    let batches = decode::batches(decoder, content, name.clone(), format)
        .map(move |batch| {
            let batch = batch?;
            let typed = typed(&batch, &schema, &name, rows)?;
            rows += batch.num_rows() as u64;
            Ok(typed)
        })
        .boxed();
    Ok(batches)
}

/// The columns of `schema` from a batch of texts; nulls where the file has no such column.
fn typed(
    batch: &RecordBatch,
    schema: &SchemaRef,
    file: &str,
    rows_before: u64,
) -> Result<RecordBatch, Error> {
    let column = |field: &Arc<Field>| -> Result<ArrayRef, Error> {
        let Some(found) = batch.column_by_name(field.name()) else {
            return Ok(new_null_array(field.data_type(), batch.num_rows()));
        };
        convert(found, field.data_type()).map_err(|BadCell { row, value }| {
            Error::BadValue(Box::new(BadValue {
                origin: file.to_owned(),
                column: field.name().clone(),
                value,
                row: rows_before + row as u64 + 1,
                expected: type_name(field.data_type()),
            }))
        })
    };
    let columns = schema.fields().iter().map(column);
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(
        Arc::clone(schema),
        columns.collect::<Result<_, _>>()?,
        &options,
    )
    .map_err(|cause| Error::Query {
        origin: file.to_owned(),
        cause: cause.into(),
    })
}

/// The same columns as texts: what the decoders are asked for.
fn raw_schema(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let raw = match field.data_type() {
            ArrowType::Struct(_) | ArrowType::Map(..) => field.data_type().clone(),
            list if item_type(list).is_some_and(|item| !item.is_nested()) => {
                ArrowType::new_list(ArrowType::Utf8, true)
            }
            list if item_type(list).is_some() => list.clone(),
            _ => ArrowType::Utf8,
        };
        Field::new(field.name(), raw, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Wraps a table of texts for `DataFusion`.
pub(crate) fn provider(
    table: TextTable,
) -> DataFusionResult<Arc<dyn datafusion::catalog::TableProvider>> {
    let schema = Arc::clone(&table.schema);
    let table =
        datafusion::catalog::streaming::StreamingTable::try_new(schema, vec![Arc::new(table)])?;
    Ok(Arc::new(table))
}
