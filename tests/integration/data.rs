//! Customer data end to end: files into tables, on SQLite always and on PostgreSQL where its URL is set.

mod ledger;
mod left_out;
mod places;
mod queries;
mod real;
mod trial;

use plusone::catalogue::{Absent, ConsentColumns, Field, Type};
use plusone::courtesy::consent::{Answer, SourceKind};
use plusone::data::find::find_customer;
use plusone::data::suppress::{self, Hasher, Wish};
use plusone::data::{DataError, answers, sync};
use plusone::rules::Purpose;
use plusone::settings::Topic;
use plusone::store::{entities, suppressions};
use trial::{catalogue, instant, texts, trials};

const CUSTOMERS: &str = "id,E-Mail,phone,tier,birthday\n\
    1,Ann@Example.com,020 7183 8750,gold,03.11.1980\n\
    2,bob at example,+15550100,silver,\n\
    3,,,,01.01.1999\n";

#[tokio::test]
async fn a_second_import_of_the_same_file_changes_nothing() {
    for trial in trials().await {
        let file = trial.file("customers.csv", CUSTOMERS);
        let first = trial.import("customer", &file).await.expect("imported");
        assert_eq!((first.rows, first.created, first.refused, first.bad_contacts), (3, 3, 0, 2));
        let second = trial.import("customer", &file).await.expect("imported");
        assert_eq!((second.created, second.updated, second.unchanged, second.removed), (0, 0, 3, 0));
        let rows = trial.rows("select id, email, phone, tier, birthday from d_customer order by id").await;
        assert_eq!(rows[0], ["1", "Ann@example.com", "+442071838750", "gold", "3959"]);
        assert_eq!(rows[1], ["2", "bob at example", "?+15550100", "silver", "-"]);
        assert_eq!(rows[2], ["3", "-", "-", "-", "10592"]);
        let buckets = trial.rows("select id, _customer, _bucket from d_customer order by id").await;
        let expected = |id: &str| vec![id.to_owned(), id.to_owned(), plusone::ids::bucket_of(id).to_string()];
        assert_eq!(buckets, ["1", "2", "3"].map(expected));
    }
}

#[tokio::test]
async fn only_what_differs_is_written() {
    for trial in trials().await {
        let file = trial.file("customers.csv", CUSTOMERS);
        trial.import("customer", &file).await.expect("imported");
        trial.file("customers.csv", &CUSTOMERS.replace("silver", "gold").replace("3,,,,", "4,,,,"));
        let report = trial.import("customer", &file).await.expect("imported");
        assert_eq!((report.created, report.updated, report.unchanged, report.removed), (1, 1, 1, 0));
        let rows = trial.rows("select id, tier from d_customer order by id").await;
        assert_eq!(rows, [["1", "gold"], ["2", "gold"], ["3", "-"], ["4", "-"]]);
    }
}

#[tokio::test]
async fn bad_rows_are_told_and_good_ones_are_kept() {
    for trial in trials().await {
        let content = "id;E-Mail;phone;tier;birthday;shoe size\r\n\
                       1;;;gold;03.11.1980;44\r\n\
                       2;;;bronze;;\r\n\
                       ;;;gold;;\r\n\
                       4;;;gold\r\n\
                       5;;;gold;1980-11-03;=1+1\r\n\
                       1;;;basic;;\r\n";
        let file = trial.file("customers.csv", content);
        let report = trial.import("customer", &file).await.expect("imported");
        assert_eq!((report.rows, report.created, report.refused, report.duplicates), (6, 1, 4, 1));
        assert!(report.notes[0].contains("`shoe size`"), "{:?}", report.notes);
        let errors = std::fs::read_to_string(report.errors_file.expect("an errors file")).expect("readable");
        let lines: Vec<&str> = errors.lines().collect();
        assert_eq!(lines.len(), 5);
        assert!(
            lines[1].starts_with("\"3\",\"tier\",\"`bronze` is not one of `basic`, `silver`, `gold`\""),
            "{errors}"
        );
        assert!(lines[2].starts_with("\"4\",\"id\",\"is missing"), "{errors}");
        assert!(lines[3].starts_with("\"5\",\"\",\"has 4 columns where the heading has 6\",\"4\""), "{errors}");
        assert!(lines[4].starts_with("\"6\",\"birthday\"") && lines[4].ends_with("\"'=1+1\""), "{errors}");
        assert_eq!(trial.rows("select id, tier from d_customer").await, [["1", "basic"]]);
    }
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    for trial in trials().await {
        let file = trial.file("customers.csv", CUSTOMERS);
        let mut job = trial.job("customer", &file);
        job.dry_run = true;
        let report = plusone::data::import::import(&trial.db, &job).await.expect("looked at");
        assert_eq!(report.created, 3);
        assert!(trial.rows("select id from d_customer").await.is_empty());
    }
}

#[tokio::test]
async fn a_file_without_some_columns_leaves_their_values_alone() {
    for trial in trials().await {
        trial.import("customer", &trial.file("customers.csv", CUSTOMERS)).await.expect("imported");
        let part = trial.file("tiers.csv", "id,tier\n1,basic\n2,silver\n9,gold\n");
        let report = trial.import("customer", &part).await.expect("imported");
        assert_eq!((report.created, report.updated, report.unchanged), (1, 1, 1));
        let rows = trial.rows("select id, email, tier from d_customer order by id").await;
        assert_eq!(rows[0], ["1", "Ann@example.com", "basic"]);
        assert_eq!(rows[3], ["9", "-", "gold"]);
    }
}

#[tokio::test]
async fn a_missing_key_column_is_named_with_the_nearest_heading() {
    for trial in trials().await {
        let file = trial.file("customers.csv", "ID,tier\n1,gold\n");
        let error = trial.import("customer", &file).await.expect_err("refused");
        assert!(error.to_string().contains("no column `id`; is it `ID` now?"), "{error}");
        let error = trial.import("costumer", &file).await.expect_err("refused");
        assert!(error.to_string().contains("the nearest is `customer`"), "{error}");
    }
}

#[tokio::test]
async fn owners_are_known_however_the_files_come() {
    for trial in trials().await {
        let lines = trial.file("lines.csv", "id,cart_id,product_id,price\nl1,c1,p1,2.50\nl2,c2,p1,1\nl3,c9,p1,1\n");
        trial.import("line", &lines).await.expect("imported");
        let owners = "select id, _customer from d_line order by id";
        assert_eq!(trial.rows(owners).await, [["l1", "-"], ["l2", "-"], ["l3", "-"]]);
        let carts = trial.file("carts.csv", "id,customer_id\nc1,1\nc2,2\n");
        trial.import("cart", &carts).await.expect("imported");
        assert_eq!(trial.rows(owners).await, [["l1", "1"], ["l2", "2"], ["l3", "-"]]);
        trial.file("carts.csv", "id,customer_id\nc1,7\nc2,2\n");
        let report = trial.import("cart", &carts).await.expect("imported");
        assert_eq!((report.updated, report.unchanged), (1, 1));
        assert_eq!(trial.rows(owners).await, [["l1", "7"], ["l2", "2"], ["l3", "-"]]);
        let bucket = plusone::ids::bucket_of("7").to_string();
        assert_eq!(trial.rows("select _bucket from d_line where id = 'l1'").await, [[bucket]]);
        let again = trial.import("line", &lines).await.expect("imported");
        assert_eq!((again.unchanged, again.updated), (3, 0));
    }
}

#[tokio::test]
async fn a_source_is_read_when_it_changed_and_its_lost_rows_go() {
    for mut trial in trials().await {
        let rows: Vec<String> = (0..20).map(|id| format!("{id},c{id}@example.com,,gold,")).collect();
        let content = |rows: &[String]| format!("id,E-Mail,phone,tier,birthday\n{}\n", rows.join("\n"));
        trial.file("customers.csv", &content(&rows));
        trial.catalogue.entities.get_mut("customer").expect("declared").source = Some("customers.csv".to_owned());
        let first = trial.sync().await;
        assert_eq!(first.read[0].created, 20);
        assert_eq!(trial.sync().await.unchanged, ["customer"]);
        trial.file("customers.csv", &content(&rows[..17]));
        assert_eq!(trial.sync().await.read[0].removed, 3);
        trial.file("customers.csv", &content(&rows[..5]));
        let refused = trial.sync().await;
        assert!(matches!(refused.failed[0].1, DataError::Shrunk { lost: 12, known: 17, .. }), "{refused:?}");
        assert_eq!(trial.rows("select count(*) from d_customer").await, [["17"]]);
        let file = trial.folder.path().join("customers.csv");
        let mut job = trial.job("customer", &file);
        (job.absent, job.confirmed) = (Absent::Remove, true);
        assert_eq!(plusone::data::import::import(&trial.db, &job).await.expect("confirmed").removed, 12);
    }
}

#[tokio::test]
async fn relative_dates_count_as_changed_each_day() {
    for mut trial in trials().await {
        trial.file("customers.csv", "id,E-Mail,phone,tier,birthday\n1,,,,today+3d\n");
        let customer = trial.catalogue.entities.get_mut("customer").expect("declared");
        customer.source = Some("customers.csv".to_owned());
        customer.relative_dates = true;
        let birthday = "select birthday from d_customer";
        trial.sync().await;
        let monday = trial.rows(birthday).await[0][0].parse::<i64>().expect("days");
        trial.now = trial.now.plus("2h".parse().expect("a span"));
        assert_eq!(trial.sync().await.unchanged, ["customer"]);
        trial.now = trial.now.plus("24h".parse().expect("a span"));
        assert_eq!(trial.sync().await.read[0].updated, 1);
        assert_eq!(trial.rows(birthday).await, [[(monday + 1).to_string()]]);
    }
}

#[tokio::test]
async fn consent_is_written_down_once_and_never_outlives_a_later_no() {
    for mut trial in trials().await {
        let customer = trial.catalogue.entities.get_mut("customer").expect("declared");
        customer.fields.push(Field::new("opt_in", Type::Boolean));
        customer.fields.push(Field::new("opt_in_at", Type::Timestamp));
        trial.catalogue.consent = vec![ConsentColumns {
            topic: "offers".to_owned(),
            channels: [("email".to_owned(), "opt_in".to_owned())].into(),
            at: Some("opt_in_at".to_owned()),
            source: Some("checkout".to_owned()),
            yes: Answer::Yes,
        }];
        entities::prepare(&trial.db, &trial.catalogue, trial.settings.business.time_zone).await.expect("prepared");
        let file = |opt_in: &str, at: &str, tier: &str| {
            trial.file("customers.csv", &format!("id,tier,opt_in,opt_in_at\n1,{tier},{opt_in},{at}\n"))
        };
        let path = file("yes", "2026-10-01T00:00:00Z", "gold");
        assert_eq!(trial.import("customer", &path).await.expect("imported").consents, 1);
        assert_eq!(trial.consent("1").await, Some(true));
        file("yes", "2026-10-01T00:00:00Z", "basic");
        assert_eq!(trial.import("customer", &path).await.expect("imported").consents, 0);
        trial.say("1", "2026-10-20T00:00:00Z", false).await;
        file("yes", "2026-10-01T00:00:00Z", "silver");
        trial.import("customer", &path).await.expect("imported");
        assert_eq!(trial.consent("1").await, Some(false), "an import never clears an opt-out");
        file("yes", "", "gold");
        trial.import("customer", &path).await.expect("imported");
        assert_eq!(trial.consent("1").await, Some(false), "a yes without a time never follows a no");
        file("yes", "2026-10-21T00:00:00Z", "gold");
        trial.import("customer", &path).await.expect("imported");
        assert_eq!(trial.consent("1").await, Some(true), "a later yes counts");
        file("no", "", "gold");
        trial.import("customer", &path).await.expect("imported");
        assert_eq!(trial.consent("1").await, Some(false), "the column takes back the yes it gave");
        trial.say("1", "2026-12-01T00:00:00Z", true).await;
        file("no", "", "basic");
        trial.import("customer", &path).await.expect("imported");
        assert_eq!(trial.consent("1").await, Some(true), "and no other");
    }
}

#[tokio::test]
async fn a_table_is_widened_and_a_changed_type_is_refused_with_the_way_out() {
    for mut trial in trials().await {
        trial.import("customer", &trial.file("customers.csv", CUSTOMERS)).await.expect("imported");
        let customer = trial.catalogue.entities.get_mut("customer").expect("declared");
        customer.fields.push(Field::new("points", Type::Integer));
        let zone = trial.settings.business.time_zone;
        entities::prepare(&trial.db, &trial.catalogue, zone).await.expect("widened");
        trial.import("customer", &trial.file("p.csv", "id,points\n1,7\n")).await.expect("imported");
        assert_eq!(trial.rows("select tier, points from d_customer where id = '1'").await, [["gold", "7"]]);
        let customer = trial.catalogue.entities.get_mut("customer").expect("declared");
        customer.fields.last_mut().expect("a field").ty = Type::Text;
        let error = entities::prepare(&trial.db, &trial.catalogue, zone).await.expect_err("refused");
        assert!(error.to_string().contains("`customer.points` is stored as integer and cannot become text"), "{error}");
        assert!(error.to_string().contains("points_text"), "{error}");
    }
}

#[tokio::test]
async fn preparing_again_after_a_sync_finds_nothing_to_do() {
    for trial in trials().await {
        let before = texts(&trial.db, "select name, value from meta order by name").await;
        let zone = trial.settings.business.time_zone;
        entities::prepare(&trial.db, &trial.catalogue, zone).await.expect("prepared");
        assert_eq!(texts(&trial.db, "select name, value from meta order by name").await, before);
        let report = sync::sync(&trial.db, &catalogue(), &trial.settings, trial.folder.path(), instant()).await;
        assert!(!report.expect("synced").changed_anything());
    }
}

#[tokio::test]
async fn a_customer_is_found_by_whatever_names_them() {
    for trial in trials().await {
        trial.import("customer", &trial.file("customers.csv", CUSTOMERS)).await.expect("imported");
        trial.import("cart", &trial.file("carts.csv", "id,customer_id\nc1,2\n")).await.expect("imported");
        for (text, expected) in [
            ("1", "1"),
            ("ann@example.com", "1"),
            ("(020) 7183-8750", "1"),
            ("bob at example", ""),
            ("cart:c1", "2"),
            ("cart:c2", ""),
            ("+15550100", ""),
        ] {
            let found = find_customer(&trial.db, &trial.catalogue, "GB", text).await.expect("an answer");
            assert_eq!(found.join(","), expected, "{text}");
        }
    }
}

#[tokio::test]
async fn a_suppressed_address_is_known_in_every_notation_and_never_kept() {
    for trial in trials().await {
        let business = &trial.settings.business;
        let add = |address: &'static str| Wish::of(address, "asked by phone", "support");
        assert!(suppress::add(&trial.db, business, add("020 7183 8750"), trial.now).await.expect("added"));
        assert!(!suppress::add(&trial.db, business, add("+442071838750"), trial.now).await.expect("there already"));
        let list =
            trial.file("list.csv", "address,reason,scope\nAnn@Example.COM,,topic:offers\nnobody,,\nx@y.org,,moon\n");
        let report = suppress::import(&trial.db, business, &list, trial.now).await.expect("imported");
        assert_eq!((report.rows, report.added, report.refused), (3, 1, 2));
        let hasher = Hasher::load(&trial.db).await.expect("a key");
        let hashes = hasher.hash_all(&["+442071838750", "ann@example.com", "bob@example.com"]);
        let mut found = suppressions::lookup(&trial.db, &hashes, trial.now).await.expect("looked up");
        found.sort_by(|a, b| a.scope.cmp(&b.scope));
        let shown: Vec<(&str, &str)> = found.iter().map(|s| (s.scope.as_str(), s.shown.as_str())).collect();
        assert_eq!(shown, [("all", "+44…50"), ("topic:offers", "a…@e….com")]);
        let kept = trial.rows("select * from suppressions").await.concat().join(" ");
        assert!(!kept.to_lowercase().contains("ann@") && !kept.contains("7183"), "{kept}");
        assert_eq!(
            suppress::remove(&trial.db, business, "0044 20 7183 8750", None, false).await.expect("removed").len(),
            1
        );
        assert_eq!(suppressions::lookup(&trial.db, &hashes, trial.now).await.expect("looked up").len(), 1);
    }
}

#[tokio::test]
async fn a_list_of_answers_goes_into_the_ledger() {
    for mut trial in trials().await {
        let topic = Topic::single(Purpose::Promotional, "Offers");
        trial.settings.topics.insert("offers".to_owned(), topic);
        let list = trial.file(
            "consents.csv",
            "customer,topic,channel,value,at,source\n\
             1,offers,email,yes,2026-01-01T00:00:00Z,till\n\
             1,offers,,no,2026-02-01 09:00,letter\n\
             2,ofers,email,yes,,till\n\
             3,offers,fax,yes,,till\n\
             4,offers,email,yes,2027-01-01T00:00:00Z,till\n\
             5,offers,email,yes,2026-01-01T00:00:00Z,\n",
        );
        let report = answers::import(&trial.db, &trial.settings, &list, trial.now).await.expect("imported");
        assert_eq!((report.rows, report.added, report.refused), (6, 2, 4));
        let errors = std::fs::read_to_string(report.errors_file.expect("an errors file")).expect("readable");
        assert!(errors.contains("the nearest is `offers`"), "{errors}");
        assert_eq!(trial.consent("1").await, Some(false), "a no on every channel is a no by email");
        let again = answers::import(&trial.db, &trial.settings, &list, trial.now).await.expect("imported");
        assert_eq!(again.added, 0);
        let said = answers::Said {
            customer: "1",
            topic: "offers",
            channel: None,
            answer: Answer::Yes,
            at: trial.now,
            source: "support",
            kind: SourceKind::Support,
        };
        assert!(answers::set(&trial.db, &trial.settings, said, trial.now).await.expect("set"));
        assert_eq!(trial.consent("1").await, Some(true));
    }
}
