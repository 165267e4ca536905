//! [`State::push`]: new events on top of what is there.

use super::batch::StateEvents;
use super::coverage::StateShape;
use super::event::{Event, Events};
use super::mask;
use super::part::{Origin, Part};
use super::segment::{self, Apart, Reach, Segment};
use super::shaper::{Segments, Shaper, put_in_order};
use super::{State, is_of_table, write_parts};
use crate::Error;

/// What became of the events of a push, by whether their sequence is in a state already.
enum Known {
    No,
    Yes,
    /// Events of about that sequence were merged; whether this one was is not known any more.
    Perhaps,
}

impl State<'_> {
    /// The state of a key, or none, with the events in `rows` of a batch that was checked against the plan
    /// of `shape`; `None` if all of them are in it already.
    ///
    /// | Event | is |
    /// |---|---|
    /// | with a sequence that was published, or pushed before | ignored |
    /// | with any other sequence | added |
    /// | with a negative number, pushed before and not merged since | ignored |
    /// | with any other negative number, or none | added, provisionally |
    ///
    /// Pushing the same events again changes nothing, unless they have no number, or a negative one that so
    /// many others followed that it is not known any more.
    pub fn push(
        stored: Option<&State<'_>>,
        shape: &StateShape,
        events: &StateEvents<'_>,
        rows: &[usize],
    ) -> Result<Option<Vec<u8>>, Error> {
        let mut added = Added::default();
        for row in rows {
            let sequence = events.rank(*row).sequence;
            let known = match (stored, sequence) {
                (Some(stored), Some(sequence)) => stored.knows(sequence)?,
                _ => Known::No,
            };
            match (known, sequence) {
                (Known::Yes, _) => {}
                (_, Some(sequence)) if added.sequences.contains(&sequence) => {}
                (Known::Perhaps, Some(sequence)) => {
                    added.sequences.push(sequence);
                    events.put(*row, &mut added.doubtful);
                }
                (_, sequence) => {
                    added.sequences.extend(sequence);
                    events.put(*row, &mut added.certain);
                }
            }
        }
        if added.certain.is_empty() && added.doubtful.is_empty() {
            return Ok(None);
        }
        let parts = stored.map_or(&[][..], |stored| stored.parts.as_slice());
        let is_mine = |part: &Part<'_>| {
            part.origin == Origin::Pushed && part.fingerprint == shape.schema.fingerprint
        };
        let mine = parts.iter().find(|part| is_mine(part));
        let segments = added.on_top_of(mine, shape)?;
        let mut schema = Vec::new();
        shape.schema.write(&mut schema);
        let mut parts: Vec<Part<'_>> = parts.iter().filter(|it| !is_mine(it)).copied().collect();
        parts.push(Part {
            origin: Origin::Pushed,
            schema: &schema,
            fingerprint: shape.schema.fingerprint,
            count: segments.count,
            segments: &segments.bytes,
        });
        Ok(Some(write_parts(&parts)))
    }

    /// Whether the event with this sequence is in the state.
    fn knows(&self, sequence: i64) -> Result<Known, Error> {
        let published = self.through().is_some_and(|through| sequence < through);
        if is_of_table(Some(sequence)) && published {
            return Ok(Known::Yes);
        }
        let mut known = Known::No;
        for part in self
            .parts
            .iter()
            .filter(|part| part.origin == Origin::Pushed)
        {
            let schema = part.schema()?;
            for segment in part.segments(&schema) {
                let segment = segment?;
                let sequences = segment.sequences;
                if !sequences
                    .is_some_and(|(least, greatest)| (least..=greatest).contains(&sequence))
                {
                    continue;
                }
                match (segment.block, sequences) {
                    (Some(block), _) => {
                        let mut ranks = (0..block.len()).map(|at| block.rank(at));
                        if ranks.any(|rank| rank.sequence == Some(sequence)) {
                            return Ok(Known::Yes);
                        }
                    }
                    (None, Some((least, greatest))) if least == greatest => {
                        return Ok(Known::Yes);
                    }
                    (None, _) => known = Known::Perhaps,
                }
            }
        }
        Ok(known)
    }
}

/// Events that a push adds.
#[derive(Default)]
struct Added {
    certain: Events,
    doubtful: Events,
    sequences: Vec<i64>,
}

impl Added {
    /// The segments of a part with these events on top of them.
    fn on_top_of(self, part: Option<&Part<'_>>, shape: &StateShape) -> Result<Segments, Error> {
        let schema = &shape.schema;
        let mut loose = self.certain;
        let mut out = Segments::default();
        let segments = part.into_iter().flat_map(|part| part.segments(schema));
        let segments = segments.collect::<Result<Vec<_>, _>>()?;
        let is_loose = |segment: &&Segment<'_>| segment.block.is_some() && !segment.settled;
        let before: u64 = segments.iter().filter(is_loose).map(|it| it.count).sum();
        if before.saturating_add(loose.len() as u64) > shape.limits.pushed as u64 {
            settle(shape, &segments, &mut loose, &mut out)?;
        } else {
            for segment in &segments {
                match segment.block {
                    // A block that has room is filled up.
                    Some(block) if is_loose(&segment) && block.len() < mask::MOST => {
                        block.unpack(schema, &mut loose)?;
                    }
                    _ => {
                        out.bytes.extend_from_slice(segment.bytes);
                        out.count += 1;
                    }
                }
            }
        }
        put_in_order(shape, &loose, Apart::Loose(schema), &mut out)?;
        for event in self.doubtful.all(schema)? {
            let rank = event.rank;
            let mut reach = Reach::NOTHING;
            reach.add(
                rank.event,
                schema.rule.visible_from(rank.event, rank.created),
            );
            let sequences = rank.sequence.map(|sequence| (sequence, sequence));
            segment::put_unknown(schema, 1, reach, sequences, &mut out.bytes);
            out.count += 1;
        }
        Ok(out)
    }
}

/// Settles the older half of the loose events, and all that were settled before; the newer half stays, and
/// `loose` is what is to be written loose.
fn settle(
    shape: &StateShape,
    segments: &[Segment<'_>],
    loose: &mut Events,
    out: &mut Segments,
) -> Result<(), Error> {
    let schema = &shape.schema;
    let (mut committed, mut provisional) = (Shaper::default(), Shaper::default());
    let mut settled = Events::default();
    for segment in segments {
        match segment.block {
            Some(block) if segment.settled => block.unpack(schema, &mut settled)?,
            Some(block) => block.unpack(schema, loose)?,
            None if segment.sequences.is_some() => committed.take(shape, segment)?,
            None => provisional.take(shape, segment)?,
        }
    }
    let mut by_age = loose.all(schema)?;
    // Those without a sequence are ordered by time.
    by_age.sort_unstable_by_key(|event| (event.rank.sequence, event.rank));
    let newer = by_age.split_off(by_age.len().saturating_sub(shape.limits.pushed / 2));
    let mut kept = Events::default();
    for event in &newer {
        kept.copy(event);
    }
    let mut put = |event: &Event<'_>| {
        let shaper = if is_of_table(event.rank.sequence) {
            &mut committed
        } else {
            &mut provisional
        };
        shaper.add(shape, event)
    };
    by_age.iter().try_for_each(&mut put)?;
    settled.all(schema)?.iter().try_for_each(&mut put)?;
    for shaper in [committed, provisional] {
        let segments = shaper.finish(shape, true)?;
        out.bytes.extend_from_slice(&segments.bytes);
        out.count += segments.count;
    }
    *loose = kept;
    Ok(())
}
