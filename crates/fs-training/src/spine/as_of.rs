//! A spine of every key at one instant, for whoever has none.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
use datafusion::common::{Column, ScalarValue};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::Expr;
use datafusion::prelude::{DataFrame, SessionContext, lit};
use fs_core::data_type::UTC;
use fs_core::{
    CREATED_TIMESTAMP, Catalog, EVENT_TIMESTAMP, EventTime, FeatureSet, KeyBinding, PointInTime,
    ViewSelection,
};
use fs_engine::{Engine, Query};
use fs_offline::{OfflineStore, OfflineTable, TableSchema};
use fs_pit::Rule;

use super::Origin;
use crate::{Error, Spine, Versions, versions};

impl Spine {
    /// Every key that has a row visible at `at` in a view of `features`, however old, with `at` as
    /// its time; sorted by key.
    ///
    /// ```text
    ///   weather, delay 10m             as of 10:00
    ///   origin  event                  origin  event_timestamp
    ///   JFK     09:40                  EWR     10:00            old, and there
    ///   EWR     01:00                  JFK     10:00
    ///   LGA     09:55                                           LGA is visible from 10:05
    /// ```
    ///
    /// All views must be looked up by the same columns. Views without keys have one row for all, and
    /// nothing to add here; if there are no others, the spine is one row. The tables are read at the
    /// versions that are `pinned`, or at their newest; [`tables`](Self::tables) tells which. Rows
    /// are not read here, but by whoever reads the spine, within the memory limit of `engine`.
    pub async fn as_of(
        engine: &Engine,
        offline: &OfflineStore,
        catalog: &Catalog,
        features: &FeatureSet,
        at: EventTime,
        pinned: Option<&Versions>,
    ) -> Result<Self, Error> {
        let views = keyed(features)?;
        let Some(first) = views.first() else {
            return one_row(at);
        };
        let session = engine.session();
        let mut spine = Self::new(Arc::new(arrow::datatypes::Schema::empty()), Vec::new());
        let mut all: Option<DataFrame> = None;
        for selection in &views {
            let view = &selection.view;
            let version = match spine.tables.get(&view.name) {
                Some(version) => version.clone(),
                None => versions::of_view(offline, &view.name, pinned).await?,
            };
            let schema = TableSchema::of(catalog, view);
            let table = offline.table(&schema, Some(version.version)).await;
            let table = table.map_err(|source| Error::history(&view.name, source))?;
            spine.tables.insert(view.name.clone(), version);
            let keys = keys_of(&session, table, selection, &first.keys, at);
            let keys = keys.map_err(Error::of_query)?;
            all = Some(match all {
                None => keys,
                Some(others) => others.union(keys).map_err(Error::of_query)?,
            });
        }
        if let Some(keys) = all {
            let rows = at_once(keys, &first.keys, at).map_err(Error::of_query)?;
            spine = Self::of_tables(Origin::Query(Query::of(rows)), spine.tables);
        }
        Ok(spine)
    }
}

/// The views with keys, each once; all have to have the same key columns.
fn keyed(features: &FeatureSet) -> Result<Vec<&ViewSelection>, Error> {
    let columns = |selection: &ViewSelection| {
        let keys = selection.keys.iter();
        let mut columns: Vec<String> = keys.map(|key| key.column.clone()).collect();
        columns.sort_unstable();
        columns
    };
    let mut views: Vec<&ViewSelection> = Vec::new();
    for selection in features.views.iter().filter(|view| !view.keys.is_empty()) {
        if let Some(first) = views.first()
            && columns(first) != columns(selection)
        {
            return Err(Error::DifferentKeys {
                first: first.label.clone(),
                first_keys: columns(first).join(", "),
                second: selection.label.clone(),
                second_keys: columns(selection).join(", "),
            });
        }
        let same = |seen: &&ViewSelection| {
            seen.view.name == selection.view.name && seen.keys == selection.keys
        };
        if !views.iter().any(same) {
            views.push(selection);
        }
    }
    Ok(views)
}

/// The keys of the rows of `table` that are visible at `at`, called as the spine calls `keys`.
fn keys_of(
    session: &SessionContext,
    table: OfflineTable,
    selection: &ViewSelection,
    keys: &[KeyBinding],
    at: EventTime,
) -> DataFusionResult<DataFrame> {
    let rows = session.read_table(Arc::new(table))?;
    let rows = rows.filter(visible(Rule::of(&selection.view), at))?;
    let columns = keys.iter().filter_map(|wanted| {
        let mut keys = selection.keys.iter();
        let key = keys.find(|key| key.column == wanted.column)?;
        Some(column(key.key.as_str()).alias(&wanted.column))
    });
    rows.select(columns.collect::<Vec<_>>())
}

/// Whether a row is visible at `at`, whatever its age.
fn visible(rule: Rule, at: EventTime) -> Expr {
    let at = at.as_micros();
    let (_, latest) = rule.event_range(at, at);
    let happened = column(EVENT_TIMESTAMP).lt_eq(instant(latest));
    match rule.point_in_time {
        PointInTime::EventTime => happened,
        // A null created time counts as the event time, which has passed too.
        PointInTime::KnownAt => {
            let created = || column(CREATED_TIMESTAMP);
            happened.and(created().is_null().or(created().lt_eq(instant(at))))
        }
    }
}

/// Each key once, in order, at `at`.
fn at_once(rows: DataFrame, keys: &[KeyBinding], at: EventTime) -> DataFusionResult<DataFrame> {
    let columns: Vec<Expr> = keys.iter().map(|key| column(&key.column)).collect();
    let known = columns.iter().cloned().map(Expr::is_not_null);
    let rows = match known.reduce(Expr::and) {
        Some(known) => rows.filter(known)?,
        None => rows,
    };
    let order = columns.iter().map(|key| key.clone().sort(true, false));
    let sorted = rows.distinct()?.sort(order.collect())?;
    let time = instant(at.as_micros()).alias(EVENT_TIMESTAMP);
    sorted.select(columns.into_iter().chain([time]).collect::<Vec<_>>())
}

/// The spine of views that have one row for all.
fn one_row(at: EventTime) -> Result<Spine, Error> {
    let times = TimestampMicrosecondArray::from(vec![at.as_micros()]).with_timezone(UTC);
    let row = RecordBatch::try_from_iter([(EVENT_TIMESTAMP, Arc::new(times) as ArrayRef)])?;
    Ok(Spine::new(row.schema(), vec![row]))
}

fn column(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}

fn instant(micros: i64) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(
        Some(micros),
        Some(UTC.into()),
    ))
}

#[cfg(test)]
mod tests;
