//! YAML in, checked definitions out.
