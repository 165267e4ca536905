//! Taking the answers of Redis apart.

use fs_online::Error;
use redis::{ErrorKind, FromRedisValue, RedisError, Value, from_redis_value};

use crate::connections::Connections;
use crate::failure::failed;

/// The answers to commands, one after the other.
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
        let value = self.next_value()?;
        from_redis_value(value).map_err(|error| self.failed(error.into()))
    }

    /// The next answer as it is; a server error is an error.
    pub(crate) fn next_value(&mut self) -> Result<Value, Error> {
        let value = self.values.next().unwrap_or_default();
        value.extract_error().map_err(|error| self.failed(error))
    }

    /// The answers as they are, server errors included.
    pub(crate) fn into_values(self) -> Vec<Value> {
        self.values.collect()
    }

    /// The error for an answer that has the right type and still makes no sense.
    pub(crate) fn unexpected(&self) -> Error {
        let error = (
            ErrorKind::UnexpectedReturnType,
            "the server gave an answer of an unexpected shape",
        );
        self.failed(error.into())
    }

    fn failed(&self, error: RedisError) -> Error {
        failed(&self.connections.store, self.operation, error)
    }
}
