//! Finding the wanted features in the rows of any layout.

use arrow::array::ArrayRef;
use fs_core::{DataType, FeatureName};

use super::cell::{Cell, check, may_be_wrong};
use super::shape::{Shape, Slot, bit, bitmap_bytes, set_bit, u32_at};
use super::to_arrow::to_arrow;
use super::{HEADER_BYTES, LAYOUT_AT, order_bytes};
use crate::{Error, RowLayout};

/// Reads some features of the rows of one view, whatever layout each row has.
///
/// ```text
///   layouts             rows                 wanted: b, c    b        c
///   1: a int64, b int64   key 1: layout 1                    value    null    c is not in layout 1
///   2: b int64, c bool    key 2: layout 2                    value    value
///                         no row                             null     null
/// ```
/// Features are found by name *and* type: a feature whose type has changed reads as null in rows of
/// before. Made once for a view and a list of features, and used for every request:
/// [`OpenRows`](super::OpenRows) reads values where they lie, [`decode`](Self::decode) makes Arrow
/// columns of them.
#[derive(Debug)]
pub struct RowDecoder {
    wanted: Vec<DataType>,
    layouts: Vec<Known>,
}

/// Beyond the end of every row.
const NOWHERE: usize = usize::MAX;

/// A layout, and where it has the wanted features.
#[derive(Debug)]
pub(super) struct Known {
    id: u32,
    shape: Shape,
    /// The wanted features, by position in the layout; none for one that it lacks.
    places: Vec<Option<usize>>,
    /// Where the values of each wanted feature begin in every row; [`NOWHERE`] if it has no width, or
    /// the layout lacks it.
    begins: Vec<usize>,
    /// One bit for each feature of the layout: 1 where it is wanted; none if it lacks a wanted one.
    mask: Option<Vec<u8>>,
    /// Those of them whose bytes may be wrong.
    doubtful: Vec<(usize, DataType)>,
}

impl RowDecoder {
    /// A decoder for the features `wanted`, in this order, in rows of any of `layouts`.
    pub fn new(layouts: &[RowLayout], wanted: &[(FeatureName, DataType)]) -> Self {
        let known = |layout: &RowLayout| Known::new(layout, wanted);
        Self {
            wanted: wanted.iter().map(|(_, data_type)| *data_type).collect(),
            layouts: layouts.iter().map(known).collect(),
        }
    }

    /// One column for each wanted feature, with one value for each row; null where there is no row.
    ///
    /// The columns have the Arrow types of the wanted features. Features that are not wanted are not
    /// looked at. Errors: a damaged row; [`Error::UnknownLayout`] for a row of a layout that was
    /// added since, after which the caller reads the layouts again.
    pub fn decode<R: AsRef<[u8]>>(&self, rows: &[Option<R>]) -> Result<Vec<ArrayRef>, Error> {
        let rows = rows.iter().map(|row| row.as_ref().map(R::as_ref));
        let rows: Vec<Option<(usize, &[u8])>> = rows
            .map(|row| row.map(|row| Ok((self.open(row)?, row))).transpose())
            .collect::<Result<_, Error>>()?;
        let column = |(wanted, data_type): (usize, &DataType)| {
            let cells = rows.iter().map(|row| {
                let (layout, row) = (*row)?;
                Cell::read(*data_type, self.layout(layout)?.value(row, wanted)?)
            });
            to_arrow(*data_type, cells)
        };
        Ok(self.wanted.iter().enumerate().map(column).collect())
    }

    /// The types of the wanted features.
    pub(super) fn wanted(&self) -> &[DataType] {
        &self.wanted
    }

    pub(super) fn layout(&self, number: usize) -> Option<&Known> {
        self.layouts.get(number)
    }

    /// Checks a row, so that every wanted feature of it can be read. Returns the number of its
    /// layout here.
    pub(super) fn open(&self, row: &[u8]) -> Result<usize, Error> {
        order_bytes(row)?;
        let id = u32_at(&row[LAYOUT_AT..HEADER_BYTES], 0).unwrap_or_default();
        let is_it = |layout: &Known| usize::try_from(layout.id) == Ok(id);
        let number = self.layouts.iter().position(is_it);
        let found = number.and_then(|number| Some((number, self.layouts.get(number)?)));
        let (number, layout) = found.ok_or_else(|| Error::UnknownLayout {
            layout: u32::try_from(id).unwrap_or_default(),
        })?;
        layout.shape.check_length(row)?;
        for (feature, data_type) in &layout.doubtful {
            if let Some(bytes) = layout.shape.value(row, *feature)? {
                check(*data_type, bytes, *feature)?;
            }
        }
        Ok(number)
    }
}

impl Known {
    fn new(layout: &RowLayout, wanted: &[(FeatureName, DataType)]) -> Self {
        let shape = Shape::of(layout);
        let place = |feature| layout.features().iter().position(|have| have == feature);
        let places: Vec<Option<usize>> = wanted.iter().map(place).collect();
        let begin = |place: &Option<usize>| match shape.slots().get((*place)?) {
            Some(Slot::Fixed { at, .. }) => Some(*at),
            _ => None,
        };
        let mut mask = Some(vec![0; bitmap_bytes(layout.features().len())]);
        for place in &places {
            match place {
                Some(feature) => mask.iter_mut().for_each(|mask| set_bit(mask, *feature)),
                None => mask = None,
            }
        }
        let doubtful = wanted
            .iter()
            .zip(&places)
            .filter(|((_, data_type), _)| may_be_wrong(*data_type))
            .filter_map(|((_, data_type), place)| Some(((*place)?, *data_type)));
        Self {
            id: layout.id(),
            doubtful: doubtful.collect(),
            begins: places
                .iter()
                .map(|it| begin(it).unwrap_or(NOWHERE))
                .collect(),
            mask,
            places,
            shape,
        }
    }

    /// Whether every wanted feature has its bit among these.
    pub(super) fn has_all(&self, bits: &[u8]) -> bool {
        let all = |mask: &Vec<u8>| {
            mask.iter()
                .zip(bits)
                .all(|(mask, bits)| bits & mask == *mask)
        };
        self.mask.as_ref().is_some_and(all)
    }

    /// One bit for each feature of the layout, in an open row.
    pub(super) fn bitmap<'a>(&self, row: &'a [u8]) -> &'a [u8] {
        row.get(HEADER_BYTES..self.shape.fixed_at)
            .unwrap_or_default()
    }

    /// Where the layout has a wanted feature.
    pub(super) fn place(&self, wanted: usize) -> Option<usize> {
        self.places.get(wanted).copied().flatten()
    }

    /// Where the values of a wanted feature with a width begin in every row.
    pub(super) fn begin(&self, wanted: usize) -> usize {
        self.begins.get(wanted).copied().unwrap_or(NOWHERE)
    }

    /// Whether an open row has a value for a wanted feature.
    pub(super) fn has(&self, row: &[u8], wanted: usize) -> bool {
        let place = self.place(wanted);
        place.is_some_and(|feature| bit(self.bitmap(row), feature))
    }

    /// The bytes of a wanted feature in an open row.
    pub(super) fn value<'a>(&self, row: &'a [u8], wanted: usize) -> Option<&'a [u8]> {
        // What could be wrong was found when the row was opened.
        self.shape.value(row, self.place(wanted)?).ok().flatten()
    }
}
