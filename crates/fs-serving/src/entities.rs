//! The entities of a request, as columns, checked against what its features are looked up by.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType as ArrowType, TimeUnit};
use fs_core::KeyType;
use fs_core::suggest::did_you_mean;

use crate::{Error, Plan};

/// Entity keys, one column per join key, all of the same length.
#[derive(Debug, Clone)]
pub struct EntityColumns {
    columns: Vec<(String, ArrayRef)>,
}

impl EntityColumns {
    /// Takes columns of equal lengths and different names.
    ///
    /// No columns at all stand for one row: the global row of views without entities.
    pub fn new(columns: Vec<(String, ArrayRef)>) -> Result<Self, Error> {
        for (position, (name, values)) in columns.iter().enumerate() {
            let before = &columns[..position];
            if before.iter().any(|(other, _)| other == name) {
                return Err(Error::RepeatedColumn {
                    column: name.clone(),
                });
            }
            if let Some((first, first_values)) = before.first()
                && first_values.len() != values.len()
            {
                return Err(Error::Ragged {
                    column: name.clone(),
                    rows: values.len(),
                    first: first.clone(),
                    first_rows: first_values.len(),
                });
            }
        }
        Ok(Self { columns })
    }

    /// How many entities there are.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(1, |(_, values)| values.len())
    }

    /// The columns that `plan` looks up by, in its order. Every one must be there, and no other.
    pub(crate) fn bind(&self, plan: &Plan) -> Result<Vec<ArrayRef>, Error> {
        let wanted = plan.key_columns();
        for (name, _) in &self.columns {
            if wanted.iter().all(|key| key.name != *name) {
                let expected: Vec<String> = wanted.iter().map(|key| key.name.clone()).collect();
                let names = expected.iter().map(String::as_str);
                return Err(Error::UnknownColumn {
                    column: name.clone(),
                    nearest: did_you_mean(name, names).map(str::to_owned),
                    expected,
                });
            }
        }
        wanted
            .iter()
            .map(|key| {
                let found = self.columns.iter().find(|(name, _)| *name == key.name);
                let (_, values) = found.ok_or_else(|| Error::MissingColumn {
                    column: key.name.clone(),
                    key_type: key.key_type,
                    view: key.view.clone(),
                })?;
                if !holds(key.key_type, values.data_type()) {
                    return Err(Error::WrongType {
                        column: key.name.clone(),
                        expected: key.key_type,
                        found: values.data_type().to_string(),
                    });
                }
                Ok(values.clone())
            })
            .collect()
    }
}

/// Whether an Arrow column holds values of a key's type, whatever its encoding.
fn holds(key_type: KeyType, arrow: &ArrowType) -> bool {
    let arrow = match arrow {
        ArrowType::Dictionary(_, values) => values.as_ref(),
        plain => plain,
    };
    match key_type {
        KeyType::String => {
            matches!(
                arrow,
                ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View
            )
        }
        KeyType::Bytes => {
            matches!(
                arrow,
                ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView
            )
        }
        KeyType::Timestamp => matches!(arrow, ArrowType::Timestamp(TimeUnit::Microsecond, _)),
        KeyType::Bool | KeyType::Int32 | KeyType::Int64 => *arrow == key_type.to_arrow(),
    }
}
