//! An answer as JSON text.
//!
//! ```text
//!   {"results":[{"values":[7,null],"statuses":["PRESENT","NULL_VALUE"],"event_timestamps":["2013-…Z",…]},…],
//!    "metadata":{"feature_names":["driver_id","trips"]}}
//! ```
//!
//! A float has a decimal point or an exponent, always, because clients take a number without for an
//! integer; a float that is no number is a text: `"NaN"`, `"Infinity"`, `"-Infinity"`. A `float32` is
//! written as the `float64` of the same value. Bytes are base64, a timestamp is an integer of seconds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fs_core::time::format_micros;
use fs_online::Cell;
use serde::Serialize;

use super::columns::{Column, Written};
use super::{Answer, seconds};

/// A value with its status and its time, roughly.
const BYTES_PER_VALUE: usize = 56;
const BYTES_PER_TIME: usize = 30;

impl Answer<'_> {
    /// The answer as JSON.
    pub(in crate::feast) fn json(&self) -> Vec<u8> {
        json(self)
    }
}

fn json(answer: &Answer<'_>) -> Vec<u8> {
    let (rows, columns) = (answer.rows(), answer.columns().count());
    let mut writer = Writer {
        out: Vec::with_capacity((rows * columns + columns + 1) * BYTES_PER_VALUE),
        rows,
        present: Vec::new(),
        times: Written::default(),
    };
    writer.out.extend_from_slice(b"{\"results\":[");
    writer.each(answer.columns(), |writer, column| writer.column(&column));
    writer
        .out
        .extend_from_slice(b"],\"metadata\":{\"feature_names\":[");
    let names = answer.columns().map(|column| column.name());
    writer.each(names, |writer, name| write(&mut writer.out, name));
    writer.out.push(b']');
    if answer.with_versions {
        writer
            .out
            .extend_from_slice(b",\"feature_view_metadata\":[");
        writer.each(answer.versions(), |writer, (view, version)| {
            let name = view.as_str();
            write(&mut writer.out, &Version { name, version });
        });
        writer.out.push(b']');
    }
    writer.out.extend_from_slice(b"}}");
    writer.out
}

#[derive(Debug, Serialize)]
struct Version<'a> {
    name: &'a str,
    version: i32,
}

/// The text so far, and what of it may come again.
#[derive(Debug)]
struct Writer<'a> {
    out: Vec<u8>,
    rows: usize,
    /// The statuses of a column that has all its values.
    present: Vec<u8>,
    /// The times of every view that was met.
    times: Written<'a>,
}

impl<'a> Writer<'a> {
    fn each<T>(&mut self, items: impl Iterator<Item = T>, mut one: impl FnMut(&mut Self, T)) {
        for (position, item) in items.enumerate() {
            if position > 0 {
                self.out.push(b',');
            }
            one(self, item);
        }
    }

    fn column(&mut self, column: &Column<'a>) {
        self.out.extend_from_slice(b"{\"values\":[");
        self.each(0..self.rows, |writer, row| {
            cell(&mut writer.out, column.cell(row));
        });
        self.out.extend_from_slice(b"],\"statuses\":[");
        self.statuses(column);
        self.out.extend_from_slice(b"],\"event_timestamps\":[");
        self.event_times(column);
        self.out.extend_from_slice(b"]}");
    }

    fn statuses(&mut self, column: &Column<'_>) {
        if !column.all_present() {
            self.each(0..self.rows, |writer, row| {
                writer.out.push(b'"');
                let status = column.status(row).as_str();
                writer.out.extend_from_slice(status.as_bytes());
                writer.out.push(b'"');
            });
            return;
        }
        if self.present.is_empty() {
            self.present = vec!["\"PRESENT\""; self.rows].join(",").into_bytes();
        }
        self.out.extend_from_slice(&self.present);
    }

    fn event_times(&mut self, column: &Column<'a>) {
        let rows = self.rows;
        let times = self.times.of(column.view(), || times(column, rows));
        self.out.extend_from_slice(times);
    }
}

fn times(column: &Column<'_>, rows: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows * BYTES_PER_TIME);
    let (mut last, mut text) = (0, format_micros(0));
    for row in 0..rows {
        let micros = column.micros(row);
        if micros != last {
            (last, text) = (micros, format_micros(micros));
        }
        out.extend_from_slice(if row > 0 { b",\"" } else { b"\"" });
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    }
    out
}

pub(super) fn cell(out: &mut Vec<u8>, value: Option<Cell<'_>>) {
    match value {
        None => out.extend_from_slice(b"null"),
        Some(Cell::Bool(value)) => write(out, &value),
        Some(Cell::Int32(value)) => write(out, &value),
        Some(Cell::Int64(value)) => write(out, &value),
        Some(Cell::Float32(value)) => float(out, f64::from(value)),
        Some(Cell::Float64(value)) => float(out, value),
        Some(Cell::String(text)) => write(out, text),
        Some(Cell::Timestamp(micros)) => write(out, &seconds(micros)),
        Some(Cell::Bytes(bytes)) => write(out, &STANDARD.encode(bytes)),
        Some(Cell::List(list)) => {
            out.push(b'[');
            for (position, item) in list.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                cell(out, item);
            }
            out.push(b']');
        }
    }
}

fn float(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        write(out, &value);
    } else if value.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else if value > 0.0 {
        out.extend_from_slice(b"\"Infinity\"");
    } else {
        out.extend_from_slice(b"\"-Infinity\"");
    }
}

/// What serde writes into memory, it writes.
fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).ok();
}
