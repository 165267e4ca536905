//! Rows as they were written for ever, rows of any content, and rows that are broken.

mod golden;
mod layouts;
mod open;
mod properties;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use fs_core::{DataType, EventTime, FeatureName};

use super::*;
use crate::RowLayout;

fn feature(name: &str, data_type: &str) -> (FeatureName, DataType) {
    (name.parse().unwrap(), data_type.parse().unwrap())
}

fn order_at(event: i64) -> RowOrder {
    RowOrder {
        event: EventTime::from_micros(event),
        created: None,
        sequence: 0,
    }
}
