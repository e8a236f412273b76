//! Delivery: claim, re-check, render, send, record.
