//! Bytes of CSV or JSON as batches of texts.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};

use crate::Error;

/// How many rows a batch holds at most.
const BATCH_ROWS: usize = 8192;

/// A format of text files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextFormat {
    /// Comma-separated values with a header line.
    Csv {
        /// What separates the columns.
        delimiter: u8,
    },
    /// One JSON object a line.
    Json,
}

/// A decoder that is fed bytes and yields batches.
pub(super) enum Decoder {
    Csv(Box<arrow::csv::reader::Decoder>),
    Json(arrow::json::reader::Decoder),
}

impl TextFormat {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Csv { .. } => "CSV",
            Self::Json => "JSON (one object a line)",
        }
    }

    /// A decoder of a whole file into `raw` columns, which are texts and lists of texts.
    pub(super) fn decoder(self, raw: SchemaRef, file: &str) -> Result<Decoder, Error> {
        match self {
            Self::Csv { delimiter } => Ok(Decoder::Csv(Box::new(
                arrow::csv::ReaderBuilder::new(raw)
                    .with_header(true)
                    .with_delimiter(delimiter)
                    .with_batch_size(BATCH_ROWS)
                    .build_decoder(),
            ))),
            Self::Json => arrow::json::ReaderBuilder::new(raw)
                .with_coerce_primitive(true)
                .with_batch_size(BATCH_ROWS)
                .build_decoder()
                .map(Decoder::Json)
                .map_err(|cause| self.unreadable(file, cause)),
        }
    }

    pub(super) fn unreadable(self, file: &str, cause: ArrowError) -> Error {
        Error::Unreadable {
            file: file.to_owned(),
            format: self.name(),
            cause: Box::new(cause),
        }
    }
}

impl Decoder {
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Result<usize, ArrowError> {
        match self {
            Self::Csv(decoder) => decoder.decode(bytes),
            Self::Json(decoder) => decoder.decode(bytes),
        }
    }

    pub(super) fn flush(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        match self {
            Self::Csv(decoder) => decoder.flush(),
            Self::Json(decoder) => decoder.flush(),
        }
    }
}

/// Decodes a file as it arrives; holds one chunk of it and one batch.
pub(super) fn batches(
    decoder: Decoder,
    content: BoxStream<'static, object_store::Result<Bytes>>,
    file: String,
    format: TextFormat,
) -> impl Stream<Item = Result<RecordBatch, Error>> {
    struct State {
        decoder: Decoder,
        content: BoxStream<'static, object_store::Result<Bytes>>,
        rest: Bytes,
        file: String,
    }
    let state = State {
        decoder,
        content,
        rest: Bytes::new(),
        file,
    };
    stream::try_unfold(state, move |mut state| async move {
        loop {
            if state.rest.is_empty() {
                // At the end the decoder is called with nothing, which ends its last row.
                let next = state.content.next().await.transpose();
                let next = next.map_err(|cause| Error::Unreachable {
                    location: state.file.clone(),
                    cause: Box::new(cause),
                })?;
                state.rest = next.unwrap_or_default();
            }
            let taken = state
                .decoder
                .decode(&state.rest)
                .map_err(|cause| format.unreadable(&state.file, cause))?;
            if taken == 0 {
                break;
            }
            drop(state.rest.split_to(taken));
        }
        let batch = state
            .decoder
            .flush()
            .map_err(|cause| format.unreadable(&state.file, cause))?;
        Ok(batch.map(|batch| (batch, state)))
    })
}
