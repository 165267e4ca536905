//! Taking the answers of Redis apart.

use fs_online::Error;
use redis::{ErrorKind, FromRedisValue, Value, from_redis_value};

use crate::connections::Connections;
use crate::failure::failed;

/// The answers to a pipeline, one after the other.
pub(crate) struct Replies<'a> {
    connections: &'a Connections,
    operation: &'static str,
    values: std::vec::IntoIter<Value>,
}

impl<'a> Replies<'a> {
    pub(crate) fn new(
        connections: &'a Connections,
        operation: &'static str,
        values: Vec<Value>,
    ) -> Self {
        Self {
            connections,
            operation,
            values: values.into_iter(),
        }
    }

    /// The next answer; a server error or another type is an error.
    pub(crate) fn next<T: FromRedisValue>(&mut self) -> Result<T, Error> {
        let value = self.values.next().unwrap_or_default();
        let value = value.extract_error();
        let parsed = value.and_then(|value| Ok(from_redis_value(value)?));
        parsed.map_err(|error| failed(&self.connections.store, self.operation, error))
    }

    /// The error for an answer that has the right type and still makes no sense.
    pub(crate) fn unexpected(&self) -> Error {
        let error = (
            ErrorKind::UnexpectedReturnType,
            "the server gave an answer of an unexpected shape",
        );
        failed(&self.connections.store, self.operation, error.into())
    }
}
