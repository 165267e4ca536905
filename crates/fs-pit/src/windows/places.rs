//! [`Places`]: which partial aggregate each event goes to.

use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::covers;
use super::time_line::TimeLine;
use crate::spine_index::narrow;

/// So many events are placed at a time.
const BLOCK_ROWS: usize = 64;
/// So many intervals beyond the last one of a key are tried before all of them are searched.
const NEAR: u32 = 8;

/// Interval of nothing yet: no partial has this number.
pub(super) const NOWHERE: u32 = 0;
/// In the place of a partial: what lies here counts nowhere.
const DEAD: u32 = u32::MAX;

/// An event whose key is one of the spine.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Arrival {
    /// The number of its key.
    pub(super) key: u32,
    pub(super) row: u32,
    /// Its time plus the delay.
    pub(super) at: i64,
    /// The first instant that sees it.
    pub(super) seen: i64,
}

/// An event and the partial that it goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) row: u32,
    pub(super) place: u32,
}

/// Events of one interval that were known late: they count from a slot on that is not the first one
/// after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Late {
    pub(super) interval: u32,
    pub(super) slot: u32,
    pub(super) place: u32,
}

/// Finds the partial of each event, and numbers partials when they are first needed.
///
/// An event finds its key by hash, and by binary search the interval in which it happened. Where
/// rows are hidden until they are known, an event may be hidden from the first slots after it; such
/// late events go to partials apart, one per interval and first slot that sees them.
#[derive(Debug)]
pub(super) struct Places {
    line: Arc<TimeLine>,
    /// For each key, where its last event went.
    cursors: Vec<Cursor>,
    /// The partial of each interval, or [`NOWHERE`], or [`DEAD`].
    partials: Vec<u32>,
    /// The partials of late events, by interval and slot.
    late: HashMap<(u32, u32), u32, RandomState>,
    /// The number of the next partial.
    next: u32,
    scratch: Scratch,
}

/// The interval that the last event of a key went to. Histories are sorted by time for the most
/// part, so the next one goes to the same interval or to one shortly after it.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
struct Cursor {
    /// The first and the last instant of the interval; a later first one is no interval at all.
    low: i64,
    high: i64,
    interval: u32,
    /// Where the intervals of the key end.
    end: u32,
    /// The partial if it is known, or [`DEAD`].
    place: u32,
}

impl Cursor {
    const NOWHERE: Self = Self {
        low: i64::MAX,
        high: i64::MIN,
        interval: 0,
        end: 0,
        place: NOWHERE,
    };

    const fn covers(&self, at: i64) -> bool {
        self.low <= at && at <= self.high
    }

    /// The next few intervals.
    fn near(&self) -> Range<u32> {
        let first = self.interval.saturating_add(1).min(self.end);
        first..self.end.min(first.saturating_add(NEAR))
    }
}

/// A binary search under way: the interval is one of `size` from `first` on, or the one after them.
#[derive(Debug, Clone, Copy)]
struct Search {
    /// The event in its block.
    place: u32,
    key: u32,
    at: i64,
    first: u32,
    size: u32,
}

/// Which slots see an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// The first one after it, and so all.
    AtOnce,
    /// This one, and all after it.
    From(u32),
    /// None that still covers it.
    Never,
}

/// What a block needs while it is placed, kept for the next one.
#[derive(Debug, Default)]
struct Scratch {
    searches: Vec<Search>,
    /// The interval and the partial, if it is known, of each event.
    spots: Vec<(u32, u32)>,
}

/// No partials yet.
fn partials(line: &TimeLine) -> Vec<u32> {
    // Zeros cost nothing until they are touched.
    let mut partials = vec![NOWHERE; line.intervals()];
    for interval in line.dead() {
        partials[interval] = DEAD;
    }
    partials
}

impl Places {
    pub(super) fn over(line: Arc<TimeLine>) -> Self {
        Self {
            cursors: vec![Cursor::NOWHERE; line.index().key_count()],
            partials: partials(&line),
            late: HashMap::default(),
            next: NOWHERE + 1,
            scratch: Scratch::default(),
            line,
        }
    }

    /// Bytes that a new one over `line` takes.
    pub(super) fn bytes_over(line: &TimeLine) -> usize {
        line.intervals() * size_of::<u32>() + line.index().key_count() * size_of::<Cursor>()
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        Self::bytes_over(&self.line) + self.late.allocation_size()
    }

    pub(super) const fn line(&self) -> &Arc<TimeLine> {
        &self.line
    }

    /// How many numbers there are: those of partials, and [`NOWHERE`].
    pub(super) const fn len(&self) -> usize {
        self.next as usize
    }

    /// The most partials that there will be unless events are late.
    pub(super) const fn limit(&self) -> usize {
        self.partials.len()
    }

    /// The partials of some intervals; `None` where no event was.
    pub(super) fn of_intervals(&self, intervals: Range<u32>) -> impl Iterator<Item = Option<u32>> {
        let partials = &self.partials[intervals.start as usize..intervals.end as usize];
        let is_there = |partial: &u32| *partial != NOWHERE && *partial != DEAD;
        partials
            .iter()
            .map(move |partial| Some(*partial).filter(is_there))
    }

    /// All partials of late events, ascending.
    pub(super) fn late(&self) -> Vec<Late> {
        let entries = self.late.iter();
        let mut late: Vec<Late> = entries
            .map(|(&(interval, slot), &place)| Late {
                interval,
                slot,
                place,
            })
            .collect();
        late.sort_unstable();
        late
    }

    /// Whether so many events more can be told apart.
    pub(super) fn have_room(&self, events: usize) -> bool {
        let events = u32::try_from(events).ok();
        let most = events.and_then(|events| self.next.checked_add(events));
        most.is_some_and(|most| most < DEAD)
    }

    /// Appends the place of each event that counts anywhere.
    pub(super) fn place(&mut self, arrivals: &[Arrival], placed: &mut Vec<Placed>) {
        placed.reserve(arrivals.len());
        for block in arrivals.chunks(BLOCK_ROWS) {
            self.touch_cursors(block);
            self.start_searches(block);
            self.search();
            self.end_searches();
            self.place_block(block, placed);
        }
    }

    /// Reads what the next events will need, so that the processor waits for all of it at once,
    /// where each event would wait for its own.
    fn touch_cursors(&self, block: &[Arrival]) {
        let cursors = block
            .iter()
            .map(|arrival| self.cursors[arrival.key as usize].low);
        black_box(cursors.fold(0, |touched, low| touched ^ low));
    }

    /// Takes the interval from the cursor where that is right, and prepares a search elsewhere.
    fn start_searches(&mut self, block: &[Arrival]) {
        let Scratch { searches, spots } = &mut self.scratch;
        searches.clear();
        spots.clear();
        let cuts = self.line.cuts();
        let mut touched = 0;
        for (place, arrival) in (0_u32..).zip(block) {
            let cursor = &self.cursors[arrival.key as usize];
            spots.push((cursor.interval, cursor.place));
            if !cursor.covers(arrival.at) {
                let near = cursor.near();
                touched ^= cuts.get(near.end.saturating_sub(1) as usize).unwrap_or(&0);
                searches.push(Search {
                    place,
                    key: arrival.key,
                    at: arrival.at,
                    first: near.start,
                    size: near.end - near.start,
                });
            }
        }
        black_box(touched);
        for search in searches {
            let high = self.cursors[search.key as usize].high;
            let end = (search.first + search.size) as usize;
            let is_near = search.size > 0 && high < search.at && search.at <= cuts[end - 1];
            if !is_near {
                let all = self.line.of_key(search.key);
                search.first = all.start;
                search.size = all.end - all.start;
            }
        }
    }

    /// Carries all searches on, one step each in turn, because each step waits for memory.
    fn search(&mut self) {
        let cuts = self.line.cuts();
        let mut open = true;
        while open {
            open = false;
            for search in &mut self.scratch.searches {
                if search.size > 0 {
                    let half = search.size / 2;
                    let middle = search.first + half;
                    if cuts[middle as usize] < search.at {
                        search.first = middle + 1;
                        search.size -= half + 1;
                    } else {
                        search.size = half;
                    }
                    open |= search.size > 0;
                }
            }
        }
    }

    /// Moves the cursors to what was found.
    fn end_searches(&mut self) {
        let Scratch { searches, spots } = &mut self.scratch;
        let places = searches.iter().map(|search| search.first as usize);
        let partials = places.map(|at| self.partials.get(at).unwrap_or(&0));
        black_box(partials.fold(0, |touched, partial| touched ^ partial));
        for search in searches {
            let of_key = self.line.of_key(search.key);
            let interval = search.first;
            let before = interval.checked_sub(1).filter(|at| of_key.contains(at));
            let cut = |at: u32| self.line.cuts()[at as usize];
            let is_there = interval < of_key.end;
            let cursor = Cursor {
                // An instant that something comes after is not the last one there is.
                low: before.map_or(i64::MIN, |before| cut(before) + 1),
                high: if is_there { cut(interval) } else { i64::MAX },
                interval,
                end: of_key.end,
                place: if is_there {
                    self.partials[interval as usize]
                } else {
                    DEAD
                },
            };
            spots[search.place as usize] = (cursor.interval, cursor.place);
            self.cursors[search.key as usize] = cursor;
        }
    }

    fn place_block(&mut self, block: &[Arrival], placed: &mut Vec<Placed>) {
        for (at, arrival) in block.iter().enumerate() {
            let (interval, known) = self.scratch.spots[at];
            if known == DEAD {
                continue;
            }
            let seen = if arrival.seen > arrival.at {
                self.seen(arrival.key, interval, arrival.seen)
            } else {
                Seen::AtOnce
            };
            let place = match seen {
                Seen::AtOnce if known != NOWHERE => known,
                Seen::AtOnce => self.of_ordinary(arrival.key, interval),
                Seen::From(slot) => self.of_late(interval, slot),
                Seen::Never => continue,
            };
            placed.push(Placed {
                row: arrival.row,
                place,
            });
        }
    }

    /// Which slots see an event in `interval`.
    fn seen(&self, key: u32, interval: u32, visible_from: i64) -> Seen {
        let cut = self.line.cuts()[interval as usize];
        if visible_from <= cut {
            return Seen::AtOnce;
        }
        let index = self.line.index();
        let slots = index.slots_of_key(key);
        let times = &index.times()[slots.clone()];
        let first = times.partition_point(|time| *time < cut);
        let seen = times.partition_point(|time| *time < visible_from);
        if first == seen {
            return Seen::AtOnce;
        }
        let counts = times.get(seen).is_some_and(|at| {
            let longest = self.line.windows().last();
            longest.is_some_and(|longest| covers::start(*longest, *at).is_none_or(|s| s < cut))
        });
        if counts {
            Seen::From(narrow(slots.start + seen))
        } else {
            Seen::Never
        }
    }

    fn of_late(&mut self, interval: u32, slot: u32) -> u32 {
        *self.late.entry((interval, slot)).or_insert_with(|| {
            self.next += 1;
            self.next - 1
        })
    }

    fn of_ordinary(&mut self, key: u32, interval: u32) -> u32 {
        let place = &mut self.partials[interval as usize];
        if *place == NOWHERE {
            *place = self.next;
            self.next += 1;
        }
        let cursor = &mut self.cursors[key as usize];
        if cursor.interval == interval {
            cursor.place = *place;
        }
        *place
    }
}
