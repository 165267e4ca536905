//! [`Sketch`]: about where in the values a percentile lies.
//!
//! A `DDSketch` (Masson, Rim, Lee 2019): it counts how many values lie in each bucket, and buckets grow with
//! their values, so that any value of a bucket is at most 1 % off its middle. Its merge adds counts and
//! therefore commutes. Those of KLL and t-digest do not: what they answer depends on what was
//! merged when, and training and serving would differ.

mod bucket;

use std::marker::PhantomData;

use fs_core::Function;

use super::input::{F64, Number};
use super::sorted::Sorted;
use super::{Aggregate, Answer, Unanswered, bytes};
use crate::{Error, RowRank};
use bucket::Bucket;

/// How many values lie in each bucket, the least and the greatest value.
///
/// The percentile `p` of `n` values is the `ceil(p * n)`-th of them in order; what is answered lies at most
/// 0.8 % from it, never beyond the least or the greatest. Integers from -127 to 127 are exact. Numbers
/// nearer to zero than 2.3e-308 count as zero. NaN is the greatest number.
#[derive(Debug, Clone, Copy)]
pub struct Sketch<I>(PhantomData<I>);

/// The buckets that have values, and the ends.
#[derive(Debug, Clone)]
pub struct Sketched {
    buckets: Sorted<Bucket, u64>,
    ends: Option<(F64, F64)>,
}

impl<I: Number> Sketch<I> {
    /// Over values of this type.
    pub const fn of(_: I) -> Self {
        Self(PhantomData)
    }
}

impl Sketched {
    fn widen(&mut self, least: F64, greatest: F64) {
        let (from, to) = self.ends.get_or_insert((least, greatest));
        *from = least.min(*from);
        *to = greatest.max(*to);
    }

    /// About the value at `p`, if there are values.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank beyond 2^53 may be off by as little as its last bits"
    )]
    fn percentile(&self, p: f64, whole: bool) -> Option<f64> {
        let (least, greatest) = self.ends?;
        let buckets = self.buckets.in_order();
        let values = buckets
            .iter()
            .fold(0_u64, |n, (_, count)| n.saturating_add(*count));
        let rank = ((p * values as f64).ceil() as u64).max(1);
        let mut before = 0_u64;
        let (bucket, _) = buckets.iter().find(|(_, count)| {
            before = before.saturating_add(*count);
            rank <= before
        })?;
        let middle = bucket.middle();
        let middle = if whole { middle.trunc() } else { middle };
        Some(F64::new(middle).max(least).min(greatest).get())
    }
}

impl<I: Number> Aggregate for Sketch<I> {
    type Input = I;
    type State = Sketched;

    fn init(&self) -> Sketched {
        Sketched {
            buckets: Sorted::EMPTY,
            ends: None,
        }
    }

    fn is_empty(&self, state: &Sketched) -> bool {
        state.ends.is_none()
    }

    fn update(&self, state: &mut Sketched, value: I::Value<'_>, _: RowRank) {
        let number = I::number(value);
        let bucket = Bucket::of(number);
        state.buckets.add(|kept| kept.cmp(&bucket), || bucket, 1);
        state.widen(F64::new(number), F64::new(number));
    }

    fn merge(&self, state: &mut Sketched, other: &Sketched) {
        state.buckets.merge(&other.buckets);
        if let Some((least, greatest)) = other.ends {
            state.widen(least, greatest);
        }
    }

    fn heap_bytes(&self, state: &Sketched) -> usize {
        state.buckets.heap_bytes(|_| 0)
    }

    fn write(&self, state: &Sketched, out: &mut Vec<u8>) {
        let buckets = state.buckets.in_order();
        bytes::put_count(buckets.len() as u64, out);
        let mut before = 0;
        for (bucket, count) in buckets.iter() {
            bytes::put_signed(bucket.number() - before, out);
            bytes::put_count(*count, out);
            before = bucket.number();
        }
        if let Some((least, greatest)) = state.ends {
            bytes::put_word(least.get().to_bits(), out);
            bytes::put_word(greatest.get().to_bits(), out);
        }
    }

    fn read(&self, bytes: &mut &[u8]) -> Result<Sketched, Error> {
        let length = bytes::length(bytes, 2)?;
        let mut before = 0_i64;
        let buckets = (0..length).map(|_| {
            before = before.wrapping_add(bytes::signed(bytes)?);
            let bucket = Bucket::numbered(before);
            let bucket = bucket.ok_or_else(|| bytes::broken("there is no such bucket"))?;
            Ok((bucket, bytes::count(bytes)?))
        });
        let buckets = Sorted::from_ordered(buckets.collect::<Result<_, Error>>()?);
        let buckets = buckets.ok_or_else(|| bytes::broken("buckets are not in order"))?;
        let mut end = || bytes::word(bytes).map(|bits| F64::new(f64::from_bits(bits)));
        let ends = match length {
            0 => None,
            _ => Some((end()?, end()?)),
        };
        Ok(Sketched { buckets, ends })
    }

    fn answer(&self, state: &Sketched, function: &Function) -> Result<Answer<'static>, Unanswered> {
        match function {
            Function::ApproxPercentile { p } => {
                Ok(Answer::float(state.percentile(p.get(), I::WHOLE)))
            }
            _ => Err(Unanswered::NotKept),
        }
    }
}
