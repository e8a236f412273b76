//! Tests of plusone from outside, on real parts.

mod conditions;
