//! Criterion benchmarks and recorded results.
