//! Erasing a person: their whole life in the database, then a search of every byte of it.

use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::shop::{Shop, WAY_OUT, customers, on_both, rule};
use plusone::data::suppress::Hasher;
use plusone::ids::bucket_of;
use plusone::sql::Sql;
use plusone::store::db::{Cell, Db};
use std::path::Path;

pub(super) const MORE: &str = "[courtesy]\nquiet_hours = {}";

/// Of Zelda, who goes; each is written in the data or in what was sent.
pub(super) const ZELDA: [&str; 6] =
    ["zq-17-ident", "zelda.quill@one.test", "+447911120000", "Zeldaquill", "Wonderful Zeldaquill", "zq-17-cart"];

/// Of Zeldan, who stays and is much like her.
const ZELDAN: [&str; 5] = ["zq-18-ident", "zeldan.quill@one.test", "+447911120001", "Zeldanquill", "zq-18-cart"];

const COOKIE: &str = "description = \"A cookie\"\nvalue = 2.50\ncost = 0.80\nbudget = { total = 500 }\n\
                      code = { pattern = \"COOKIE-######\" }\n";

pub(super) fn rows(first: &str) -> String {
    customers(&[
        &format!("zq-17-ident,zelda.quill@one.test,{first},gold,true"),
        "zq-18-ident,zeldan.quill@one.test,Zeldanquill,gold,true",
    ])
}

/// Data, messages with words and codes, consents, a suppression, a pause and a note of every kind.
pub(super) async fn live(home: &Home) -> Shop {
    home.write("config/rules/gift.toml", &rule(&[("offer", "[\"cookie\"]"), ("topic", "\"offers\"")]));
    home.write("config/rules/cart.toml", &rule(&[("for_each", "\"cart\""), ("when", "['cart.status == \"open\"']")]));
    home.write("config/offers/cookie.toml", COOKIE);
    let note = format!("Wonderful {{{{default customer.first_name \"you\"}}}}, a note {WAY_OUT}");
    home.write("templates/note/email.txt.hbs", &note);
    home.write("carts.csv", "id,customer_id,status\nzq-17-cart,zq-17-ident,open\nzq-18-cart,zq-18-ident,open\n");
    home.write("customers.csv", &rows("Oldzeldaname"));
    let mut shop = Shop::open(home, "2026-11-03T12:00:00Z").await;
    shop.pass("2026-11-03T12:00:00Z").await;
    // Rows that changed leave their older form behind in the file.
    home.write("customers.csv", &rows("Zeldaquill"));
    shop.pass("2026-11-03T12:30:00Z").await;
    assert_eq!(shop.send("2026-11-03T12:30:00Z").await["sent"], 4);
    for line in [
        &["suppress", "add", "+447911120000", "--scope", "promotional", "--reason", "Zeldaquill rang us"][..],
        &["pause", "zq-17-ident"],
        &["consent", "set", "zq-17-ident", "reminders", "no", "--source", "Zeldaquill rang us"],
        &["consent", "set", "zq-18-ident", "reminders", "no", "--source", "support"],
    ] {
        home.plusone(line).ended_with(0);
    }
    answer(&shop).await;
    shop
}

/// Zelda writes back twice, once before anybody knows whose number it is; her provider tells of it; Zeldan does too.
async fn answer(shop: &Shop) {
    let hash = Hasher::load(&shop.app.db).await.expect("a key").hash("+447911120000");
    for (customer, event, bucket) in [
        ("'zq-17-ident'", "e1", bucket_of("zq-17-ident")),
        ("null", "e2", bucket_of(&hash)),
        ("'zq-18-ident'", "e3", bucket_of("zq-18-ident")),
    ] {
        let (name, shown) = if event == "e3" { ("Zeldanquill", "+44…01") } else { ("Zeldaquill", "+44…00") };
        let sql = "insert into replies (bucket, provider, event_id, customer, channel, address_hash, shown, words, meaning, \
                   review, at) values";
        shop.execute(&format!(
            "{sql} ({bucket}, 'twilio', '{event}', {customer}, 'sms', '{hash}', '{shown}', '{name} here', 'other', 0, 1)"
        ))
        .await;
    }
    let told = "insert into provider_events (bucket, provider, event_id, kind, touchpoint, detail, at, pending) \
                select 7, 'twilio', id, 'status', id, 'of ' || customer, 1, 0 from touchpoints where rule = 'gift'";
    shop.execute(told).await;
}

/// Every text of every table, with the table's name.
async fn texts(db: &Db) -> Vec<String> {
    let tables = "select table_name::text from information_schema.tables \
                  where table_schema = current_schema() and table_type = 'BASE TABLE'";
    let mut found = Vec::new();
    for table in db.fetch(Sql::new(tables)).await.expect("tables") {
        let sql = format!("select row_to_json(t)::text from \"{}\" t", table.text(0));
        for row in db.fetch(Sql::new(sql)).await.expect("rows") {
            found.push(format!("{}: {}", table.text(0), row.text(0)));
        }
    }
    found
}

/// Every file of the database and of what was sent. Another process reads them: closing a file of SQLite's would let
/// go of the locks that this process holds on it.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let read = std::process::Command::new("cat").arg(&path).output().expect("cat runs");
                found.push((path.display().to_string(), read.stdout));
            }
        }
    }
    found
}

fn holds(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Where `needles` stand: in tables of PostgreSQL, or in any file of the database, and in what was sent.
pub(super) async fn found(shop: &Shop, home: &Home, needles: &[&str]) -> Vec<String> {
    found_in(&shop.app.db, home, needles).await
}

/// The same, through any connection.
pub(super) async fn found_in(db: &Db, home: &Home, needles: &[&str]) -> Vec<String> {
    let mut hits = Vec::new();
    if db.dialect() == plusone::sql::Dialect::Postgres {
        for text in texts(db).await {
            hits.extend(
                needles.iter().filter(|needle| text.contains(*needle)).map(|needle| format!("{needle}: {text}")),
            );
        }
    }
    for (name, bytes) in files(&home.path().join("var")) {
        hits.extend(needles.iter().filter(|needle| holds(&bytes, needle)).map(|needle| format!("{needle}: {name}")));
    }
    hits
}

pub(super) async fn dump(shop: &Shop, customer: &str) -> Vec<Vec<Cell>> {
    let mut all = Vec::new();
    for sql in [
        "select * from touchpoints where customer = $1 order by id",
        "select w.* from touchpoint_words w join touchpoints t on t.id = w.touchpoint where t.customer = $1 order by 2",
        "select e.* from touchpoint_events e join touchpoints t on t.id = e.touchpoint where t.customer = $1 order by 2, 3",
        "select * from consents where customer = $1 order by topic, channel, at",
        "select * from replies where customer = $1",
        "select * from offer_grants where customer = $1 order by touchpoint",
        "select * from d_customer where _customer = $1",
        "select * from d_cart where _customer = $1",
    ] {
        let rows = shop.app.db.fetch(Sql::new(sql).with(customer)).await.expect("rows");
        all.extend(rows.iter().map(|row| (0..row.len()).map(|index| row.cell(index).clone()).collect::<Vec<_>>()));
    }
    all
}

#[tokio::test]
async fn no_byte_of_an_erased_person_is_left_and_the_next_one_is_whole() {
    on_both(MORE, async |home| {
        let mut shop = live(&home).await;
        if shop.app.db.dialect() == plusone::sql::Dialect::Sqlite {
            shop.execute("analyze").await;
        }
        home.plusone(&["preview", "gift", "--customer", "zq-17-ident", "--open"]).ended_with(0);
        for needle in ZELDA {
            assert!(!found(&shop, &home, &[needle]).await.is_empty(), "{needle} is there before");
        }
        let page = home.read("var/preview/gift.html");
        assert!(page.contains("Wonderful Zeldaquill"), "{page}");
        let other = dump(&shop, "zq-18-ident").await;
        let told = home.plusone(&["erase", "zelda.quill@one.test", "--yes", "--json"]).ended_with(0).json();
        assert_eq!(told["rows"]["touchpoints"], 2, "{told}");
        assert_eq!((&told["rows"]["cart"], &told["rows"]["pauses"]), (&1.into(), &1.into()), "{told}");
        assert_eq!((&told["files"], &told["suppressed"]), (&2.into(), &2.into()), "{told}");
        assert_eq!(told["previews"], 1, "{told}");

        let mut needles = ZELDA.to_vec();
        needles.extend(["Oldzeldaname", "z…@o….test", "+44…00", "rang us"]);
        assert_eq!(found(&shop, &home, &needles).await, Vec::<String>::new());
        assert_eq!((&told["rows"]["replies"], &told["rows"]["provider_events"]), (&2.into(), &1.into()), "{told}");
        assert_eq!(dump(&shop, "zq-18-ident").await, other);
        for needle in ZELDAN {
            assert!(!found(&shop, &home, &[needle]).await.is_empty(), "{needle} stays");
        }

        // The file still has her; it is read again once it changes, and she is left out with her cart.
        home.write("customers.csv", &rows("Zeldaquill").replace("gold", "silver"));
        home.write("carts.csv", &home.read("carts.csv").replace("open", "left"));
        let planned = shop.pass("2026-11-03T13:00:00Z").await;
        let erased: Vec<u64> = planned.synced.read.iter().map(|report| report.erased).collect();
        assert_eq!(erased, [1, 1]);
        assert_eq!(shop.number("select count(*) from d_customer").await, 1);
        assert_eq!(shop.number("select count(*) from touchpoints where customer = 'zq-17-ident'").await, 0);
        shop.app.db.compact().await.expect("compacted");
        assert_eq!(found(&shop, &home, &needles).await, Vec::<String>::new());

        home.write("answers.csv", "customer,topic,channel,value,source\nzq-17-ident,offers,,yes,a list\n");
        let told = home.plusone(&["consent", "import", "answers.csv"]).ended_with(0);
        assert!(told.stdout.contains("erased"), "{}", told.stdout);
        assert_eq!(shop.number("select count(*) from consents where customer = 'zq-17-ident'").await, 0);

        home.plusone(&["erase", "nobody", "--undo"]).ended_with(1);
        home.plusone(&["erase", "zq-17-ident", "--undo"]).ended_with(0);
        let planned = shop.pass("2026-11-03T14:00:00Z").await;
        assert_eq!(shop.number("select count(*) from d_customer").await, 2, "{:?}", planned.synced);
        let scopes = "select count(*) from suppressions where scope = 'promotional' and shown = 'erased'";
        assert_eq!(shop.number(scopes).await, 2, "nobody knows any more what she had said no to");
    })
    .await;
}

#[tokio::test]
async fn a_message_in_doubt_is_settled_before_its_person_is_erased() {
    on_both(MORE, async |home| {
        let shop = live(&home).await;
        shop.execute("update touchpoints set state = 'in_doubt' where customer = 'zq-17-ident' and rule = 'gift'")
            .await;
        let refused = home.plusone(&["erase", "zq-17-ident", "--yes"]).ended_with(1);
        assert!(refused.stderr.contains("plusone resolve"), "{}", refused.stderr);
        assert_eq!(shop.number("select count(*) from d_customer").await, 2, "nothing was erased");
        let id = refused.stderr.split("plusone resolve ").nth(1).expect("a command")[..8].to_owned();
        home.plusone(&["resolve", &id, "sent"]).ended_with(0);
        home.plusone(&["erase", "zq-17-ident", "--yes"]).ended_with(0);
        home.plusone(&["customer", "zq-17-ident"]).ended_with(1);
    })
    .await;
}

#[tokio::test]
async fn what_is_planned_is_not_sent_and_its_offer_goes_back() {
    on_both(MORE, async |home| {
        home.write("config/rules/gift.toml", &rule(&[("offer", "[\"cookie\"]"), ("topic", "\"offers\"")]));
        home.write("config/offers/cookie.toml", COOKIE);
        home.write("customers.csv", &rows("Zeldaquill"));
        let mut shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        shop.pass("2026-11-03T12:00:00Z").await;
        assert_eq!(shop.taken("cookie").await, 16_000);
        home.plusone(&["erase", "zq-17-ident", "--yes"]).ended_with(0);
        assert_eq!(shop.taken("cookie").await, 8_000);
        assert_eq!(shop.send("2026-11-03T12:00:00Z").await["sent"], 1);
    })
    .await;
}

#[tokio::test]
async fn an_address_that_another_has_too_is_theirs() {
    on_both(MORE, async |home| {
        home.write("config/rules/hello.toml", &rule(&[]));
        let both = ["zq-17-ident,both@one.test,Zelda,gold,true", "zq-18-ident,both@one.test,Zeldan,gold,true"];
        home.write("customers.csv", &customers(&both));
        let mut shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        shop.pass("2026-11-03T12:00:00Z").await;
        let told = home.plusone(&["erase", "zq-17-ident", "--yes", "--json"]).ended_with(0).json();
        assert_eq!((&told["shared_addresses"], &told["suppressed"]), (&1.into(), &1.into()), "the phone is hers alone");
        assert_eq!(shop.send("2026-11-03T12:00:00Z").await["sent"], 1);
    })
    .await;
}

#[test]
fn an_erasure_is_never_begun_unasked() {
    let home = crate::shop::home(&Settings::default()).file("customers.csv", &rows("Zeldaquill"));
    home.plusone(&["once"]).ended_with(0);
    let refused = home.plusone(&["erase", "zq-17-ident"]).ended_with(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    home.plusone(&["customer", "zq-17-ident"]).ended_with(0);
}

#[tokio::test]
async fn what_hangs_on_a_row_of_theirs_stays_out_too() {
    let lines = "[line]\nsource = \"lines.csv\"\nkey = \"id\"\nbelongs_to = { cart = \"cart_id\" }\n\
                 [line.fields]\nid = \"text\"\ncart_id = \"text\"\n";
    let databases = [Some(None), Database::create().map(Some)].into_iter().flatten();
    for database in databases {
        let url = database.as_ref().map_or(Settings::default().database, |database| database.url.clone());
        let home = crate::shop::home(&Settings { database: url, ..Settings::default() });
        home.write("config/data.toml", &format!("{}{lines}", home.read("config/data.toml")));
        home.write("customers.csv", &rows("Zeldaquill"));
        home.write("carts.csv", "id,customer_id,status\nc17,zq-17-ident,open\nc18,zq-18-ident,open\n");
        home.write("lines.csv", "id,cart_id\nl17,c17\nl18,c18\n");
        let mut shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        shop.pass("2026-11-03T12:00:00Z").await;
        home.plusone(&["erase", "zq-17-ident", "--yes"]).ended_with(0);
        assert_eq!(shop.number("select count(*) from d_line").await, 1);
        home.write(
            "carts.csv",
            "id,customer_id,status\nc17,zq-17-ident,open\nc18,zq-18-ident,open\nc19,zq-17-ident,x\n",
        );
        home.write("lines.csv", "id,cart_id\nl17,c17\nl18,c18\nl19,c19\n");
        shop.set("2026-11-03T13:00:00Z");
        let report = shop.app.refresh().await.expect("read");
        let lines = report.read.iter().find(|report| report.entity == "line").expect("the lines were read");
        assert_eq!((lines.erased, lines.created), (2, 0));
        assert_eq!(shop.number("select count(*) from d_line").await, 1);
    }
}
