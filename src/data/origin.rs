//! Where rows come from: a file, or a query to another database. Both give rows of text under headings, twice.
//!
//! 1. A file is opened for each reading; a query's two readings see one snapshot.
//! 2. Of a query only the columns of declared fields are read, in the form in which files write them: whatever the
//!    entity says of decimal signs and formats is of files alone, but for dates that lie there as text.

use super::DataError;
use super::files::Rows;
use crate::amount::Style;
use crate::catalogue::{Catalogue, DatabaseSource, Entity};
use crate::problem::nearest;
use crate::store::external::{Column, External, ExternalError, Reading, Texts};
use crate::time::Tz;
use csv::ByteRecord;
use std::path::Path;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Batches of rows that are read ahead.
const READ_AHEAD: usize = 4;

/// Where an import reads.
pub enum Origin {
    /// The import's own file.
    File,
    Query(Box<Query>),
}

/// What a reading is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pass {
    /// To know the keys.
    Keys,
    /// To write.
    Rows,
}

/// A query that is being read.
pub struct Query {
    connection: Option<External>,
    pumping: Option<JoinHandle<(External, Result<(), ExternalError>)>>,
    source: DatabaseSource,
    since: Option<Column>,
    mark: Option<String>,
    /// One for each declared field that the query has a column for, then the query's other columns.
    headings: Vec<String>,
    /// By field: the expression that gives it as text, and whether it is the key.
    columns: Vec<(String, bool)>,
    /// Fields whose dates and times the other database writes itself.
    timed: Vec<String>,
}

impl Query {
    /// Connects, looks at the query's columns, and fixes the moment that is read. `mark` is how far it was read.
    ///
    /// # Errors
    /// When the database does not answer, refuses the query, or has no column for `since`.
    pub async fn open(
        source: &DatabaseSource,
        entity: &Entity,
        home: &Path,
        zone: Tz,
        mark: Option<String>,
    ) -> Result<Self, DataError> {
        let mut connection = External::open(source.url.expose(), home).await?;
        let found = connection.columns(&source.query).await?;
        let since = source.since.as_ref().map(|name| since_column(name, &found, &connection)).transpose()?;
        let mut headings = Vec::new();
        let mut columns = Vec::new();
        let mut timed = Vec::new();
        for field in &entity.fields {
            let Some(column) = found.iter().find(|column| column.name == field.heading()) else { continue };
            let expression = connection.expression(field, column, zone);
            let refused = |why| DataError::Refused(format!("`{}`: {why}", entity.name));
            columns.push((expression.map_err(refused)?, field.name == entity.key));
            headings.push(column.name.clone());
            timed.extend(connection.writes_times(column).then(|| field.name.clone()));
        }
        headings.extend(
            found
                .iter()
                .map(|column| column.name.clone())
                .filter(|name| entity.fields.iter().all(|field| field.heading() != name)),
        );
        connection.begin().await?;
        let (connection, source) = (Some(connection), source.clone());
        Ok(Self { connection, pumping: None, source, since, mark, headings, columns, timed })
    }

    /// How far the rows go that are about to be read.
    pub async fn latest(&mut self) -> Result<Option<String>, DataError> {
        let reading = Reading { query: &self.source.query, since: self.since.as_ref().map(|column| (column, None)) };
        let connection = self.connection.as_mut().expect("nothing is being read yet");
        Ok(connection.latest(reading).await?.or_else(|| self.mark.clone()))
    }

    /// The catalogue as the query's rows are read by it.
    pub fn reading_of(&self, catalogue: &Catalogue, entity: &str) -> Catalogue {
        let mut catalogue = catalogue.clone();
        if let Some(entity) = catalogue.entities.get_mut(entity) {
            entity.numbers = Style::default();
            entity.relative_dates = false;
            let timed = entity.fields.iter_mut().filter(|field| self.timed.contains(&field.name));
            timed.for_each(|field| field.format = None);
        }
        catalogue
    }

    /// Begins a reading; rows come as fast as they are taken.
    fn start(&mut self, pass: Pass) -> Rows {
        let (sender, receiver) = mpsc::channel::<Vec<Texts>>(READ_AHEAD);
        let mut connection = self.connection.take().expect("one reading at a time");
        let (query, since, mark) = (self.source.query.clone(), self.since.clone(), self.mark.clone());
        let nothing = |(expression, is_key): &(String, bool)| match pass {
            Pass::Keys if !is_key => "cast(null as text)".to_owned(),
            _ => expression.clone(),
        };
        let columns: Vec<String> = self.columns.iter().map(nothing).collect();
        self.pumping = Some(tokio::spawn(async move {
            let since = since.as_ref().map(|column| (column, mark.as_deref()));
            let reading = Reading { query: &query, since };
            let done = connection.stream(reading, &columns, &sender).await;
            (connection, done)
        }));
        Rows::handed(self.headings.clone(), receiver)
    }

    async fn end(&mut self) -> Result<(), DataError> {
        let Some(pumping) = self.pumping.take() else { return Ok(()) };
        let (connection, done) = pumping.await.expect("reading rows does not panic");
        self.connection = Some(connection);
        Ok(done?)
    }

    pub async fn close(mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }
}

/// The column that `since` names.
fn since_column(name: &str, found: &[Column], connection: &External) -> Result<Column, DataError> {
    let Some(column) = found.iter().find(|column| column.name == name) else {
        let near = nearest(name, found.iter().map(|column| column.name.as_str()));
        let near = near.map(|near| format!("; the nearest is `{near}`")).unwrap_or_default();
        return Err(DataError::Refused(format!("`since` names `{name}`, and the query has no such column{near}")));
    };
    if !connection.is_ordered(column) {
        let ty = column.ty.to_lowercase();
        return Err(DataError::Refused(format!(
            "`since` needs a time, a date, a number or a text, and `{name}` is {ty}"
        )));
    }
    Ok(column.clone())
}

impl Origin {
    /// Opens a reading. `fields` are the headings that are looked for.
    pub fn open(&mut self, path: &Path, fields: &[String], pass: Pass) -> Result<Rows, DataError> {
        match self {
            Self::File => Rows::open(path, fields),
            Self::Query(query) => Ok(query.start(pass)),
        }
    }

    /// Ends a reading.
    ///
    /// # Errors
    /// Why it ended early.
    pub async fn end(&mut self) -> Result<(), DataError> {
        match self {
            Self::File => Ok(()),
            Self::Query(query) => query.end().await,
        }
    }

    /// What is read, as messages call it.
    pub fn name(&self, path: &Path) -> String {
        match self {
            Self::File => path.display().to_string(),
            Self::Query(_) => "the query".to_owned(),
        }
    }
}

/// A row as files have it: an empty cell is a missing value.
pub(super) fn record(row: &Texts) -> ByteRecord {
    row.iter().map(|cell| cell.as_deref().unwrap_or_default()).collect()
}
