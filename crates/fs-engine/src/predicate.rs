//! [`Predicate`]: a condition in SQL over the columns of a row.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType as ArrowType, Schema};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNode;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Volatility;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::prelude::{Expr, SessionContext};

use crate::convert::type_name;
use crate::sql::of_plan;
use crate::tables::Shared;

/// A condition over the columns of a row.
#[derive(Debug, Clone)]
pub(crate) struct Predicate {
    expression: Arc<dyn PhysicalExpr>,
    /// The columns that it looks at.
    columns: Vec<usize>,
}

impl Predicate {
    /// Reads `sql` for rows of `schema`. The error is for people.
    ///
    /// It has to say the same of the same row whenever it is asked, and nothing of other rows: no
    /// subqueries, no aggregates, no `random()` and no `now()`.
    pub(crate) fn of(sql: &str, schema: &Schema, session: &SessionContext) -> Result<Self, String> {
        let state = session.state();
        let said = |error: DataFusionError| of_plan(&error).to_string();
        let columns = DFSchema::try_from(schema.clone()).map_err(said)?;
        let logical = state.create_logical_expr(sql, &columns).map_err(said)?;
        if let Some(problem) = refused(&logical).map_err(said)? {
            return Err(problem);
        }
        let expression = state
            .create_physical_expr(logical, &columns)
            .map_err(said)?;
        let found = expression.data_type(schema).map_err(said)?;
        if !matches!(found, ArrowType::Boolean | ArrowType::Null) {
            return Err(format!(
                "the predicate is {}, and has to be true or false; compare it with something",
                type_name(&found)
            ));
        }
        let mut columns: Vec<usize> = collect_columns(&expression)
            .iter()
            .map(datafusion::physical_expr::expressions::Column::index)
            .collect();
        columns.sort_unstable();
        Ok(Self {
            expression,
            columns,
        })
    }

    /// The positions of the columns that it looks at.
    pub(crate) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// What it says of each row.
    pub(crate) fn holds(&self, batch: &RecordBatch) -> Result<BooleanArray, DataFusionError> {
        let result = self.expression.evaluate(batch)?;
        let result = result.into_array(batch.num_rows())?;
        Ok(match result.as_boolean_opt() {
            Some(holds) => holds.clone(),
            // A null without a type.
            None => BooleanArray::new_null(batch.num_rows()),
        })
    }
}

/// A session that reads SQL as those of sources do, knows no tables, and tells where the SQL is wrong.
pub(crate) fn session() -> SessionContext {
    let mut config = Shared::config();
    config.options_mut().sql_parser.collect_spans = true;
    SessionContext::new_with_config(config)
}

/// Why an expression is no condition over one row.
fn refused(expression: &Expr) -> Result<Option<String>, DataFusionError> {
    let mut problem = None;
    expression.apply(|part| {
        problem = match part {
            Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) => {
                Some("the predicate has a subquery, and can look at one row only".to_owned())
            }
            Expr::AggregateFunction(function) => Some(of_many_rows(function.func.name())),
            Expr::WindowFunction(function) => Some(of_many_rows(function.fun.name())),
            Expr::ScalarFunction(function)
                if function.func.signature().volatility != Volatility::Immutable =>
            {
                Some(format!(
                    "`{}` gives another answer at another time, and the same rows have to pass \
                     whenever they are read; leave it out",
                    function.func.name()
                ))
            }
            _ => None,
        };
        Ok(match problem {
            Some(_) => datafusion::common::tree_node::TreeNodeRecursion::Stop,
            None => datafusion::common::tree_node::TreeNodeRecursion::Continue,
        })
    })?;
    Ok(problem)
}

fn of_many_rows(function: &str) -> String {
    format!("`{function}` is computed from many rows, and the predicate can look at one row only")
}
