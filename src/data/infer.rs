//! `infer`: the `data.toml` block for a file, from its rows.
//!
//! Every row is read. What a column may be is narrowed with each cell in [`column`]; what is left over at the end is
//! written down here.
//!
//! 1. The block is ready to paste: every name in it is declared in it, or is the customer.
//! 2. A type is given only where every cell is of it. What the rows leave open is said in a comment, not guessed.
//! 3. What looks like the key of something is text: ids are names, even where they are made of digits.

mod column;

use super::DataError;
use super::files::{Next, Rows};
use crate::catalogue::CUSTOMER;
use column::{Column, Found};
use csv::ByteRecord;
use std::fmt::Write;
use std::path::Path;

/// The block for the file at `path`, under the name `entity` or one made from the file's.
///
/// # Errors
/// When the file cannot be read or has no heading.
pub fn infer(path: &Path, entity: Option<&str>) -> Result<String, DataError> {
    let headings = headings(path)?;
    let mut rows = Rows::open(path, &headings)?;
    let mut columns: Vec<Column> = rows.headings().iter().map(|heading| Column::new(heading)).collect();
    let mut record = ByteRecord::new();
    let (mut good, mut bad) = (0_u64, 0_u64);
    loop {
        match rows.next(path, &mut record)? {
            Next::End => break,
            Next::Bad(_) => bad += 1,
            Next::Row => {
                good += 1;
                columns.iter_mut().zip(&record).for_each(|(column, cell)| column.see(cell));
            }
        }
    }
    name_apart(&mut columns);
    let named = columns.iter().any(|column| column.name == "customer_id");
    let name = entity.map_or_else(|| entity_name(path, named, &columns), str::to_owned);
    Ok(Block { path, name, columns: &columns, good, bad }.write())
}

/// The headings of the file: those of its first row, or of the first object of NDJSON.
fn headings(path: &Path) -> Result<Vec<String>, DataError> {
    use std::io::{BufRead, BufReader, Read};
    const FIRST_LINE: u64 = 1 << 20;
    let failed = |error| DataError::file(path, error);
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut line = Vec::new();
    BufReader::new(file.take(FIRST_LINE)).read_until(b'\n', &mut line).map_err(failed)?;
    let object = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&line);
    Ok(object.map(|object| object.keys().cloned().collect()).unwrap_or_default())
}

/// Gives columns whose headings make the same name names of their own.
fn name_apart(columns: &mut [Column]) {
    for index in 0..columns.len() {
        let taken = |name: &str| columns[..index].iter().any(|column| column.name == name);
        let wanted = columns[index].name.clone();
        let free = std::iter::once(wanted.clone()).chain((2..).map(|number| format!("{wanted}_{number}")));
        let name = free.into_iter().find(|name| !taken(name)).expect("some number is free");
        columns[index].name = name;
    }
}

/// What the rows of a file are called: the file's name in the singular; the customer where it has a way to reach
/// people and belongs to nobody.
fn entity_name(path: &Path, belongs: bool, columns: &[Column]) -> String {
    let reachable = columns.iter().any(|column| matches!(column.found(), Found::Email | Found::Phone));
    if reachable && !belongs {
        return CUSTOMER.to_owned();
    }
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("row");
    let name = column::field_name(stem);
    match (name.strip_suffix("ies"), name.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) if !stem.ends_with('s') => stem.to_owned(),
        _ => name,
    }
}

struct Block<'a> {
    path: &'a Path,
    name: String,
    columns: &'a [Column],
    good: u64,
    bad: u64,
}

impl Block<'_> {
    fn write(&self) -> String {
        let mut out = String::new();
        let mut line = |text: &str| {
            out.push_str(text);
            out.push('\n');
        };
        line(&format!("# From {} rows of {}.", self.good, self.path.display()));
        if self.bad > 0 {
            line(&format!("# {} more could not be read: `plusone import` tells which.", self.bad));
        }
        line(&format!("[{}]", self.name));
        line(&format!("source = {}", quoted(&self.path.display().to_string())));
        let key = self.key();
        line(&format!("key = {}", quoted(&key.name)));
        if !key.is_unique() {
            line("# This key comes more than once or is missing in places: of rows with one key the last one counts.");
        }
        if self.name.ends_with('y') {
            let stem = &self.name[..self.name.len() - 1];
            line(&format!("plural = \"{stem}ies\""));
        }
        if self.columns.iter().any(|column| matches!(column.found(), Found::Decimal { sign: ',', .. })) {
            line("decimal = \",\"");
        }
        self.relations().iter().for_each(|text| line(text));
        if self.name == CUSTOMER {
            self.roles().iter().for_each(|text| line(text));
        }
        line(&format!("[{}.fields]", self.name));
        self.columns.iter().for_each(|column| line(&declaration(column, column.name == key.name)));
        out
    }

    /// The column that names a row: one that is called so and is unique, or the first that is unique, or the first.
    fn key(&self) -> &Column {
        let called = |column: &&Column| {
            column.name == "id" || column.name == format!("{}_id", self.name) || column.name == "key"
        };
        let ids = |column: &&Column| column.name.ends_with("_id") && column.is_unique();
        self.columns
            .iter()
            .find(|column| called(column) && column.is_unique())
            .or_else(|| self.columns.iter().find(ids))
            .or_else(|| self.columns.iter().find(Column::is_unique_ref))
            .or_else(|| self.columns.iter().find(called))
            .unwrap_or(&self.columns[0])
    }

    fn relations(&self) -> Vec<String> {
        if self.name == CUSTOMER {
            return Vec::new();
        }
        let key = &self.key().name;
        let others = self.columns.iter().filter(|column| column.name != *key);
        let links: Vec<(&str, &str)> =
            others.filter_map(|column| Some((column.name.strip_suffix("_id")?, column.name.as_str()))).collect();
        let mut lines = Vec::new();
        if links.iter().any(|(entity, _)| *entity == CUSTOMER) {
            lines.push("belongs_to = { customer = \"customer_id\" }".to_owned());
        } else {
            lines.push(
                "# belongs_to = { customer = \"…\" }   # the field with the customer's key, if there is one".to_owned(),
            );
        }
        for (entity, field) in links.into_iter().filter(|(entity, _)| *entity != CUSTOMER) {
            lines.push(format!("# add `{entity} = \"{field}\"` to belongs_to once [{entity}] is declared"));
        }
        lines
    }

    fn roles(&self) -> Vec<String> {
        let mut roles = String::new();
        let mut add = |role: &str, column: Option<&Column>| {
            if let Some(column) = column {
                let comma = if roles.is_empty() { "" } else { ", " };
                write!(roles, "{comma}{role} = {}", quoted(&column.name)).expect("text is written to memory");
            }
        };
        let found = |wanted: Found| self.columns.iter().find(move |column| column.found() == wanted);
        let called = |names: &'static [&'static str]| {
            self.columns.iter().find(move |column| {
                matches!(column.found(), Found::Text | Found::Empty) && names.contains(&column.name.as_str())
            })
        };
        add("email", found(Found::Email));
        add("phone", found(Found::Phone));
        add("name", called(&["first_name", "firstname", "given_name", "vorname", "prenom", "name"]));
        add("locale", called(&["locale", "language", "lang"]));
        add("time_zone", called(&["time_zone", "timezone", "zone", "tz"]));
        add("country", called(&["country", "country_code"]));
        if roles.is_empty() { Vec::new() } else { vec![format!("roles = {{ {roles} }}")] }
    }
}

fn declaration(column: &Column, is_key: bool) -> String {
    let (ty, options, comment) = column.declared(is_key);
    let mut options: Vec<String> = options;
    if column.heading != column.name {
        options.insert(0, format!("column = {}", quoted(&column.heading)));
    }
    let value =
        if options.is_empty() { quoted(&ty) } else { format!("{{ type = {}, {} }}", quoted(&ty), options.join(", ")) };
    let comment = comment.map(|comment| format!("   # {comment}")).unwrap_or_default();
    format!("{} = {value}{comment}", column.name)
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::infer;

    fn block(name: &str, content: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        let block = infer(&path, None).expect("a block");
        block.lines().filter(|line| !line.starts_with("source")).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn customers_are_known_by_their_addresses() {
        let content = "Kunden-Nr;E-Mail;Mobile;Vorname;Geburtstag;Guthaben;Newsletter\n\
                       00017;ann@example.com;020 7183 8750;Ann;03.11.1980;12,50;yes\n\
                       00018;bob@example.com;;Bob;24.12.1999;-1,5;no\n";
        let found = block("export.csv", content);
        let expected = r#"[customer]
key = "kunden_nr"
decimal = ","
roles = { email = "e_mail", phone = "mobile", name = "vorname" }
[customer.fields]
kunden_nr = { type = "text", column = "Kunden-Nr" }
e_mail = { type = "text", column = "E-Mail" }
mobile = { type = "text", column = "Mobile" }
vorname = { type = "text", column = "Vorname" }
geburtstag = { type = "date", column = "Geburtstag", format = "%d.%m.%Y" }
guthaben = { type = "decimal", column = "Guthaben" }
newsletter = { type = "boolean", column = "Newsletter" }"#;
        assert!(found.ends_with(expected), "{found}");
    }

    #[test]
    fn what_belongs_to_customers_is_linked() {
        let content = "id,customer_id,store_id,placed_at,total,weight,day\n\
                       1,7,3,2026-11-03 09:00,2.50,0.123456,04/03/2026\n\
                       2,8,3,2026-11-03T10:00:00Z,12,1,05/03/2026\n";
        let found = block("orders.csv", content);
        for line in [
            "[order]",
            "key = \"id\"",
            "belongs_to = { customer = \"customer_id\" }",
            "# add `store = \"store_id\"` to belongs_to once [store] is declared",
            "id = \"text\"",
            "customer_id = \"text\"",
            "placed_at = \"timestamp\"",
            "total = \"money\"",
            "weight = { type = \"decimal\", scale = 6 }",
        ] {
            assert!(found.lines().any(|found| found == line), "{line} in\n{found}");
        }
        assert!(found.contains("day = { type = \"date\", format = \"%d/%m/%Y\" }   # or %m/%d/%Y"), "{found}");
    }

    #[test]
    fn columns_of_one_name_are_told_apart_and_odd_headings_are_named() {
        let found = block("things.csv", "a b,A-B,1st,größe\nx,y,z,w\n");
        for name in ["a_b = ", "a_b_2 = ", "f_1st = ", "gr_e = "] {
            assert!(found.lines().any(|line| line.starts_with(name)), "{name} in\n{found}");
        }
    }

    #[test]
    fn a_file_of_objects_is_read_too() {
        let found =
            block("events.ndjson", "{\"id\": \"e1\", \"name\": \"Cart Updated\", \"at\": \"2026-11-03T09:00:00Z\"}\n");
        assert!(found.contains("at = \"timestamp\""), "{found}");
    }
}
