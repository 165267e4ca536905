//! [`RowCheck`]: a check of single rows, made ready for columns of known types.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::is_null;
use arrow::datatypes::{
    DataType as ArrowType, Float32Type, Float64Type, Int32Type, Int64Type, Schema,
    TimestampMicrosecondType,
};
use arrow::util::display::array_value_to_string;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use fs_core::{Check, Literal};
use std::borrow::Borrow;
use std::collections::HashSet;

use crate::predicate::Predicate;

/// A check of single rows.
#[derive(Debug)]
pub(super) enum RowCheck {
    /// The column is not null.
    NotNull(usize),
    /// The column holds nothing but what the allowed values are.
    Allowed(usize, Allowed),
    /// The predicate is not false.
    Sql(Predicate),
}

/// What a column may hold. `NaN` is neither between two values nor one of a set.
#[derive(Debug)]
pub(super) enum Allowed {
    Between {
        min: Option<Literal>,
        max: Option<Literal>,
    },
    Bools(Vec<bool>),
    Ints(HashSet<i64>),
    Floats(Vec<f64>),
    Strings(HashSet<String>),
}

impl RowCheck {
    /// Makes a check ready for rows of `schema`; `None` for a check of something else. The error is for
    /// people.
    pub(super) fn of(
        check: &Check,
        schema: &Schema,
        session: &SessionContext,
    ) -> Result<Option<Self>, String> {
        let ready = match check {
            Check::NotNull { column } => Self::NotNull(position(schema, column)?),
            Check::Between { column, min, max } => {
                let at = comparable(schema, column, min.iter().chain(max))?;
                let (min, max) = (min.clone(), max.clone());
                Self::Allowed(at, Allowed::Between { min, max })
            }
            Check::InSet { column, values } => {
                let at = comparable(schema, column, values)?;
                Self::Allowed(at, Allowed::one_of(values))
            }
            Check::Sql { predicate } => Self::Sql(Predicate::of(predicate, schema, session)?),
            Check::Unique {}
            | Check::RowCount { .. }
            | Check::NullFraction { .. }
            | Check::MaxAge { .. } => return Ok(None),
        };
        Ok(Some(ready))
    }

    /// Which rows fail.
    pub(super) fn failing(&self, batch: &RecordBatch) -> Result<BooleanBuffer, DataFusionError> {
        match self {
            Self::NotNull(at) => Ok(is_null(batch.column(*at))?.values().clone()),
            Self::Allowed(at, allowed) => Ok(negated(&allowed.holds(batch.column(*at)))),
            Self::Sql(predicate) => Ok(negated(&predicate.holds(batch)?)),
        }
    }

    /// What a row has in the columns that are looked at, such as `temp=999.0`.
    pub(super) fn shown(&self, batch: &RecordBatch, row: usize) -> String {
        let columns: &[usize] = match self {
            Self::NotNull(at) | Self::Allowed(at, _) => &[*at],
            Self::Sql(predicate) => predicate.columns(),
        };
        shown(batch, columns, row)
    }
}

/// `column=value` for each of the columns.
pub(super) fn shown(batch: &RecordBatch, columns: &[usize], row: usize) -> String {
    let schema = batch.schema_ref();
    let cells = columns.iter().map(|at| {
        let column = batch.column(*at);
        let value = if column.is_null(row) {
            "null".to_owned()
        } else {
            array_value_to_string(column, row).unwrap_or_default()
        };
        format!("{}={value}", schema.field(*at).name())
    });
    cells.collect::<Vec<_>>().join(",")
}

/// False and not null: what is null passes.
fn negated(holds: &BooleanArray) -> BooleanBuffer {
    let fails = !holds.values();
    match holds.nulls() {
        Some(nulls) => &fails & nulls.inner(),
        None => fails,
    }
}

pub(super) fn position(schema: &Schema, column: &str) -> Result<usize, String> {
    schema
        .index_of(column)
        .map_err(|_missing| format!("the view has no column `{column}`"))
}

/// The position of a column that can be compared with these values.
fn comparable<'a>(
    schema: &Schema,
    column: &str,
    values: impl IntoIterator<Item = &'a Literal>,
) -> Result<usize, String> {
    let at = position(schema, column)?;
    let found = schema.field(at).data_type();
    let wrong = values.into_iter().find(|value| !compares(found, value));
    match wrong {
        Some(value) => Err(format!(
            "column `{column}` is {}, which cannot be compared with {value}",
            crate::convert::type_name(found)
        )),
        None => Ok(at),
    }
}

fn compares(found: &ArrowType, value: &Literal) -> bool {
    match value {
        Literal::Bool(_) => *found == ArrowType::Boolean,
        Literal::Int(_) => matches!(found, ArrowType::Int32 | ArrowType::Int64),
        Literal::Float(_) => matches!(found, ArrowType::Float32 | ArrowType::Float64),
        Literal::String(_) => *found == ArrowType::Utf8,
        Literal::Timestamp(_) => matches!(found, ArrowType::Timestamp(..)),
    }
}

impl Allowed {
    fn one_of(values: &[Literal]) -> Self {
        match values.first() {
            Some(Literal::Bool(_)) => Self::Bools(values.iter().filter_map(bool_of).collect()),
            Some(Literal::Float(_)) => Self::Floats(values.iter().filter_map(float_of).collect()),
            Some(Literal::String(_)) => {
                let texts = values.iter().filter_map(string_of);
                Self::Strings(texts.map(str::to_owned).collect())
            }
            _ => Self::Ints(values.iter().filter_map(int_of).collect()),
        }
    }

    /// Whether each value is allowed; null where it is null. The column is one of our types.
    fn holds(&self, column: &ArrayRef) -> BooleanArray {
        match column.data_type() {
            ArrowType::Boolean => {
                BooleanArray::from_unary(column.as_boolean(), |value| self.allows_bool(value))
            }
            ArrowType::Int32 => {
                let column = column.as_primitive::<Int32Type>();
                BooleanArray::from_unary(column, |value| self.allows_int(value.into()))
            }
            ArrowType::Int64 => {
                let column = column.as_primitive::<Int64Type>();
                BooleanArray::from_unary(column, |value| self.allows_int(value))
            }
            ArrowType::Timestamp(..) => {
                let column = column.as_primitive::<TimestampMicrosecondType>();
                BooleanArray::from_unary(column, |value| self.allows_int(value))
            }
            ArrowType::Float32 => {
                let column = column.as_primitive::<Float32Type>();
                let narrow = self.as_float32();
                let allowed = narrow.as_ref().unwrap_or(self);
                BooleanArray::from_unary(column, |value| allowed.allows_float(value.into()))
            }
            ArrowType::Float64 => {
                let column = column.as_primitive::<Float64Type>();
                BooleanArray::from_unary(column, |value| self.allows_float(value))
            }
            ArrowType::Utf8 => {
                let column = column.as_string::<i32>();
                BooleanArray::from_unary(column, |value| self.allows_string(value))
            }
            // No literal compares with any other type.
            _ => BooleanArray::new(BooleanBuffer::new_set(column.len()), None),
        }
    }

    fn allows_bool(&self, value: bool) -> bool {
        match self {
            Self::Bools(values) => values.contains(&value),
            Self::Between { min, max } => inside(&value, min.as_ref(), max.as_ref(), bool_of),
            _ => true,
        }
    }

    fn allows_int(&self, value: i64) -> bool {
        match self {
            Self::Ints(values) => values.contains(&value),
            Self::Between { min, max } => inside(&value, min.as_ref(), max.as_ref(), int_of),
            _ => true,
        }
    }

    /// As numbers compare: -0 is 0, and `NaN` is nowhere.
    fn allows_float(&self, value: f64) -> bool {
        match self {
            Self::Floats(values) => values.contains(&value),
            Self::Between { min, max } => inside(&value, min.as_ref(), max.as_ref(), float_of),
            _ => true,
        }
    }

    fn allows_string(&self, value: &str) -> bool {
        match self {
            Self::Strings(values) => values.contains(value),
            Self::Between { min, max } => inside(value, min.as_ref(), max.as_ref(), string_of),
            _ => true,
        }
    }

    /// The same for a column of `float32`: each value is the `float32` that is nearest to it.
    fn as_float32(&self) -> Option<Self> {
        let nearest = |literal: &Literal| match literal {
            Literal::Float(value) => {
                fs_core::Finite::new(narrowed(value.get())).map(Literal::Float)
            }
            other => Some(other.clone()),
        };
        match self {
            Self::Between { min, max } => Some(Self::Between {
                min: min.as_ref().and_then(nearest),
                max: max.as_ref().and_then(nearest),
            }),
            Self::Floats(values) => Some(Self::Floats(
                values.iter().map(|value| narrowed(*value)).collect(),
            )),
            _ => None,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "to the nearest float32 is what is wanted; definitions are checked to fit one"
)]
fn narrowed(value: f64) -> f64 {
    f64::from(value as f32)
}

/// Both ends inclusive; what compares with neither is not inside.
fn inside<'a, T: PartialOrd + ?Sized + 'a, U: Borrow<T>>(
    value: &T,
    min: Option<&'a Literal>,
    max: Option<&'a Literal>,
    of: impl Fn(&'a Literal) -> Option<U>,
) -> bool {
    let (min, max) = (min.and_then(&of), max.and_then(&of));
    // Not `value < min`, which is false for a NaN.
    min.is_none_or(|min| value >= min.borrow()) && max.is_none_or(|max| value <= max.borrow())
}

fn bool_of(literal: &Literal) -> Option<bool> {
    match literal {
        Literal::Bool(value) => Some(*value),
        _ => None,
    }
}

fn int_of(literal: &Literal) -> Option<i64> {
    match literal {
        Literal::Int(value) => Some(*value),
        Literal::Timestamp(value) => Some(value.as_micros()),
        _ => None,
    }
}

fn float_of(literal: &Literal) -> Option<f64> {
    match literal {
        Literal::Float(value) => Some(value.get()),
        _ => None,
    }
}

fn string_of(literal: &Literal) -> Option<&str> {
    match literal {
        Literal::String(value) => Some(value),
        _ => None,
    }
}
