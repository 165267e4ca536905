//! [`NumberedScanExec`]: a scan with row numbers, as it goes over the wire.
//!
//! `DataFusion` writes of a scan the columns of its files and its partition values, and forgets the
//! columns that the reader makes up. So a scan with row numbers is written as the same scan without
//! them, and as the places where they belong.
//!
//! ```text
//!   scan     user, event_timestamp, _file, _row
//!   written  user, event_timestamp, _file          and: column 3 is `_row`, the number of the row
//! ```

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_datafusion_err, internal_err, not_impl_err};
use datafusion::datasource::physical_plan::{
    FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::{ProjectionExpr, ProjectionExprs};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use datafusion_proto::protobuf;
use prost::Message;

use super::external;

/// What is written of the columns that the reader makes up.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Numbers {
    /// The columns, with the extension types that tell the reader what they are.
    #[prost(message, optional, tag = "1")]
    columns: Option<protobuf::Schema>,
    #[prost(message, repeated, tag = "2")]
    places: Vec<Place>,
}

/// A column of the output that the reader makes up.
#[derive(Clone, PartialEq, Message)]
struct Place {
    /// Where it is in the output.
    #[prost(uint32, tag = "1")]
    output: u32,
    /// Which of the columns it is.
    #[prost(uint32, tag = "2")]
    column: u32,
    /// What it is called in the output.
    #[prost(string, tag = "3")]
    name: String,
}

/// A scan, and what can be written of it.
#[derive(Debug)]
pub(super) struct NumberedScanExec {
    scan: Arc<dyn ExecutionPlan>,
    without: Arc<dyn ExecutionPlan>,
    numbers: Numbers,
}

/// The plan with every scan that has row numbers made ready to be written.
pub(super) fn prepared(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let prepared = plan.transform_up(|plan| {
        Ok(match NumberedScanExec::of(&plan)? {
            Some(numbered) => Transformed::yes(Arc::new(numbered) as _),
            None => Transformed::no(plan),
        })
    });
    prepared.data()
}

/// The files of a scan, and how they are read; `None` if it is no scan of Parquet files.
fn parquet(plan: &Arc<dyn ExecutionPlan>) -> Option<(&FileScanConfig, &ParquetSource)> {
    let scan = plan.downcast_ref::<DataSourceExec>()?;
    let config = scan.data_source().downcast_ref::<FileScanConfig>()?;
    let source = config.file_source().downcast_ref::<ParquetSource>()?;
    Some((config, source))
}

/// The same scan of other columns.
fn with_columns(
    config: &FileScanConfig,
    source: &ParquetSource,
    schema: TableSchema,
    columns: Vec<ProjectionExpr>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let mut other = ParquetSource::new(schema)
        .with_table_parquet_options(source.table_parquet_options().clone());
    if let Some(readers) = source.parquet_file_reader_factory() {
        other = other.with_parquet_file_reader_factory(Arc::clone(readers));
    }
    if let Some(filter) = source.filter() {
        other = other.with_predicate(filter);
    }
    let projected = other.try_pushdown_projection(&ProjectionExprs::new(columns))?;
    let projected =
        projected.ok_or_else(|| internal_datafusion_err!("a scan that cannot be projected"))?;
    let config = FileScanConfigBuilder::from(config.clone()).with_source(projected);
    Ok(DataSourceExec::from_data_source(config.build()))
}

impl NumberedScanExec {
    /// `None` if the scan has no columns that the reader makes up.
    fn of(scan: &Arc<dyn ExecutionPlan>) -> Result<Option<Self>> {
        let Some((config, source)) = parquet(scan) else {
            return Ok(None);
        };
        let schema = source.table_schema();
        let made_up = schema.virtual_columns();
        if made_up.is_empty() {
            return Ok(None);
        }
        let first = schema.table_schema().fields().len() - made_up.len();
        let (mut columns, mut places) = (Vec::new(), Vec::new());
        for (output, projected) in (0..).zip(source.projection().into_iter().flatten()) {
            let plain = projected.expr.downcast_ref::<Column>();
            if let Some(column) = plain.and_then(|column| column.index().checked_sub(first)) {
                places.push(Place {
                    output,
                    column: u32::try_from(column).map_err(external)?,
                    name: projected.alias.clone(),
                });
            } else if collect_columns(&projected.expr)
                .iter()
                .any(|column| column.index() >= first)
            {
                return not_impl_err!("writing a scan that computes with row numbers");
            } else {
                columns.push(projected.clone());
            }
        }
        let written = Schema::new(made_up.clone());
        let without = TableSchema::builder(Arc::clone(schema.file_schema()))
            .with_table_partition_cols(schema.table_partition_cols().clone())
            .build();
        Ok(Some(Self {
            scan: Arc::clone(scan),
            without: with_columns(config, source, without, columns)?,
            numbers: Numbers {
                columns: Some((&written).try_into()?),
                places,
            },
        }))
    }

    /// What is written beside the scan without row numbers.
    pub(super) fn numbers(&self) -> &Numbers {
        &self.numbers
    }
}

impl Numbers {
    /// The scan with row numbers again.
    pub(super) fn put_back(&self, scan: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        let Some((config, source)) = parquet(scan) else {
            return internal_err!("row numbers for {}, which is no scan of files", scan.name());
        };
        let made_up: Schema = match &self.columns {
            Some(columns) => columns.try_into()?,
            None => return internal_err!("row numbers without columns"),
        };
        let schema = source.table_schema();
        let first = schema.table_schema().fields().len();
        let mut columns: Vec<ProjectionExpr> =
            source.projection().into_iter().flatten().cloned().collect();
        for place in &self.places {
            let (output, column) = (place.output as usize, place.column as usize);
            if output > columns.len() || column >= made_up.fields().len() {
                return internal_err!("row numbers at a place that is not there");
            }
            let number = Column::new(made_up.field(column).name(), first + column);
            let number = ProjectionExpr::new(Arc::new(number) as _, place.name.clone());
            columns.insert(output, number);
        }
        let with = TableSchema::builder(Arc::clone(schema.file_schema()))
            .with_table_partition_cols(schema.table_partition_cols().clone())
            .with_virtual_columns(made_up.fields().clone())
            .build();
        with_columns(config, source, with, columns)
    }
}

impl DisplayAs for NumberedScanExec {
    fn fmt_as(&self, _form: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NumberedScanExec")
    }
}

impl ExecutionPlan for NumberedScanExec {
    fn name(&self) -> &'static str {
        "NumberedScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.scan.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.without]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [without] = children.as_slice() else {
            return internal_err!("{} children of a scan with row numbers", children.len());
        };
        Ok(Arc::new(Self {
            scan: self.numbers.put_back(without)?,
            without: Arc::clone(without),
            numbers: self.numbers.clone(),
        }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.scan.execute(partition, context)
    }
}
