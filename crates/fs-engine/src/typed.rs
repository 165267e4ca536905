//! A column that somebody hands in, as one of our types.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType as ArrowType;

use crate::convert::{BadCell, Slack, convert, fits, is_time, type_name};

/// Why a column is not of the wanted type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mistyped {
    /// Its type has nothing to do with the wanted one.
    Column {
        /// The type that it has, in the words of definitions where there is one.
        found: String,
    },
    /// One of its values has no counterpart in the wanted type.
    Value {
        /// Its row, counted from 0.
        row: usize,
        /// The value as text.
        value: String,
    },
}

/// `column` as `wanted`, which is one of our types, with every value as it was.
///
/// ```text
///   wanted        also taken
///   int32         other integers and floats, where the value is a whole number that fits
///   float32       other numbers; a float64 is rounded
///   timestamp     timestamps of any unit and zone, dates, texts such as 2013-01-01T05:00:00Z
///   string …      the same type in another shape of Arrow
///   any           a column of nothing but nulls
/// ```
pub fn typed(column: &ArrayRef, wanted: &ArrowType) -> Result<ArrayRef, Mistyped> {
    let slack = Slack {
        narrow: true,
        ..Slack::NONE
    };
    let found = column.data_type();
    let is_instant = matches!(wanted, ArrowType::Timestamp(..)) && is_time(found);
    if !is_instant && !fits(found, wanted, slack) {
        return Err(Mistyped::Column {
            found: type_name(found),
        });
    }
    convert(column, wanted).map_err(|BadCell { row, value }| Mistyped::Value { row, value })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Float64Array, Int64Array, StringArray};
    use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
    use fs_core::data_type::timestamp_type;

    use super::*;

    #[test]
    fn numbers_become_others_where_they_are_the_same_and_the_first_that_is_not_is_named() {
        let wide: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None, Some(1 << 40)]));
        let error = typed(&wide, &ArrowType::Int32).unwrap_err();
        let value = "1099511627776".to_owned();
        assert_eq!(error, Mistyped::Value { row: 2, value });
        let fits = typed(&wide.slice(0, 2), &ArrowType::Int32).unwrap();
        assert_eq!(fits.as_primitive::<Int32Type>().value(0), 7);
        let halves: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 1.5]));
        assert!(typed(&halves, &ArrowType::Float32).is_ok());
        assert!(typed(&halves, &ArrowType::Int64).is_err());
    }

    #[test]
    fn texts_are_times_but_no_numbers() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["1970-01-01T01:00:00.000001+01:00"]));
        let times = typed(&texts, &timestamp_type()).unwrap();
        assert_eq!(times.as_primitive::<TimestampMicrosecondType>().value(0), 1);
        let found = "string".to_owned();
        assert_eq!(
            typed(&texts, &ArrowType::Int64),
            Err(Mistyped::Column { found })
        );
    }
}
