//! How long the online store must keep a row.

use fs_core::{EventTime, Ttl};

/// A day, for clocks that differ and for a ttl that is being raised.
const SLACK: i64 = 24 * 60 * 60 * 1_000_000;

/// From when on a row may be forgotten, in microseconds; `None` without a ttl.
///
/// ```text
///   ttl     event    now       may be forgotten
///   2h      10:00    10:05     12:05 on the next day
///   2h      23:00    10:05     01:00 two days later: its time has not come yet
///   none                       never
/// ```
pub(crate) fn keep_until(ttl: Option<Ttl>, event: EventTime, now: EventTime) -> Option<i64> {
    let ttl = ttl?.as_micros();
    let from = event.max(now).as_micros();
    Some(from.saturating_add(ttl).saturating_add(SLACK))
}
