//! How much one client may ask for.

use std::time::Duration;

/// What the server takes and sends at most. Beyond it, a request gets a clear error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Entities of one online request.
    pub rows: usize,
    /// Bytes of one gRPC message of the online service, in either direction.
    pub message_bytes: usize,
    /// Values of one online answer: entities times features.
    pub values: usize,
    /// Values of all online answers that are being made at the same time.
    pub values_in_flight: usize,
    /// Online requests that are answered at the same time, at the very most.
    pub requests_in_flight: usize,
    /// What an online request is to take at most while there is more to do than can be done: so
    /// many are let in as can be answered within it, and the others are told to come again.
    pub latency_target: Duration,
    /// How long an online request may take.
    pub request_time: Duration,
    /// Rows of one push.
    pub push_rows: usize,
    /// Pushes whose rows are written at the same time.
    pub writes_in_flight: usize,
    /// How long pushing rows may take.
    pub write_time: Duration,
    /// Bytes of one Flight message: a record batch that a client sends in one piece.
    pub flight_message_bytes: usize,
    /// Bytes of one spine.
    pub spine_bytes: usize,
    /// Training sets that are made at the same time; further ones wait.
    pub training_sets: usize,
    /// How long a client may take over one message of a spine or of a training set: to send the
    /// next, or to make room for it by reading. A client that stands still gives up its turn.
    pub client_time: Duration,
    /// Uploaded spines that are kept; the oldest go first.
    pub uploads: usize,
    /// Bytes of all uploaded spines together; the oldest go first.
    pub upload_bytes: usize,
    /// How long an uploaded spine is kept.
    pub upload_age: Duration,
}

const MIB: usize = 1 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows: 10_000,
            values: 2_500_000,
            values_in_flight: 20_000_000,
            requests_in_flight: 512,
            latency_target: Duration::from_millis(100),
            message_bytes: 64 * MIB,
            push_rows: 100_000,
            writes_in_flight: 64,
            write_time: Duration::from_mins(1),
            request_time: Duration::from_secs(10),
            flight_message_bytes: 512 * MIB,
            spine_bytes: 2_048 * MIB,
            training_sets: 4,
            client_time: Duration::from_mins(1),
            uploads: 64,
            upload_bytes: 1_024 * MIB,
            upload_age: Duration::from_mins(15),
        }
    }
}
