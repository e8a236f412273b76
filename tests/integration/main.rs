//! Tests on real parts, in one binary: one file per feature.

mod offers;
