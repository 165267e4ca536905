//! Numbered versions of the definitions, plans and applies.
