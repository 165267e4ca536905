//! Files with different columns as one table.

use std::sync::Arc;

use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef, TimeUnit};
use fs_core::SourceName;
use fs_core::data_type::UTC;

use crate::Error;
use crate::convert::{Slack, fits, is_instant, is_string, type_name};

/// The union of the columns by name, in the order in which they first appear.
///
/// A column that has several types gets the narrowest one that holds all their values; a file
/// without the column has nulls there.
pub(crate) fn union_by_name(
    source: &SourceName,
    schemas: &[(String, SchemaRef)],
) -> Result<SchemaRef, Error> {
    let mut fields: Vec<(String, ArrowType)> = Vec::new();
    for (file, schema) in schemas {
        for field in schema.fields() {
            let known = fields.iter_mut().find(|(name, _)| name == field.name());
            let Some((name, data_type)) = known else {
                fields.push((field.name().clone(), field.data_type().clone()));
                continue;
            };
            *data_type = wider(data_type, field.data_type()).ok_or_else(|| Error::MixedTypes {
                source_name: source.clone(),
                column: name.clone(),
                first: type_name(data_type),
                second: type_name(field.data_type()),
                file: file.clone(),
            })?;
        }
    }
    let fields: Vec<Field> = fields
        .into_iter()
        .map(|(name, data_type)| Field::new(name, data_type, true))
        .collect();
    Ok(Arc::new(Schema::new(fields)))
}

fn wider(one: &ArrowType, other: &ArrowType) -> Option<ArrowType> {
    if one == other {
        return Some(one.clone());
    }
    if is_instant(one) && is_instant(other) {
        // The zone must be UTC: a column without one is UTC, and a cast to another zone moves it.
        let unit = unit(one).max(unit(other));
        return Some(ArrowType::Timestamp(unit, Some(Arc::from(UTC))));
    }
    if is_string(one) && is_string(other) {
        return Some(ArrowType::Utf8);
    }
    if fits(one, other, Slack::NONE) {
        return Some(other.clone());
    }
    fits(other, one, Slack::NONE).then(|| one.clone())
}

fn unit(data_type: &ArrowType) -> TimeUnit {
    match data_type {
        ArrowType::Timestamp(unit, _) => *unit,
        ArrowType::Date64 => TimeUnit::Millisecond,
        _ => TimeUnit::Second,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, columns: &[(&str, ArrowType)]) -> (String, SchemaRef) {
        let fields: Vec<Field> = columns
            .iter()
            .map(|(column, data_type)| Field::new(*column, data_type.clone(), false))
            .collect();
        (name.to_owned(), Arc::new(Schema::new(fields)))
    }

    fn source() -> SourceName {
        SourceName::new("weather").unwrap()
    }

    #[test]
    fn a_column_that_one_file_lacks_is_nullable_and_a_narrow_one_widens() {
        let schema = union_by_name(
            &source(),
            &[
                file("a", &[("x", ArrowType::Int32), ("y", ArrowType::Utf8)]),
                file("b", &[("x", ArrowType::Int64), ("z", ArrowType::Boolean)]),
            ],
        )
        .unwrap();
        let names: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        assert_eq!(names, ["x", "y", "z"]);
        assert_eq!(*schema.field(0).data_type(), ArrowType::Int64);
        assert!(schema.fields().iter().all(|f| f.is_nullable()));
    }

    #[test]
    fn times_of_two_units_meet_in_the_finer_one_and_in_utc() {
        let zoned = ArrowType::Timestamp(TimeUnit::Second, Some(Arc::from("America/New_York")));
        let naive = ArrowType::Timestamp(TimeUnit::Nanosecond, None);
        let schema = union_by_name(
            &source(),
            &[file("a", &[("t", zoned)]), file("b", &[("t", naive)])],
        )
        .unwrap();
        assert_eq!(
            *schema.field(0).data_type(),
            ArrowType::Timestamp(TimeUnit::Nanosecond, Some(Arc::from("UTC")))
        );
    }

    #[test]
    fn types_that_do_not_go_together_are_refused_with_column_and_file() {
        let error = union_by_name(
            &source(),
            &[
                file("a.parquet", &[("x", ArrowType::Int64)]),
                file("b.parquet", &[("x", ArrowType::Utf8)]),
            ],
        )
        .unwrap_err()
        .to_string();
        assert!(error.contains("column `x` is int64"), "{error}");
        assert!(error.contains("string in b.parquet"), "{error}");
    }
}
