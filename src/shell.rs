//! Commands that are proposed to people, in the words of a POSIX shell.
//!
//! The names of rules, entities and runs are made of letters that every shell leaves alone; the ids of customers and the
//! paths of files are not, and go through [`customer`] and [`word`].

use std::borrow::Cow;

/// `text` as one word of a command: as it is where a shell leaves it alone, else in single quotes.
pub fn word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

/// The customer `id` as one word of a command: an id like an option with `customer:` before it, as every command takes it.
pub fn customer(id: &str) -> Cow<'_, str> {
    if id.starts_with('-') { Cow::Owned(word(&format!("customer:{id}")).into_owned()) } else { word(id) }
}

#[cfg(test)]
mod tests {
    use super::{customer, word};

    #[test]
    fn no_customer_is_taken_for_an_option() {
        for (id, told) in [("17", "17"), ("-7", "customer:-7"), ("--json x", "'customer:--json x'")] {
            assert_eq!(customer(id), told);
        }
    }

    #[test]
    fn what_a_shell_would_read_otherwise_stands_in_quotes() {
        for plain in ["17", "ann@shop.test", "+447700900123", "order:1234", "var/run.csv", "Zoë"] {
            assert_eq!(word(plain), plain);
        }
        for (text, quoted) in [
            ("", "''"),
            ("Ann Lee", "'Ann Lee'"),
            ("a;b", "'a;b'"),
            ("$HOME", "'$HOME'"),
            ("~", "'~'"),
            ("#1", "'#1'"),
            ("O'Neil", r"'O'\''Neil'"),
        ] {
            assert_eq!(word(text), quoted);
        }
    }
}
