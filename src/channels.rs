//! Channels: the ways out.
