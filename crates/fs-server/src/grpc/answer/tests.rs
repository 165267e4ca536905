//! The bytes are those that prost writes of the same answer: any values, any statuses, any length.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array,
    ListArray, StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::Field;
use fs_core::data_type::UTC;
use fs_core::{
    Catalog, DataType, EventTime, FeatureRequest, FixedClock, KeyValue, Naming, ScalarType,
};
use fs_online::key::encode_key;
use fs_online::{MemoryStore, OnlineStore, RowEncoder, RowLayout, RowOrder, RowWrite, ViewId};
use fs_proto::v1::column::Values as WireValues;
use fs_proto::v1::{
    Column as WireColumn, FeatureColumn, GetOnlineFeaturesResponse, Timestamps, ViewEventTimes,
};
use fs_serving::{EntityColumns, Serving, Status};
use fs_testkit::catalog;
use proptest::prelude::*;
use prost::Message;

use super::values::Form;
use super::*;
use crate::wire::from_array;

const NOW: i64 = 1_000_000;
const TTL: i64 = 1_000;
const VERSION: u64 = 300;

/// The answer as structs, by way of Arrow: the naive reference.
fn response(vectors: &FeatureVectors, with_times: bool) -> GetOnlineFeaturesResponse {
    let rows = 0..vectors.rows();
    let columns = vectors.columns().map(|column| {
        let statuses = rows.clone().map(|row| column.status(row));
        let all_present = statuses.clone().all(|status| status == Status::Present);
        FeatureColumn {
            name: column.name().to_owned(),
            values: Some(from_array(column.data_type(), &column.to_arrow())),
            statuses: statuses
                .filter(|_| !all_present)
                .map(Status::number)
                .collect(),
        }
    });
    let event_times = vectors.views().filter(|_| with_times).map(|view| {
        let times = rows.clone().map(|row| view.event_time(row));
        let micros = times
            .clone()
            .map(|time| time.map_or(0, EventTime::as_micros));
        let nulls: Vec<u8> = times.map(|time| u8::from(time.is_none())).collect();
        ViewEventTimes {
            view: view.label().to_string(),
            event_times: Some(WireColumn {
                values: Some(WireValues::Timestamps(Timestamps {
                    micros: micros.collect(),
                })),
                nulls: if nulls.contains(&1) {
                    nulls.into()
                } else {
                    Bytes::new()
                },
            }),
        }
    });
    GetOnlineFeaturesResponse {
        registry_version: vectors.plan().version(),
        row_count: u32::try_from(vectors.rows()).unwrap(),
        columns: columns.collect(),
        event_times: event_times.collect(),
    }
}

/// Two views of `user`, one of them with a ttl, each with a feature of every type.
fn definitions() -> Catalog {
    let features = |view| {
        ScalarType::ALL.iter().map(|scalar| scalar.as_str()).fold(
            view,
            |view: catalog::ViewBuilder, scalar| {
                view.feature(&format!("{scalar}_one"), scalar)
                    .feature(&format!("{scalar}_list"), &format!("array<{scalar}>"))
            },
        )
    };
    let view = |name| features(catalog::view(name).entity("user").source("source"));
    catalog::project("types")
        .entity(catalog::entity("user").key("user", "int64"))
        .source(catalog::source("source"))
        .view(view("lasting"))
        .view(view("fleeting").ttl("1ms"))
        .service(catalog::service("all").all("lasting").all("fleeting"))
        .build()
}

/// A value for every seed, and none for every fourth one.
fn scalars(scalar: ScalarType, seeds: &[u64]) -> ArrayRef {
    let seeds = || seeds.iter().map(|seed| (seed % 4 != 0).then_some(seed / 4));
    // Short and long ones.
    let signed = |seed: u64| (seed >> (seed % 64)).cast_signed();
    let text = |seed: u64| "é".repeat(usize::try_from(seed % 90).unwrap());
    let bits = |seed: u64| u32::try_from(seed >> 32).unwrap();
    match scalar {
        ScalarType::Bool => {
            let values = seeds().map(|seed| seed.map(|seed| seed % 2 == 1));
            Arc::new(values.collect::<BooleanArray>())
        }
        ScalarType::Int32 => {
            let value = |seed| i32::try_from(signed(seed) >> 32).unwrap_or(-1);
            let values = seeds().map(|seed| seed.map(value));
            Arc::new(values.collect::<Int32Array>())
        }
        ScalarType::Int64 => {
            let values = seeds().map(|seed| seed.map(|seed| signed(seed).wrapping_neg()));
            Arc::new(values.collect::<Int64Array>())
        }
        ScalarType::Float32 => {
            let values = seeds().map(|seed| seed.map(|seed| f32::from_bits(bits(seed))));
            Arc::new(values.collect::<Float32Array>())
        }
        ScalarType::Float64 => {
            let values = seeds().map(|seed| seed.map(f64::from_bits));
            Arc::new(values.collect::<Float64Array>())
        }
        ScalarType::String => {
            let values = seeds().map(|seed| seed.map(text));
            Arc::new(values.collect::<StringArray>())
        }
        ScalarType::Bytes => {
            let values = seeds().map(|seed| seed.map(|seed| text(seed).into_bytes()));
            Arc::new(values.collect::<BinaryArray>())
        }
        ScalarType::Timestamp => {
            let times = seeds().map(|seed| seed.map(signed));
            let times = times.collect::<TimestampMicrosecondArray>();
            Arc::new(times.with_timezone(UTC))
        }
    }
}

fn values(data_type: DataType, seeds: &[u64]) -> ArrayRef {
    let item = match data_type {
        DataType::Scalar(scalar) => return scalars(scalar, seeds),
        DataType::Array(item) => item,
    };
    let lengths = seeds.iter().map(|seed| match seed % 4 {
        0 => 0,
        _ => usize::try_from(seed % 5).unwrap(),
    });
    let items = seeds.iter().zip(lengths.clone()).flat_map(|(seed, count)| {
        (0..count as u64).map(move |item| seed.wrapping_mul(2 * item + 3))
    });
    let items = scalars(item, &items.collect::<Vec<_>>());
    let field = Field::new_list_field(items.data_type().clone(), true);
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls: NullBuffer = seeds.iter().map(|seed| seed % 4 != 0).collect();
    Arc::new(ListArray::new(Arc::new(field), offsets, items, Some(nulls)))
}

/// What becomes of the row of a user in a view.
fn event(seed: u64) -> Option<i64> {
    match seed % 4 {
        0 => None,
        1 => Some(NOW - TTL - 1),
        2 => Some(NOW + 1),
        _ => Some(NOW),
    }
}

/// What serves `users` users, all of whose rows and values follow from `seed`; with `whole` all of
/// them are there.
struct World {
    runtime: tokio::runtime::Runtime,
    catalog: Catalog,
    serving: Serving,
}

fn world(users: usize, seed: u64, whole: bool) -> World {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let catalog = definitions();
    let store = runtime.block_on(async {
        let store = Arc::new(MemoryStore::new());
        for view in catalog.feature_views.values() {
            let layout = RowLayout::of_view(view);
            let id = ViewId::new(catalog.project.clone(), view.name.clone());
            store.prepare(&id, &layout).await.unwrap();
            let mix = |user: usize, salt: usize| {
                let mixed =
                    (seed ^ (user * 1_000 + salt) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mixed = mixed ^ (mixed >> 29);
                if whole { mixed | 3 } else { mixed }
            };
            let users: Vec<(usize, i64)> = (0..users)
                .filter_map(|user| Some((user, event(mix(user, view.name.as_str().len()))?)))
                .collect();
            let columns: Vec<ArrayRef> = layout
                .features()
                .iter()
                .enumerate()
                .map(|(feature, (_, data_type))| {
                    let seeds = users.iter().map(|(user, _)| mix(*user, 10 + feature));
                    values(*data_type, &seeds.collect::<Vec<_>>())
                })
                .collect();
            let orders: Vec<RowOrder> = users
                .iter()
                .map(|(_, event)| RowOrder {
                    event: EventTime::from_micros(*event),
                    created: None,
                    sequence: 0,
                })
                .collect();
            let rows = RowEncoder::new(&layout).encode(&columns, &orders).unwrap();
            let writes = users.iter().zip(rows).map(|((user, _), row)| {
                RowWrite::newest(
                    encode_key(&[KeyValue::Int64(i64::try_from(*user).unwrap())]),
                    row,
                )
            });
            store.write(&id, writes.collect(), None).await.unwrap();
        }
        store
    });
    let clock = Arc::new(FixedClock::at(EventTime::from_micros(NOW)));
    World {
        runtime,
        catalog,
        serving: Serving::new(store, clock),
    }
}

impl World {
    fn vectors(&self, request: &FeatureRequest, users: Vec<i64>) -> FeatureVectors {
        let plan = self
            .serving
            .plan(&self.catalog, VERSION, request, Naming::Full)
            .unwrap();
        let keys: ArrayRef = Arc::new(Int64Array::from(users));
        let entities = EntityColumns::new(vec![("user".to_owned(), keys)]).unwrap();
        let vectors = self.serving.get(&plan, &entities);
        self.runtime.block_on(vectors).unwrap()
    }
}

/// The vectors of all users of such a world.
fn vectors(users: usize, seed: u64, whole: bool) -> FeatureVectors {
    let request = FeatureRequest::Service("all".parse().unwrap());
    world(users, seed, whole).vectors(&request, (0_i64..).take(users).collect())
}

fn written(vectors: FeatureVectors, with_times: bool) -> Bytes {
    let answer = Answer::new(vectors, with_times);
    let bytes = answer.to_bytes();
    assert_eq!(bytes.len(), answer.len());
    bytes
}

proptest! {
    #[test]
    fn an_answer_is_what_prost_makes_of_it_by_way_of_structs(
        users in prop_oneof![8 => 0..6_usize, 1 => 200..700_usize],
        seed in any::<u64>(),
        whole in any::<bool>(),
        with_times in any::<bool>(),
    ) {
        let vectors = vectors(users, seed, whole);
        let expected = response(&vectors, with_times);
        let written = written(vectors, with_times);
        prop_assert_eq!(&GetOnlineFeaturesResponse::decode(written.clone()).unwrap(), &expected);
        prop_assert_eq!(written, expected.encode_to_vec());
    }
}

#[test]
fn every_status_is_met_and_statuses_are_left_out_where_all_is_there() {
    let expected = response(&vectors(200, 7, false), false);
    let met = |status: Status| {
        let has = |column: &FeatureColumn| column.statuses.contains(&status.number());
        expected.columns.iter().any(has)
    };
    assert!(met(Status::Present) && met(Status::NullValue));
    assert!(met(Status::NotFound) && met(Status::OutsideMaxAge));

    let answer = written(vectors(3, 7, true), false);
    let answer = GetOnlineFeaturesResponse::decode(answer).unwrap();
    let all = answer
        .columns
        .iter()
        .filter(|column| column.statuses.is_empty());
    assert!(all.count() > 0);
}

#[test]
fn answers_for_one_entity_are_the_same_frame_around_their_own_values() {
    let features = definitions()
        .feature_views
        .values()
        .flat_map(|view| {
            let has_width = |data_type| {
                matches!(data_type, DataType::Scalar(scalar)
                    if matches!(Form::of(scalar), Form::Same1 | Form::Same4 | Form::Same8))
            };
            let wide = view
                .schema
                .iter()
                .filter(move |feature| has_width(feature.data_type));
            wide.map(|feature| format!("{}:{}", view.name, feature.name).parse().unwrap())
        })
        .collect();
    let request = FeatureRequest::Features(features);
    for whole in [true, false] {
        let world = world(50, 7, whole);
        let mut framed = 0;
        for user in 0..50 {
            for with_times in [false, true] {
                let vectors = world.vectors(&request, vec![user]);
                framed += usize::from(Frame::of(&vectors, with_times).is_some());
                let expected = response(&vectors, with_times).encode_to_vec();
                assert_eq!(written(vectors, with_times), expected, "user {user}");
            }
        }
        assert!(framed == 50 || !whole && framed < 50, "{framed} of 50");
    }
}

#[test]
fn an_answer_with_a_value_of_no_width_has_no_frame() {
    let vectors = vectors(1, 7, true);
    assert!(vectors.all_present());
    assert!(Frame::of(&vectors, false).is_none());
}
