//! Keys pressed in calls.

use super::{ANN, Desk, at_the_desk};
use crate::shop::{NOON, rule};

const CALL: (&str, &str) = ("channels", "[\"voice\"]");
const ONLY_ANN: (&str, &str) = ("when", "['customer.id == \"ann\"']");

/// The path of the call's own callback, as it stood in the request to Twilio.
fn action(desk: &Desk) -> String {
    let heard = desk.twilio.text();
    let body = heard.rsplit("\r\n\r\n").next().expect("a body");
    let form: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let twiml = form.iter().find(|(name, _)| name == "Twiml").map(|(_, value)| value.clone()).expect("a call");
    let begin = twiml.find("/hooks/phone/voice/").unwrap_or_else(|| panic!("no action: {twiml}"));
    let end = twiml[begin..].find('"').expect("an attribute ends") + begin;
    twiml[begin..end].replace("&amp;", "&")
}

async fn press(desk: &Desk, path: &str, digits: &str) -> (u16, String) {
    let reply = desk.post(path, &[("CallSid", "CA1"), ("CallStatus", "in-progress"), ("Digits", digits)]).await;
    (reply.status, reply.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_that_stops_pressed_twice_at_once_counts_once_and_ends_the_call() {
    at_the_desk(&rule(&[CALL, ONLY_ANN, ("topic", "\"offers\"")]), async |mut desk| {
        desk.consent("voice").await;
        desk.send(NOON).await;
        let path = action(&desk);
        let (one, other) = tokio::join!(press(&desk, &path, "9"), press(&desk, &path, "9"));
        assert_eq!(one, other);
        assert_eq!(one.0, 200);
        assert_eq!(
            one.1,
            "<Response><Say language=\"en-GB\">We will not call you again. Goodbye.</Say><Hangup/></Response>"
        );
        assert_eq!(desk.texts("select scope || ' ' || reason from suppressions").await, ["channel:voice stop"]);
        let no = "select topic || ' ' || channel || ' ' || source from consents where value = 0";
        assert_eq!(desk.texts(no).await, ["offers voice call key 9"]);
        assert_eq!(desk.shop.events("ann").await, ["planned", "sent", "replied"]);
        assert_eq!(desk.count("provider_events").await, 1);
        // text messages are another matter
        desk.text("SM-in-1", ANN, "hello").await;
        assert_eq!(desk.count("suppressions where scope = 'channel:sms'").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_said_again_and_not_for_ever() {
    at_the_desk(&rule(&[CALL, ONLY_ANN]), async |mut desk| {
        desk.send(NOON).await;
        let mut path = action(&desk);
        assert!(path.ends_with("?turn=1"), "{path}");
        let text = "Your table is ready. To hear this again, press 1. To get no more calls from us, press 9.";
        for turn in 2..=3 {
            let (_, twiml) = press(&desk, &path, "1").await;
            assert!(twiml.contains(text), "{twiml}");
            let action = format!("?turn={turn}\"");
            assert!(twiml.contains("<Gather input=\"dtmf\" numDigits=\"1\"") && twiml.contains(&action), "{twiml}");
            path = path.replace(&format!("turn={}", turn - 1), &format!("turn={turn}"));
        }
        let (_, last) = press(&desk, &path, "1").await;
        assert!(last.contains(text) && last.contains("<Hangup/>") && !last.contains("<Gather"), "{last}");
        let (_, wrong) = press(&desk, &path, "7").await;
        assert!(wrong.contains("This key does nothing here."), "{wrong}");
        assert_eq!(desk.count("suppressions").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn digits_are_digits_and_a_token_opens_its_own_call_alone() {
    at_the_desk(&rule(&[CALL, ONLY_ANN]), async |mut desk| {
        desk.send(NOON).await;
        let path = action(&desk);
        let before = desk.trace().await;
        for digits in ["99", "*", "#9", "9'; drop table consents; --", "</Say><Dial>9</Dial>", ""] {
            let (status, twiml) = press(&desk, &path, digits).await;
            assert_eq!(status, 200, "{digits}");
            assert!(!twiml.contains("Dial"), "{twiml}");
        }
        let (end, token) = (path.find('?').expect("a query"), path.rfind('/').expect("a token") + 1);
        for place in token..end {
            let letter = if &path[place..=place] == "A" { "B" } else { "A" };
            let spoilt = format!("{}{letter}{}", &path[..place], &path[place + 1..]);
            assert_eq!(press(&desk, &spoilt, "9").await.0, 404, "{spoilt}");
        }
        assert_eq!(desk.trace().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_call_is_told_by_its_status() {
    for (status, state) in [("completed", "delivered"), ("failed", "bounced"), ("no-answer", "sent"), ("busy", "sent")]
    {
        at_the_desk(&rule(&[CALL, ONLY_ANN]), async |mut desk| {
            desk.send(NOON).await;
            let sid = desk.texts("select provider_id from touchpoints").await.remove(0);
            let fields = [("CallSid", sid.as_str()), ("CallStatus", status), ("To", ANN), ("CallDuration", "12")];
            assert_eq!(desk.post("/hooks/phone/status", &fields).await.status, 204);
            assert_eq!(desk.shop.log().await, [format!("ann - {state} -")]);
            let told = desk.texts("select detail from touchpoint_events order by n desc limit 1").await;
            assert_eq!(told, [format!("phone: {status}")], "support sees what became of it");
        })
        .await;
    }
}
