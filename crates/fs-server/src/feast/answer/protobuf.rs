//! An answer as the bytes of a `feast.serving.GetOnlineFeaturesResponse`.
//!
//! ```text
//!   1 metadata   { 1 feature_names { 1 text … }, 2 feature_view_metadata { 1 name, 2 version } … }
//!   2 result …   { 1 Value …, 2 statuses, 3 Timestamp … }
//! ```

mod value;

use bytes::BufMut as _;
use fs_proto::feast::serving::{
    FeatureList, FeatureViewMetadata, GetOnlineFeaturesResponse, GetOnlineFeaturesResponseMetadata,
};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_types::Timestamp;

pub(super) use self::value::Values;
use super::Answer;
use super::columns::{Column, Written};

/// A value with its status and its time, roughly.
const BYTES_PER_VALUE: usize = 26;

impl Answer<'_> {
    /// The answer as a message.
    pub(in crate::feast) fn protobuf(&self) -> Vec<u8> {
        protobuf(self)
    }
}

fn protobuf(answer: &Answer<'_>) -> Vec<u8> {
    let (rows, columns) = (answer.rows(), answer.columns().count());
    let mut out = Vec::with_capacity((rows * columns + columns + 1) * BYTES_PER_VALUE);
    let head = GetOnlineFeaturesResponse {
        metadata: Some(metadata(answer)),
        ..GetOnlineFeaturesResponse::default()
    };
    // A buffer that grows has room for everything.
    head.encode(&mut out).ok();
    let mut vectors = Vectors::default();
    for column in answer.columns() {
        let (values, times) = vectors.encode(&column, rows);
        encode_key(2, WireType::LengthDelimited, &mut out);
        encode_varint((values.len() + times.len()) as u64, &mut out);
        out.put_slice(values);
        out.put_slice(times);
    }
    out
}

fn metadata(answer: &Answer<'_>) -> GetOnlineFeaturesResponseMetadata {
    let names = answer.columns().map(|column| column.name().to_owned());
    let views = answer
        .versions()
        .map(|(view, version)| FeatureViewMetadata {
            name: view.to_string(),
            version,
        });
    GetOnlineFeaturesResponseMetadata {
        feature_names: Some(FeatureList {
            val: names.collect(),
        }),
        feature_view_metadata: views.collect(),
    }
}

/// What encodes columns, one after the other.
#[derive(Debug, Default)]
struct Vectors<'a> {
    values: Values,
    /// The times of every view that was met.
    times: Written<'a>,
}

impl<'a> Vectors<'a> {
    /// Values and statuses of a column, and its times.
    fn encode(&mut self, column: &Column<'a>, rows: usize) -> (&[u8], &[u8]) {
        self.values.clear();
        for row in 0..rows {
            self.values.push(column.cell(row));
        }
        let out = self.values.bytes();
        encode_key(2, WireType::LengthDelimited, out);
        encode_varint(rows as u64, out);
        if column.all_present() {
            out.put_bytes(fs_serving::Status::Present.number(), rows);
        } else {
            out.extend((0..rows).map(|row| column.status(row).number()));
        }

        let times = self.times.of(column.view(), || times(column, rows));
        (self.values.bytes(), times)
    }
}

fn times(column: &Column<'_>, rows: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows * 14);
    for row in 0..rows {
        let micros = column.micros(row);
        let nanos = micros.rem_euclid(1_000_000) * 1_000;
        let time = Timestamp {
            seconds: super::seconds(micros),
            nanos: i32::try_from(nanos).unwrap_or_default(),
        };
        prost::encoding::message::encode(3, &time, &mut out);
    }
    out
}
