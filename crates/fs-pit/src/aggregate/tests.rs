mod approximate;
mod fixture;
mod golden;
mod properties;
mod sizes;
