//! Exact sums and sums of squares: how far values are spread around their mean.

mod floats;
mod integers;

use fs_core::Function;

pub use floats::FloatMoments;
pub use integers::IntegerMoments;

use super::exact::Spread;
use super::{Answer, Unanswered};

/// What `function` makes of the spread of `count` values; NaN where there is none, because not all are
/// finite.
///
/// The variance of a sample of `n` is the spread by `n (n - 1)`, that of all by `n * n`. A standard deviation
/// is the square root of the variance as rounded.
fn deviation(
    function: &Function,
    count: u64,
    spread: impl FnOnce() -> Option<Spread>,
) -> Result<Answer<'static>, Unanswered> {
    let all = u128::from(count);
    let (divisor, root) = match function {
        Function::VarPop => (all * all, false),
        Function::StddevPop => (all * all, true),
        Function::VarSamp => (all * all.saturating_sub(1), false),
        Function::StddevSamp => (all * all.saturating_sub(1), true),
        _ => return Err(Unanswered::NotKept),
    };
    if divisor == 0 {
        return Ok(Answer::Null);
    }
    let variance = spread().map_or(f64::NAN, |spread| spread.over(divisor));
    let deviation = if root { variance.sqrt() } else { variance };
    Ok(Answer::float(Some(deviation)))
}
