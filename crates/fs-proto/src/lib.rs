//! Wire types of the gRPC interface, generated from `proto/`, for the server and its clients only.
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

/// The encoded `FileDescriptorSet` of `fs.v1`, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = tonic::include_file_descriptor_set!("fs.v1.descriptors");

/// The full name of the gRPC service, as health checks and reflection know it.
pub const SERVICE: &str = "fs.v1.FeatureStore";

#[cfg(test)]
mod tests {
    use prost::Message;

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
                file.service
                    .iter()
                    .map(|s| format!("{}.{}", file.package(), s.name()))
            })
            .collect();
        assert_eq!(names, [super::SERVICE]);
    }
}
