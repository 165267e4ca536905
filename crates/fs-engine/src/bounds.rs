//! Bounds of event time as predicates on the raw column, in the column's own unit.
//!
//! A predicate that casts the column cannot prune Parquet row groups, and a cast that rounds can
//! lose a row at a boundary. So the bounds are converted instead, exactly:
//!
//! | Column | `t >= start` | `t < end` |
//! |---|---|---|
//! | coarser than a microsecond, `p` microseconds each | `v >= ceil(start / p)` | `v < ceil(end / p)` |
//! | microseconds | `v >= start` | `v < end` |
//! | nanoseconds, cut toward minus infinity | `v >= start * 1000` | `v < end * 1000` |

use arrow::datatypes::{DataType as ArrowType, TimeUnit};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::Expr;

/// An end of a range in the unit of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// Values from here on lie at or after it.
    At(i64),
    /// Every value lies after it.
    BeforeAll,
    /// Every value lies before it.
    AfterAll,
}

/// The unquoted column `name`, whatever characters it has.
pub(crate) fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

/// `start <= column < end` in microseconds, absent ends being open; `None` where the type of the
/// column says that only its values, once converted, can be compared.
pub(crate) fn between(
    name: &str,
    data_type: &ArrowType,
    start: Option<i64>,
    end: Option<i64>,
) -> Option<Expr> {
    let at_or_after = match start {
        Some(start) => Some(bound(data_type, start)?),
        None => None,
    };
    let before = match end {
        Some(end) => Some(bound(data_type, end)?),
        None => None,
    };
    let nothing = || Expr::Literal(ScalarValue::Boolean(Some(false)), None);
    let everything = || Expr::Literal(ScalarValue::Boolean(Some(true)), None);
    let low = match at_or_after {
        Some(Bound::At(value)) => column(name).gt_eq(literal(data_type, value)?),
        Some(Bound::AfterAll) => nothing(),
        Some(Bound::BeforeAll) | None => everything(),
    };
    let high = match before {
        Some(Bound::At(value)) => column(name).lt(literal(data_type, value)?),
        Some(Bound::BeforeAll) => nothing(),
        Some(Bound::AfterAll) | None => everything(),
    };
    Some(low.and(high))
}

/// The least value of the column that lies at or after `micros`.
fn bound(data_type: &ArrowType, micros: i64) -> Option<Bound> {
    let at = match data_type {
        ArrowType::Timestamp(TimeUnit::Second, _) => Bound::At(ceil(micros, 1_000_000)),
        ArrowType::Timestamp(TimeUnit::Millisecond, _) | ArrowType::Date64 => {
            Bound::At(ceil(micros, 1_000))
        }
        ArrowType::Timestamp(TimeUnit::Microsecond, _) => Bound::At(micros),
        ArrowType::Timestamp(TimeUnit::Nanosecond, _) => match micros.checked_mul(1_000) {
            Some(nanos) => Bound::At(nanos),
            None if micros < 0 => Bound::BeforeAll,
            None => Bound::AfterAll,
        },
        ArrowType::Date32 => {
            let days = ceil(micros, 24 * 3_600_000_000);
            match i32::try_from(days) {
                Ok(days) => Bound::At(i64::from(days)),
                Err(_) if days < 0 => Bound::BeforeAll,
                Err(_) => Bound::AfterAll,
            }
        }
        _ => return None,
    };
    Some(at)
}

const fn ceil(micros: i64, unit: i64) -> i64 {
    micros.div_euclid(unit) + (micros.rem_euclid(unit) != 0) as i64
}

fn literal(data_type: &ArrowType, value: i64) -> Option<Expr> {
    let scalar = match data_type {
        ArrowType::Timestamp(TimeUnit::Second, zone) => {
            ScalarValue::TimestampSecond(Some(value), zone.clone())
        }
        ArrowType::Timestamp(TimeUnit::Millisecond, zone) => {
            ScalarValue::TimestampMillisecond(Some(value), zone.clone())
        }
        ArrowType::Timestamp(TimeUnit::Microsecond, zone) => {
            ScalarValue::TimestampMicrosecond(Some(value), zone.clone())
        }
        ArrowType::Timestamp(TimeUnit::Nanosecond, zone) => {
            ScalarValue::TimestampNanosecond(Some(value), zone.clone())
        }
        ArrowType::Date32 => ScalarValue::Date32(i32::try_from(value).ok()),
        ArrowType::Date64 => ScalarValue::Date64(Some(value)),
        _ => return None,
    };
    Some(Expr::Literal(scalar, None))
}
