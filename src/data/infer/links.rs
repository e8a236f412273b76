//! Which column holds the key of another entity.

use crate::catalogue::CUSTOMER;
use std::path::Path;

/// The last word of headings that name rows.
pub const KEYS: [&str; 8] = ["id", "key", "nr", "no", "number", "num", "ref", "sku"];

/// What headings that name rows end with in one word, as German writes them: `Kundennummer`, `BestellNr`.
const ENDINGS: [&str; 3] = ["nummer", "nr", "number"];

/// Whether a heading's last word says that the cells name rows; the number of a house names none.
pub fn names_rows(word: &str) -> bool {
    let is_house = word.starts_with("haus") || word.starts_with("house");
    KEYS.contains(&word) || !is_house && ENDINGS.iter().any(|ending| word.ends_with(ending))
}

/// An entity that rows may belong to, and the field with its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    pub entity: String,
    pub key: String,
}

impl Known {
    /// What `config/data.toml` under `home` declares; nothing where there is none that can be read.
    pub fn of_home(home: &Path) -> Vec<Self> {
        let declared = crate::config::declared(home);
        declared.into_iter().map(|(entity, key)| Self { entity, key }).collect()
    }

    /// Customers, whom every `data.toml` has.
    pub fn customer() -> Self {
        Self { entity: CUSTOMER.to_owned(), key: "id".to_owned() }
    }

    /// Whether a column of that name plainly holds the key: `customer_no`, `customer`, or the key's own name where it
    /// says more than `id`.
    pub fn is_named_by(&self, column: &str) -> bool {
        let rest = column.strip_prefix(&self.entity);
        let tells = !KEYS.contains(&self.key.as_str()) && self.key != "name" && self.key != "code";
        match rest {
            Some("") => true,
            Some(rest) => rest.strip_prefix('_').is_some_and(|rest| KEYS.contains(&rest) || rest == self.key),
            None => tells && column == self.key,
        }
    }
}
