//! [`State::rebase`]: what was pushed, on top of what was published since.

use fs_core::EventTime;

use super::event::Events;
use super::part::{Origin, Part};
use super::schema::Schema;
use super::segment::{self, Apart, Reach, Segment};
use super::shaper::Segments;
use super::{State, is_of_table, write_parts};
use crate::Error;

/// A state that was published anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebased {
    /// The new base, and the pushed events that it does not have.
    State(Vec<u8>),
    /// Pushed events were merged, of which the new base has some: read a later version of the table, that
    /// has all up to this sequence.
    Straddles {
        /// The greatest sequence among them.
        greatest: i64,
    },
}

impl State<'_> {
    /// `base`, which was just [built](super::StateBuilder), with the pushed events of `stored` that are not in
    /// it.
    ///
    /// | Pushed event | stays |
    /// |---|---|
    /// | with a sequence | if `base` was built from a version of the table without it |
    /// | without one, or with a negative one | if the `watermark` of the table has not passed its event time |
    ///
    /// `watermark` is the first event time that the table has not come to; none: it has come to none.
    pub fn rebase(
        stored: Option<&State<'_>>,
        base: &State<'_>,
        watermark: Option<EventTime>,
    ) -> Result<Rebased, Error> {
        let rule = Rule {
            through: base.through().unwrap_or(i64::MIN),
            watermark: watermark.map_or(i64::MIN, EventTime::as_micros),
        };
        let stored = stored.map_or(&[][..], |stored| stored.parts.as_slice());
        let pushed = stored.iter().filter(|part| part.origin == Origin::Pushed);
        let mut kept = Vec::new();
        for part in pushed {
            match rule.left_of(part)? {
                Left::Segments(segments) if segments.count == 0 => {}
                Left::Segments(segments) => kept.push((part, segments)),
                Left::Straddles { greatest } => return Ok(Rebased::Straddles { greatest }),
            }
        }
        let mut parts = base.parts.clone();
        parts.extend(kept.iter().map(|(part, segments)| Part {
            count: segments.count,
            segments: &segments.bytes,
            ..**part
        }));
        Ok(Rebased::State(write_parts(&parts)))
    }
}

/// Which pushed events stay.
struct Rule {
    through: i64,
    watermark: i64,
}

/// What is left of a part.
enum Left {
    Segments(Segments),
    Straddles { greatest: i64 },
}

impl Rule {
    fn stays(&self, event: i64, sequence: Option<i64>) -> bool {
        match sequence {
            Some(number) if is_of_table(sequence) => number >= self.through,
            _ => event >= self.watermark,
        }
    }

    fn left_of(&self, part: &Part<'_>) -> Result<Left, Error> {
        let schema = part.schema()?;
        let mut out = Segments::default();
        for segment in part.segments(&schema) {
            let segment = segment?;
            if segment.is_merged() {
                if let Some(greatest) = self.put_merged(&schema, &segment, &mut out) {
                    return Ok(Left::Straddles { greatest });
                }
            } else {
                self.put_apart(&schema, &segment, &mut out)?;
            }
        }
        Ok(Left::Segments(out))
    }

    fn put_apart(
        &self,
        schema: &Schema,
        segment: &Segment<'_>,
        out: &mut Segments,
    ) -> Result<(), Error> {
        let Some(block) = segment.block else {
            return Ok(());
        };
        let stays = |at: usize| {
            let rank = block.rank(at);
            self.stays(rank.event, rank.sequence)
        };
        if (0..block.len()).all(stays) {
            out.bytes.extend_from_slice(segment.bytes);
            out.count += 1;
            return Ok(());
        }
        let mut events = Events::default();
        block.unpack(schema, &mut events)?;
        let events = events.all(schema)?.into_iter();
        let events: Vec<_> = events
            .filter(|event| self.stays(event.rank.event, event.rank.sequence))
            .collect();
        let how = Apart::Left(schema, segment.settled);
        out.count += segment::put_apart(how, &events, &mut out.bytes)?;
        Ok(())
    }

    /// The greatest sequence, if only some of the events stay.
    fn put_merged(
        &self,
        schema: &Schema,
        segment: &Segment<'_>,
        out: &mut Segments,
    ) -> Option<i64> {
        let (earliest, latest) = segment.reach.event;
        let stays = match segment.sequences {
            Some((least, greatest)) if least < self.through && self.through <= greatest => {
                return Some(greatest);
            }
            Some((least, _)) => least >= self.through,
            // From the watermark on there may have been events that were not in the source; which, was
            // merged with the others.
            None if earliest < self.watermark && self.watermark <= latest => {
                let reach = Reach {
                    event: (self.watermark, latest),
                    ..segment.reach
                };
                segment::put_unknown(schema, segment.count, reach, None, &mut out.bytes);
                out.count += 1;
                return None;
            }
            None => earliest >= self.watermark,
        };
        if stays {
            out.bytes.extend_from_slice(segment.bytes);
            out.count += 1;
        }
        None
    }
}
