//! A test system's list of addresses: everyone else is skipped.

use crate::settings::Guard;

impl Guard {
    /// Whether `only_to` lets a message go to `address`. `*` stands for any characters.
    pub fn allows(&self, address: &str) -> bool {
        self.only_to.is_empty() || self.only_to.iter().any(|pattern| fits(pattern, address))
    }
}

/// Whether `text` fits a pattern in which `*` stands for any characters; capital letters do not matter.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
