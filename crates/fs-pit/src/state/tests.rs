//! What states promise: exact answers or none, whatever was published, pushed and asked when.

mod broken;
mod coverage;
mod fixture;
mod golden;
mod properties;
mod pushes;
mod random;
mod world;
