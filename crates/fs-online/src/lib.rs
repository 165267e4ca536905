//! The online store port, its byte formats, the memory store and the conformance suite.
