//! Listing the keys of a view, page by page, bucket after bucket.

use bytes::Bytes;
use fs_online::{EncodedKey, Error, KeyCursor, KeyPage, ViewId, row};
use redis::pipe;

use crate::connections::Connections;
use crate::keyspace::{BUCKETS, bucket_key};
use crate::reply::Replies;
use crate::scripts::{Call, PAGE};
use crate::state::State;

const OPERATION: &str = "list keys";

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
    fn from_cursor(cursor: &KeyCursor) -> Option<Self> {
        let (bucket, cursor) = str::from_utf8(&cursor.0).ok()?.split_once(':')?;
        let bucket = bucket.parse().ok().filter(|bucket| *bucket < BUCKETS)?;
        let cursor = cursor.parse::<u64>().ok()?.to_string();
        Some(Self { bucket, cursor })
    }
}

/// A page of about `limit` keys.
///
/// A bucket that is not begun yet and fits is taken whole, with as many after it as fit too; a large
/// one is taken piece by piece.
pub(crate) async fn page(
    connections: &Connections,
    view: &ViewId,
    from: Option<&KeyCursor>,
    limit: usize,
) -> Result<KeyPage, Error> {
    let place = match from {
        None => {
            State::of(connections, view).check(OPERATION).await?;
            Place::start_of(0)
        }
        Some(cursor) => Place::from_cursor(cursor).ok_or_else(|| bad_cursor(connections))?,
    };
    let limit = limit.max(1);
    if place.cursor != "0" {
        return list(connections, view, vec![(place, limit)]).await;
    }
    let places = choose(connections, view, place.bucket, limit).await?;
    if places.is_empty() {
        return Ok(KeyPage::default());
    }
    list(connections, view, places).await
}

/// The buckets of the next page, from `first` on, and how many keys to ask each for.
async fn choose(
    connections: &Connections,
    view: &ViewId,
    first: u16,
    limit: usize,
) -> Result<Vec<(Place, usize)>, Error> {
    let mut pipeline = pipe();
    for bucket in first..BUCKETS {
        pipeline.cmd("HLEN").arg(bucket_key(view, bucket));
    }
    let within = connections.options.write_timeout;
    let lengths = connections.send(OPERATION, within, &pipeline).await?;
    let mut lengths = Replies::new(connections, OPERATION, lengths);
    let mut places = Vec::new();
    let mut room = limit;
    for bucket in first..BUCKETS {
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
async fn list(
    connections: &Connections,
    view: &ViewId,
    places: Vec<(Place, usize)>,
) -> Result<KeyPage, Error> {
    let call = |(place, wanted): &(Place, usize)| Call {
        key: bucket_key(view, place.bucket),
        arguments: vec![
            Bytes::from(place.cursor.clone()),
            Bytes::from((*wanted).min(KEYS_PER_CALL + 1).to_string()),
        ],
    };
    let calls: Vec<Call> = places.iter().map(call).collect();
    let within = connections.options.write_timeout;
    let replies = PAGE.call(connections, OPERATION, within, &calls).await?;
    let mut replies = Replies::new(connections, OPERATION, replies);
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
            // The rest of this bucket comes first; whatever follows it here comes again after that.
            page.next = Some(Place { cursor, ..place }.to_cursor());
            return Ok(page);
        }
        next = Some(place.bucket + 1).filter(|bucket| *bucket < BUCKETS);
    }
    page.next = next.map(|bucket| Place::start_of(bucket).to_cursor());
    Ok(page)
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
        let place = Place {
            bucket: 1_023,
            cursor: u64::MAX.to_string(),
        };
        assert_eq!(Place::from_cursor(&place.to_cursor()), Some(place));
        for bad in ["", "7", "1024:0", "x:0", "7:x", "7:-1"] {
            let cursor = KeyCursor(Bytes::from_static(bad.as_bytes()));
            assert_eq!(Place::from_cursor(&cursor), None, "{bad}");
        }
    }
}
