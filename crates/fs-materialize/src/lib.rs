//! Source to Delta table to online store.
