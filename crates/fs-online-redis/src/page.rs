//! Listing the keys of a view, page by page, bucket after bucket.

use bytes::Bytes;
use fs_online::{EncodedKey, Error, KeyCursor, KeyPage, ViewId, row};

use crate::connections::{Command, Connections};
use crate::keyspace::Buckets;
use crate::lane::Lane;
use crate::scripts::{Argument, Call, PAGE};

pub(crate) const OPERATION: &str = "list keys";

/// A script call holds up all other clients while it runs.
const KEYS_PER_CALL: usize = 1_000;

/// Where to go on: in a bucket, from a cursor of `HSCAN`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    bucket: u16,
    cursor: String,
}

impl Place {
    fn start_of(bucket: u16) -> Self {
        let cursor = "0".to_owned();
        Self { bucket, cursor }
    }

    fn to_cursor(&self) -> KeyCursor {
        KeyCursor(Bytes::from(format!("{}:{}", self.bucket, self.cursor)))
    }

    /// Reads what [`to_cursor`](Self::to_cursor) wrote.
    fn from_cursor(cursor: &KeyCursor, buckets: &Buckets) -> Option<Self> {
        let (bucket, cursor) = str::from_utf8(&cursor.0).ok()?.split_once(':')?;
        let bucket = bucket.parse().ok();
        let bucket = bucket.filter(|bucket| *bucket < buckets.count())?;
        let cursor = cursor.parse::<u64>().ok()?.to_string();
        Some(Self { bucket, cursor })
    }
}

/// The keys of one view.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys<'a> {
    pub(crate) connections: &'a Connections,
    pub(crate) view: &'a ViewId,
    pub(crate) buckets: &'a Buckets,
}

impl Keys<'_> {
    /// A page of about `limit` keys.
    ///
    /// A bucket that is not begun yet and fits is taken whole, with as many after it as fit too; a
    /// large one is taken piece by piece.
    pub(crate) async fn page(
        self,
        from: Option<&KeyCursor>,
        limit: usize,
    ) -> Result<KeyPage, Error> {
        let place = match from {
            None => Place::start_of(0),
            Some(cursor) => Place::from_cursor(cursor, self.buckets)
                .ok_or_else(|| bad_cursor(self.connections))?,
        };
        let limit = limit.max(1);
        if place.cursor != "0" {
            return self.list(vec![(place, limit)]).await;
        }
        let places = self.choose(place.bucket, limit).await?;
        if places.is_empty() {
            return Ok(KeyPage::default());
        }
        self.list(places).await
    }

    /// The buckets of the next page, from `first` on, and how many keys to ask each for.
    async fn choose(self, first: u16, limit: usize) -> Result<Vec<(Place, usize)>, Error> {
        let buckets = first..self.buckets.count();
        let ask = |bucket| Command::on("HLEN", &self.buckets.key(self.view, bucket));
        let asked = buckets.clone().map(ask).collect();
        let mut lengths = self.connections.send(OPERATION, Lane::Write, asked).await?;
        let mut places = Vec::new();
        let mut room = limit;
        for bucket in buckets {
            let length: usize = lengths.next()?;
            if length == 0 {
                continue;
            }
            let fits = length <= room.min(KEYS_PER_CALL);
            if !fits && !places.is_empty() {
                break;
            }
            // One more than there are, so that the whole bucket comes in one answer.
            let wanted = if fits { length + 1 } else { limit };
            places.push((Place::start_of(bucket), wanted));
            if !fits {
                break;
            }
            room -= length;
            if room == 0 {
                break;
            }
        }
        Ok(places)
    }

    /// The keys at `places`, which are not empty.
    async fn list(self, places: Vec<(Place, usize)>) -> Result<KeyPage, Error> {
        let call = |(place, wanted): &(Place, usize)| Call {
            slot: self.buckets.slot(place.bucket),
            key: self.buckets.key(self.view, place.bucket),
            second_key: None,
            arguments: vec![
                Argument::Bytes(Bytes::from(place.cursor.clone())),
                Argument::Bytes(Bytes::from((*wanted).min(KEYS_PER_CALL + 1).to_string())),
            ],
        };
        let calls: Vec<Call> = places.iter().map(call).collect();
        let mut replies = PAGE.call(self.connections, OPERATION, &calls).await?;
        let mut page = KeyPage::default();
        let mut next = None;
        for (place, _) in places {
            let (cursor, found): (String, Vec<Vec<u8>>) = replies.next()?;
            let mut found = found.into_iter();
            while let (Some(key), Some(header)) = (found.next(), found.next()) {
                let key = EncodedKey::from_bytes(Bytes::from(key));
                page.keys.push((key, row::order(&header)?));
            }
            if cursor != "0" {
                // The rest of this bucket comes first; whatever follows it comes again after that.
                page.next = Some(Place { cursor, ..place }.to_cursor());
                return Ok(page);
            }
            let after = place.bucket + 1;
            next = Some(after).filter(|bucket| *bucket < self.buckets.count());
        }
        page.next = next.map(|bucket| Place::start_of(bucket).to_cursor());
        Ok(page)
    }
}

fn bad_cursor(connections: &Connections) -> Error {
    Error::Failed {
        store: connections.store.clone(),
        operation: OPERATION,
        source: "the cursor is not one that this store gave".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_what_is_none_is_refused() {
        let buckets = Buckets::new(16).unwrap();
        let place = Place {
            bucket: 15,
            cursor: u64::MAX.to_string(),
        };
        assert_eq!(
            Place::from_cursor(&place.to_cursor(), &buckets),
            Some(place)
        );
        for bad in ["", "7", "16:0", "x:0", "7:x", "7:-1"] {
            let cursor = KeyCursor(Bytes::from_static(bad.as_bytes()));
            assert_eq!(Place::from_cursor(&cursor, &buckets), None, "{bad}");
        }
    }
}
