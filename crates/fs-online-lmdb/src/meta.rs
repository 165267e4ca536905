//! What a folder remembers besides rows.

mod claims;
mod fences;

use fs_online::{Error, Published, RowLayout, ViewId};
use heed::types::Bytes;
use heed::{CommitOrAbort, Database, RoTxn, RwTxn};

use crate::FORMAT;
use crate::failure::{Failure, describe};
use crate::map::Map;

pub(crate) use claims::now;

/// Keys and values are bytes everywhere.
pub(crate) type Table = Database<'static, Bytes, Bytes>;

const NAME: &str = "meta";
const FORMAT_KEY: &[u8] = b"format";

/// The table `meta`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meta(Table);

impl Meta {
    /// Opens the table, makes it in a new folder, and refuses a folder of a later format.
    ///
    /// Runs before anybody else in the process can use the map.
    pub(crate) fn open(map: &Map) -> Result<Self, Failure> {
        let meta = match Self::open_existing(map)? {
            Some(meta) => meta,
            None => Self::create(map)?,
        };
        let format = map.transact(|env| {
            let txn = env.read_txn()?;
            Ok(meta.0.get(&txn, FORMAT_KEY)?.map(<[u8]>::to_vec))
        })?;
        let found = format
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u32::from_le_bytes);
        match found {
            FORMAT => Ok(meta),
            // A table without a format was cut off by something that is not LMDB.
            0 => Err(heed::Error::Mdb(heed::MdbError::Corrupted).into()),
            found => Err(Error::NewerFormat {
                store: describe(map.path()),
                found,
                known: FORMAT,
            }
            .into()),
        }
    }

    fn open_existing(map: &Map) -> Result<Option<Self>, Failure> {
        let opened = map.transact(|env| {
            env.open_databases_and_commit(env.read_txn()?, |opener, txn| {
                Ok::<_, Failure>(CommitOrAbort::<_, ()>::Commit(
                    opener.open_database(txn, Some(NAME))?,
                ))
            })
        })?;
        Ok(opened.commit().flatten().map(Self))
    }

    fn create(map: &Map) -> Result<Self, Failure> {
        let created = map.transact(|env| {
            env.create_databases_and_commit(env.write_txn()?, |opener, txn| {
                let meta: Database<'_, Bytes, Bytes> = opener.create_database(txn, Some(NAME))?;
                // Another process may have been here first, and may be a later release.
                if meta.get(txn, FORMAT_KEY)?.is_none() {
                    meta.put(txn, FORMAT_KEY, &FORMAT.to_le_bytes())?;
                }
                Ok::<_, Failure>(CommitOrAbort::<_, ()>::Commit(meta))
            })
        })?;
        let meta = created.commit().map(Self);
        meta.ok_or_else(|| heed::Error::Mdb(heed::MdbError::Problem).into())
    }

    #[cfg(test)]
    pub(crate) fn set_format(self, txn: &mut RwTxn<'_>, format: u32) -> Result<(), Failure> {
        Ok(self.0.put(txn, FORMAT_KEY, &format.to_le_bytes())?)
    }

    pub(crate) fn layouts(self, txn: &RoTxn<'_>, view: &ViewId) -> Result<Vec<RowLayout>, Failure> {
        let mut layouts = Vec::new();
        for entry in self.0.prefix_iter(txn, &layout_prefix(view))? {
            let (_, json) = entry?;
            layouts.push(RowLayout::from_json(json).map_err(corrupt(view, "layout"))?);
        }
        Ok(layouts)
    }

    pub(crate) fn put_layout(
        self,
        txn: &mut RwTxn<'_>,
        view: &ViewId,
        layout: &RowLayout,
    ) -> Result<(), Failure> {
        let mut key = layout_prefix(view);
        key.extend_from_slice(&layout.id().to_be_bytes());
        if let Some(json) = self.0.get(txn, &key)? {
            let known = RowLayout::from_json(json).map_err(corrupt(view, "layout"))?;
            if known == *layout {
                return Ok(());
            }
            let clash = Error::LayoutClash {
                view: view.clone(),
                layout: layout.id(),
            };
            return Err(clash.into());
        }
        Ok(self.0.put(txn, &key, layout.to_json().as_bytes())?)
    }

    pub(crate) fn published(
        self,
        txn: &RoTxn<'_>,
        view: &ViewId,
    ) -> Result<Option<Published>, Failure> {
        let Some(json) = self.0.get(txn, &published_key(view))? else {
            return Ok(None);
        };
        let published = Published::from_json(json).map_err(corrupt(view, "published state"))?;
        Ok(Some(published))
    }

    pub(crate) fn set_published(
        self,
        txn: &mut RwTxn<'_>,
        view: &ViewId,
        published: &Published,
    ) -> Result<(), Failure> {
        let json = published.to_json();
        Ok(self.0.put(txn, &published_key(view), json.as_bytes())?)
    }

    /// Forgets layouts, published state and fence of a view.
    pub(crate) fn forget(self, txn: &mut RwTxn<'_>, view: &ViewId) -> Result<(), Failure> {
        let prefix = layout_prefix(view);
        let mut keys = Vec::new();
        for entry in self.0.prefix_iter(txn, &prefix)? {
            keys.push(entry?.0.to_vec());
        }
        keys.extend([published_key(view), fences::fence_key(view)]);
        for key in keys {
            self.0.delete(txn, &key)?;
        }
        Ok(())
    }
}

fn corrupt(view: &ViewId, what: &'static str) -> impl FnOnce(serde_json::Error) -> Failure {
    let view = view.clone();
    move |source| Failure::Corrupt { view, what, source }
}

fn layout_prefix(view: &ViewId) -> Vec<u8> {
    format!("layout\0{view}\0").into_bytes()
}

fn published_key(view: &ViewId) -> Vec<u8> {
    format!("published\0{view}").into_bytes()
}
