//! Wire types of the gRPC interface.
