//! [`State::still_serves`]: whether a state needs to be written anew.

use fs_core::EventTime;

use super::State;
use super::coverage::StateShape;
use super::part::Origin;
use super::segment::Segment;
use crate::Error;
use crate::windows::covers::start;

impl State<'_> {
    /// Whether this state may stay in the place of `base`, which was just built from the table in the same
    /// shape: it was published from the same events by the same plan, nothing pushed into it has got
    /// into the table since, and every window can be answered at every instant from `from` to `to`.
    pub fn still_serves(
        &self,
        base: &State<'_>,
        shape: &StateShape,
        from: EventTime,
        to: EventTime,
    ) -> Result<bool, Error> {
        let (Some(mine), Some(new)) = (self.published(), base.published()) else {
            return Ok(false);
        };
        if (mine.events, mine.content) != (new.events, new.content) {
            return Ok(false);
        }
        for part in &self.parts {
            if part.fingerprint != shape.schema.fingerprint {
                return Ok(false);
            }
            for segment in part.segments(&shape.schema) {
                let segment = segment?;
                let is_in_table = match segment.sequences {
                    Some((least, _)) => least < new.through,
                    // What is provisional is looked at whenever the table is.
                    None => true,
                };
                if part.origin == Origin::Pushed && is_in_table {
                    return Ok(false);
                }
                if segment.is_merged() && shape.is_cut(&segment, from, to)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

impl StateShape {
    /// Whether a merged segment withholds some answer at some instant of `from..=to`.
    fn is_cut(&self, segment: &Segment<'_>, from: EventTime, to: EventTime) -> Result<bool, Error> {
        let (from, to) = (from.as_micros(), to.as_micros());
        let (first, last) = segment.reach.arrives(&self.schema.rule);
        let (seen_from, seen_to) = segment.reach.visible;
        // Some are visible and some are not, at some instant.
        if seen_from <= to && seen_to > from && seen_from != seen_to {
            return Ok(true);
        }
        let mut kept = Vec::with_capacity(self.schema.lanes.len());
        for lane in segment.lanes() {
            kept.push(lane?.is_some());
        }
        for (lane, _) in self.plan.lanes().iter().enumerate() {
            let is_kept = kept.get(lane).copied().unwrap_or(false);
            for window in self.plan.windows_of(lane) {
                let Some(window) = self.plan.windows().get(window) else {
                    continue;
                };
                // The start moves from the first to the last.
                let (earliest, latest) = (start(*window, from), start(*window, to));
                let is_inside = earliest.is_none_or(|start| start < last);
                let is_outside = latest.is_some_and(|start| start >= first);
                if is_inside && (!is_kept || is_outside && first != last) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
