//! SQL as text plus binds, written once for both databases.
//!
//! Pure: nothing here runs a statement; `store` does. Values are only ever bound, identifiers only ever come from the
//! catalogue or from our own constants.

/// Which database the text is for. What differs between the two is said here and nowhere else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// A value bound to a statement. NULL has a type: PostgreSQL wants to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Bind {
    Text(Option<String>),
    Int(Option<i64>),
}

impl From<&str> for Bind {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Bind {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<&String> for Bind {
    fn from(value: &String) -> Self {
        Self::Text(Some(value.clone()))
    }
}

impl From<Option<String>> for Bind {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<Option<&str>> for Bind {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(str::to_owned))
    }
}

impl From<i64> for Bind {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Bind {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<crate::time::Timestamp> for Bind {
    fn from(value: crate::time::Timestamp) -> Self {
        Self::Int(Some(value.micros()))
    }
}

impl From<Option<crate::time::Timestamp>> for Bind {
    fn from(value: Option<crate::time::Timestamp>) -> Self {
        Self::Int(value.map(crate::time::Timestamp::micros))
    }
}

/// A statement that is being written: text with `$1`, `$2` … and the values they stand for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sql {
    pub text: String,
    pub binds: Vec<Bind>,
}

impl Sql {
    /// Starts with `text`, which may name `$1` … of the values bound in that order by [`Sql::with`].
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), binds: Vec::new() }
    }

    /// Binds the next value of a text that already names its `$n`.
    pub fn with(mut self, value: impl Into<Bind>) -> Self {
        self.binds.push(value.into());
        self
    }

    /// Appends text.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Binds a value and appends its `$n`.
    pub fn bind(&mut self, value: impl Into<Bind>) -> &mut Self {
        let place = self.reserve(value);
        self.text.push_str(&place);
        self
    }

    /// The rows of this reading statement of `columns` columns as one row of one text: a JSON array of arrays. A row
    /// handed over on its own costs SQLite a change of thread.
    ///
    /// ```
    /// use plusone::sql::{Dialect, Sql};
    /// let whole = Sql::new("select bucket, id from touchpoints").as_one(Dialect::Sqlite, 2);
    /// assert!(whole.text.starts_with("with whole(c0, c1) as materialized (select bucket, id from touchpoints)"));
    /// ```
    pub fn as_one(self, dialect: Dialect, columns: usize) -> Self {
        let names = numbered(columns);
        let gathered = match dialect {
            // materialized: a value that is JSON must come as the text that it is
            Dialect::Sqlite => format!("json_group_array(json_array({names}))"),
            Dialect::Postgres => format!("coalesce(json_agg(json_build_array({names}))::text, '[]')"),
        };
        let text = format!("with whole({names}) as materialized ({}) select {gathered} from whole", self.text);
        Self { text, binds: self.binds }
    }

    /// The rows of this reading statement of `columns` columns, none of them JSON, as one text each: a JSON array. Each
    /// value handed over on its own costs SQLite an allocation that another thread has to give back.
    ///
    /// ```
    /// use plusone::sql::{Dialect, Sql};
    /// let texts = Sql::new("select bucket, id from touchpoints").as_texts(Dialect::Sqlite, 2).text;
    /// let inner = "with listed(c0, c1) as (select bucket, id from touchpoints)";
    /// assert_eq!(texts, format!("{inner} select json_array(c0, c1) from listed"));
    /// ```
    pub fn as_texts(self, dialect: Dialect, columns: usize) -> Self {
        let names = numbered(columns);
        let array = match dialect {
            Dialect::Sqlite => format!("json_array({names})"),
            Dialect::Postgres => format!("json_build_array({names})::text"),
        };
        Self { text: format!("with listed({names}) as ({}) select {array} from listed", self.text), binds: self.binds }
    }

    /// Several statements as one text, their values numbered on.
    ///
    /// ```
    /// use plusone::sql::Sql;
    /// let both = Sql::one_after_the_other([Sql::new("select $1").with(1), Sql::new("select $2, $1").with(2).with(3)]);
    /// assert_eq!(both.text, "select $1; select $3, $2");
    /// ```
    pub fn one_after_the_other(statements: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::default();
        for statement in statements {
            if !all.text.is_empty() {
                all.text.push_str("; ");
            }
            let mut pieces = statement.text.split('$');
            all.text.push_str(pieces.next().unwrap_or_default());
            for piece in pieces {
                let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
                let (number, rest) = piece.split_at(digits);
                let number = number.parse::<usize>().map(|number| (number + all.binds.len()).to_string());
                all.text.push('$');
                all.text.push_str(number.as_deref().unwrap_or_default());
                all.text.push_str(rest);
            }
            all.binds.extend(statement.binds);
        }
        all
    }

    /// Binds a value and gives its `$n`, to be used any number of times.
    pub fn reserve(&mut self, value: impl Into<Bind>) -> String {
        self.binds.push(value.into());
        format!("${}", self.binds.len())
    }
}

/// The columns of a statement within another: `c0, c1`.
fn numbered(columns: usize) -> String {
    (0..columns).map(|column| format!("c{column}")).collect::<Vec<_>>().join(", ")
}

/// How a column of rows handed over as one JSON bind is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnType {
    Text,
    Int,
}

impl Dialect {
    /// A FROM item made of one bind that holds a JSON array of arrays: `place` is its `$n`, `columns` name and type
    /// the inner arrays' elements in order, `alias` names the item.
    ///
    /// ```
    /// use plusone::sql::{ColumnType, Dialect};
    /// let item = Dialect::Sqlite.rows("$1", &[("id", ColumnType::Text)], "r");
    /// assert_eq!(item, r#"(select value ->> 0 as "id" from jsonb_each($1)) as r"#);
    /// ```
    pub fn rows(self, place: &str, columns: &[(&str, ColumnType)], alias: &str) -> String {
        let column = |(index, (name, ty)): (usize, &(&str, ColumnType))| match (self, ty) {
            (Self::Postgres, ColumnType::Int) => format!("(value ->> {index})::bigint as \"{name}\""),
            _ => format!("value ->> {index} as \"{name}\""),
        };
        let columns = columns.iter().enumerate().map(column).collect::<Vec<_>>().join(", ");
        match self {
            Self::Sqlite => format!("(select {columns} from jsonb_each({place})) as {alias}"),
            Self::Postgres => format!("(select {columns} from jsonb_array_elements({place}::jsonb)) as {alias}"),
        }
    }

    /// What keeps two daemons from waiting for each other's rows; SQLite has one writer and needs nothing.
    pub const fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " for update skip locked",
        }
    }

    /// Comparison of text by its UTF-8 bytes.
    pub const fn collate(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " collate \"C\"",
        }
    }
}
