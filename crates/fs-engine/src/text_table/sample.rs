//! The columns of a text file and their types, from its beginning.

use std::sync::Arc;

use arrow::array::{AsArray, StringArray};
use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use fs_core::data_type::timestamp_type;
use fs_core::time::parse_micros;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::decode::TextFormat;
use crate::Error;
use crate::convert::integer;
use crate::files::Files;

/// How many bytes of a file decide about the types of its columns.
const BEGINNING: u64 = 1 << 20;

/// The name of a file, and its columns.
pub(super) async fn sample(
    files: &Files,
    file: ObjectMeta,
    format: TextFormat,
) -> Result<(String, SchemaRef), Error> {
    let name = files.display(&file);
    let end = file.size.min(BEGINNING);
    let mut bytes = if end == 0 {
        bytes::Bytes::new()
    } else {
        files
            .store
            .get_range(&file.location, 0..end)
            .await
            .map_err(|cause| Error::Unreachable {
                location: name.clone(),
                cause: Box::new(cause),
            })?
    };
    if end < file.size {
        // The last line is probably not whole.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        bytes.truncate(whole + 1);
    }
    let schema = match format {
        TextFormat::Csv { delimiter } => csv(&bytes, delimiter, format, &name),
        TextFormat::Json => json(&bytes),
    }
    .map_err(|cause| format.unreadable(&name, cause))?;
    if let Some(twice) = repeated(&schema) {
        let message = format!("the column `{twice}` appears twice");
        return Err(format.unreadable(&name, ArrowError::SchemaError(message)));
    }
    Ok((name, schema))
}

fn repeated(schema: &Schema) -> Option<&str> {
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    names
        .iter()
        .enumerate()
        .find(|(at, name)| names[..*at].contains(name))
        .map(|(_, name)| *name)
}

fn json(bytes: &[u8]) -> Result<SchemaRef, ArrowError> {
    let (schema, _) = arrow::json::reader::infer_json_schema(bytes, None)?;
    // The inference walks a hash map: sort, so that the order is always the same.
    let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
    fields.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(Arc::new(Schema::new(fields)))
}

fn csv(
    bytes: &[u8],
    delimiter: u8,
    format: TextFormat,
    file: &str,
) -> Result<SchemaRef, ArrowError> {
    let (header, _) = arrow::csv::reader::Format::default()
        .with_header(true)
        .with_delimiter(delimiter)
        .infer_schema(bytes, Some(0))?;
    if header.fields().is_empty() {
        let message = "it is empty; a header line with the names of the columns is needed";
        return Err(ArrowError::CsvError(message.to_owned()));
    }
    let names = header.fields().iter().map(|field| field.name().clone());
    let raw = Arc::new(Schema::new(
        names
            .map(|name| Field::new(name, ArrowType::Utf8, true))
            .collect::<Vec<_>>(),
    ));
    let mut guesses = vec![Guess::default(); raw.fields().len()];
    let mut decoder = format
        .decoder(Arc::clone(&raw), file)
        .map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
    let mut rest = bytes;
    loop {
        let taken = decoder.decode(rest)?;
        rest = &rest[taken..];
        if taken > 0 {
            continue;
        }
        let Some(batch) = decoder.flush()? else { break };
        for (guess, column) in guesses.iter_mut().zip(batch.columns()) {
            guess.see(column.as_string());
        }
    }
    let fields = raw.fields().iter().zip(guesses);
    let fields = fields.map(|(field, guess)| Field::new(field.name(), guess.data_type(), true));
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// A type that values may be guessed to have.
#[derive(Debug, Clone, Copy)]
enum Candidate {
    Boolean,
    Integer,
    Float,
    Timestamp,
}

impl Candidate {
    /// The narrowest first.
    const ALL: [Self; 4] = [Self::Boolean, Self::Integer, Self::Float, Self::Timestamp];

    fn reads(self, text: &str) -> bool {
        match self {
            Self::Boolean => matches!(text, "true" | "false" | "True" | "False"),
            Self::Integer => is_plain_number(text) && integer(text).is_some(),
            Self::Float => is_plain_number(text) && text.parse::<f64>().is_ok(),
            Self::Timestamp => parse_micros(text).is_ok(),
        }
    }

    fn to_arrow(self) -> ArrowType {
        match self {
            Self::Boolean => ArrowType::Boolean,
            Self::Integer => ArrowType::Int64,
            Self::Float => ArrowType::Float64,
            Self::Timestamp => timestamp_type(),
        }
    }
}

/// What every value of a column could be, so far.
#[derive(Debug, Clone)]
struct Guess {
    any: bool,
    left: Vec<Candidate>,
}

impl Default for Guess {
    fn default() -> Self {
        Self {
            any: false,
            left: Candidate::ALL.to_vec(),
        }
    }
}

impl Guess {
    fn see(&mut self, texts: &StringArray) {
        for text in texts.iter().flatten() {
            self.any = true;
            self.left.retain(|candidate| candidate.reads(text));
        }
    }

    fn data_type(self) -> ArrowType {
        if !self.any {
            return ArrowType::Null;
        }
        self.left
            .first()
            .map_or(ArrowType::Utf8, |candidate| candidate.to_arrow())
    }
}

/// Whether a number would be written like this: `007` and `+1` are codes, not numbers.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let coded = digits.len() > 1
        && digits.starts_with('0')
        && digits[1..].starts_with(|c: char| c.is_ascii_digit());
    !coded && !text.starts_with('+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(texts: &[Option<&str>]) -> ArrowType {
        let mut guess = Guess::default();
        guess.see(&StringArray::from(texts.to_vec()));
        guess.data_type()
    }

    #[test]
    fn a_column_has_the_narrowest_type_that_all_its_values_have() {
        assert_eq!(guess(&[Some("1"), None, Some("-2")]), ArrowType::Int64);
        assert_eq!(guess(&[Some("1"), Some("2.5")]), ArrowType::Float64);
        assert_eq!(guess(&[Some("true"), Some("False")]), ArrowType::Boolean);
        assert_eq!(guess(&[Some("2013-01-01")]), timestamp_type());
        assert_eq!(guess(&[Some("1"), Some("x")]), ArrowType::Utf8);
        assert_eq!(guess(&[None]), ArrowType::Null);
    }

    #[test]
    fn a_code_with_leading_zeros_is_text() {
        assert_eq!(guess(&[Some("007")]), ArrowType::Utf8);
        assert_eq!(guess(&[Some("0"), Some("0.5")]), ArrowType::Float64);
    }
}
