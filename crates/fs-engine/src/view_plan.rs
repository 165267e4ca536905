//! The lazy rows that a view is read from: its source, or its query.

use std::sync::Arc;

use arrow::datatypes::{DataType as ArrowType, SchemaRef};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::prelude::{DataFrame, Expr};
use fs_core::{DataType, FeatureView, FileFormat, Source, SourceKind, TimeRange};

use crate::bounds::{between, column};
use crate::conform::Conform;
use crate::convert::Slack;
use crate::problem::SourceProblem;
use crate::tables::Tables;
use crate::view_schema::raw_columns;
use crate::{Error, Reading, ViewRows, check, in_order};

/// A view and the lazy rows that it is read from.
pub(crate) struct ViewPlan<'a> {
    tables: &'a Tables,
    view: &'a FeatureView,
    source: &'a Source,
    frame: DataFrame,
    slack: Slack,
}

impl<'a> ViewPlan<'a> {
    /// For reading: text stays text until it is converted to the declared types.
    pub(crate) async fn open(tables: &'a Tables, view: &'a FeatureView) -> Result<Self, Error> {
        Self::plan(tables, view, true).await
    }

    /// For checking: text has the types that a sample of it has.
    pub(crate) async fn sampled(tables: &'a Tables, view: &'a FeatureView) -> Result<Self, Error> {
        Self::plan(tables, view, false).await
    }

    async fn plan(tables: &'a Tables, view: &'a FeatureView, raw: bool) -> Result<Self, Error> {
        let source = tables.source(&view.source)?;
        let failed = |cause| Error::of_query(format!("view `{}`", view.name), cause);
        if let Some(query) = &view.query {
            let frame = tables.select(query).await.map_err(failed)?;
            let slack = if is_text(source) {
                Slack::SQL_OVER_TEXT
            } else {
                Slack::NONE
            };
            return Ok(Self {
                tables,
                view,
                source,
                frame,
                slack,
            });
        }
        let opened = if raw {
            let arrays = view
                .stored()
                .iter()
                .filter_map(|feature| match feature.data_type {
                    DataType::Array(_) => Some(feature.name.as_str()),
                    DataType::Scalar(_) => None,
                });
            tables.open_raw(source, &arrays.collect::<Vec<_>>()).await?
        } else {
            tables.open(source).await?
        };
        let frame = tables.session().read_table(opened.table).map_err(failed)?;
        let slack = opened.slack;
        Ok(Self {
            tables,
            view,
            source,
            frame,
            slack,
        })
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(self.frame.schema().inner())
    }

    /// What is wrong between the view and these rows.
    pub(crate) fn problems(&self) -> Vec<SourceProblem> {
        let catalog = &self.tables.catalog;
        check::columns(catalog, self.view, self.source, &self.schema(), self.slack)
    }

    /// The created column, if these rows have it.
    pub(crate) fn created(&self) -> Option<&str> {
        let name = self.source.created_timestamp_column.as_deref()?;
        self.schema().field_with_name(name).is_ok().then_some(name)
    }

    fn type_of(&self, name: &str) -> Option<ArrowType> {
        let schema = self.schema();
        schema
            .field_with_name(name)
            .ok()
            .map(|field| field.data_type().clone())
    }

    /// The rows of `range`, lazily, with the raw columns of the view.
    ///
    /// Rows without an event time pass too: they are not lost but refused.
    pub(crate) fn in_range(&self, range: &TimeRange) -> Result<DataFrame, Error> {
        let problems = self.problems();
        if !problems.is_empty() {
            return Err(Error::Mismatch { problems });
        }
        let event = &self.source.timestamp_field;
        let start = range.start().map(fs_core::EventTime::as_micros);
        let end = Some(range.end().as_micros());
        let inside = self
            .type_of(event)
            .and_then(|data_type| between(event, &data_type, start, end))
            .map(|inside| column(event).is_null().or(inside));
        let with_created = self.created().is_some();
        let columns = raw_columns(&self.tables.catalog, self.view, self.source, with_created);
        self.narrowed(inside, &columns)
    }

    fn narrowed(&self, predicate: Option<Expr>, columns: &[String]) -> Result<DataFrame, Error> {
        let failed = |cause| Error::of_query(format!("view `{}`", self.view.name), cause);
        let mut frame = self.frame.clone();
        if let Some(predicate) = predicate {
            frame = frame.filter(predicate).map_err(failed)?;
        }
        frame
            .select(columns.iter().map(|name| column(name)))
            .map_err(failed)
    }

    /// The rows of the range as the view declares them.
    pub(crate) async fn rows(&self, reading: &Reading<'_>) -> Result<ViewRows, Error> {
        let frame = self.in_range(&reading.range)?;
        let raw = self.run(frame).await?;
        let with_created = self.created().is_some();
        let conform = Conform::new(&self.tables.catalog, self.view, with_created, reading.range);
        let conform = if reading.validated {
            conform.for_validator(&self.tables.catalog)
        } else {
            conform
        };
        Ok(conform.rows(raw))
    }

    /// The raw `(event, created)` of rows that may be late; `None` without a created column.
    pub(crate) async fn late(
        &self,
        watermark: i64,
    ) -> Result<Option<SendableRecordBatchStream>, Error> {
        let Some(created) = self.created() else {
            return Ok(None);
        };
        let event = &self.source.timestamp_field;
        let bound = |name: &str, start, end| {
            self.type_of(name)
                .and_then(|data_type| between(name, &data_type, start, end))
        };
        let predicates = [
            bound(created, Some(watermark), None),
            bound(event, None, Some(watermark)),
        ];
        let predicate = predicates.into_iter().flatten().reduce(Expr::and);
        let frame = self.narrowed(predicate, &[event.clone(), created.to_owned()])?;
        Ok(Some(self.run(frame).await?))
    }

    async fn run(&self, frame: DataFrame) -> Result<SendableRecordBatchStream, Error> {
        in_order::run(frame)
            .await
            .map_err(|cause| Error::of_query(format!("view `{}`", self.view.name), cause))
    }
}

fn is_text(source: &Source) -> bool {
    matches!(
        &source.kind,
        SourceKind::Files {
            file_format: FileFormat::Csv(_) | FileFormat::Json,
            ..
        }
    )
}
