//! The inputs of a windowed view whose types its definition leaves to the source.
//!
//! | Wanted | Found in the source, or in the query of the view |
//! |---|---|
//! | a column that is aggregated | the column, with the type that holds all its values |
//! | a filter | the columns that it reads, beside keys, times and what is declared |
//!
//! Of CSV and JSON, the types are those of a sample of the rows: what a later row says otherwise fails
//! the run that reads it, and is declared in `schema:`.

use arrow::datatypes::{DataType as ArrowType, Field, Fields, Schema, SchemaRef};
use fs_core::data_type::timestamp_type;
use fs_core::model::{WantedColumn, WantedFilter};
use fs_core::suggest::{did_you_mean, hint};
use fs_core::{
    CREATED_TIMESTAMP, Catalog, Code, Coded, DataType, EVENT_TIMESTAMP, Feature, FeatureName,
    FeatureView, ScalarType, Source, WantedInputs,
};

use crate::convert::{Slack, fits, type_name};
use crate::problem::{Place, SourceProblem, ViewField};
use crate::tables::Tables;
use crate::view_schema::view_schema;
use crate::window_filters::filter_columns;
use crate::{Engine, Error};

impl Engine {
    /// The inputs that `wanted` leaves to the source: its columns in order, then what only filters read.
    ///
    /// `catalog` has the source, and the entities. Reads metadata and, of CSV and JSON, a sample; no rows.
    /// What is wrong, all of it, is told as [`check_view`](Self::check_view) tells it.
    pub async fn view_inputs(
        &self,
        catalog: &Catalog,
        wanted: &WantedInputs,
    ) -> Result<Vec<Feature>, Vec<SourceProblem>> {
        let mut problems = self.check_source(catalog, &wanted.source).await;
        if problems.iter().any(SourceProblem::hides_columns) {
            problems.extend(hidden(wanted));
            return Err(problems);
        }
        let tables = self.tables(catalog);
        let (source, rows) = rows(&tables, wanted)
            .await
            .map_err(|problem| vec![problem])?;
        let looked = Look {
            catalog,
            wanted,
            source,
            rows: &rows,
        };
        looked.inputs()
    }
}

/// What is wrong with the filters of a windowed view whose columns are known.
pub(crate) fn filter_problems(catalog: &Catalog, view: &FeatureView) -> Vec<SourceProblem> {
    let Some(windows) = &view.windows else {
        return Vec::new();
    };
    let schema = view_schema(catalog, view);
    let filters = windows.aggregations.iter().filter_map(|aggregation| {
        let filter = aggregation.filter.as_ref()?;
        let feature = aggregation.windows.first()?.feature.clone();
        let error = filter_columns(view.name.as_str(), filter, &schema).err()?;
        let place = Place::View {
            view: view.name.clone(),
            field: ViewField::FeatureFilter(feature),
        };
        Some(problem(place, &error))
    });
    filters.collect()
}

/// The source of the view, and the columns of the rows that the view is read from.
async fn rows<'a>(
    tables: &'a Tables,
    wanted: &WantedInputs,
) -> Result<(&'a Source, SchemaRef), SourceProblem> {
    let of_query = |error: &Error| {
        let place = Place::View {
            view: wanted.view.clone(),
            field: ViewField::Query,
        };
        problem(place, error)
    };
    let source = tables
        .source(&wanted.source)
        .map_err(|error| of_query(&error))?;
    let schema = if let Some(query) = &wanted.query {
        let rows = tables.select(query).await;
        let rows = rows.map_err(|cause| Error::of_query(format!("view `{}`", wanted.view), cause));
        let rows = rows.map_err(|error| of_query(&error))?;
        rows.schema().inner().clone()
    } else {
        let opened = tables.open(source).await;
        opened.map_err(|error| of_query(&error))?.table.schema()
    };
    Ok((source, schema))
}

/// What cannot be found because the source cannot be read.
fn hidden(wanted: &WantedInputs) -> Option<SourceProblem> {
    let first = wanted.columns.first()?;
    let columns = wanted.columns.iter().map(|column| &column.column);
    let names: Vec<String> = columns.map(|column| format!("`{column}`")).collect();
    let message = format!(
        "view `{}`: the types of {} are not known, because source `{}` cannot be read; declare them in \
         `schema:`, as in `- {{ name: {}, type: float64 }}`",
        wanted.view,
        names.join(", "),
        wanted.source,
        first.column
    );
    Some(wrong(at_column(wanted, first), message))
}

/// A look at the columns that a view is read from.
struct Look<'a> {
    catalog: &'a Catalog,
    wanted: &'a WantedInputs,
    source: &'a Source,
    rows: &'a Schema,
}

impl Look<'_> {
    fn inputs(&self) -> Result<Vec<Feature>, Vec<SourceProblem>> {
        let (mut found, mut problems) = (Vec::<Feature>::new(), Vec::new());
        for column in &self.wanted.columns {
            match self.input(column.column.as_str()) {
                Ok(input) => found.push(input),
                Err(message) => problems.push(wrong(at_column(self.wanted, column), message)),
            }
        }
        let schema = self.event_schema();
        for filter in &self.wanted.filters {
            let place = at_filter(self.wanted, filter);
            let columns = match filter_columns(self.wanted.view.as_str(), &filter.filter, &schema) {
                Ok(columns) => columns,
                Err(error) => {
                    problems.push(problem(place, &error));
                    continue;
                }
            };
            for column in columns {
                let known = found.iter().any(|input| input.name.as_str() == column);
                if known || self.is_known(column) {
                    continue;
                }
                match self.input(column) {
                    Ok(input) => found.push(input),
                    Err(message) => problems.push(wrong(place.clone(), message)),
                }
            }
        }
        if problems.is_empty() {
            Ok(found)
        } else {
            Err(problems)
        }
    }

    /// The join keys of the view.
    fn keys(&self) -> impl Iterator<Item = Field> {
        let entities = self.wanted.entities.iter();
        let entities = entities.filter_map(|entity| self.catalog.entities.get(entity));
        let keys = entities.flat_map(|entity| &entity.join_keys);
        keys.map(|key| Field::new(key.name.as_str(), key.key_type.to_arrow(), false))
    }

    /// Whether a column is there without being found: keys, times, and what is declared.
    fn is_known(&self, column: &str) -> bool {
        let mut declared = self.wanted.declared.iter();
        column == EVENT_TIMESTAMP
            || column == CREATED_TIMESTAMP
            || self.keys().any(|key| key.name() == column)
            || declared.any(|input| input.name.as_str() == column)
    }

    /// The columns that filters may read: what is known, and what the source has beside it.
    fn event_schema(&self) -> Schema {
        let times = [EVENT_TIMESTAMP, CREATED_TIMESTAMP]
            .map(|name| Field::new(name, timestamp_type(), true));
        let declared = self.wanted.declared.iter();
        let declared =
            declared.map(|input| Field::new(input.name.as_str(), input.data_type.to_arrow(), true));
        let others = self
            .rows
            .fields()
            .iter()
            .filter(|field| !self.is_known(field.name()));
        let others = others.map(|field| {
            let data_type = holding(field.data_type());
            let data_type = data_type.map_or_else(|| field.data_type().clone(), DataType::to_arrow);
            Field::new(field.name(), data_type, true)
        });
        Schema::new(
            self.keys()
                .chain(times)
                .chain(declared)
                .chain(others)
                .collect::<Fields>(),
        )
    }

    /// The column as an input; why not, for people, if it cannot be one.
    fn input(&self, column: &str) -> Result<Feature, String> {
        let view = &self.wanted.view;
        if let Some(name) = self.name_of_time(column) {
            return Err(format!(
                "view `{view}`: `{column}` is called `{name}` in the events of a view; to aggregate it, give \
                 it a name of its own: `query: SELECT *, {column} AS some_name FROM {}`",
                self.wanted.source
            ));
        }
        let origin = match self.wanted.query {
            Some(_) => format!("the query of view `{view}`"),
            None => format!("source `{}`", self.wanted.source),
        };
        let Ok(field) = self.rows.field_with_name(column) else {
            let columns = self.rows.fields().iter().map(|field| field.name().as_str());
            let nearest = hint(did_you_mean(column, columns));
            return Err(format!(
                "view `{view}`: there is no column `{column}` in {origin}{nearest}"
            ));
        };
        let name = FeatureName::new(column).map_err(|error| {
            format!(
                "view `{view}`: column `{column}` of {origin} cannot be kept: {error}; rename it with the \
                 `field_mapping` of the source, or in a `query:`"
            )
        })?;
        let found = field.data_type();
        if *found == ArrowType::Null {
            return Err(format!(
                "view `{view}`: column `{column}` of {origin} has no value from which to tell its type; \
                 declare it: `schema: [{{ name: {column}, type: float64 }}]`"
            ));
        }
        let data_type = holding(found).ok_or_else(|| {
            format!(
                "view `{view}`: column `{column}` of {origin} is {}, which no type of fs holds without \
                 loss; CAST it in a `query:`",
                type_name(found)
            )
        })?;
        Ok(Feature {
            name,
            data_type,
            description: None,
        })
    }

    /// What a time column of the source is called in the rows of a view, if it is called otherwise.
    fn name_of_time(&self, column: &str) -> Option<&'static str> {
        let created = self.source.created_timestamp_column.as_deref();
        if column == self.source.timestamp_field && column != EVENT_TIMESTAMP {
            Some(EVENT_TIMESTAMP)
        } else if Some(column) == created && column != CREATED_TIMESTAMP {
            Some(CREATED_TIMESTAMP)
        } else {
            None
        }
    }
}

/// The narrowest of our types that holds every value of an Arrow type.
fn holding(found: &ArrowType) -> Option<DataType> {
    if *found == ArrowType::Null {
        return None;
    }
    let all = || ScalarType::ALL.into_iter();
    let scalars = all().map(DataType::Scalar);
    let arrays = all().map(DataType::Array);
    let mut candidates = scalars.chain(arrays);
    DataType::from_arrow(found)
        .or_else(|| candidates.find(|ours| fits(found, &ours.to_arrow(), Slack::NONE)))
}

fn at_column(wanted: &WantedInputs, column: &WantedColumn) -> Place {
    Place::View {
        view: wanted.view.clone(),
        field: ViewField::FeatureColumn(column.feature.clone()),
    }
}

fn at_filter(wanted: &WantedInputs, filter: &WantedFilter) -> Place {
    Place::View {
        view: wanted.view.clone(),
        field: ViewField::FeatureFilter(filter.feature.clone()),
    }
}

fn wrong(place: Place, message: String) -> SourceProblem {
    SourceProblem {
        place,
        code: Code::InvalidArgument,
        message,
    }
}

fn problem(place: Place, error: &Error) -> SourceProblem {
    SourceProblem {
        place,
        code: error.code(),
        message: fs_core::code::report(error),
    }
}
