//! What people may ask for: to be forgotten, in time or at once, and to see what is held about them.

mod broken_off;
mod erase;
mod export;
mod prune;
