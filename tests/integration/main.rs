//! The tests of the program as a whole: the real binary, on real parts.
//!
//! 1. One binary for all of them, so that they link once.
//! 2. What a test needs is started by [`harness`], on free ports of the run's loopback address, and stopped with it.
//! 3. A part that is not there is a failure where `CI` is set; elsewhere the test says that it was left out.
//! 4. Tests that take minutes, or want the program as users run it, are marked as ignored: `tests/run` runs them on the
//!    release build.

mod bench;
mod caps;
mod channels;
mod check;
mod conditions;
mod data;
mod databases;
mod delivery;
mod documents;
mod doors;
mod foresight;
mod guide;
mod harness;
mod hooks;
mod hours;
mod init;
mod kill;
mod log;
mod mistakes;
mod new;
mod offers;
mod pages;
mod parts;
mod planning;
mod preview;
mod readme;
mod real_data;
mod reload;
mod report;
mod rights;
mod schemas;
mod send_test;
mod shop;
mod simulate;
mod smtp_client;
mod tidy;
mod way_out;
mod ways_out;
mod web;
