//! The columns of an answer, whichever way they are written.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use fs_core::{EventTime, KeyType, ViewName};
use fs_online::Cell;
use fs_serving::{FeatureVectors, KeyColumn, Status, VectorColumn, ViewRows};

use crate::feast::entities::Entities;

/// What is answered, and what it is answered to.
#[derive(Debug, Clone, Copy)]
pub(in crate::feast) struct Answer<'a> {
    pub(in crate::feast) entities: &'a Entities,
    pub(in crate::feast) vectors: &'a FeatureVectors,
    /// Whether the versions of the views are told.
    pub(in crate::feast) with_versions: bool,
}

/// What was written of each view that was met, for its next column.
#[derive(Debug, Default)]
pub(super) struct Written<'a>(Vec<(Option<ViewRows<'a>>, Vec<u8>)>);

impl<'a> Written<'a> {
    /// What was written of `view`; or else what `write` makes of it, which is kept.
    pub(super) fn of(
        &mut self,
        view: Option<ViewRows<'a>>,
        write: impl FnOnce() -> Vec<u8>,
    ) -> &[u8] {
        let same = |(known, _): &(Option<ViewRows<'a>>, Vec<u8>)| match (known, &view) {
            (None, None) => true,
            (Some(known), Some(view)) => known.is_same(view),
            _ => false,
        };
        let place = self.0.iter().position(same).unwrap_or_else(|| {
            self.0.push((view, write()));
            self.0.len() - 1
        });
        &self.0[place].1
    }
}

/// One column: a join key or a feature.
pub(super) enum Column<'a> {
    Key {
        key: &'a KeyColumn,
        values: &'a ArrayRef,
    },
    Feature {
        column: VectorColumn<'a>,
        /// Whether its one row is that of every entity.
        global: bool,
    },
}

impl<'a> Answer<'a> {
    pub(super) const fn rows(&self) -> usize {
        self.entities.rows
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = Column<'a>> + use<'a> {
        let keys = self
            .vectors
            .plan()
            .key_columns()
            .iter()
            .zip(&self.entities.keys);
        let keys = keys.map(|(key, values)| Column::Key { key, values });
        let global = self.vectors.rows() < self.rows();
        let features = self.vectors.columns();
        keys.chain(features.map(move |column| Column::Feature { column, global }))
    }

    /// The views that were asked for, under the labels that they have there, and the version of their
    /// definitions; none unless they are to be told.
    pub(super) fn versions(&self) -> impl Iterator<Item = (&'a ViewName, i32)> + use<'a> {
        let version = i32::try_from(self.vectors.plan().version()).unwrap_or(i32::MAX);
        let with_versions = self.with_versions;
        let views = self.vectors.views().filter(move |_| with_versions);
        views.map(move |view| (view.label(), version))
    }
}

impl<'a> Column<'a> {
    pub(super) fn name(&self) -> &'a str {
        match self {
            Self::Key { key, .. } => &key.name,
            Self::Feature { column, .. } => column.name(),
        }
    }

    /// The rows that say when the values were true; none for a join key.
    pub(super) fn view(&self) -> Option<ViewRows<'a>> {
        match self {
            Self::Key { .. } => None,
            Self::Feature { column, .. } => Some(column.view()),
        }
    }

    pub(super) fn all_present(&self) -> bool {
        match self {
            Self::Key { values, .. } => values.null_count() == 0,
            Self::Feature { column, .. } => column.all_present(),
        }
    }

    pub(super) fn status(&self, row: usize) -> Status {
        match self {
            Self::Key { values, .. } if values.is_null(row) => Status::NullValue,
            Self::Key { .. } => Status::Present,
            Self::Feature { column, global } => column.status(place(row, *global)),
        }
    }

    pub(super) fn cell(&self, row: usize) -> Option<Cell<'a>> {
        match self {
            Self::Key { key, values } => key_cell(key.key_type, values, row),
            Self::Feature { column, global } => column.cell(place(row, *global)),
        }
    }

    /// Microseconds; 0 where there is no row to have a time.
    pub(super) fn micros(&self, row: usize) -> i64 {
        match self {
            Self::Key { .. } => 0,
            Self::Feature { column, global } => column
                .event_time(place(row, *global))
                .map_or(0, EventTime::as_micros),
        }
    }
}

/// Where the values of a row are.
const fn place(row: usize, global: bool) -> usize {
    if global { 0 } else { row }
}

fn key_cell(key_type: KeyType, values: &ArrayRef, row: usize) -> Option<Cell<'_>> {
    if values.is_null(row) {
        return None;
    }
    Some(match key_type {
        KeyType::Bool => Cell::Bool(values.as_boolean().value(row)),
        KeyType::Int32 => Cell::Int32(values.as_primitive::<Int32Type>().value(row)),
        KeyType::Int64 => Cell::Int64(values.as_primitive::<Int64Type>().value(row)),
        KeyType::String => Cell::String(values.as_string::<i32>().value(row)),
        KeyType::Bytes => Cell::Bytes(values.as_binary::<i32>().value(row)),
        KeyType::Timestamp => {
            let micros = values.as_primitive::<TimestampMicrosecondType>();
            Cell::Timestamp(micros.value(row))
        }
    })
}
