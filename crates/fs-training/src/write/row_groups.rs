//! A Parquet file whose row groups are encoded side by side, and written one after the other.

use std::collections::VecDeque;
use std::io::Write;
use std::thread::JoinHandle;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

type Encoded = Result<Vec<ArrowColumnChunk>, ParquetError>;

/// Writes batches into a Parquet file, on several processors.
///
/// What the file holds depends on the rows and on where one batch ends and the next begins, and on
/// nothing else: not on how many processors there are, nor on which row group was ready first.
pub(super) struct RowGroups<W: Write + Send> {
    schema: SchemaRef,
    file: SerializedFileWriter<W>,
    factory: ArrowRowGroupWriterFactory,
    group_rows: usize,
    /// Batches of the row group that is not full yet.
    filling: Vec<RecordBatch>,
    filled: usize,
    /// Row groups that are being encoded, in order.
    encoding: VecDeque<JoinHandle<Encoded>>,
    at_once: usize,
    started: usize,
}

impl<W: Write + Send> RowGroups<W> {
    pub(super) fn new(
        sink: W,
        schema: &SchemaRef,
        properties: WriterProperties,
        group_rows: usize,
    ) -> Result<Self, ParquetError> {
        let writer = ArrowWriter::try_new(sink, SchemaRef::clone(schema), Some(properties))?;
        let (file, factory) = writer.into_serialized_writer()?;
        Ok(Self {
            schema: SchemaRef::clone(schema),
            file,
            factory,
            group_rows,
            filling: Vec::new(),
            filled: 0,
            encoding: VecDeque::new(),
            at_once: std::thread::available_parallelism().map_or(1, usize::from),
            started: 0,
        })
    }

    /// Adds rows; waits while as many row groups are being encoded as there are processors.
    pub(super) fn push(&mut self, batch: RecordBatch) -> Result<(), ParquetError> {
        self.filled += batch.num_rows();
        self.filling.push(batch);
        if self.filled >= self.group_rows {
            self.encode()?;
        }
        Ok(())
    }

    /// Writes what is left, and the footer.
    pub(super) fn finish(mut self) -> Result<W, ParquetError> {
        if self.filled > 0 {
            self.encode()?;
        }
        while !self.encoding.is_empty() {
            self.write_first()?;
        }
        self.file.into_inner()
    }

    fn encode(&mut self) -> Result<(), ParquetError> {
        while self.encoding.len() >= self.at_once {
            self.write_first()?;
        }
        let writers = self.factory.create_column_writers(self.started)?;
        self.started += 1;
        self.filled = 0;
        let batches = std::mem::take(&mut self.filling);
        let schema = SchemaRef::clone(&self.schema);
        let task = std::thread::spawn(move || encoded(&schema, &batches, writers));
        self.encoding.push_back(task);
        Ok(())
    }

    fn write_first(&mut self) -> Result<(), ParquetError> {
        let Some(task) = self.encoding.pop_front() else {
            return Ok(());
        };
        let stopped = |_panic| ParquetError::General("encoding a row group was stopped".to_owned());
        let chunks = task.join().map_err(stopped)??;
        let mut group = self.file.next_row_group()?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
        Ok(())
    }
}

fn encoded(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    mut writers: Vec<ArrowColumnWriter>,
) -> Encoded {
    for batch in batches {
        let mut next = writers.iter_mut();
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, column)? {
                if let Some(writer) = next.next() {
                    writer.write(&leaf)?;
                }
            }
        }
    }
    let chunks = writers.into_iter().map(ArrowColumnWriter::close);
    chunks.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, Int64Array, ListArray, StringArray};
    use arrow::compute::concat_batches;
    use arrow::datatypes::Int64Type;
    use bytes::Bytes;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    fn batch(first: i64, rows: i64) -> RecordBatch {
        let numbers: Int64Array = (first..first + rows).map(Some).collect();
        let lists = (first..first + rows).map(|row| {
            (row % 3 != 0).then(|| (0..row % 4).map(Some).collect::<Vec<Option<i64>>>())
        });
        let lists = ListArray::from_iter_primitive::<Int64Type, _, _>(lists);
        let texts: StringArray = (first..first + rows)
            .map(|row| (row % 5 != 0).then(|| format!("row {row}")))
            .collect();
        RecordBatch::try_from_iter_with_nullable([
            ("number", Arc::new(numbers) as Arc<dyn Array>, false),
            ("list", Arc::new(lists) as _, true),
            ("text", Arc::new(texts) as _, true),
        ])
        .unwrap()
    }

    fn written(batches: &[RecordBatch], group_rows: usize) -> Bytes {
        let schema = batches[0].schema();
        let properties = WriterProperties::default();
        let mut groups = RowGroups::new(Vec::new(), &schema, properties, group_rows).unwrap();
        for batch in batches {
            groups.push(batch.clone()).unwrap();
        }
        Bytes::from(groups.finish().unwrap())
    }

    #[test]
    fn rows_come_back_in_order_from_row_groups_of_the_size_asked_for() {
        let batches: Vec<RecordBatch> = (0..10).map(|at| batch(at * 10, 10)).collect();
        let reader = ParquetRecordBatchReaderBuilder::try_new(written(&batches, 30)).unwrap();
        let groups = reader.metadata().row_groups().iter();
        assert_eq!(
            groups
                .map(parquet::file::metadata::RowGroupMetaData::num_rows)
                .collect::<Vec<_>>(),
            [30, 30, 30, 10]
        );
        let read: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        let schema = batches[0].schema();
        assert_eq!(
            concat_batches(&schema, &read).unwrap(),
            concat_batches(&schema, &batches).unwrap()
        );
    }

    #[test]
    fn a_file_without_rows_has_its_columns() {
        let file = written(&[batch(0, 0)], 30);
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        assert_eq!(reader.schema().fields().len(), 3);
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    }

    #[test]
    fn the_same_batches_make_the_same_file() {
        let batches: Vec<RecordBatch> = (0..7).map(|at| batch(at * 10, 10)).collect();
        assert_eq!(written(&batches, 20), written(&batches, 20));
    }
}
