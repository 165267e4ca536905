//! A gRPC client on the project's wire types.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use fs_proto::v1;
use fs_proto::v1::feature_store_client::FeatureStoreClient;
use fs_proto::v1::get_online_features_request::Selection;
use fs_proto::v1::{Column, NamedColumn, Strings, column};
use serde_json::{Value, json};
use tonic::transport::Channel;

/// The string keys of one entity.
pub type Entity<'a> = &'a [(&'a str, &'a str)];

/// A client of one server.
#[derive(Debug, Clone)]
pub struct Client {
    /// The generated client.
    pub grpc: FeatureStoreClient<Channel>,
}

/// One value and its status per entity, by feature.
#[derive(Debug, PartialEq)]
pub struct Answer {
    /// The version of the registry behind the answer.
    pub registry_version: u64,
    /// `(value, status number)` per entity; null unless the status is 1.
    pub features: BTreeMap<String, Vec<(Value, u8)>>,
}

impl Client {
    /// Connects to `http://…`.
    pub async fn connect(url: String) -> Result<Self> {
        Ok(Self {
            grpc: FeatureStoreClient::connect(url).await?,
        })
    }

    /// Asks for the features of a service.
    pub async fn service(&mut self, service: &str, entities: &[Entity<'_>]) -> Result<Answer> {
        let request = request(Selection::FeatureService(service.to_owned()), entities);
        let response = self.grpc.get_online_features(request).await?.into_inner();
        read(response)
    }

    /// Pushes rows, and returns the outcome of each in each view.
    pub async fn push(&mut self, request: v1::PushRequest) -> Result<Vec<v1::PushedView>> {
        Ok(self.grpc.push(request).await?.into_inner().views)
    }
}

/// A request whose keys are all strings.
fn request(selection: Selection, entities: &[Entity<'_>]) -> v1::GetOnlineFeaturesRequest {
    let mut columns: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in entities.iter().flat_map(|entity| entity.iter()) {
        columns.entry(name).or_default().push((*value).to_owned());
    }
    let named = |(name, values): (&str, Vec<String>)| NamedColumn {
        name: name.to_owned(),
        values: Some(Column {
            values: Some(column::Values::Strings(Strings { values })),
            ..Column::default()
        }),
    };
    v1::GetOnlineFeaturesRequest {
        selection: Some(selection),
        entities: columns.into_iter().map(named).collect(),
        ..v1::GetOnlineFeaturesRequest::default()
    }
}

fn read(response: v1::GetOnlineFeaturesResponse) -> Result<Answer> {
    let rows = response.row_count as usize;
    let mut features = BTreeMap::new();
    for column in response.columns {
        let values = column
            .values
            .and_then(|values| values.values)
            .context("a column has values")?;
        let values = json_values(values)?;
        let statuses = if column.statuses.is_empty() {
            vec![1; rows]
        } else {
            column.statuses.to_vec()
        };
        ensure!(
            values.len() == rows && statuses.len() == rows,
            "{} is ragged",
            column.name
        );
        let cells = values.into_iter().zip(statuses);
        let cells =
            cells.map(|(value, status)| (if status == 1 { value } else { Value::Null }, status));
        features.insert(column.name, cells.collect());
    }
    Ok(Answer {
        registry_version: response.registry_version,
        features,
    })
}

/// The values of a column, nulls as whatever stands in their place.
fn json_values(values: column::Values) -> Result<Vec<Value>> {
    Ok(match values {
        column::Values::Bools(values) => values.values.into_iter().map(|v| json!(v)).collect(),
        column::Values::Int32s(values) => values.values.into_iter().map(|v| json!(v)).collect(),
        column::Values::Int64s(values) => values.values.into_iter().map(|v| json!(v)).collect(),
        column::Values::Doubles(values) => values.values.into_iter().map(|v| json!(v)).collect(),
        column::Values::Strings(values) => values.values.into_iter().map(|v| json!(v)).collect(),
        column::Values::Lists(lists) => {
            let items = lists.items.and_then(|items| items.values);
            let items = items.map(json_values).transpose()?;
            let mut items = items.unwrap_or_default().into_iter();
            let lengths = lists.lengths.into_iter();
            lengths
                .map(|length| items.by_ref().take(length as usize).collect())
                .collect()
        }
        other => anyhow::bail!("the flights have no such column: {other:?}"),
    })
}
