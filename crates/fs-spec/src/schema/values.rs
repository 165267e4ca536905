//! Values that are more than text, or less.
//!
//! Where text is not the type, `${NAME}` is allowed all the same: the value comes from the
//! environment.

use std::borrow::Cow;

use fs_core::{DataType, Function, KeyType, ScalarType};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

macro_rules! values {
    ($($(#[$doc:meta])* $name:ident = $schema:expr;)*) => {$(
        $(#[$doc])*
        pub(super) enum $name {}

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

const INTERPOLATED: &str = "\\$\\{";

values! {
    /// The name of something.
    Name = json_schema!({
        "type": "string",
        "pattern": "^([A-Za-z][A-Za-z0-9_]{0,63}|.*\\$\\{.*)$",
    });

    /// A length of time.
    Duration = json_schema!({
        "anyOf": [
            {
                "type": "string",
                "pattern": "^(0|([0-9]+(w|d|h|m|s|ms|us))+|.*\\$\\{.*)$",
                "examples": ["90s", "15m", "3h", "7d"],
            },
            { "const": 0 },
        ],
    });

    /// True or false.
    Boolean = json_schema!({
        "anyOf": [
            { "type": "boolean" },
            { "type": "string", "pattern": INTERPOLATED },
        ],
    });

    /// An amount of memory.
    Memory = json_schema!({
        "anyOf": [
            { "type": "string", "examples": ["512MiB", "2GiB", "1GB"] },
            { "type": "integer", "minimum": 1 },
        ],
    });

    /// A number of connections.
    Connections = json_schema!({
        "anyOf": [
            { "type": "integer", "minimum": 1, "maximum": 256 },
            { "type": "string", "pattern": INTERPOLATED },
        ],
    });

    /// A number of rows.
    Rows = json_schema!({
        "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": INTERPOLATED },
        ],
    });

    /// What an aggregation makes of the values in a window.
    FunctionName = one_of(&Function::NAMES.map(str::to_owned));

    /// How far back an aggregation looks.
    WindowLength = json_schema!({
        "type": "string",
        "pattern": "^(([0-9]+(w|d|h|m|s|ms|us))+|lifetime|.*\\$\\{.*)$",
        "examples": ["1h", "7d", "lifetime"],
    });

    /// How many values a list holds at most.
    ListLength = json_schema!({
        "anyOf": [
            { "type": "integer", "minimum": 1, "maximum": 1000 },
            { "type": "string", "pattern": INTERPOLATED },
        ],
    });

    /// A part of the values in order.
    PartOfValues = json_schema!({
        "anyOf": [
            { "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 },
            { "type": "string", "pattern": INTERPOLATED },
        ],
    });

    /// A part of a whole, from 0 to 1.
    Part = json_schema!({
        "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 1 },
            { "type": "string", "pattern": INTERPOLATED },
        ],
    });

    /// A value of the column's type: a number, a text, true or false, or a timestamp as text.
    Comparable = json_schema!({ "type": ["string", "number", "boolean"] });

    /// Text by name; numbers and booleans count as text.
    Tags = json_schema!({
        "type": "object",
        "additionalProperties": { "type": ["string", "number", "boolean"] },
    });

    /// The type of a join key.
    Key = one_of(&KeyType::ALL.map(|key_type| key_type.to_string()));

    /// The type of a feature.
    AnyType = one_of(
        &[DataType::Scalar, DataType::Array]
            .into_iter()
            .flat_map(|data_type| ScalarType::ALL.map(data_type))
            .map(|data_type| data_type.to_string())
            .collect::<Vec<_>>(),
    );

    /// `view: [feature, …]`.
    SomeFeatures = json_schema!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": {
            "type": "array",
            "items": { "type": "string" },
            "minItems": 1,
        },
    });
}

fn one_of(words: &[String]) -> Schema {
    json_schema!({
        "anyOf": [
            { "enum": words },
            { "type": "string", "pattern": INTERPOLATED },
        ],
    })
}
