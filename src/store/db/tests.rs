//! What is written is what is read.

use super::*;

#[tokio::test]
async fn what_is_bound_is_what_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = Db::open("sqlite://var/test.db", folder.path()).await.expect("a database");
    let mut tx = db.begin().await.expect("a transaction");
    tx.script("create table t (a text, b bigint)").await.expect("a table");
    let rows =
        Dialect::Sqlite.rows("$1", &[("a", crate::sql::ColumnType::Text), ("b", crate::sql::ColumnType::Int)], "r");
    let insert =
        Sql::new(format!("insert into t select a, b from {rows}")).with(r#"[["x",1],[null,9007199254740993]]"#);
    assert_eq!(tx.execute(insert).await.expect("two rows"), 2);
    tx.commit().await.expect("committed");
    let rows = db.fetch(Sql::new("select a, b from t order by b")).await.expect("rows");
    assert_eq!((rows[0].text(0), rows[0].int(1)), ("x", 1));
    assert_eq!((rows[1].opt_text(0), rows[1].int(1)), (None, 9_007_199_254_740_993));
    let sql = Sql::new("select a, b, json_array('\"', b) from t where b >= $1 order by b").with(1);
    let rows = db.fetch_as_one(sql.clone(), 3).await.expect("rows in one");
    assert_eq!(rows, db.fetch(sql).await.expect("rows"));
    assert_eq!(rows[1].text(2), r#"["\"",9007199254740993]"#, "JSON comes as the text that it is");
    assert_eq!(db.fetch_as_one(Sql::new("select a from t where b = 0"), 1).await.expect("no rows"), []);
}
