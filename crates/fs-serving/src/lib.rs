//! Entity keys in, feature vectors out.
