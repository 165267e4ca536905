//! Answers that say: not here, or not now.

use redis::{RedisError, ServerErrorKind, Value};

use super::round::To;
use super::topology::Place;

/// What an answer says about where a command should go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Redirect {
    /// The slot is elsewhere, from now on.
    Moved { slot: u16, place: Place },
    /// The slot is on its way: this command is for the other node.
    Ask { place: Place },
    /// The slot is on its way, and the nodes do not agree yet.
    TryAgain,
}

impl Redirect {
    /// What `reply` to a command of `slot` says; it came from `from`.
    pub(super) fn of(reply: &Value, slot: u16, from: &Place) -> Option<Self> {
        let Value::ServerError(error) = reply else {
            return None;
        };
        let place = || {
            let error = RedisError::from(error.clone());
            let (address, _slot) = error.redirect_node()?;
            Place::parse(address, from)
        };
        match error.kind()? {
            ServerErrorKind::Moved => place().map(|place| Self::Moved { slot, place }),
            ServerErrorKind::Ask => place().map(|place| Self::Ask { place }),
            ServerErrorKind::TryAgain => Some(Self::TryAgain),
            _ => None,
        }
    }

    pub(super) fn to(self) -> To {
        match self {
            Self::Moved { place, .. } => To::Place(place),
            Self::Ask { place } => To::Asking(place),
            Self::TryAgain => To::Owner,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(line: &str) -> Value {
        redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap()
    }

    #[test]
    fn redirections_are_told_from_other_answers() {
        let from = Place::new("10.0.0.1", 7_000);
        let of = |line: &str| Redirect::of(&reply(line), 7, &from);
        let moved = |host: &str, port| {
            let place = Place::new(host, port);
            Some(Redirect::Moved { slot: 7, place })
        };
        assert_eq!(of("MOVED 7 10.0.0.2:7001"), moved("10.0.0.2", 7_001));
        assert_eq!(
            of("MOVED 7 redis-2.example:7001"),
            moved("redis-2.example", 7_001)
        );
        assert_eq!(of("MOVED 7 ::1:7001"), moved("::1", 7_001));
        // The host of whoever says so.
        assert_eq!(of("MOVED 7 :7001"), moved("10.0.0.1", 7_001));
        let place = Place::new("10.0.0.2", 7_001);
        assert_eq!(of("ASK 7 10.0.0.2:7001"), Some(Redirect::Ask { place }));
        assert_eq!(of("TRYAGAIN Multiple keys"), Some(Redirect::TryAgain));
        assert_eq!(of("MOVED"), None);
        assert_eq!(of("ERR no"), None);
        assert_eq!(Redirect::of(&Value::Okay, 7, &from), None);
    }
}
