//! States are as small as the documentation says.

use fs_core::{DataType, ScalarType};

use crate::aggregate::{Aggregate, Component, Visitor};

struct Size;

impl Visitor for Size {
    type Output = usize;

    fn visit<A: Aggregate>(self, aggregate: A) -> usize {
        assert_eq!(aggregate.heap_bytes(&aggregate.init()), 0);
        size_of::<A::State>()
    }
}

#[test]
fn states_of_numbers_are_small_and_empty_ones_take_nothing_on_the_heap() {
    for (component, scalar, bytes) in [
        (Component::Count, ScalarType::Int64, 8),
        (Component::Sum, ScalarType::Int64, 24),
        (Component::Sum, ScalarType::Float64, 32),
        (Component::Moments, ScalarType::Int64, 48),
        (Component::Moments, ScalarType::Float64, 72),
        (Component::Min, ScalarType::Float64, 8),
        (Component::Max, ScalarType::Int64, 16),
        (Component::Max, ScalarType::Int32, 8),
        (Component::Min, ScalarType::String, 16),
        (Component::Last { n: 1 }, ScalarType::Float64, 48),
        (Component::First { n: 3 }, ScalarType::Float64, 24),
        (Component::Distinct, ScalarType::Float64, 32),
        (Component::Tally, ScalarType::Float64, 32),
        (Component::Registers, ScalarType::Float64, 24),
        (Component::Sketch, ScalarType::Float64, 48),
    ] {
        let input = Some(DataType::Scalar(scalar));
        assert_eq!(component.visit(input, Size).unwrap(), bytes, "{component}");
    }
}
