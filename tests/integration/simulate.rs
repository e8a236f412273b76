//! `simulate`: what it says is what `once` then does; it writes nothing, and shows what a person asks for.

mod command;
mod copy;
mod same;
mod stands;
mod world;
