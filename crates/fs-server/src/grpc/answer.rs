//! Feature vectors as the wire has them.

use bytes::Bytes;
use fs_core::EventTime;
use fs_proto::v1::{FeatureColumn, GetOnlineFeaturesResponse, ViewEventTimes};
use fs_serving::{FeatureVectors, Status};

use crate::wire::{from_array, from_times};

pub(super) fn response(
    vectors: &FeatureVectors,
    registry_version: u64,
    with_times: bool,
) -> GetOnlineFeaturesResponse {
    let columns = vectors.columns.iter().map(|column| FeatureColumn {
        name: column.name.clone(),
        values: Some(from_array(column.data_type, &column.values)),
        statuses: statuses(&column.statuses),
    });
    let event_times = vectors
        .event_times
        .iter()
        .filter(|_| with_times)
        .map(|view| {
            let micros = view.times.iter().map(|time| time.map(EventTime::as_micros));
            ViewEventTimes {
                view: view.view.to_string(),
                event_times: Some(from_times(micros)),
            }
        });
    GetOnlineFeaturesResponse {
        registry_version,
        row_count: u32::try_from(vectors.rows).unwrap_or(u32::MAX),
        columns: columns.collect(),
        event_times: event_times.collect(),
    }
}

fn statuses(statuses: &[Status]) -> Bytes {
    if statuses.iter().all(|status| *status == Status::Present) {
        return Bytes::new();
    }
    statuses.iter().map(|status| status.number()).collect()
}

#[cfg(test)]
mod tests {
    use fs_proto::v1::FieldStatus;

    use super::*;

    #[test]
    fn statuses_have_the_numbers_of_the_proto_and_are_left_out_when_all_is_there() {
        for (ours, wire) in [
            (Status::Present, FieldStatus::Present),
            (Status::NullValue, FieldStatus::NullValue),
            (Status::NotFound, FieldStatus::NotFound),
            (Status::OutsideMaxAge, FieldStatus::OutsideMaxAge),
        ] {
            assert_eq!(i32::from(ours.number()), wire as i32);
        }
        assert!(statuses(&[Status::Present; 3]).is_empty());
        assert_eq!(
            statuses(&[Status::Present, Status::NotFound]),
            Bytes::from_static(&[1, 3])
        );
    }
}
