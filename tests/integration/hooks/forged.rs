//! Requests that are not the provider's: no trace of them is left.

use super::{ANN, PUBLIC, TOKEN, at_the_desk, sign};
use crate::shop::{NOON, rule};

const INBOUND: &str = "/hooks/phone/inbound";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_mutated_or_unsigned_leaves_no_trace() {
    at_the_desk(&rule(&[("channels", "[\"sms\"]")]), async |mut desk| {
        desk.send(NOON).await;
        let before = desk.trace().await;
        let fields = [("MessageSid", "SM1"), ("From", ANN), ("To", "+44"), ("Body", "STOP")];
        let good = sign(TOKEN, &format!("{PUBLIC}{INBOUND}"), &fields);
        let header = |signature: &str| format!("X-Twilio-Signature: {signature}\r\n");
        let sha256 = |key: &str| format!("{}X-Twilio-Webhooks-Signature-Settings: {key}\r\n", header(&good));
        for (headers, status) in [
            (String::new(), 403),
            (header(""), 403),
            (header("not base64 at all"), 403),
            (header(&sign("another token", &format!("{PUBLIC}{INBOUND}"), &fields)), 403),
            (header(&sign(TOKEN, &format!("https://elsewhere.test{INBOUND}"), &fields)), 403),
            (header(&sign(TOKEN, &format!("{PUBLIC}/hooks/phone/status"), &fields)), 403),
            (sha256("key=key-1,algorithm=HMAC_SHA256"), 403),
            (sha256("key=unknown,algorithm=HMAC_SHA256"), 403),
            (sha256("key=key-1,algorithm=HMAC_MD5"), 403),
        ] {
            assert_eq!(desk.raw(INBOUND, &fields, &headers).await.status, status, "{headers}");
        }
        for changed in [
            vec![("MessageSid", "SM1"), ("From", "+447911120001"), ("To", "+44"), ("Body", "STOP")],
            vec![("MessageSid", "SM1"), ("From", ANN), ("To", "+44"), ("Body", "START")],
            vec![("MessageSid", "SM1"), ("From", ANN), ("To", "+44"), ("Body", "STOP"), ("More", "1")],
            vec![("MessageSid", "SM1"), ("From", ANN), ("Body", "STOP")],
        ] {
            assert_eq!(desk.raw(INBOUND, &changed, &header(&good)).await.status, 403, "{changed:?}");
        }
        for (path, status) in [
            (format!("{INBOUND}?x=1"), 403),
            ("/hooks/outbox/inbound".to_owned(), 404),
            ("/hooks/nobody/inbound".to_owned(), 404),
            ("/hooks/phone/other".to_owned(), 404),
            ("/hooks//inbound".to_owned(), 404),
        ] {
            assert_eq!(desk.raw(&path, &fields, &header(&good)).await.status, status, "{path}");
        }
        assert_eq!(desk.trace().await, before);
        assert_eq!(desk.raw(INBOUND, &fields, &header(&good)).await.status, 200, "the real one is taken");
        assert_ne!(desk.trace().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_all_measure_is_not_read() {
    at_the_desk(&rule(&[("channels", "[\"sms\"]")]), async |desk| {
        let long = "x".repeat(33 * 1024);
        let reply = desk.post(INBOUND, &[("MessageSid", "SM1"), ("From", ANN), ("To", "+44"), ("Body", &long)]).await;
        assert_eq!(reply.status, 413);
        let missing = desk.post(INBOUND, &[("MessageSid", "SM1")]).await;
        assert_eq!(missing.status, 422);
        assert_eq!(desk.count("provider_events").await, 0);
    })
    .await;
}
