//! The same answers from all values at once: slow, and plainly right.
//!
//! The states are tested against these. What is approximate there is exact here.

use std::cmp::{Ordering, Reverse};

use fs_core::Function;

use super::{Answer, Scalar, Unanswered};
use crate::RowRank;

/// What `function` makes of values of one type, given with the ranks of their rows.
///
/// Sums are exact, and rounded once. Variances are computed in two passes of plain floating point, so their
/// last digits may differ.
pub fn answer<'v>(
    function: &Function,
    values: &[(Scalar<'v>, RowRank)],
) -> Result<Answer<'v>, Unanswered> {
    let mut ranked = values.to_vec();
    ranked.sort_by(|one, other| one.1.cmp(&other.1).then_with(|| order(one.0, other.0)));
    let mut ordered: Vec<Scalar<'v>> = values.iter().map(|(value, _)| *value).collect();
    ordered.sort_by(|one, other| order(*one, *other));
    let oldest = ranked.iter().map(|(value, _)| *value);
    let newest = oldest.clone().rev();
    Ok(match function {
        Function::Count => Answer::count(values.len() as u64),
        Function::Sum => sum(&ordered)?,
        Function::Avg => Answer::float(mean(&ordered)),
        Function::Min => Answer::of(ordered.first().copied()),
        Function::Max => Answer::of(ordered.last().copied()),
        Function::VarPop => Answer::float(variance(&ordered, 0)),
        Function::StddevPop => Answer::float(variance(&ordered, 0).map(f64::sqrt)),
        Function::VarSamp => Answer::float(variance(&ordered, 1)),
        Function::StddevSamp => Answer::float(variance(&ordered, 1).map(f64::sqrt)),
        Function::First => Answer::of(oldest.clone().next()),
        Function::Last => Answer::of(newest.clone().next()),
        Function::FirstN { n } => Answer::Many(oldest.take(n.get()).collect()),
        Function::LastN { n } => Answer::Many(newest.take(n.get()).collect()),
        Function::CountDistinct | Function::ApproxCountDistinct => {
            Answer::count(tally(&ordered).len() as u64)
        }
        Function::ApproxPercentile { p } => Answer::float(percentile(&ordered, p.get())),
        Function::TopK { k } => {
            let mut tally = tally(&ordered);
            // Stable, so that those that came equally often stay in order.
            tally.sort_by_key(|(_, count)| Reverse(*count));
            Answer::Many(
                tally
                    .iter()
                    .map(|(value, _)| *value)
                    .take(k.get())
                    .collect(),
            )
        }
    })
}

/// The total order of values of one type: NaN is one and the greatest.
fn order(one: Scalar<'_>, other: Scalar<'_>) -> Ordering {
    match (one, other) {
        (Scalar::Bool(one), Scalar::Bool(other)) => one.cmp(&other),
        (Scalar::Int32(one), Scalar::Int32(other)) => one.cmp(&other),
        (Scalar::Int64(one), Scalar::Int64(other))
        | (Scalar::Timestamp(one), Scalar::Timestamp(other)) => one.cmp(&other),
        (Scalar::Float32(one), Scalar::Float32(other)) => floats(one.into(), other.into()),
        (Scalar::Float64(one), Scalar::Float64(other)) => floats(one, other),
        (Scalar::String(one), Scalar::String(other)) => one.cmp(other),
        (Scalar::Bytes(one), Scalar::Bytes(other)) => one.cmp(other),
        _ => Ordering::Equal,
    }
}

fn floats(one: f64, other: f64) -> Ordering {
    match (one.is_nan(), other.is_nan()) {
        (false, false) => one.total_cmp(&other),
        (one, other) => one.cmp(&other),
    }
}

/// The different values in order, and how often each came.
fn tally<'v>(ordered: &[Scalar<'v>]) -> Vec<(Scalar<'v>, usize)> {
    let same = ordered.chunk_by(|one, other| order(*one, *other) == Ordering::Equal);
    same.map(|same| (same[0], same.len())).collect()
}

fn sum(values: &[Scalar<'_>]) -> Result<Answer<'static>, Unanswered> {
    if values.is_empty() {
        return Ok(Answer::Null);
    }
    match integers(values) {
        Some(sum) => {
            let sum = i64::try_from(sum).map_err(|_beyond| Unanswered::Overflow)?;
            Ok(Answer::One(Scalar::Int64(sum)))
        }
        None => Ok(Answer::float(Some(exact_sum(&numbers(values))))),
    }
}

#[expect(clippy::cast_precision_loss, reason = "each is rounded once")]
fn mean(values: &[Scalar<'_>]) -> Option<f64> {
    let sum = match integers(values) {
        Some(sum) => sum as f64,
        None => exact_sum(&numbers(values)),
    };
    (!values.is_empty()).then(|| sum / values.len() as f64)
}

/// The sum of integers, in 128 bits; `None` if they are none.
fn integers(values: &[Scalar<'_>]) -> Option<i128> {
    let integer = |value: &Scalar<'_>| match value {
        Scalar::Bool(value) => Some(i128::from(*value)),
        Scalar::Int32(value) => Some(i128::from(*value)),
        Scalar::Int64(value) => Some(i128::from(*value)),
        _ => None,
    };
    values.iter().map(integer).sum()
}

#[expect(clippy::cast_precision_loss, reason = "the nearest will do")]
fn numbers(values: &[Scalar<'_>]) -> Vec<f64> {
    let number = |value: &Scalar<'_>| match value {
        Scalar::Bool(value) => f64::from(*value),
        Scalar::Int32(value) => f64::from(*value),
        Scalar::Int64(value) => *value as f64,
        Scalar::Float32(value) => f64::from(*value),
        Scalar::Float64(value) => *value,
        _ => f64::NAN,
    };
    values.iter().map(number).collect()
}

/// The squares of the distances from the mean, by the count less `fewer`.
#[expect(clippy::cast_precision_loss, reason = "the last digits may differ")]
fn variance(values: &[Scalar<'_>], fewer: usize) -> Option<f64> {
    let numbers = numbers(values);
    let mean = mean(values)?;
    let divisor = values.len().checked_sub(fewer).filter(|n| *n > 0)?;
    let squares = numbers.iter().map(|number| (number - mean).powi(2));
    Some(squares.sum::<f64>() / divisor as f64)
}

/// The `ceil(p * n)`-th value.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "there are not so many values"
)]
fn percentile(ordered: &[Scalar<'_>], p: f64) -> Option<f64> {
    let rank = (p * ordered.len() as f64).ceil() as usize;
    numbers(ordered).get(rank.max(1) - 1).copied()
}

/// The powers of two from that of the least number on that a sum may have.
const POWERS: usize = 2300;

/// The sum of numbers, rounded once, ties to even: it counts how often each power of two is in it.
///
/// ```text
///   6 + 3   four: 1   two: 2   one: 1   ->   eight: 1   one: 1   ->   9
/// ```
pub fn exact_sum(numbers: &[f64]) -> f64 {
    let plain: f64 = numbers.iter().filter(|number| !number.is_finite()).sum();
    if plain != 0.0 {
        return plain;
    }
    let mut powers = vec![0_i64; POWERS];
    for number in numbers {
        let bits = number.to_bits();
        let (field, fraction) = (bits >> 52 & 0x7ff, bits & ((1 << 52) - 1));
        let mantissa = if field == 0 {
            fraction
        } else {
            fraction | 1 << 52
        };
        let lowest = usize::try_from(field.max(1) - 1).unwrap_or(0);
        for bit in (0..53).filter(|bit| mantissa >> bit & 1 == 1) {
            powers[lowest + bit] += if *number < 0.0 { -1 } else { 1 };
        }
    }
    let negative = carried(&powers).is_none();
    if negative {
        for power in &mut powers {
            *power = -*power;
        }
    }
    let sum = carried(&powers).map_or(0.0, |powers| rounded(&powers));
    if negative { -sum } else { sum }
}

/// Each power of two at most once; `None` of a negative sum.
fn carried(powers: &[i64]) -> Option<Vec<i64>> {
    let mut over = 0;
    let carry = powers.iter().map(|power| {
        let sum = power + over;
        over = sum.div_euclid(2);
        sum.rem_euclid(2)
    });
    let powers = carry.collect();
    (over == 0).then_some(powers)
}

/// The 53 greatest powers, and one more of the last if the rest is more than half of it, or half and the
/// last is there.
fn rounded(powers: &[i64]) -> f64 {
    let Some(top) = powers.iter().rposition(|power| *power == 1) else {
        return 0.0;
    };
    let last = top.saturating_sub(52);
    let mut mantissa = powers[last..=top]
        .iter()
        .rev()
        .fold(0_i64, |sum, bit| 2 * sum + bit);
    let half = last > 0 && powers[last - 1] == 1;
    let more = last > 1 && powers[..last - 1].contains(&1);
    if half && (more || mantissa % 2 == 1) {
        mantissa += 1;
    }
    let field = if mantissa < 1 << 52 { 0 } else { last as u64 };
    let bits = (field.min(0x7ff) << 52) + mantissa.unsigned_abs();
    f64::from_bits(bits.min(f64::INFINITY.to_bits()))
}
