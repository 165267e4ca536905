//! gRPC, Arrow Flight and HTTP: translation only.
