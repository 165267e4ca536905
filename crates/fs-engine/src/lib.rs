//! The DataFusion session, the sources and our operators.
