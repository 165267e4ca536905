//! Our operators as bytes, so that a plan can be run by another process.
//!
//! Only what an operator is told is written here; its children, and the leaves below them, are
//! written by `DataFusion`. The filters that a join fills in while it runs are written as the
//! expressions that they are, so that with a converter that keeps shared expressions shared, the
//! scans of the other process still look at them. [`plan_to_bytes`] and [`plan_from_bytes`] use such
//! a converter, and write what `DataFusion` itself leaves out of scans with row numbers.
//!
//! The other process has to know the object stores of the scans by their URLs, and the nodes that are
//! neither `DataFusion`'s nor ours need a codec of their own.

mod numbered_scan;

use std::sync::Arc;

use bytes::Bytes;
use datafusion::catalog::TableProvider;
use datafusion::common::{Result, TableReference, internal_err, not_impl_err, plan_err};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Extension, LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_expr::expressions::DynamicFilterPhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_proto_converter, physical_plan_to_bytes_with_proto_converter,
};
use datafusion_proto::logical_plan::LogicalExtensionCodec;
use datafusion_proto::physical_plan::{
    DeduplicatingProtoConverter, PhysicalExtensionCodec, PhysicalPlanDecodeContext,
    PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::PhysicalExprNode;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::numbered_scan::{NumberedScanExec, Numbers};
use crate::fetch_rows::{FetchRowsExec, FetchRowsNode};
use crate::point_in_time::{PointInTimeJoinExec, PointInTimeJoinNode, PointInTimeSpec};

/// The newest version of the bytes; newer ones are refused.
///
/// | Version | Brought |
/// |---|---|
/// | 1 | joins in time, fetched rows, scans with row numbers |
/// | 2 | joins with aggregations in windows; everything else is still written as 1 |
const VERSION: u32 = 2;

/// Writes and reads our operators. Plans with extensions of others need a codec that asks each.
#[derive(Debug, Clone, Copy, Default)]
pub struct OperatorCodec;

/// A plan of `DataFusion`'s operators and ours as bytes, whose scans may have row numbers.
pub fn plan_to_bytes(plan: Arc<dyn ExecutionPlan>) -> Result<Bytes> {
    let plan = numbered_scan::prepared(plan)?;
    let converter = DeduplicatingProtoConverter::default();
    physical_plan_to_bytes_with_proto_converter(plan, &OperatorCodec, &converter)
}

/// The plan that [`plan_to_bytes`] wrote. The object stores of its scans are those of `context`.
pub fn plan_from_bytes(bytes: &[u8], context: &TaskContext) -> Result<Arc<dyn ExecutionPlan>> {
    let converter = DeduplicatingProtoConverter::default();
    physical_plan_from_bytes_with_proto_converter(bytes, context, &OperatorCodec, &converter)
}

/// An operator on the wire.
#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(oneof = "Operator", tags = "2, 3, 4")]
    operator: Option<Operator>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Operator {
    #[prost(message, tag = "2")]
    PointInTimeJoin(Join),
    #[prost(message, tag = "3")]
    FetchRows(Fetch),
    #[prost(message, tag = "4")]
    NumberedScan(Numbers),
}

#[derive(Clone, PartialEq, Message)]
struct Join {
    /// A [`PointInTimeSpec`] as JSON.
    #[prost(string, tag = "1")]
    spec: String,
    #[prost(message, repeated, tag = "2")]
    filters: Vec<Filter>,
}

#[derive(Clone, PartialEq, Message)]
struct Fetch {
    /// The columns of the output as JSON: of a node by name, of an operator by place.
    #[prost(string, tag = "1")]
    columns: String,
}

/// The filter that the scans of a history look at.
#[derive(Clone, PartialEq, Message)]
struct Filter {
    #[prost(uint32, tag = "1")]
    history: u32,
    #[prost(message, optional, tag = "2")]
    expression: Option<PhysicalExprNode>,
}

impl Envelope {
    fn write(operator: Operator, bytes: &mut Vec<u8>) -> Result<()> {
        let envelope = Self {
            version: operator.version()?,
            operator: Some(operator),
        };
        envelope.encode(bytes).map_err(external)
    }

    fn read(bytes: &[u8]) -> Result<Operator> {
        let envelope = Self::decode(bytes).map_err(external)?;
        match envelope.operator {
            Some(operator) if (1..=VERSION).contains(&envelope.version) => Ok(operator),
            _ => plan_err!(
                "an operator in version {} of the wire form; this program knows those up to {VERSION}",
                envelope.version
            ),
        }
    }
}

impl Operator {
    /// The version that brought it.
    fn version(&self) -> Result<u32> {
        match self {
            Self::PointInTimeJoin(join) if join.spec()?.has_windows() => Ok(2),
            Self::PointInTimeJoin(_) | Self::FetchRows(_) | Self::NumberedScan(_) => Ok(1),
        }
    }
}

impl Join {
    fn new(spec: &PointInTimeSpec) -> Result<Self> {
        Ok(Self {
            spec: serde_json::to_string(spec).map_err(external)?,
            filters: Vec::new(),
        })
    }

    /// For each history the filter that its scans look at.
    fn filters(
        &self,
        histories: &[Arc<dyn ExecutionPlan>],
        decoding: &PhysicalPlanDecodeContext<'_>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Vec<Option<Arc<DynamicFilterPhysicalExpr>>>> {
        let mut filters = vec![None; histories.len()];
        for filter in &self.filters {
            let at = filter.history as usize;
            let (Some(expression), Some(history)) = (&filter.expression, histories.get(at)) else {
                return internal_err!("a filter of a history that is not there");
            };
            let schema = history.schema();
            let read = converter.proto_to_physical_expr(expression, &schema, decoding)?;
            filters[at] = Arc::downcast::<DynamicFilterPhysicalExpr>(read).ok();
        }
        Ok(filters)
    }

    fn spec(&self) -> Result<PointInTimeSpec> {
        serde_json::from_str(&self.spec).map_err(external)
    }
}

impl Fetch {
    fn new(columns: &impl Serialize) -> Result<Self> {
        let columns = serde_json::to_string(columns).map_err(external)?;
        Ok(Self { columns })
    }

    fn columns<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.columns).map_err(external)
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl PhysicalExtensionCodec for OperatorCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some((first, others)) = inputs.split_first() else {
            return internal_err!("an operator without an input");
        };
        let (first, others) = (Arc::clone(first), others.to_vec());
        match Envelope::read(bytes)? {
            Operator::PointInTimeJoin(join) => {
                let decoding = PhysicalPlanDecodeContext::new(context, self);
                let filters = join.filters(&others, &decoding, converter)?;
                let spec = join.spec()?;
                let join = PointInTimeJoinExec::with_filters(spec, first, others, filters)?;
                Ok(Arc::new(join))
            }
            Operator::FetchRows(fetch) => {
                let fetch = FetchRowsExec::try_new(first, others, fetch.columns()?)?;
                Ok(Arc::new(fetch))
            }
            Operator::NumberedScan(numbers) => numbers.put_back(&first),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        if let Some(fetch) = node.downcast_ref::<FetchRowsExec>() {
            let fetch = Fetch::new(&fetch.columns())?;
            return Envelope::write(Operator::FetchRows(fetch), bytes);
        }
        if let Some(scan) = node.downcast_ref::<NumberedScanExec>() {
            return Envelope::write(Operator::NumberedScan(scan.numbers().clone()), bytes);
        }
        let Some(join) = node.downcast_ref::<PointInTimeJoinExec>() else {
            return not_impl_err!("{} is not one of our operators", node.name());
        };
        let mut message = Join::new(join.spec())?;
        for (history, filter) in (0..).zip(join.filters()) {
            if let Some(filter) = filter {
                let expression = Arc::clone(filter) as _;
                message.filters.push(Filter {
                    history,
                    expression: Some(converter.physical_expr_to_proto(&expression, self)?),
                });
            }
        }
        Envelope::write(Operator::PointInTimeJoin(message), bytes)
    }
}

impl LogicalExtensionCodec for OperatorCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[LogicalPlan],
        _context: &TaskContext,
    ) -> Result<Extension> {
        let Some((first, others)) = inputs.split_first() else {
            return internal_err!("an operator without an input");
        };
        let (first, others) = (first.clone(), others.to_vec());
        let node: Arc<dyn UserDefinedLogicalNode> = match Envelope::read(bytes)? {
            Operator::PointInTimeJoin(join) => {
                Arc::new(PointInTimeJoinNode::try_new(join.spec()?, first, others)?)
            }
            Operator::FetchRows(fetch) => {
                Arc::new(FetchRowsNode::try_new(first, others, fetch.columns()?)?)
            }
            Operator::NumberedScan(_) => return plan_err!("a physical operator in a logical plan"),
        };
        Ok(Extension { node })
    }

    fn try_encode(&self, node: &Extension, bytes: &mut Vec<u8>) -> Result<()> {
        if let Some(fetch) = node.node.as_any().downcast_ref::<FetchRowsNode>() {
            let fetch = Fetch::new(&fetch.columns())?;
            return Envelope::write(Operator::FetchRows(fetch), bytes);
        }
        let Some(join) = node.node.as_any().downcast_ref::<PointInTimeJoinNode>() else {
            return not_impl_err!("{} is not one of our nodes", node.node.name());
        };
        Envelope::write(Operator::PointInTimeJoin(Join::new(join.spec())?), bytes)
    }

    fn try_decode_table_provider(
        &self,
        _bytes: &[u8],
        table: &TableReference,
        _schema: arrow::datatypes::SchemaRef,
        _context: &TaskContext,
    ) -> Result<Arc<dyn TableProvider>> {
        not_impl_err!("the table {table} is for another codec")
    }

    fn try_encode_table_provider(
        &self,
        table: &TableReference,
        _node: Arc<dyn TableProvider>,
        _bytes: &mut Vec<u8>,
    ) -> Result<()> {
        not_impl_err!("the table {table} is for another codec")
    }
}

#[cfg(test)]
mod tests;
