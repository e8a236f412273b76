//! Customer data: imports and sources.
