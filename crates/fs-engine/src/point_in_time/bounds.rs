//! What of a history can matter to a spine, as a filter that scans below can use.

use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, Column, DynamicFilterPhysicalExpr, InListExpr, lit,
};
use datafusion::physical_expr::{PhysicalExpr, conjunction};

use super::columns::{Join, Resolved};
use super::spec::PointInTimeSpec;
use super::spine::Spine;

/// The filter that a scan of history `history` is given before anything is known of the spine.
pub(super) fn dynamic_filter(
    spec: &PointInTimeSpec,
    history: usize,
    schema: &SchemaRef,
) -> Result<Arc<DynamicFilterPhysicalExpr>> {
    let mut columns: Vec<Arc<dyn PhysicalExpr>> = Vec::new();
    for join in spec.joins.iter().filter(|join| join.history == history) {
        let keys = join.keys.iter().map(|(_, key)| key);
        for name in std::iter::once(&join.event).chain(keys) {
            let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new_with_schema(name, schema)?);
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
    }
    Ok(Arc::new(DynamicFilterPhysicalExpr::new(columns, lit(true))))
}

/// A condition that every row of history `history` meets that some spine row can see.
pub(super) fn condition(
    history: usize,
    schema: &Schema,
    resolved: &Resolved,
    spine: &Spine,
) -> Result<Arc<dyn PhysicalExpr>> {
    let Some((first, last)) = spine.times else {
        return Ok(lit(false));
    };
    let joins = resolved.joins.iter();
    let joins: Vec<&Join> = joins
        .filter(|join| join.spec.history == history)
        .map(AsRef::as_ref)
        .collect();
    let mut parts = Vec::new();
    for name in distinct(joins.iter().map(|join| join.spec.event.as_str())) {
        // Rows that only one of several joins can see must get through.
        if joins.iter().all(|join| join.spec.event == name) {
            parts.extend(times(name, schema, &joins, first, last)?);
        }
    }
    parts.extend(keys(schema, &joins, spine)?);
    Ok(conjunction(parts))
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

fn times(
    name: &str,
    schema: &Schema,
    joins: &[&Join],
    first: i64,
    last: i64,
) -> Result<Vec<Arc<dyn PhysicalExpr>>> {
    let ranges: Vec<(Option<i64>, i64)> = joins
        .iter()
        .map(|join| join.spec.event_range(first, last))
        .collect();
    // No lower end for one is no lower end for all.
    let low: Option<Vec<i64>> = ranges.iter().map(|(low, _)| *low).collect();
    let low = low.and_then(|low| low.into_iter().min());
    let high = ranges.iter().map(|(_, high)| *high).max();
    let data_type = schema.field_with_name(name)?.data_type();
    let compare = |operator, micros: i64| -> Result<Arc<dyn PhysicalExpr>> {
        let micros = ScalarValue::TimestampMicrosecond(Some(micros), None).cast_to(data_type)?;
        let column = Arc::new(Column::new_with_schema(name, schema)?);
        Ok(Arc::new(BinaryExpr::new(column, operator, lit(micros))))
    };
    let low = low.map(|low| compare(Operator::GtEq, low));
    let high = high.map(|high| compare(Operator::LtEq, high));
    low.into_iter().chain(high).collect()
}

/// That each key column has one of the values in the spine, if those are few and known for all joins.
fn keys(schema: &Schema, joins: &[&Join], spine: &Spine) -> Result<Vec<Arc<dyn PhysicalExpr>>> {
    let Some(first) = joins.first() else {
        return Ok(Vec::new());
    };
    let names = |join: &Join| -> Vec<String> {
        join.spec.keys.iter().map(|(_, key)| key.clone()).collect()
    };
    let names_of_first = names(first);
    let mut lists = vec![Vec::new(); names_of_first.len()];
    for join in joins {
        let indexed = spine.indexes[join.key_set].as_ref();
        let few = indexed.and_then(|indexed| indexed.few.as_ref());
        let Some(few) = few.filter(|_| names(join) == names_of_first) else {
            return Ok(Vec::new());
        };
        for (list, keys) in lists.iter_mut().zip(few) {
            for row in 0..keys.len() {
                let value = ScalarValue::try_from_array(keys, row)?;
                if !value.is_null() && !list.contains(&value) {
                    list.push(value);
                }
            }
        }
    }
    let mut conditions: Vec<Arc<dyn PhysicalExpr>> = Vec::new();
    for (name, list) in names_of_first.iter().zip(lists) {
        let data_type = schema.field_with_name(name)?.data_type();
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new_with_schema(name, schema)?);
        let list: Result<Vec<Arc<dyn PhysicalExpr>>> = list
            .into_iter()
            .map(|value| Ok(lit(value.cast_to(data_type)?)))
            .collect();
        conditions.push(Arc::new(InListExpr::try_new(column, list?, false, schema)?));
    }
    Ok(conditions)
}
