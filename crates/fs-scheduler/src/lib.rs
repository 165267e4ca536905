//! Runs due materializations, once, wherever replicas run.
//!
//! Any number of schedulers work on one project. They do not know each other and need no server: what
//! they agree on lies in the registry's object store, in the [lease](fs_registry::lease) of each view.
//!
//! ```text
//!   every second, each scheduler
//!     is there a newer version of the registry?           its schedules count from here on
//!     which views have a tick that is not done?           read their leases: somebody may have done it
//!     are the views that they are computed from settled?  else wait
//!     is a hand free?                                     one turn for each view, in this order:
//!
//!   1 take the lease         refused: somebody else is at it; look again later
//!   2 read what is remembered, under the lease            done meanwhile: release
//!   3 remember: tick T, attempt n, begun
//!   4 run the view up to T   ──►  ingest, publish, one row in `_runs`   (fs-materialize)
//!   5 remember: T is done, or when to try again, or given up
//!   6 release
//! ```
//!
//! | It dies | What is there | Then |
//! |---|---|---|
//! | before 1 | nothing | every other scheduler finds the tick due |
//! | between 1 and 3 | a lease that nobody renews, nothing begun | taken over after a ttl: attempt 1 |
//! | between 3 and 5, anywhere in the run | a lease that nobody renews, attempt n begun | taken over after a ttl, when the wait of attempt n is over: attempt n + 1, under a greater fence. The run goes on from what is committed: replaced windows are replaced by the same, and the watermark says what is left |
//! | between 4 and 5 | all rows, and T not done | run again up to T: the watermark says that nothing is new |
//! | between 5 and 6 | T done, a lease that nobody renews | nothing is due before the next tick; taken over then |
//! | never, but it is frozen after 1 | the same as if it had died | when it wakes up, its lease is lost ([`fs_registry::Stopped::Lost`]): the run is broken off, its writes are refused by their fence, and nothing is remembered of it |
//! | the registry goes away | the last heartbeat | runs go on for a ttl, then break off; nothing begins; after it is back, all that is due runs |
//!
//! | Question | Answer |
//! |---|---|
//! | Ticks that were missed? | one run for the last of them: it brings in all that is new since the watermark |
//! | A view that never ran? | is due at once, for the last tick |
//! | A wrong clock? | ticks are judged by this clock or the store's, whichever is behind ([`fs_registry::Leases::agreed_now`]): a clock that is ahead runs nothing early, one that is behind is late |
//! | A run that fails? | is tried again with growing waits and some chance, if that can help ([`Retries`]); else at the next tick |
//! | A run that takes its process down? | counts as an attempt, because it was written down before it began |
//! | A view whose upstream fails? | waits until that is given up, and runs then: late, not never |
//! | A run that is cancelled? | is not begun again before the next tick |
//! | Shutdown? | nothing new begins; what runs may end, is stopped when the grace is over, and is taken up elsewhere without counting as a failure |
//!
//! | Module | Holds |
//! |---|---|
//! | [`scheduler`](Scheduler) | the rounds |
//! | `board` | what is known of every view, and what is to be done next: pure |
//! | `turn` | steps 1 to 6 |
//! | [`job`] | what is remembered, and what follows from it: pure |
//! | [`schedule`] | cron expressions |
//! | [`Runs`] | the port to whatever does the work |

mod backoff;
mod board;
mod health;
pub mod job;
mod runs;
pub mod schedule;
mod scheduler;
mod telemetry;
mod timetable;
mod turn;

pub use backoff::Retries;
pub use health::Health;
pub use job::JobState;
pub use runs::{Failure, Ran, Runs};
pub use schedule::{Schedule, ScheduleError};
pub use scheduler::{Scheduler, SchedulerOptions};
pub use timetable::Places;

#[cfg(test)]
mod tests;
