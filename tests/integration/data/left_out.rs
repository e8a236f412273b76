//! What of a source is not there afterwards: refused rows, addresses that cannot be used, rows of unknown customers.

use crate::shop::{customers, on_both};
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
        assert!(status.contains("  by the way: 1 row of cart of customers who are not known (2): they"), "{status}");
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
