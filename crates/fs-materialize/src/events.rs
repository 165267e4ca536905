//! Rows of a windowed view as events: the columns that its aggregations read, and which events its filters
//! let through.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::datatypes::{Int64Type, Schema, TimestampMicrosecondType};
use fs_core::{Catalog, FeatureView};
use fs_engine::WindowFilters;
use fs_offline::TableSchema;
use fs_pit::state::StateEvents;
use fs_pit::windows::{Events, WindowPlan};
use fs_pit::{FeatureRows, Rule};

use crate::Error;

/// What makes events of the rows of one windowed view.
#[derive(Debug, Clone)]
pub(crate) struct EventReader {
    plan: Arc<WindowPlan>,
    filters: WindowFilters,
    keys: usize,
    /// Where the inputs of the plan are among the columns of a row.
    inputs: Vec<usize>,
    /// How many columns a row has, its number left out.
    width: usize,
}

/// A batch of events.
#[derive(Debug)]
pub(crate) struct EventBatch {
    rows: RecordBatch,
    keys: usize,
    sequence: Int64Array,
    inputs: Vec<ArrayRef>,
    filters: Vec<BooleanArray>,
}

impl EventReader {
    /// What reads the rows of `view`; `None` if it has no windows.
    pub(crate) fn of(
        catalog: &Catalog,
        view: &FeatureView,
        schema: &TableSchema,
    ) -> Result<Option<Self>, Error> {
        let plan = view.windows.as_ref();
        let plan = plan.map(|windows| WindowPlan::new(windows, Rule::of(view)));
        let plan = plan.transpose().map_err(|source| Error::Windows {
            view: view.name.clone(),
            source,
        })?;
        let Some(plan) = plan.map(Arc::new) else {
            return Ok(None);
        };
        let columns = schema.columns();
        let width = columns.fields().len() - 1;
        let row = Arc::new(Schema::new(columns.fields()[..width].to_vec()));
        let filters = plan.filters().iter().map(String::as_str);
        let filters = WindowFilters::new(view.name.as_str(), filters, &row);
        let filters = filters.map_err(|source| Error::of_filters(view, source))?;
        let inputs = plan.inputs().iter();
        let inputs = inputs.filter_map(|input| row.index_of(input.name.as_str()).ok());
        Ok(Some(Self {
            filters,
            keys: catalog.join_keys(view).count(),
            inputs: inputs.collect(),
            width,
            plan,
        }))
    }

    /// What is kept of the events, and made of them.
    pub(crate) const fn plan(&self) -> &Arc<WindowPlan> {
        &self.plan
    }

    /// The events in rows of the offline table, all of whose columns are there.
    pub(crate) fn of_table(&self, batch: &RecordBatch) -> Result<EventBatch, fs_engine::Error> {
        let sequence = batch.column(self.width).as_primitive::<Int64Type>().clone();
        let columns = batch.columns()[..self.width].to_vec();
        let fields = batch.schema().fields()[..self.width].to_vec();
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns);
        let rows = rows.map_err(|cause| {
            fs_engine::Error::of_query("the offline table".to_owned(), cause.into())
        })?;
        self.of_rows(rows, sequence)
    }

    /// The events in rows that have no numbers, with these.
    pub(crate) fn of_rows(
        &self,
        rows: RecordBatch,
        sequence: Int64Array,
    ) -> Result<EventBatch, fs_engine::Error> {
        let inputs = self.inputs.iter().map(|at| Arc::clone(rows.column(*at)));
        Ok(EventBatch {
            filters: self.filters.columns(&rows)?,
            inputs: inputs.collect(),
            keys: self.keys,
            sequence,
            rows,
        })
    }
}

impl EventBatch {
    /// The events, as states take them.
    pub(crate) fn events(&self, plan: &WindowPlan) -> Result<StateEvents<'_>, fs_pit::Error> {
        let columns = self.rows.columns();
        let rows = FeatureRows {
            keys: &columns[..self.keys],
            event: columns[self.keys].as_primitive::<TimestampMicrosecondType>(),
            created: Some(columns[self.keys + 1].as_primitive::<TimestampMicrosecondType>()),
            sequence: Some(&self.sequence),
        };
        let events = Events {
            rows,
            inputs: &self.inputs,
            filters: &self.filters,
        };
        StateEvents::new(plan, events)
    }
}
