//! `infer`: the `data.toml` block for a file, from its rows.
//!
//! Every row is read. What a column may be is narrowed with each cell in [`column`]; what is left over at the end is
//! written down here.
//!
//! 1. The block is ready to paste: every name in it is declared in it, or is the customer.
//! 2. A type is given only where every cell is of it. What the rows leave open is said in a comment, not guessed.
//! 3. What looks like the key of something is text: ids are names, even where they are made of digits.

mod column;
mod links;
mod numbers;
mod tally;

pub use links::Known;

use super::DataError;
use super::files::{Next, Rows};
use super::values::SAVE_AS_UTF8;
use crate::catalogue::CUSTOMER;
use crate::config::basic_string as quoted;
use column::{Column, Declared, Found};
use csv::ByteRecord;
use numbers::FileStyle;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The blocks for the files at `paths`, the first under the name `entity` or one made from the file's. They may belong
/// to each other and to what is `declared` already.
///
/// # Errors
/// When a file cannot be read or has no heading.
pub fn infer(paths: &[PathBuf], entity: Option<&str>, declared: &[Known]) -> Result<Vec<String>, DataError> {
    let mut known = declared.to_vec();
    if !known.iter().any(|known| known.entity == CUSTOMER) {
        known.push(Known::customer());
    }
    let mut blocks = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        let mut block = Block::read(path)?;
        let name = entity.filter(|_| index == 0).map_or_else(|| block.entity_name(&known), str::to_owned);
        block.name_as(name, &known);
        known.retain(|known| known.entity != block.name);
        known.push(Known { entity: block.name.clone(), key: block.key().name.clone() });
        blocks.push(block);
    }
    for block in &mut blocks {
        block.link(&known);
    }
    Ok(blocks.iter().map(Block::write).collect())
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

/// What headings of columns with a yes to advertisements hold.
const CONSENT: [&str; 12] = [
    "news",
    "offer",
    "opt_in",
    "optin",
    "consent",
    "marketing",
    "promo",
    "mailing",
    "werbung",
    "angebot",
    "einwillig",
    "zustimm",
];

struct Block {
    path: PathBuf,
    name: String,
    columns: Vec<Column>,
    good: u64,
    bad: u64,
    /// Rows with text in another encoding, among the good ones.
    foreign: u64,
    /// The column with the key.
    key: usize,
    /// Entities, and the columns with their keys.
    links: Vec<(String, usize)>,
}

impl Block {
    fn read(path: &Path) -> Result<Self, DataError> {
        let headings = headings(path)?;
        let mut rows = Rows::open(path, &headings)?;
        let mut columns: Vec<Column> = rows.headings().iter().map(|heading| Column::new(heading)).collect();
        let mut record = ByteRecord::new();
        let (mut good, mut bad, mut foreign) = (0_u64, 0_u64, 0_u64);
        loop {
            match rows.next(path, &mut record)? {
                Next::End => break,
                Next::Bad(_) => bad += 1,
                Next::Row => {
                    good += 1;
                    foreign += u64::from(record.iter().any(|cell| std::str::from_utf8(cell).is_err()));
                    columns.iter_mut().zip(&record).for_each(|(column, cell)| column.see(cell));
                }
            }
        }
        name_apart(&mut columns);
        Ok(Self { path: path.to_owned(), name: String::new(), columns, good, bad, foreign, key: 0, links: Vec::new() })
    }

    /// What the rows of a file are called: the file's name in the singular; the customer where it has a way to reach
    /// people and belongs to nobody.
    fn entity_name(&self, known: &[Known]) -> String {
        let stem = self.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("row");
        let name = column::field_name(stem);
        let name = match (name.strip_suffix("ies"), name.strip_suffix('s')) {
            (Some(stem), _) => format!("{stem}y"),
            (None, Some(stem)) if !stem.ends_with('s') => stem.to_owned(),
            _ => name,
        };
        let reachable = self.columns.iter().any(|column| matches!(column.found(), Found::Email | Found::Phone));
        // A list of customers may say `customer_no`: that is its own key, and comes once.
        let customers = known.iter().find(|known| known.entity == CUSTOMER);
        let names = |column: &&Column| customers.is_some_and(|known| known.is_named_by(&column.name));
        let has_own_key = self.columns.iter().any(|column| is_called_key(column, &name));
        let belongs = self.columns.iter().filter(names).any(|column| has_own_key || !column.is_unique());
        if reachable && !belongs { CUSTOMER.to_owned() } else { name }
    }

    fn name_as(&mut self, name: String, known: &[Known]) {
        let others: Vec<&Known> = known.iter().filter(|known| known.entity != name).collect();
        let own = |column: &Column| !others.iter().any(|known| known.is_named_by(&column.name));
        // What is called the key, and where nothing is what could be: the first that differs in every row.
        let ways: [&dyn Fn(&Column) -> bool; 6] = [
            &|column| is_called_key(column, &name) && column.is_distinct(),
            &|column| own(column) && column.is_key_like() && column.is_unique(),
            &|column| own(column) && column.found() == Found::Email && column.is_unique(),
            &|column| is_called_key(column, &name),
            &|column| own(column) && column.found() == Found::Text && column.is_unique(),
            &|column| own(column) && column.is_unique(),
        ];
        self.key = ways.iter().find_map(|way| self.columns.iter().position(way)).unwrap_or(0);
        self.name = name;
    }

    fn key(&self) -> &Column {
        &self.columns[self.key]
    }

    /// Finds the columns with the keys of others. A field may not be called like what it leads to.
    fn link(&mut self, known: &[Known]) {
        if self.name == CUSTOMER {
            return;
        }
        for other in known.iter().filter(|known| known.entity != self.name) {
            let names = |at: &usize| *at != self.key && other.is_named_by(&self.columns[*at].name);
            let Some(at) = (0..self.columns.len()).find(names) else { continue };
            if self.columns[at].name == other.entity {
                self.columns[at].name = format!("{}_id", other.entity);
            }
            self.links.push((other.entity.clone(), at));
        }
        name_apart(&mut self.columns);
    }

    /// Whether the column holds keys, its own or another entity's: those are text.
    fn holds_keys(&self, at: usize) -> bool {
        at == self.key || self.links.iter().any(|(_, link)| *link == at)
    }

    fn write(&self) -> String {
        let file = FileStyle::of(self.columns.iter().map(|column| &column.numbers));
        let mut lines = vec![format!("# From {} rows of {}.", self.good, self.path.display())];
        if self.bad > 0 {
            lines.push(format!("# {} more could not be read: `plusone import` tells which.", self.bad));
        }
        if self.foreign > 0 {
            let text = match self.foreign {
                1 => "1 of them has text that is".to_owned(),
                count => format!("{count} of them have text that is"),
            };
            lines.push(format!("# {text} not UTF-8 (Latin-1 or Windows-1252?), and would be refused:"));
            lines.push(format!("# {SAVE_AS_UTF8} first."));
        }
        lines.push(format!("[{}]", self.name));
        lines.push(format!("source = {}", quoted(&self.path.display().to_string())));
        lines.push(format!("key = {}", quoted(&self.key().name)));
        lines.extend(self.remarks_on_key());
        if let Some(stem) = self.name.strip_suffix('y') {
            lines.push(format!("plural = \"{stem}ies\""));
        }
        if file.style.decimal == ',' {
            lines.push("decimal = \",\"".to_owned());
        }
        lines.extend(file.style.thousands.map(|sign| format!("thousands = \"{sign}\"")));
        lines.extend(if self.name == CUSTOMER { self.roles() } else { self.relations() });
        lines.push(format!("[{}.fields]", self.name));
        let columns = self.columns.iter().enumerate();
        lines.extend(columns.map(|(at, column)| declaration(column, self.holds_keys(at), false, file)));
        lines.extend(self.consent());
        lines.extend(self.remarks_on_full_columns(file));
        lines.into_iter().map(|line| line + "\n").collect()
    }

    fn remarks_on_key(&self) -> Vec<String> {
        let key = self.key();
        let mut remarks = Vec::new();
        if !key.is_distinct() {
            remarks.push("# This key comes more than once: of rows with one key the last one counts.".to_owned());
        }
        if !key.is_full() {
            remarks.push("# This key is missing in places: rows without it are refused.".to_owned());
        }
        if key.found() == Found::Email {
            let remark = "# No column is called a number or an id: whoever changes this address is somebody new.";
            remarks.push(remark.to_owned());
        } else if !key.is_key_like() {
            let name = &key.name;
            let remark =
                format!("# No column is called a number or an id. Two rows with the same `{name}` are one row:");
            remarks.extend([remark, "# better give the file a column with a number of its own.".to_owned()]);
        }
        remarks
    }

    /// The column that most likely holds the customers' yes to advertisements, for a person to say so: whether it does is
    /// not in the rows.
    fn consent(&self) -> Vec<String> {
        let has = |wanted: Found| self.columns.iter().any(|column| column.found() == wanted);
        let channel = match () {
            () if self.name != CUSTOMER => return Vec::new(),
            () if has(Found::Email) => "email",
            () if has(Found::Phone) => "sms",
            () => return Vec::new(),
        };
        let answers = || {
            let is_answer = |column: &&Column| matches!(column.found(), Found::Boolean | Found::Words(..));
            self.columns.iter().filter(is_answer)
        };
        let says_so = |column: &&Column| CONSENT.iter().any(|word| column.name.contains(word));
        let Some(column) = answers().find(says_so).or_else(|| answers().next()) else { return Vec::new() };
        let consent = format!("# offers = {{ {channel} = {}, source = \"how they said yes\" }}", quoted(&column.name));
        vec![
            "# Nobody is sent news and offers without a yes. Where this column is it, take the # from both lines:"
                .to_owned(),
            "# [customer.consent]".to_owned(),
            consent,
        ]
    }

    /// What every row has may be `required`; whether it always will is not in the rows.
    fn remarks_on_full_columns(&self, file: FileStyle) -> Vec<String> {
        // A missing yes or no is a no: there is nothing to ask for.
        let asks = |at: &usize| {
            let column = &self.columns[*at];
            *at != self.key && column.is_full() && !matches!(column.found(), Found::Boolean | Found::Words(..))
        };
        let full: Vec<usize> = (0..self.columns.len()).filter(asks).collect();
        let Some(first) = full.first() else { return Vec::new() };
        let names = full.iter().map(|at| format!("`{}`", self.columns[*at].name)).collect::<Vec<_>>().join(", ");
        let example = declaration(&self.columns[*first], self.holds_keys(*first), true, file);
        let example = example.split("   # ").next().unwrap_or_default().to_owned();
        vec![
            format!("# Every row has {names}. If that stays so, say it: a row without is refused"),
            "# then, and conditions and templates need no `has()` and no `default` for it. Such as".to_owned(),
            format!("# {example}"),
        ]
    }

    fn relations(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let links: Vec<String> =
            self.links.iter().map(|(entity, at)| format!("{entity} = {}", quoted(&self.columns[*at].name))).collect();
        if links.is_empty() {
            let hint = "# belongs_to = { customer = \"…\" }   # the field with the customer's key, if there is one";
            lines.push(hint.to_owned());
        } else {
            lines.push(format!("belongs_to = {{ {} }}", links.join(", ")));
        }
        for (_, column) in self.columns.iter().enumerate().filter(|(at, _)| !self.holds_keys(*at)) {
            if let Some(entity) = column.name.strip_suffix("_id") {
                let field = &column.name;
                lines.push(format!("# add `{entity} = \"{field}\"` to belongs_to once [{entity}] is declared"));
            }
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

/// Whether a column is called the key of the rows `name`.
fn is_called_key(column: &Column, name: &str) -> bool {
    let rest = column.name.strip_prefix(name).and_then(|rest| rest.strip_prefix('_'));
    ["id", "key"].contains(&column.name.as_str()) || rest.is_some_and(|rest| links::KEYS.contains(&rest))
}

fn declaration(column: &Column, holds_keys: bool, required: bool, file: FileStyle) -> String {
    let Declared { ty, mut options, remark } = column.declared(holds_keys, file);
    if column.heading != column.name {
        options.insert(0, format!("column = {}", quoted(&column.heading)));
    }
    if required {
        options.push("required = true".to_owned());
    }
    let value =
        if options.is_empty() { quoted(ty) } else { format!("{{ type = {}, {} }}", quoted(ty), options.join(", ")) };
    let remark = remark.map(|remark| format!("   # {remark}")).unwrap_or_default();
    format!("{} = {value}{remark}", column.name)
}

#[cfg(test)]
mod tests;
