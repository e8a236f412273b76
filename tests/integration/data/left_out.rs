//! What of a source is not there afterwards: refused rows, addresses that cannot be used, rows of unknown customers.

use crate::shop::{customers, on_both, rule};
use serde_json::json;

#[tokio::test]
async fn what_was_left_out_is_told_when_it_is_read_and_until_it_is_mended() {
    on_both("", async |home| {
        // Ben's number is none of anyone's; the third row has no key.
        let rows = customers(&["ann,ann@shop.test,Ann,gold,yes", "ben,ben at shop,Ben,gold,yes", ",,Nobody,gold,yes"]);
        home.write("customers.csv", &rows);
        home.write("carts.csv", "id,customer_id,status\n1,ann,open\n2,zoe,open\n3,,open\n");
        let once = home.plusone(&["once"]).ended_with(0).stdout;
        assert!(once.contains("1 refused, 1 with an address that cannot be used (ben)"), "{once}");
        assert!(once.contains("3 rows read, 3 new, 1 of customers who are not known (2)"), "{once}");
        let status = home.plusone(&["status"]).ended_with(0).stdout;
        assert!(status.contains("  - 1 row of customers.csv refused, see "), "{status}");
        assert!(status.contains("customers.csv.errors.csv"), "{status}");
        assert!(
            status.contains("  by the way: 1 row of cart of customers who are not known (2): it counts once"),
            "{status}"
        );
        for text in ["zoe", "2"] {
            let found = home.plusone(&["find", text, "--json"]).ended_with(0).json();
            assert_eq!(found["customers"][0]["customer"], "zoe");
            assert_eq!(found["customers"][0]["matched"], "cart 2; no row of the customer is there");
        }
        // The customer comes by hand, the row is mended: nothing is left out any more.
        home.write("late.csv", &customers(&["zoe,zoe@shop.test,Zoe,gold,yes"]));
        home.plusone(&["import", "customer", "late.csv"]).ended_with(0);
        let status = home.plusone(&["status", "--json"]).ended_with(0).json();
        assert_eq!(status["notices"], json!([]));
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,gold,yes", "zoe,zoe@shop.test,Zoe,gold,yes"]));
        home.plusone(&["import", "customer", "customers.csv", "--absent", "remove"]).ended_with(0);
        home.plusone(&["once"]).ended_with(0);
        let status = home.plusone(&["status"]).ended_with(0).stdout;
        assert!(!status.contains("refused") && !status.contains("by the way"), "{status}");
        home.write("early.csv", "id,customer_id,status\n7,yan,open\n8,yan,open\n");
        let early = home.plusone(&["import", "cart", "early.csv"]).ended_with(0).stdout;
        assert!(early.contains("2 rows of customers who are not known (7, 8); they count once"), "{early}");
    })
    .await;
}

#[tokio::test]
async fn a_file_that_lost_a_column_is_told_of_and_one_without_its_yeses_is_not_read() {
    on_both("", async |home| {
        home.write("config/rules/note.toml", &rule(&[]));
        let whole = customers(&["ann,ann@shop.test,Ann,gold,yes", "ben,ben@shop.test,Ben,gold,yes"]);
        home.write("customers.csv", &whole);
        home.plusone(&["who", "note"]).ended_with(0);
        // Ann has said no since, in a column that has another name now.
        let lost = whole.replace("ann,ann@shop.test,Ann,gold,yes", "ann,ann@shop.test,Ann,gold,no");
        let lost = lost.replacen("email_ok", "may_mail", 1);
        home.write("customers.csv", &lost);
        let said = "customers.csv has no column `email_ok`; is it `may_mail` now? Then say `column = \"may_mail\"` at the field";
        let check = home.plusone(&["check"]).ended_with(2).stdout;
        assert!(told(&check, "customer is not read: ", said), "{check}");
        for command in [&["who", "note"][..], &["why", "ann", "note"], &["preview", "note"], &["simulate", "--to", "+2d"]] {
            let noted = home.plusone(command).ended_with(0).stderr;
            assert!(told(&noted, "note: customer could not be read at ", said), "{command:?}: {noted}");
            assert_eq!(noted.matches("has no column").count(), 1, "{command:?}: {noted}");
        }
        let status = home.plusone(&["status"]).ended_with(0).stdout;
        assert!(told(&status, "  - customer could not be read at ", said), "{status}");
        // A column that nobody's consent or address hangs on is missed, and the rest is read.
        home.write("customers.csv", &whole.replacen("tier", "level", 1).replace("ben@shop.test", "ben@new.test"));
        let who = home.plusone(&["who", "note"]).ended_with(0);
        let said = "customers.csv has no column `tier`; is it `level` now? Then say `column = \"level\"` at the field";
        assert!(told(&who.stderr, "note: `customer.tier` stays what it was: ", said), "{}", who.stderr);
        let read = home.plusone(&["customer", "ben"]).ended_with(0).stdout;
        assert!(read.contains("ben@new.test") && read.contains("gold"), "{read}");
        let check = home.plusone(&["check"]).ended_with(0).stdout;
        assert!(told(&check, "`customer.tier` stays what it was: ", said), "{check}");
        let status = home.plusone(&["status", "--json"]).ended_with(0).json();
        assert_eq!(status["well"], false);
        // As it was again.
        home.write("customers.csv", &whole);
        assert_eq!(home.plusone(&["who", "note"]).ended_with(0).stderr, "");
    })
    .await;
}

/// Whether `text` says both, whatever stands between and however a terminal breaks its lines.
fn told(text: &str, before: &str, said: &str) -> bool {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.find(before.trim()).is_some_and(|at| text[at..].contains(said))
}

#[tokio::test]
async fn what_is_refused_is_said_before_any_answer_from_the_data() {
    on_both("", async |home| {
        home.write("config/rules/note.toml", &rule(&[]));
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,gold,yes", ",,Nobody,gold,yes"]));
        for command in [&["who", "note"][..], &["who", "note", "--json"], &["why", "ann"], &["preview", "note"]] {
            let noted = home.plusone(command).ended_with(0).stderr;
            assert!(noted.starts_with("note: 1 row of customers.csv refused, see "), "{command:?}: {noted}");
        }
        let check = home.plusone(&["check"]).ended_with(0).stdout;
        assert!(told(&check, "1 row of customers.csv refused, see", "customers.csv.errors.csv"), "{check}");
    })
    .await;
}

#[tokio::test]
async fn check_says_what_the_tables_cannot_follow() {
    on_both("", async |home| {
        home.write("config/rules/note.toml", &rule(&[]));
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,gold,yes"]));
        home.plusone(&["who", "note"]).ended_with(0);
        let data = home.read("config/data.toml");
        home.write("config/data.toml", &data.replacen("tier = \"text\"", "tier = \"integer\"", 1));
        let said = "`customer.tier` is stored as text and cannot become integer: declare a new field beside it";
        let check = home.plusone(&["check"]).ended_with(2).stdout;
        assert!(
            told(&check, "config/data.toml", "") && told(&check, said, "or begin with an empty database"),
            "{check}"
        );
        let scaled = "tier = { type = \"decimal\", scale = 2 }";
        home.write("config/data.toml", &data.replacen("tier = \"text\"", scaled, 1));
        let check = home.plusone(&["check"]).ended_with(2).stdout;
        assert!(
            told(&check, "such as", "tier_decimal = { type = \"decimal\", scale = 2, column = \"tier\" }"),
            "{check}"
        );
    })
    .await;
}
