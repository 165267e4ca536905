//! Training sets: a spine in, the same rows with features out.
