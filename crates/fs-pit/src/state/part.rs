//! [`Part`]: the events of a key from one origin, and [`Origin`].

use super::schema::Schema;
use super::segment::Segment;
use crate::Error;
use crate::aggregate::bytes::{
    broken, byte, count, put_count, put_signed, put_text, put_word, signed, text, word,
};

const PUBLISHED: u8 = 0;
const PUSHED: u8 = 1;

/// Where the events of a part come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The offline table.
    Published(Published),
    /// Pushes since then.
    Pushed,
}

/// What is known of the events that the offline table had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Published {
    /// The first sequence that the table did not have yet.
    pub(super) through: i64,
    /// How many events it had.
    pub(super) events: u64,
    /// The sum of their fingerprints.
    pub(super) content: u64,
}

/// The events of a key from one origin, read where they lie.
///
/// ```text
///   1          0: published, 1: pushed
///   count      the length of the schema, and the schema
///   signed     of what was published: the first sequence that is not in it
///   count, 8   of what was published: how many events there were, and the sum of their fingerprints
///   count      how many segments there are
///   count      their length, and the segments
/// ```
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) origin: Origin,
    /// The schema as it is written.
    pub(super) schema: &'a [u8],
    pub(super) fingerprint: u64,
    pub(super) count: u64,
    /// The segments as they are written.
    pub(super) segments: &'a [u8],
}

impl<'a> Part<'a> {
    /// Takes a part off the front of `bytes`.
    pub(super) fn read(bytes: &mut &'a [u8]) -> Result<Self, Error> {
        let origin = byte(bytes)?;
        let schema = text(bytes)?;
        let origin = match origin {
            PUBLISHED => Origin::Published(Published {
                through: signed(bytes)?,
                events: count(bytes)?,
                content: word(bytes)?,
            }),
            PUSHED => Origin::Pushed,
            _ => {
                return Err(broken(
                    "a part comes from where this release knows nothing of",
                ));
            }
        };
        Ok(Self {
            origin,
            schema,
            fingerprint: Schema::fingerprint_of(schema)?,
            count: count(bytes)?,
            segments: text(bytes)?,
        })
    }

    /// Appends the part.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(match self.origin {
            Origin::Published(_) => PUBLISHED,
            Origin::Pushed => PUSHED,
        });
        put_text(self.schema, out);
        if let Origin::Published(published) = self.origin {
            put_signed(published.through, out);
            put_count(published.events, out);
            put_word(published.content, out);
        }
        put_count(self.count, out);
        put_text(self.segments, out);
    }

    /// The schema of its segments.
    pub(super) fn schema(&self) -> Result<Schema, Error> {
        Schema::read(&mut &self.schema[..])
    }

    /// The segments, in no particular order.
    pub(super) fn segments<'s>(
        &self,
        schema: &'s Schema,
    ) -> impl Iterator<Item = Result<Segment<'a>, Error>> + use<'a, 's> {
        let mut rest = self.segments;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let segment = Segment::read(schema, &mut rest);
            if segment.is_err() {
                rest = &[];
            }
            Some(segment)
        })
    }
}
