#![expect(
    clippy::float_cmp,
    clippy::cast_precision_loss,
    reason = "sums are exact, or rounded as they are here"
)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::aggregate::naive::exact_sum;

fn sum(numbers: &[f64]) -> ExactSum {
    let mut sum = ExactSum::zero();
    for number in numbers {
        sum.add_number(*number);
    }
    sum
}

fn squares(numbers: &[f64]) -> ExactSquares {
    let mut sum = ExactSquares::zero();
    for number in numbers {
        sum.add_square(*number);
    }
    sum
}

fn bytes(sum: &ExactSum) -> Vec<u8> {
    let mut bytes = Vec::new();
    sum.write(&mut bytes);
    bytes
}

/// Numbers of every kind: any bits, few bits, small and great ones.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        2 => any::<f64>().prop_filter("finite", |number| number.is_finite()),
        4 => -1e6..1e6_f64,
        2 => (-1000_i32..1000).prop_map(f64::from),
        1 => (-60_i32..60).prop_map(|power| f64::powi(2.0, power)),
        1 => prop_oneof![Just(0.0), Just(-0.0), Just(f64::MAX), Just(f64::MIN), Just(5e-324)],
    ]
}

#[test]
fn a_small_number_is_not_lost_beside_a_great_one() {
    assert_eq!(sum(&[1e100, 1.0, -1e100]).get(), 1.0);
    assert_eq!(sum(&[1e308, 5e-324, -1e308]).get(), 5e-324);
    assert_eq!(sum(&[0.1, 0.2, 0.3]).get(), 0.6);
    assert_eq!(sum(&[0.1; 10]).get(), 1.0);
}

#[test]
fn a_sum_beyond_all_numbers_is_infinite_only_while_it_is_there() {
    let beyond = sum(&[f64::MAX, f64::MAX]);
    assert_eq!(beyond.get(), f64::INFINITY);
    let mut back = beyond;
    back.add_number(f64::MIN);
    assert_eq!(back.get(), f64::MAX);
}

#[test]
fn numbers_of_one_magnitude_stay_near_whatever_it_is() {
    for magnitude in [1e-300, 1e-30, 1e-9, 1.0, 1e9, 1e18, 1e300] {
        let numbers: Vec<f64> = (0..10_000)
            .map(|n| magnitude * f64::from(n % 997))
            .collect();
        let total = sum(&numbers);
        assert!(matches!(total, Exact::Near { .. }), "{magnitude}");
        assert_eq!(total.get().to_bits(), exact_sum(&numbers).to_bits());
        assert!(matches!(squares(&numbers), Exact::Near { .. }) || magnitude > 1e100);
    }
}

#[test]
fn a_tie_is_rounded_to_even() {
    let half = f64::powi(2.0, -53);
    assert_eq!(sum(&[1.0, half]).get(), 1.0);
    assert_eq!(sum(&[1.0, half, 5e-324]).get(), 1.0 + f64::EPSILON);
    assert_eq!(
        sum(&[1.0 + f64::EPSILON, half]).get(),
        1.0 + 2.0 * f64::EPSILON
    );
}

#[test]
fn broken_bytes_give_errors_and_never_a_panic() {
    for text in [
        &[][..],
        &[5, 0, 1],
        &[1],
        &[
            1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1,
        ],
        &[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1],
        &[2, 0xe5, 0x10, 1, 1],
    ] {
        assert!(ExactSum::read(&mut &*text).is_err(), "{text:?}");
    }
    let mut negative = &[1, 0, 0x80][..];
    assert_eq!(ExactSum::read(&mut negative).unwrap().get(), -128.0);
}

proptest! {
    #[test]
    fn a_sum_is_rounded_once_from_what_it_really_is(numbers in vec(number(), 0..40)) {
        let expected = exact_sum(&numbers);
        prop_assert_eq!(sum(&numbers).get().to_bits(), expected.to_bits());
    }

    #[test]
    fn order_and_merges_never_show(
        numbers in vec(number(), 1..40),
        swaps in vec((any::<Index>(), any::<Index>()), 40),
        cut in any::<Index>(),
    ) {
        let mut shuffled = numbers.clone();
        for (one, other) in swaps {
            shuffled.swap(one.index(numbers.len()), other.index(numbers.len()));
        }
        let (one, other) = shuffled.split_at(cut.index(numbers.len()));
        let mut merged = sum(one);
        merged.merge(&sum(other));
        prop_assert_eq!(merged.get().to_bits(), sum(&numbers).get().to_bits());
        prop_assert_eq!(bytes(&merged), bytes(&sum(&numbers)));
        let mut merged = squares(one);
        merged.merge(&squares(other));
        let (mut squared, mut expected) = (Vec::new(), Vec::new());
        merged.write(&mut squared);
        squares(&numbers).write(&mut expected);
        prop_assert_eq!(squared, expected);
    }

    #[test]
    fn a_sum_reads_back(numbers in vec(number(), 0..20)) {
        let written = bytes(&sum(&numbers));
        let mut rest = &written[..];
        let read = ExactSum::read(&mut rest).unwrap();
        prop_assert!(rest.is_empty());
        prop_assert_eq!(read.get().to_bits(), sum(&numbers).get().to_bits());
        prop_assert_eq!(bytes(&read), written);
    }

    #[test]
    fn what_is_taken_back_leaves_nothing(numbers in vec(number(), 0..20)) {
        let mut all = sum(&numbers);
        let negated: Vec<f64> = numbers.iter().map(|number| -number).collect();
        all.merge(&sum(&negated));
        prop_assert_eq!(bytes(&all), [0]);
    }

    #[test]
    fn any_bytes_are_a_sum_or_an_error(text in vec(any::<u8>(), 0..400)) {
        if let Ok(sum) = ExactSum::read(&mut &text[..]) {
            let twice = bytes(&sum);
            prop_assert_eq!(ExactSum::read(&mut &twice[..]).unwrap().get().to_bits(), sum.get().to_bits());
        }
        if let Ok(squares) = ExactSquares::read(&mut &text[..]) {
            let spread = spread(3, &sum(&[1.0]), &squares).over(9);
            prop_assert!(spread.is_nan() || spread <= f64::INFINITY);
        }
    }

    #[test]
    fn the_spread_is_that_of_integers_where_numbers_are_integers(
        numbers in vec(-1_000_000_000_i64..1_000_000_000, 1..30),
    ) {
        let floats: Vec<f64> = numbers.iter().map(|n| *n as f64).collect();
        let count = numbers.len() as u64;
        let total: i128 = numbers.iter().map(|n| i128::from(*n)).sum();
        let squared: i128 = numbers.iter().map(|n| i128::from(*n).pow(2)).sum();
        let exact = i128::from(count) * squared - total * total;
        let limbs = halves(squared);
        let of_integers = spread_of_integers(count, total, [limbs[0], limbs[1], 0]);
        prop_assert_eq!(of_integers.over(1), exact as f64);
        let of_floats = spread(count, &sum(&floats), &squares(&floats));
        prop_assert_eq!(of_floats.over(1), exact as f64);
        // The same a long way from zero, where other formulas cancel, and at other magnitudes.
        let scaled: Vec<f64> = floats.iter().map(|n| n * f64::powi(2.0, -400)).collect();
        let far = spread(count, &sum(&scaled), &squares(&scaled));
        prop_assert_eq!(far.over(1), exact as f64 * f64::powi(2.0, -800));
        let mut mixed = scaled.clone();
        mixed.extend([1e300, -1e300]);
        let widest = spread(count + 2, &sum(&mixed), &squares(&mixed));
        prop_assert!(widest.over(1) > 1e300);
    }
}
