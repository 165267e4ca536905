//! Point-in-time kernels over Arrow, each beside its naive reference.
