//! Wire types of the gRPC interfaces, generated from `proto/`, for the server and its clients only.
//!
//! | Module | Interface |
//! |---|---|
//! | [`v1`] | `fs.v1`, our own |
//! | [`feast`] | Feast's, under its names and numbers |
//!
//! Nothing below the server speaks in these types: they are translated at the edge. The contract
//! is written in the `.proto` file itself; the commands of Arrow Flight are in `proto/README.md`.

/// `fs.v1`: messages, the client and the server trait.
pub mod v1 {
    #![expect(
        missing_docs,
        unused_qualifications,
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated code; its documentation is the .proto file"
    )]

    tonic::include_proto!("fs.v1");
}

/// The interfaces of Feast.
pub mod feast {
    /// `feast.types`: values.
    pub mod types {
        #![expect(
            missing_docs,
            clippy::pedantic,
            reason = "generated code; its documentation is the .proto file"
        )]

        tonic::include_proto!("feast.types");
    }

    /// `feast.serving`: reading features.
    pub mod serving {
        #![expect(
            missing_docs,
            unused_qualifications,
            clippy::pedantic,
            clippy::allow_attributes,
            clippy::allow_attributes_without_reason,
            reason = "generated code; its documentation is the .proto file"
        )]

        tonic::include_proto!("feast.serving");
    }

    /// `GrpcFeatureServer`, which has no package: reading and writing.
    pub mod grpc {
        #![expect(
            unused_qualifications,
            clippy::pedantic,
            clippy::allow_attributes,
            clippy::allow_attributes_without_reason,
            reason = "generated code; its documentation is the .proto file"
        )]

        use crate::feast;

        tonic::include_proto!("_");
    }

    /// The full name of the service that only reads.
    pub const SERVING_SERVICE: &str = "feast.serving.ServingService";

    /// The full name of the service that also writes.
    pub const FEATURE_SERVER: &str = "GrpcFeatureServer";
}

/// The encoded `FileDescriptorSet` of all interfaces, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = tonic::include_file_descriptor_set!("descriptors");

/// The full name of our own gRPC service, as health checks and reflection know it.
pub const SERVICE: &str = "fs.v1.FeatureStore";

/// The full names of all services that read or write features.
pub const SERVICES: [&str; 3] = [SERVICE, feast::SERVING_SERVICE, feast::FEATURE_SERVER];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bytes::Bytes;
    use prost::Message;

    use super::feast::types::Value;
    use super::feast::types::value::Val;
    use super::v1::{Column, Int32s, column};

    #[test]
    fn numbers_of_a_column_are_packed() {
        let values = vec![-1; 100];
        let column = Column {
            values: Some(column::Values::Int32s(Int32s { values })),
            ..Column::default()
        };
        let framing = 4;
        assert_eq!(column.encoded_len(), 100 + framing);
    }

    #[test]
    fn the_descriptors_hold_the_service() {
        let set = prost_types::FileDescriptorSet::decode(super::DESCRIPTORS).unwrap();
        let names: Vec<String> = set
            .file
            .iter()
            .flat_map(|file| {
                let full = |name: &str| format!("{}.{name}", file.package());
                file.service
                    .iter()
                    .map(move |service| full(service.name()).trim_start_matches('.').to_owned())
            })
            .collect();
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(names, BTreeSet::from(super::SERVICES));
    }

    #[test]
    fn values_of_feast_have_its_numbers() {
        for (value, key) in [
            (Val::BytesVal(Bytes::from_static(b"x")), 1 << 3 | 2),
            (Val::DoubleVal(1.0), 5 << 3 | 1),
            (Val::FloatVal(1.0), 6 << 3 | 5),
            (Val::UnixTimestampVal(1), 8 << 3),
            (Val::NullVal(0), 19 << 3),
        ] {
            let bytes = Value { val: Some(value) }.encode_to_vec();
            let first = prost::encoding::decode_varint(&mut bytes.as_slice());
            assert_eq!(first, Ok(key));
        }
    }
}
