//! Which features stored rows have no values of, told from the files.

use std::collections::HashMap;

use arrow::array::Array;
use deltalake::kernel::LogicalFileView;
use fs_core::{EventTime, TimeRange};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::Value;

use crate::data_file::{DataFile, PushedRows};
use crate::rewrite::reading;
use crate::table::Table;
use crate::{Error, OfflineStore, TableSchema, plans};

/// Features that could get values, and which rows of the table could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// The features.
    pub features: Vec<String>,
    /// The event times between which the rows lie.
    pub window: TimeRange,
}

impl OfflineStore {
    /// What a backfill of `features` is about: the event times of all rows that were not pushed. With
    /// no features named: those of which some file has no value at all, and the event times of these
    /// files. `None` where that is nothing.
    ///
    /// ```text
    ///   file   event times        clicks       score
    ///   A      10:00 .. 10:59     3, 4, 5      no such column
    ///   B      11:00 .. 11:59     6, 7         null, null
    ///   C      12:00 .. 12:59     8, 9         0.5, null          lacking: score, [10:00, 12:00)
    /// ```
    /// Reads the log and, of lists and of columns that a file does not have, the file. A feature whose source has no values either is lacking for ever.
    pub async fn lacking(
        &self,
        schema: &TableSchema,
        features: &[String],
    ) -> Result<Option<Lacking>, Error> {
        let Some(table) = Table::open(self, schema.folder(), None).await? else {
            return Ok(None);
        };
        let views = table.snapshot.try_log_data();
        let views = views.map_err(table.error("read the log of"))?;
        let mut lacking: Vec<String> = features.to_vec();
        let mut bounds: Option<(i64, i64)> = None;
        for view in views.iter() {
            let file = DataFile::of(&view);
            if file.rows == 0 || file.pushed() == PushedRows::All {
                continue;
            }
            if features.is_empty() {
                let empty = self.without_values(schema, &table, &view, &file).await?;
                if empty.is_empty() {
                    continue;
                }
                lacking.extend(empty);
            }
            let (min, max) = bounds.unwrap_or((file.event.min, file.event.max));
            bounds = Some((min.min(file.event.min), max.max(file.event.max)));
        }
        let in_order = schema.feature_names().map(str::to_owned);
        let features = in_order.filter(|name| lacking.contains(name)).collect();
        Ok(bounds.map(|(min, max)| Lacking {
            features,
            window: closed(min, max),
        }))
    }
}

impl OfflineStore {
    /// The features of which `file` has no value.
    async fn without_values(
        &self,
        schema: &TableSchema,
        table: &Table,
        view: &LogicalFileView,
        file: &DataFile,
    ) -> Result<Vec<String>, Error> {
        let nulls = Nulls::of(view.stats().as_deref());
        let mut empty = Vec::new();
        for name in schema.feature_names() {
            let is_empty = match nulls.are_all(name) {
                Some(known) => known,
                None => !self.has_value(schema, table, file, name).await?,
            };
            if is_empty {
                empty.push(name.to_owned());
            }
        }
        Ok(empty)
    }

    /// Reads the column until there is a value; Delta keeps no statistics of lists.
    async fn has_value(
        &self,
        schema: &TableSchema,
        table: &Table,
        file: &DataFile,
        column: &str,
    ) -> Result<bool, Error> {
        let failed = |error| reading(schema.view(), error);
        let column = schema.columns().index_of(column);
        let column = [column.map_err(|error| failed(error.into()))?];
        let files = std::slice::from_ref(file);
        let plan = plans::files(&table.log, schema.columns(), files, Some(&column), &[]);
        let context = plans::context(self, &table.log);
        let rows = plan.and_then(|plan| plans::stream(plan, &context));
        let mut rows = rows.map_err(failed)?;
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(failed)?;
            if batch
                .columns()
                .iter()
                .any(|column| column.null_count() < column.len())
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The range whose first instant is `min` and whose last is `max`.
fn closed(min: i64, max: i64) -> TimeRange {
    let end = EventTime::from_micros(max.saturating_add(1));
    // A file without statistics may hold anything.
    TimeRange::new(EventTime::from_micros(min), end).unwrap_or(TimeRange::until(end))
}

/// How many values of each column of a file are null.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Nulls {
    num_records: u64,
    null_count: HashMap<String, Value>,
}

impl Nulls {
    fn of(stats: Option<&str>) -> Self {
        let stats = stats.and_then(|text| serde_json::from_str(text).ok());
        stats.unwrap_or_default()
    }

    /// Whether `column` has no value; `None` where there are no statistics of it, as where the file
    /// has no such column.
    fn are_all(&self, column: &str) -> Option<bool> {
        let nulls = self.null_count.get(column)?.as_u64()?;
        Some(nulls == self.num_records)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, ListArray, RecordBatch};
    use arrow::datatypes::{Field, Float64Type, Schema};
    use fs_core::KeyType;

    use super::*;
    use crate::Replacement;
    use crate::fixture::{Shop, at, batch, row, schema_with, stream, window};

    fn wider() -> TableSchema {
        let features = [
            ("clicks", "int64"),
            ("score", "float64"),
            ("list", "array<float64>"),
        ];
        schema_with(KeyType::String, &features)
    }

    /// Rows with a score and a list.
    fn scored(event: i64, score: Option<f64>, list: Option<f64>) -> RecordBatch {
        let rows = batch(&[row("7", event, 1)]);
        let score: ArrayRef = Arc::new(Float64Array::from(vec![score]));
        let list = list.map(|value| vec![Some(value)]);
        let list = ListArray::from_iter_primitive::<Float64Type, _, _>([list]);
        let wider = wider();
        let list = arrow::compute::cast(
            &list,
            wider.columns().field_with_name("list").unwrap().data_type(),
        );
        let mut fields: Vec<Field> = rows
            .schema()
            .fields()
            .iter()
            .map(|field| field.as_ref().clone())
            .collect();
        fields.extend(
            ["score", "list"].map(|name| wider.columns().field_with_name(name).unwrap().clone()),
        );
        let columns = rows
            .columns()
            .iter()
            .cloned()
            .chain([score, list.unwrap()])
            .collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    #[tokio::test]
    async fn features_without_a_value_in_some_file_are_found_and_where_their_rows_lie() {
        let shop = Shop::new();
        assert_eq!(shop.store.lacking(&wider(), &[]).await.unwrap(), None);
        let rows = [row("7", 3_000, 1), row("8", 5_000, 2)];
        shop.replace(window(0, 10_000), &rows, None).await.unwrap();
        for (start, rows) in [
            (10_000, scored(12_000, None, Some(0.5))),
            (20_000, scored(22_000, Some(0.5), Some(0.5))),
        ] {
            let rows = stream(vec![Ok(rows)]);
            let replacement = Replacement::of(window(start, start + 10_000), rows);
            shop.store
                .replace_window(&wider(), replacement)
                .await
                .unwrap();
        }
        let found = shop.store.lacking(&wider(), &[]).await.unwrap().unwrap();
        assert_eq!(found.features, ["score", "list"]);
        assert_eq!(found.window.start(), Some(at(3_000)));
        assert!(found.window.contains(at(12_000)) && !found.window.contains(at(22_000)));
        let named = shop.store.lacking(&wider(), &["clicks".to_owned()]).await;
        let named = named.unwrap().unwrap();
        assert_eq!(named.features, ["clicks"]);
        assert!(named.window.contains(at(3_000)) && named.window.contains(at(22_000)));
    }
}
