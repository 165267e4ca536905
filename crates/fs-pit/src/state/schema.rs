//! [`Schema`]: which columns the events of a part have, and what is kept of them.

use fs_core::{DataType, PointInTime, ScalarType, Span};

use crate::Rule;
use crate::aggregate::bytes::{array, broken, byte, length, put_count, put_word, word};
use crate::aggregate::{Component, hash};
use crate::windows::plan::WindowPlan;

use crate::Error;

/// What the events and the aggregates of one part are of: those of the plan with which it was made.
///
/// ```text
///   8          fingerprint of the plan
///   1          1: known_at, 2: the published events have their created times and sequences
///   count      delay, in microseconds
///   count      number of filters, then 4 bytes each that tell it from others
///   count      number of inputs, then 4 bytes each, and one for the type
///   count      number of lanes, then 4 bytes each
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schema {
    pub(super) fingerprint: u64,
    pub(super) rule: Rule,
    /// Whether some lane looks at the order of rows, for which published events keep their created times and
    /// sequences. Pushed events always do, because they are told apart by them.
    pub(super) ranked: bool,
    pub(super) filters: Vec<u32>,
    pub(super) inputs: Vec<StoredInput>,
    pub(super) lanes: Vec<u32>,
}

/// An input column of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredInput {
    /// A hash of its name and type.
    pub(super) id: u32,
    pub(super) data_type: DataType,
}

const KNOWN_AT: u8 = 1;
const RANKED: u8 = 2;

/// The types of inputs by number, which is frozen. All arrays are one: only their rows are counted.
const SCALARS: [ScalarType; 8] = [
    ScalarType::Bool,
    ScalarType::Int32,
    ScalarType::Int64,
    ScalarType::Float32,
    ScalarType::Float64,
    ScalarType::String,
    ScalarType::Bytes,
    ScalarType::Timestamp,
];
const ARRAY: u8 = 255;

impl Schema {
    pub(super) fn of(plan: &WindowPlan) -> Self {
        let inputs = plan.inputs().iter().map(|input| StoredInput {
            id: id(&format!("{}: {}", input.name, input.data_type)),
            data_type: input.data_type,
        });
        let lanes = (0..plan.lanes().len()).filter_map(|lane| plan.lane_fingerprint(lane));
        let in_order =
            |component| matches!(component, Component::First { .. } | Component::Last { .. });
        Self {
            fingerprint: plan.fingerprint(),
            rule: plan.rule(),
            ranked: plan.lanes().iter().any(|lane| in_order(lane.component)),
            filters: plan.filters().iter().map(|filter| id(filter)).collect(),
            inputs: inputs.collect(),
            lanes: lanes.map(low).collect(),
        }
    }

    pub(super) const fn is_known_at(&self) -> bool {
        matches!(self.rule.point_in_time, PointInTime::KnownAt)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        put_word(self.fingerprint, out);
        let known_at = if self.is_known_at() { KNOWN_AT } else { 0 };
        out.push(known_at | if self.ranked { RANKED } else { 0 });
        put_count(self.rule.delay.as_micros().cast_unsigned(), out);
        put_count(self.filters.len() as u64, out);
        for filter in &self.filters {
            out.extend_from_slice(&filter.to_le_bytes());
        }
        put_count(self.inputs.len() as u64, out);
        for input in &self.inputs {
            out.extend_from_slice(&input.id.to_le_bytes());
            out.push(number_of(input.data_type));
        }
        put_count(self.lanes.len() as u64, out);
        for lane in &self.lanes {
            out.extend_from_slice(&lane.to_le_bytes());
        }
    }

    /// The fingerprint of the schema that `bytes` begin with.
    pub(super) fn fingerprint_of(mut bytes: &[u8]) -> Result<u64, Error> {
        word(&mut bytes)
    }

    pub(super) fn read(bytes: &mut &[u8]) -> Result<Self, Error> {
        let fingerprint = word(bytes)?;
        let flags = byte(bytes)?;
        let point_in_time = match flags & !RANKED {
            0 => PointInTime::EventTime,
            KNOWN_AT => PointInTime::KnownAt,
            _ => return Err(broken("when its events count is not known to this release")),
        };
        let delay = crate::aggregate::bytes::count(bytes)?.cast_signed();
        let delay = Span::from_micros(delay).ok_or(broken("its delay is negative"))?;
        let ids = |bytes: &mut &[u8]| -> Result<Vec<u32>, Error> {
            let count = length(bytes, 4)?;
            (0..count)
                .map(|_| array(bytes).map(u32::from_le_bytes))
                .collect()
        };
        let filters = ids(bytes)?;
        let count = length(bytes, 5)?;
        let input = |bytes: &mut &[u8]| {
            Ok(StoredInput {
                id: u32::from_le_bytes(array(bytes)?),
                data_type: data_type_of(byte(bytes)?)?,
            })
        };
        let inputs: Result<_, Error> = (0..count).map(|_| input(bytes)).collect();
        Ok(Self {
            fingerprint,
            rule: Rule {
                ttl: None,
                delay,
                point_in_time,
            },
            ranked: flags & RANKED != 0,
            filters,
            inputs: inputs?,
            lanes: ids(bytes)?,
        })
    }
}

/// What tells a column or a filter from others of the same view.
fn id(text: &str) -> u32 {
    low(hash::text(text.as_bytes()))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the other half is not kept"
)]
const fn low(hash: u64) -> u32 {
    hash as u32
}

fn number_of(data_type: DataType) -> u8 {
    let DataType::Scalar(scalar) = data_type else {
        return ARRAY;
    };
    let number = SCALARS.iter().position(|known| *known == scalar);
    number.and_then(|at| u8::try_from(at).ok()).unwrap_or(ARRAY)
}

fn data_type_of(number: u8) -> Result<DataType, Error> {
    if number == ARRAY {
        return Ok(DataType::Array(ScalarType::Bool));
    }
    let scalar = SCALARS.get(usize::from(number)).copied();
    scalar
        .map(DataType::Scalar)
        .ok_or(broken("an input is of no type that this release knows"))
}
