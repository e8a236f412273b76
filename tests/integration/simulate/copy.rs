//! A rehearsal is of the data as they are, however they lie: in a table of the business's own that is read in place, and
//! in one of more columns than PostgreSQL makes one text of.

use crate::harness::home::Settings;
use crate::harness::postgres::Database;
use crate::shop::{NOON, Shop, at, home, rule};
use futures_util::TryStreamExt;
use plusone::outreach::simulate::{Wish, simulate};
use plusone::store::db::Db;
use plusone::store::rehearsal::lines::Line;
use plusone::time::Span;

const CARTS: &str = "create table shop_carts (id text primary key, who text, status text);
    insert into shop_carts values ('k1', 'ann', 'open'), ('k2', 'bob', 'paid'), ('k3', null, 'open');";

/// How many columns a customer has beside the key and the address.
const WIDE: usize = 120;

fn data() -> String {
    let fields: String = (0..WIDE).map(|number| format!("f{number} = \"text\"\n")).collect();
    format!(
        "[customer]\nsource = \"customers.csv\"\nkey = \"id\"\nroles = {{ email = \"email\" }}\n\
         [customer.fields]\nid = \"text\"\nemail = \"text\"\n{fields}\
         [cart]\ntable = \"shop_carts\"\nkey = \"id\"\nbelongs_to = {{ customer = \"who\" }}\n\
         [cart.fields]\nid = \"text\"\nwho = \"text\"\nstatus = \"text\"\n"
    )
}

fn customers() -> String {
    let names: Vec<String> = (0..WIDE).map(|number| format!("f{number}")).collect();
    let row = |id: &str, last: &str| format!("{id},{id}@shop.test{},{last}\n", ",-".repeat(WIDE - 1));
    format!("id,email,{}\n{}{}", names.join(","), row("ann", "first"), row("bob", "last"))
}

async fn said(settings: Settings) -> Vec<String> {
    let home = home(&settings);
    home.write("config/data.toml", &data());
    home.write("customers.csv", &customers());
    let daily = ("schedule", "\"every day at 9am\"");
    let of_carts = [daily, ("for_each", "\"cart\""), ("when", "['cart.status == \"open\"']")];
    home.write("config/rules/cart.toml", &rule(&of_carts));
    let last = format!("['customer.f{} == \"last\"']", WIDE - 1);
    home.write("config/rules/wide.toml", &rule(&[daily, ("when", &last)]));
    home.write("templates/note/email.txt.hbs", "Hello");
    let db = Db::open(&settings.database, home.path()).await.expect("a database");
    let mut tx = db.begin().await.expect("begun");
    tx.script(CARTS).await.expect("the business's own table");
    tx.commit().await.expect("committed");
    db.close().await;
    let mut shop = Shop::open(&home, NOON).await;
    shop.pass(NOON).await;
    let now = at(NOON);
    let wish = Wish { now, to: now.plus(Span::from_days(1)), drafts: &[] };
    let rehearsal = simulate(&shop.app, wish).await.expect("a rehearsal");
    let lines: Vec<Line> = rehearsal.lines().try_collect().await.expect("lines");
    rehearsal.end().await;
    let mut said: Vec<String> =
        lines.iter().map(|line| format!("{} {} {} {}", line.rule, line.customer, line.entity, line.state)).collect();
    said.sort_unstable();
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_in_place_and_wide_ones_are_copied_whole() {
    let expected = ["cart ann k1 sent", "wide bob bob sent"];
    assert_eq!(said(Settings::default()).await, expected);
    let Some(database) = Database::create() else { return };
    assert_eq!(said(Settings { database: database.url.clone(), ..Settings::default() }).await, expected);
}
