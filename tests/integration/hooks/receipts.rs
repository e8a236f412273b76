//! What became of messages: doubled, late, out of order, about what nobody knows.

use super::{ANN, Desk, at_the_desk};
use crate::shop::{NOON, at, rule};
use plusone::feedback::receipts::settle_pending;

const SMS: (&str, &str) = ("channels", "[\"sms\"]");
const ONLY_ANN: (&str, &str) = ("when", "['customer.id == \"ann\"']");

async fn receipt(desk: &Desk, touchpoint: &str, sid: &str, status: &str, code: &str) -> u16 {
    let path = format!("/hooks/phone/status?touchpoint={touchpoint}");
    let mut fields = vec![("MessageSid", sid), ("MessageStatus", status), ("To", ANN)];
    if !code.is_empty() {
        fields.push(("ErrorCode", code));
    }
    desk.post(&path, &fields).await.status
}

async fn sent(desk: &mut Desk) -> (String, String) {
    desk.send(NOON).await;
    let one = desk.texts("select id || ' ' || provider_id from touchpoints").await.remove(0);
    let (id, sid) = one.split_once(' ').expect("both");
    (id.to_owned(), sid.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_in_any_order_and_doubled_end_alike() {
    let orders: [&[&str]; 3] = [
        &["sending", "sent", "delivered", "delivered"],
        &["delivered", "sent", "delivered", "sending"],
        &["sent", "delivered", "sending", "sent", "delivered"],
    ];
    for order in orders {
        at_the_desk(&rule(&[SMS, ONLY_ANN]), async |mut desk| {
            let (id, sid) = sent(&mut desk).await;
            for status in order {
                assert_eq!(receipt(&desk, &id, &sid, status, "").await, 204);
            }
            assert_eq!(desk.shop.log().await, ["ann - delivered -"]);
            assert_eq!(desk.shop.events("ann").await, ["planned", "sent", "delivered"]);
            assert_eq!(desk.count("provider_events").await, 1);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_takes_no_texts_is_suppressed_there_and_a_passing_fault_is_not() {
    at_the_desk(&rule(&[SMS, ONLY_ANN]), async |mut desk| {
        let (id, sid) = sent(&mut desk).await;
        assert_eq!(receipt(&desk, &id, &sid, "undelivered", "30003").await, 204);
        assert_eq!(desk.shop.log().await, ["ann - bounced -"]);
        assert_eq!(desk.count("suppressions").await, 0);
        let detail = desk.texts("select detail from touchpoint_events where kind = 'bounced'").await;
        assert_eq!(detail, ["phone: undelivered (30003)"]);
        for (sid, code) in [("SM-a", "30005"), ("SM-b", "21610")] {
            assert_eq!(receipt(&desk, "", sid, "failed", code).await, 204);
        }
        let suppressed = desk.texts("select scope || ' ' || reason from suppressions order by reason").await;
        assert_eq!(suppressed, ["channel:sms hard_bounce", "channel:sms stop"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_is_faster_than_our_own_note_waits_for_it() {
    at_the_desk(&rule(&[SMS, ONLY_ANN]), async |mut desk| {
        let (id, sid) = sent(&mut desk).await;
        desk.shop.execute("update touchpoints set state = 'dispatching', provider_id = null").await;
        assert_eq!(receipt(&desk, &id, &sid, "delivered", "").await, 204);
        let now = at("2026-11-03T12:31:00Z");
        settle_pending(&desk.shop.app.db, now).await.expect("looked at");
        assert_eq!(desk.shop.log().await, ["ann - dispatching -"], "what a daemon has in hand is left alone");
        desk.shop.execute(&format!("update touchpoints set state = 'sent', provider_id = '{sid}'")).await;
        settle_pending(&desk.shop.app.db, now).await.expect("looked at");
        settle_pending(&desk.shop.app.db, now).await.expect("looked at");
        assert_eq!(desk.shop.log().await, ["ann - delivered -"]);
        assert_eq!(desk.count("provider_events where pending = 1").await, 0);
        assert_eq!(desk.count("touchpoint_events where kind = 'delivered'").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_ends_a_doubt() {
    at_the_desk(&rule(&[SMS, ONLY_ANN]), async |mut desk| {
        let (id, sid) = sent(&mut desk).await;
        desk.shop.execute("update touchpoints set state = 'in_doubt', provider_id = null, sent_at = null").await;
        assert_eq!(receipt(&desk, &id, &sid, "sent", "").await, 204);
        assert_eq!(desk.shop.log().await, ["ann - sent -"]);
        assert_eq!(desk.texts("select provider_id from touchpoints").await, [sid.as_str()]);
        assert_eq!(receipt(&desk, &id, &sid, "delivered", "").await, 204);
        assert_eq!(desk.shop.events("ann").await, ["planned", "sent", "sent", "delivered"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_of_what_nobody_knows_is_taken_and_let_go_after_a_week() {
    at_the_desk(&rule(&[SMS, ONLY_ANN]), async |mut desk| {
        let (id, _) = sent(&mut desk).await;
        assert_eq!(receipt(&desk, "00000000-0000-8000-8000-000000000000", "SM-x", "delivered", "").await, 204);
        assert_eq!(
            receipt(&desk, "'; drop table touchpoints; --".replace(' ', "+").as_str(), "SM-y", "failed", "").await,
            204
        );
        assert_eq!(receipt(&desk, &id, "SM-of-another", "undelivered", "").await, 204);
        assert_eq!(desk.shop.log().await, ["ann - sent -"]);
        assert_eq!(desk.count("provider_events where pending = 1").await, 3);
        settle_pending(&desk.shop.app.db, at("2026-11-11T12:31:00Z")).await.expect("looked at");
        assert_eq!(desk.count("provider_events where pending = 1").await, 0);
    })
    .await;
}
