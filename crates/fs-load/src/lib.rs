//! Load for feature servers, and what it took to answer.
