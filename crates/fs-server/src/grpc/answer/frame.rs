//! The answer for one entity, but for its values.
//!
//! ```text
//!   registry_version  row_count   name  lengths  ........   name  lengths  ........   …
//!                                                8 bytes                   8 bytes
//! ```
//! Where every value has a width and is there, all such answers with one plan are of these same
//! bytes around other values. Most of the work for one entity is then a copy.

use bytes::{BufMut, Bytes};
use fs_core::DataType;
use fs_serving::{FeatureVectors, VectorColumn};

use super::values::Form;
use super::{Size, numbers_len, write_columns};
use crate::wire::protobuf::{Writer, delimited_len};

/// What answers for one entity have in common.
#[derive(Debug)]
pub(super) struct Frame {
    /// The answer with the values of some entity.
    bytes: Bytes,
    /// Where each value lies.
    places: Vec<Place>,
}

/// Where a value lies, which takes 1, 4 or 8 bytes.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: usize,
    width: usize,
}

impl Frame {
    /// The frame of this answer, if it has one.
    pub(super) fn of(vectors: &FeatureVectors, with_times: bool) -> Option<&Self> {
        if vectors.rows() != 1 || with_times || !vectors.all_present() {
            return None;
        }
        // Where one feature has no width, that is remembered too.
        let frame = vectors.plan().once(|| Self::around(vectors));
        frame.and_then(Option::as_ref)
    }

    /// Takes the values out of an answer whose values are all there.
    fn around(vectors: &FeatureVectors) -> Option<Self> {
        let widths: Vec<usize> = vectors.columns().map(width).collect::<Option<_>>()?;
        let sizes: Vec<Size> = vectors.columns().map(Size::of).collect();
        let mut end = numbers_len(vectors);
        let places = sizes.iter().zip(widths).map(|(size, width)| {
            // Without statuses, values are the last of a column.
            end += delimited_len(size.length);
            let at = end - width;
            Place { at, width }
        });
        let places = places.collect();
        let mut bytes = Vec::with_capacity(end);
        let mut out = Writer::new(&mut bytes, end);
        write_columns(vectors, &sizes, &mut out);
        out.finish();
        let bytes = Bytes::from(bytes);
        Some(Self { bytes, places })
    }

    /// How many bytes the answer takes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Writes the answer with other values.
    pub(super) fn write(&self, vectors: &FeatureVectors, out: &mut impl BufMut) {
        let mut bytes = self.bytes.to_vec();
        for (column, place) in vectors.columns().zip(&self.places) {
            if let Some(value) = bytes.get_mut(place.at..place.at + place.width) {
                match place.width {
                    8 => column.gather::<8>(0..1, value),
                    4 => column.gather::<4>(0..1, value),
                    _ => column.gather::<1>(0..1, value),
                }
            }
        }
        out.put_slice(&bytes);
    }
}

/// How many bytes a value takes, whatever it is.
fn width(column: VectorColumn<'_>) -> Option<usize> {
    let DataType::Scalar(scalar) = column.data_type() else {
        return None;
    };
    match Form::of(scalar) {
        Form::Same1 => Some(1),
        Form::Same4 => Some(4),
        Form::Same8 => Some(8),
        Form::Zigzag32 | Form::Zigzag64 | Form::Blob => None,
    }
}
