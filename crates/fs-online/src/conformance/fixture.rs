//! What the checks share: a store, views that are empty, and rows that are easy to tell apart.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use bytes::Bytes;
use fs_core::{CreatedTime, DataType, EventTime, KeyValue, ScalarType};

use super::{Outcome, Problem, expect_eq};
use crate::key::encode_key;
use crate::{
    EncodedKey, OnlineStore, RowEncoder, RowLayout, RowOrder, RowWrite, ViewId, ViewKeys,
    WriteOutcome,
};

/// A store, and the views that a check may use.
#[derive(Clone)]
pub(super) struct Fixture {
    pub(super) store: Arc<dyn OnlineStore>,
    /// A view that is prepared for [`layout`].
    pub(super) view: ViewId,
    /// Another view of the same project, not prepared.
    pub(super) other_view: ViewId,
    /// A view with the name of the first in another project, not prepared.
    pub(super) other_project: ViewId,
}

impl Fixture {
    pub(super) async fn new(store: Arc<dyn OnlineStore>, number: usize) -> Result<Self, Problem> {
        let view = |project: &str, view: &str| {
            let project = format!("{project}{number}").parse();
            let (Ok(project), Ok(view)) = (project, view.parse()) else {
                return Err(Problem("a name of the check itself is bad".to_owned()));
            };
            Ok(ViewId::new(project, view))
        };
        let fixture = Self {
            view: view("conformance", "view")?,
            other_view: view("conformance", "view_2")?,
            other_project: view("conformance_2_", "view")?,
            store,
        };
        for view in [&fixture.view, &fixture.other_view, &fixture.other_project] {
            fixture.store.drop_view(view).await?;
        }
        fixture.store.prepare(&fixture.view, &layout()).await?;
        fixture.store.ping().await?;
        Ok(fixture)
    }

    pub(super) async fn write(&self, rows: Vec<RowWrite>) -> Result<WriteOutcome, Problem> {
        Ok(self.store.write(&self.view, rows, None).await?)
    }

    pub(super) async fn read(
        &self,
        view: &ViewId,
        keys: &[EncodedKey],
    ) -> Result<Vec<Option<Bytes>>, Problem> {
        let mut answers = self.store.read(&[ViewKeys { view, keys }]).await?;
        expect_eq("the number of answers", &answers.len(), &1)?;
        Ok(answers.remove(0))
    }

    /// An error unless the view holds exactly this under `key`.
    pub(super) async fn expect(
        &self,
        what: &str,
        key: &EncodedKey,
        row: Option<&Bytes>,
    ) -> Outcome {
        let found = self.read(&self.view, std::slice::from_ref(key)).await?;
        expect_eq(what, &found, &vec![row.cloned()])
    }
}

/// One feature, `value`, of type `int64`.
pub(super) fn layout() -> RowLayout {
    let name = "value".parse();
    RowLayout::new(
        name.into_iter()
            .map(|name| (name, DataType::Scalar(ScalarType::Int64)))
            .collect(),
    )
}

pub(super) fn key(number: i64) -> EncodedKey {
    encode_key(&[KeyValue::Int64(number)])
}

pub(super) fn order(event: i64, created: Option<i64>, sequence: u64) -> RowOrder {
    RowOrder {
        event: EventTime::from_micros(event),
        created: created.map(CreatedTime::from_micros),
        sequence,
    }
}

/// A row of [`layout`].
pub(super) fn row(order: RowOrder, value: i64) -> Result<Bytes, Problem> {
    let values: ArrayRef = Arc::new(Int64Array::from(vec![value]));
    let mut rows = RowEncoder::new(&layout()).encode(&[values], &[order])?;
    Ok(rows.remove(0))
}

/// The write of a row of [`layout`].
pub(super) fn newest(key: &EncodedKey, order: RowOrder, value: i64) -> Result<RowWrite, Problem> {
    Ok(RowWrite::newest(key.clone(), row(order, value)?))
}
