//! [`StateBuilder`]: the state of a key from the events that the offline table has of it.

use std::sync::Arc;

use super::batch::StateEvents;
use super::coverage::StateShape;
use super::event::Events;
use super::part::{Origin, Part, Published};
use super::segment::Apart;
use super::shaper::{Segments, Shaper, put_in_order};
use super::write_parts;
use crate::Error;

/// Makes the state of one key from its events in the offline table, which come in any order.
///
/// Of few events it keeps all, of many what [`Coverage`](super::Coverage) says: so a key takes a bounded
/// number of bytes, also while its events come.
#[derive(Debug)]
pub struct StateBuilder {
    shape: Arc<StateShape>,
    /// Until there are too many: all of them.
    few: Events,
    /// From then on.
    many: Option<Box<Shaper>>,
    events: u64,
    content: u64,
}

impl StateBuilder {
    /// A key without events.
    pub fn new(shape: Arc<StateShape>) -> Self {
        Self {
            shape,
            few: Events::default(),
            many: None,
            events: 0,
            content: 0,
        }
    }

    /// Adds the event in a row of a batch that was checked against the same plan.
    pub fn add(&mut self, events: &StateEvents<'_>, row: usize) -> Result<(), Error> {
        let Self {
            shape, few, many, ..
        } = self;
        events.put(row, few);
        if let Some(event) = few.last(&shape.schema)? {
            self.events += 1;
            self.content = self.content.wrapping_add(event.fingerprint());
            if let Some(many) = many {
                many.add(shape, &event)?;
            }
        }
        if many.is_some() {
            few.pop();
        } else if few.len() > shape.limits.few {
            let many = many.insert(Box::default());
            for event in few.all(&shape.schema)? {
                many.add(shape, &event)?;
            }
            // What is left is where one event at a time is put together.
            *few = Events::default();
        }
        Ok(())
    }

    /// What it takes in memory, about.
    pub fn bytes(&self) -> usize {
        let many = self.many.as_ref().map(|many| many.heap_bytes());
        size_of::<Self>() + self.few.heap_bytes() + many.unwrap_or_default()
    }

    /// The state. `through` is the first sequence that the table did not have yet: pushed events with a
    /// smaller one are in it.
    pub fn finish(self, through: i64) -> Result<Vec<u8>, Error> {
        let Self {
            shape, few, many, ..
        } = self;
        let segments = if let Some(many) = many {
            many.finish(&shape, false)?
        } else {
            let mut segments = Segments::default();
            if !few.is_empty() {
                put_in_order(&shape, &few, Apart::Published(&shape), &mut segments)?;
            }
            segments
        };
        let mut schema = Vec::new();
        shape.schema.write(&mut schema);
        let part = Part {
            origin: Origin::Published(Published {
                through,
                events: self.events,
                content: self.content,
            }),
            schema: &schema,
            fingerprint: shape.schema.fingerprint,
            count: segments.count,
            segments: &segments.bytes,
        };
        Ok(write_parts(&[part]))
    }
}
