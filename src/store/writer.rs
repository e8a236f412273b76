//! SQLite's one writer: a connection of its own behind a fair lock, and the write transaction on it.
//!
//! 1. A transaction begins `IMMEDIATE`, with its first statement, and is over when its holder has committed or lets go
//!    of it: what was not committed is rolled back before anybody else writes.
//! 2. No pool: that asks a connection at each taking and giving back whether it still lives, and a file does.
//! 3. A connection whose state is not known (an answer that never came, a rollback that failed) is closed, and the next
//!    transaction opens another.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How long a transaction waits for its turn.
const PATIENCE: Duration = Duration::from_secs(60);
const BEGIN: &str = "begin immediate";

/// The one writer. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    slot: Arc<Mutex<Slot>>,
}

#[derive(Debug)]
struct Slot {
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
    /// A transaction may be open.
    is_open: bool,
}

/// A write transaction. Dropped without [`WriteTx::commit`], it never was.
#[derive(Debug)]
pub struct WriteTx {
    slot: Option<OwnedMutexGuard<Slot>>,
}

impl Writer {
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let connection = SqliteConnection::connect_with(&options).await?;
        let slot = Slot { options, connection: Some(connection), is_open: false };
        Ok(Self { slot: Arc::new(Mutex::new(slot)) })
    }

    /// Waits for its turn; the transaction begins with its first statement.
    pub(super) async fn begin(&self) -> Result<WriteTx, sqlx::Error> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.slot).lock_owned()).await;
        let mut slot = turn.map_err(|_| sqlx::Error::PoolTimedOut)?;
        slot.roll_back().await;
        if slot.connection.is_none() {
            slot.connection = Some(SqliteConnection::connect_with(&slot.options).await?);
        }
        Ok(WriteTx { slot: Some(slot) })
    }

    pub(super) async fn close(&self) {
        let mut slot = self.slot.lock().await;
        slot.roll_back().await;
        if let Some(connection) = slot.connection.take() {
            // What a close cannot write is written by the next opening.
            let _ = connection.close().await;
        }
    }
}

impl Slot {
    /// Ends what may be open.
    async fn roll_back(&mut self) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        let Some(mut connection) = self.connection.take() else { return };
        // After some failures SQLite has rolled back by itself and says that there is nothing to roll back.
        let ended = sqlx::raw_sql("rollback").execute(&mut connection).await;
        if matches!(ended, Ok(_) | Err(sqlx::Error::Database(_))) {
            self.connection = Some(connection);
        }
    }
}

impl WriteTx {
    fn slot(&mut self) -> &mut Slot {
        self.slot.as_mut().expect("only commit and drop take it")
    }

    /// The connection, within the transaction.
    pub(super) async fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        let slot = self.slot();
        let connection = slot.connection.as_mut().expect("begin opened it");
        if !slot.is_open {
            slot.is_open = true;
            sqlx::raw_sql(BEGIN).execute(&mut *connection).await?;
        }
        Ok(connection)
    }

    /// The connection as long as no transaction has begun, for what none may be around.
    pub(super) fn outside(&mut self) -> &mut SqliteConnection {
        let slot = self.slot();
        debug_assert!(!slot.is_open, "the transaction has begun");
        slot.connection.as_mut().expect("begin opened it")
    }

    /// The connection, and `text` with what it takes for the transaction to begin with it.
    pub(super) fn beginning(&mut self, text: String) -> (&mut SqliteConnection, AssertSqlSafe<String>) {
        let slot = self.slot();
        let begun = std::mem::replace(&mut slot.is_open, true);
        let text = if begun { text } else { format!("{BEGIN}; {text}") };
        (slot.connection.as_mut().expect("begin opened it"), AssertSqlSafe(text))
    }

    /// As [`WriteTx::beginning`], with what ends the transaction too; [`WriteTx::ended`] says that it worked.
    pub(super) fn whole(&mut self, text: String) -> (&mut SqliteConnection, AssertSqlSafe<String>) {
        self.beginning(text + "; commit")
    }

    pub(super) fn ended(mut self) {
        self.slot().is_open = false;
    }

    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        let slot = self.slot();
        if slot.is_open {
            let connection = slot.connection.as_mut().expect("begin opened it");
            sqlx::raw_sql("commit").execute(connection).await?;
            slot.is_open = false;
        }
        Ok(())
    }
}

impl Drop for WriteTx {
    fn drop(&mut self) {
        let Some(mut slot) = self.slot.take() else { return };
        // The lock is held until it is rolled back; without a runtime the next one who begins does that.
        if slot.is_open
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { slot.roll_back().await });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::Sql;
    use crate::store::db::Db;
    use std::time::Duration;

    async fn opened(folder: &tempfile::TempDir) -> Db {
        let db = Db::open("sqlite://test.db", folder.path()).await.expect("a database");
        db.execute(Sql::new("create table t (a bigint primary key)")).await.expect("a table");
        db
    }

    async fn count(db: &Db) -> i64 {
        db.fetch(Sql::new("select count(*) from t")).await.expect("a count")[0].int(0)
    }

    #[tokio::test]
    async fn what_was_let_go_of_never_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = opened(&folder).await;
        let mut tx = db.begin().await.expect("its turn");
        tx.execute(Sql::new("insert into t values (1)")).await.expect("a row");
        drop(tx);
        let mut tx = db.begin().await.expect("its turn");
        tx.batch(vec![Sql::new("insert into t values ($1)").with(2), Sql::new("select 1")]).await.expect("rows");
        drop(tx);
        assert_eq!(count(&db).await, 0);
        assert_eq!(db.execute(Sql::new("insert into t values (3), (4)")).await.expect("rows"), 2);
        assert_eq!(count(&db).await, 2);
    }

    #[tokio::test]
    async fn a_refused_statement_leaves_the_next_transaction_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = opened(&folder).await;
        for _ in 0..3 {
            let mut tx = db.begin().await.expect("its turn");
            let twice = vec![Sql::new("insert into t values (1)"), Sql::new("insert into t values (1)")];
            assert!(tx.batch(twice).await.is_err());
            drop(tx);
            let mut tx = db.begin().await.expect("its turn");
            assert!(tx.execute(Sql::new("insert into nothing values (1)")).await.is_err());
        }
        assert_eq!(db.execute(Sql::new("insert into t values (1)")).await.expect("a row"), 1);
        assert_eq!(count(&db).await, 1);
    }

    /// Given up while it waits for the file's lock, which somebody else holds: asked once, it cannot be done.
    #[tokio::test]
    async fn a_statement_that_is_given_up_is_rolled_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = opened(&folder).await;
        let other = Db::open("sqlite://test.db", folder.path()).await.expect("a second writer");
        for round in 0..5 {
            let mut lock = other.begin().await.expect("its turn");
            lock.script("select 1").await.expect("the lock");
            let mut tx = db.begin().await.expect("its turn");
            let row = Sql::new("insert into t values ($1)").with(round);
            let given_up = if round % 2 == 0 {
                tokio::time::timeout(Duration::ZERO, tx.execute(row)).await.is_err()
            } else {
                tokio::time::timeout(Duration::ZERO, tx.fetch(row)).await.is_err()
            };
            assert!(given_up);
            drop(tx);
            lock.commit().await.expect("nothing was written");
            // it has the lock now, has written, and lets go of both
            drop(db.begin().await.expect("its turn again"));
        }
        assert_eq!(db.execute(Sql::new("insert into t values (7)")).await.expect("a row"), 1);
        assert_eq!(count(&db).await, 1);
    }

    /// Given up while it writes, or when it has written: how far it came is the machine's business.
    #[tokio::test]
    async fn a_statement_that_is_given_up_as_it_runs_is_rolled_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = opened(&folder).await;
        for _ in 0..20 {
            let mut tx = db.begin().await.expect("its turn");
            tx.execute(Sql::new("insert into t values (0)")).await.expect("a row");
            let many = "insert into t with recursive n(a) as (select 1 union all select a + 1 from n where a < 20000) \
                        select a from n";
            let _ = tokio::time::timeout(Duration::ZERO, tx.execute(Sql::new(many))).await;
        }
        assert_eq!(count(&db).await, 0);
        assert_eq!(db.execute(Sql::new("insert into t values (7)")).await.expect("a row"), 1);
        assert_eq!(count(&db).await, 1);
    }

    #[tokio::test]
    async fn a_transaction_without_statements_is_committed_as_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = opened(&folder).await;
        db.begin().await.expect("its turn").commit().await.expect("nothing to do");
        db.close().await;
        let db = Db::open("sqlite://test.db", folder.path()).await.expect("a database");
        assert_eq!(count(&db).await, 0);
    }
}
