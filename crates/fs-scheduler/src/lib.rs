//! Runs due materializations, once, wherever replicas run.
