//! Rows and their columns, alike on both databases: text, a 64-bit integer or NULL.

use super::db::{Result, StoreError};
use sqlx::{Decode, Type, TypeInfo, ValueRef};

/// A row: its columns in order.
#[derive(Clone, PartialEq, Eq, Debug, serde::Deserialize)]
pub struct Row(Vec<Cell>);

/// One column of one row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cell {
    Null,
    Int(i64),
    Text(String),
}

impl Row {
    pub fn cell(&self, index: usize) -> &Cell {
        &self.0[index]
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its columns as a JSON array.
    pub fn to_json(&self) -> serde_json::Value {
        let cell = |cell: &Cell| match cell {
            Cell::Null => serde_json::Value::Null,
            Cell::Int(value) => serde_json::Value::from(*value),
            Cell::Text(text) => serde_json::Value::from(text.as_str()),
        };
        self.0.iter().map(cell).collect()
    }

    /// The rows that [`Sql::as_one`] put into this one.
    ///
    /// # Errors
    /// [`StoreError::Column`] where a value is neither text nor an integer.
    pub fn unpacked(&self) -> Result<Vec<Self>> {
        self.parsed()
    }

    /// The row that [`Sql::as_texts`] put into this one.
    ///
    /// # Errors
    /// As [`Row::unpacked`].
    pub fn unpacked_one(&self) -> Result<Self> {
        self.parsed()
    }

    fn parsed<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.text(0)).map_err(|error| StoreError::Column(error.to_string()))
    }

    pub fn opt_int(&self, index: usize) -> Option<i64> {
        match &self.0[index] {
            Cell::Int(value) => Some(*value),
            Cell::Null | Cell::Text(_) => None,
        }
    }

    pub fn opt_text(&self, index: usize) -> Option<&str> {
        match &self.0[index] {
            Cell::Text(value) => Some(value),
            Cell::Null | Cell::Int(_) => None,
        }
    }

    /// # Panics
    /// When the column is NULL or text: the statement promised an integer.
    pub fn int(&self, index: usize) -> i64 {
        self.opt_int(index).unwrap_or_else(|| panic!("column {index} is an integer, not {:?}", self.0[index]))
    }

    /// # Panics
    /// When the column is NULL or an integer: the statement promised text.
    pub fn text(&self, index: usize) -> &str {
        self.opt_text(index).unwrap_or_else(|| panic!("column {index} is text, not {:?}", self.0[index]))
    }
}

impl<'de> serde::Deserialize<'de> for Cell {
    fn deserialize<D: serde::Deserializer<'de>>(json: D) -> std::result::Result<Self, D::Error> {
        struct Cells;
        impl serde::de::Visitor<'_> for Cells {
            type Value = Cell;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("text, an integer, true, false or null")
            }

            fn visit_unit<E>(self) -> std::result::Result<Cell, E> {
                Ok(Cell::Null)
            }

            fn visit_bool<E>(self, value: bool) -> std::result::Result<Cell, E> {
                Ok(Cell::Int(i64::from(value)))
            }

            fn visit_i64<E>(self, value: i64) -> std::result::Result<Cell, E> {
                Ok(Cell::Int(value))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> std::result::Result<Cell, E> {
                i64::try_from(value).map(Cell::Int).map_err(E::custom)
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Cell, E> {
                Ok(Cell::Text(value.to_owned()))
            }
        }
        json.deserialize_any(Cells)
    }
}

/// Reads a row of either database into cells.
pub(super) fn read<R>(row: &R) -> Result<Row>
where
    R: sqlx::Row,
    usize: sqlx::ColumnIndex<R>,
    i64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    i32: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    bool: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    String: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    let cell = |index: usize| {
        let value = row.try_get_raw(index)?;
        if value.is_null() {
            return Ok(Cell::Null);
        }
        let kind = Kind::of(value.type_info().name());
        let cell = match kind {
            Kind::Int64 => i64::decode(value).map(Cell::Int),
            Kind::Int32 => i32::decode(value).map(|value| Cell::Int(i64::from(value))),
            Kind::Boolean => bool::decode(value).map(|value| Cell::Int(i64::from(value))),
            Kind::Text => String::decode(value).map(Cell::Text),
        };
        cell.map_err(sqlx::Error::Decode)
    };
    (0..row.len())
        .map(cell)
        .collect::<std::result::Result<_, sqlx::Error>>()
        .map(Row)
        .map_err(|error| StoreError::Column(error.to_string()))
}

/// How a database holds a value.
enum Kind {
    Int64,
    Int32,
    Boolean,
    Text,
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "INTEGER" | "INT8" | "BIGINT" => Self::Int64,
            "INT4" => Self::Int32,
            "BOOL" | "BOOLEAN" => Self::Boolean,
            _ => Self::Text,
        }
    }
}
