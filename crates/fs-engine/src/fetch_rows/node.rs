//! [`FetchRowsNode`]: fetching rows as a node of a logical plan.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::{DFSchema, DFSchemaRef, Result, internal_err, plan_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use serde::{Deserialize, Serialize};

use super::OutputColumn;

/// A column of the output, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FetchColumn {
    /// A column of the input as it is.
    Input {
        /// Its name.
        column: String,
    },
    /// A column of a table, of the rows that a column of the input names.
    Fetched {
        /// Which table.
        table: usize,
        /// The column of the input that has the addresses.
        address: String,
        /// The column of the table.
        column: String,
        /// What it is called in the output.
        name: String,
    },
}

/// Columns of tables for the rows whose addresses are in the input: the logical form of
/// [`FetchRowsExec`](super::FetchRowsExec).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FetchRowsNode {
    /// What has the addresses, and then the tables.
    inputs: Vec<LogicalPlan>,
    columns: Vec<FetchColumn>,
    schema: DFSchemaRef,
}

impl FetchRowsNode {
    /// The rows of `input`, as `columns`.
    pub fn try_new(
        input: LogicalPlan,
        tables: Vec<LogicalPlan>,
        columns: Vec<FetchColumn>,
    ) -> Result<Self> {
        let of_input = input.schema().as_arrow();
        let field = |column: &FetchColumn| -> Result<FieldRef> {
            match column {
                FetchColumn::Input { column } => {
                    Ok(Arc::new(of_input.field_with_name(column)?.clone()))
                }
                FetchColumn::Fetched {
                    table,
                    address,
                    column,
                    name,
                } => {
                    if *of_input.field_with_name(address)?.data_type() != DataType::UInt64 {
                        return plan_err!("column `{address}` has no addresses");
                    }
                    let Some(table) = tables.get(*table) else {
                        return plan_err!(
                            "`{name}` is to come from table {table}, which is not there"
                        );
                    };
                    let found = table.schema().as_arrow().field_with_name(column)?;
                    Ok(Arc::new(Field::new(name, found.data_type().clone(), true)))
                }
            }
        };
        let fields: Vec<FieldRef> = columns.iter().map(field).collect::<Result<_>>()?;
        let schema = Schema::new_with_metadata(fields, of_input.metadata().clone());
        Ok(Self {
            schema: Arc::new(DFSchema::try_from(schema)?),
            inputs: std::iter::once(input).chain(tables).collect(),
            columns,
        })
    }

    /// The node as a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension {
            node: Arc::new(self),
        })
    }

    /// The columns of the output.
    pub fn columns(&self) -> &[FetchColumn] {
        &self.columns
    }
}

impl FetchColumn {
    /// The column by its place in the plans that the names were looked up in.
    pub(crate) fn resolve(&self, input: &Schema, tables: &[Arc<Schema>]) -> Result<OutputColumn> {
        Ok(match self {
            Self::Input { column } => OutputColumn::Input {
                column: input.index_of(column)?,
            },
            Self::Fetched {
                table,
                address,
                column,
                name,
            } => {
                let Some(columns) = tables.get(*table) else {
                    return internal_err!("`{name}` is to come from table {table}");
                };
                OutputColumn::Fetched {
                    table: *table,
                    address: input.index_of(address)?,
                    column: columns.index_of(column)?,
                    name: name.clone(),
                }
            }
        })
    }
}

// Required of nodes; there is no order among them.
impl PartialOrd for FetchRowsNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for FetchRowsNode {
    fn name(&self) -> &'static str {
        "FetchRows"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.inputs.iter().collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fetched = self.columns.iter().filter_map(|column| match column {
            FetchColumn::Fetched { name, .. } => Some(name.as_str()),
            FetchColumn::Input { .. } => None,
        });
        write!(f, "FetchRows: [{}]", fetched.collect::<Vec<_>>().join(", "))
    }

    fn with_exprs_and_inputs(
        &self,
        _expressions: Vec<Expr>,
        mut inputs: Vec<LogicalPlan>,
    ) -> Result<Self> {
        if inputs.len() != self.inputs.len() {
            return internal_err!("{} inputs for FetchRows", inputs.len());
        }
        let tables = inputs.split_off(1);
        Self::try_new(inputs.remove(0), tables, self.columns.clone())
    }

    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let mut needed = vec![Vec::new(); self.inputs.len()];
        let mut need = |child: usize, name: &str| {
            let schema = self.inputs[child].schema();
            let column = schema.index_of_column_by_name(None, name)?;
            needed[child].push(column);
            Some(())
        };
        for column in &self.columns {
            match column {
                FetchColumn::Input { column } => need(0, column)?,
                FetchColumn::Fetched {
                    table,
                    address,
                    column,
                    ..
                } => {
                    need(0, address)?;
                    need(table + 1, column)?;
                }
            }
        }
        for columns in &mut needed {
            columns.sort_unstable();
            columns.dedup();
        }
        Some(needed)
    }
}
