//! [`DeltaFile`]: one data file of a Delta table, as its log names it.

use std::collections::HashMap;
use std::sync::Arc;

use deltalake::kernel::{Add, LogicalFileView};
use deltalake::{DeltaTable, DeltaTableError};
use fs_core::Source;
use futures::TryStreamExt;
use object_store::path::Path;

use crate::bounds::column;
use crate::convert::is_instant;
use crate::error::BoxError;
use crate::event_times::{Known, at, column_in_files, of_file, of_log, of_rows};
use crate::files::Files;
use crate::in_order;
use crate::parquet_table::ParquetTable;
use crate::tables::Tables;

/// One data file of a Delta table.
#[derive(Debug, Clone)]
pub(crate) struct DeltaFile {
    /// Below the root of the table.
    pub path: String,
    statistics: Option<String>,
    partition_values: HashMap<String, Option<String>>,
}

impl DeltaFile {
    /// The files of the table at the version that is loaded.
    pub(crate) async fn all(table: &DeltaTable) -> Result<Vec<Self>, DeltaTableError> {
        table
            .get_active_add_actions_by_predicate(None)
            .map_ok(|file| Self::of_view(&file))
            .try_collect()
            .await
    }

    fn of_view(file: &LogicalFileView) -> Self {
        Self {
            path: file.path().into_owned(),
            statistics: file.stats(),
            partition_values: file.partition_values_map(),
        }
    }

    pub(crate) fn of_add(add: &Add) -> Self {
        Self {
            path: add.path.clone(),
            statistics: add.stats.clone(),
            partition_values: add.partition_values.clone(),
        }
    }

    /// A file of which nothing but the path is known.
    pub(crate) fn at(path: String) -> Self {
        Self {
            path,
            statistics: None,
            partition_values: HashMap::new(),
        }
    }

    /// The event times of its rows, as the log says.
    pub(crate) fn logged(&self, table: &DeltaTable, column: &str) -> Known {
        let holds_instants = table.snapshot().is_ok_and(|state| {
            let schema = state.snapshot().arrow_schema();
            let field = schema.field_with_name(column);
            field.is_ok_and(|field| is_instant(field.data_type()))
        });
        if !holds_instants {
            // The least text need not be the earliest time.
            return Known::Nothing;
        }
        of_log(column, self.statistics.as_deref(), &self.partition_values)
    }

    /// The event times of its row groups, as its footer says.
    pub(crate) async fn footer(
        &self,
        table: &DeltaTable,
        column: &str,
    ) -> Result<Vec<Known>, BoxError> {
        of_file(column, table.object_store().as_ref(), &self.location()).await
    }

    /// The event times of its rows, which are read if its footer does not say.
    pub(crate) async fn times(
        &self,
        table: &DeltaTable,
        tables: &Tables,
        source: &Source,
    ) -> Result<Vec<Known>, BoxError> {
        let name = column_in_files(source);
        let known = self.footer(table, name).await?;
        if !known.contains(&Known::Nothing) {
            return Ok(known);
        }
        let session = tables.session();
        table.update_datafusion_session(&session.state())?;
        let store = table.object_store();
        let files = Files {
            list: vec![at(store.as_ref(), &self.location()).await?],
            store_url: table.log_store().object_store_url(),
            store,
        };
        let file = ParquetTable::open(&source.name, files, &tables.shared.runtime).await?;
        let rows = session.read_table(Arc::new(file))?.select([column(name)])?;
        Ok(vec![of_rows(in_order::run(rows).await?).await?])
    }

    fn location(&self) -> Path {
        Path::parse(&self.path).unwrap_or_else(|_encoded| Path::from(self.path.as_str()))
    }

    /// The file as people would write it.
    pub(crate) fn display(&self, table: &DeltaTable) -> String {
        let root = table.table_url().as_str();
        format!("{}/{}", root.trim_end_matches('/'), self.path)
    }
}
