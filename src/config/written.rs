//! What the program itself writes into files of TOML.

use std::fmt::Write;

/// A [basic string](https://toml.io/en/v1.0.0#string) that holds `text`.
pub fn basic_string(text: &str) -> String {
    let mut out = String::from("\"");
    for sign in text.chars() {
        match sign {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            sign if sign.is_control() => write!(out, "\\u{:04X}", u32::from(sign)).expect("text is written to memory"),
            sign => out.push(sign),
        }
    }
    out.push('"');
    out
}
