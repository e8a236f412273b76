//! Twilio: its own API description judges the requests, and a double answers what that description has no answer for.

use super::{double, email, opened, send};
use crate::harness::prism::Prism;
use crate::harness::{address, shared};
use plusone::channels::{Callback, Found, Outgoing, Prepared, Provider, Sent};
use plusone::messages::Words;
use plusone::messages::menu::{Choice, Does};
use plusone::rules::Channel;
use plusone::settings::{Secret, Way};
use plusone::time::{Span, Timestamp};

const SPECIFICATION: &str = "twilio-messages-calls.strict.json";

fn twilio(api_base: &str) -> Provider {
    opened(Way::Twilio {
        account_sid: format!("AC{}", "0".repeat(32)),
        auth_token: Secret::new("token"),
        api_base: Some(api_base.to_owned()),
        webhook_keys: std::collections::BTreeMap::new(),
    })
}

fn message(channel: Channel) -> Outgoing {
    Outgoing {
        channel,
        from: "+442071838750".to_owned(),
        to: "+447700900123".to_owned(),
        words: Words {
            sms: Some("Your parcel is on its way – 1 & 2 + 3".to_owned()),
            voice: Some("Hello. Your table is ready at <eight>.".to_owned()),
            menu: vec![Choice { key: 9, does: Does::Stop, says: "Goodbye.".to_owned() }],
            ..Words::default()
        },
        callback: Some(Callback {
            public_url: "https://plus.harbour.example".to_owned(),
            token: Some("dG9rZW4".to_owned()),
        }),
        ..email("unused")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twilios_own_description_takes_our_requests() {
    let Some(prism) = Prism::mock(SPECIFICATION) else { return };
    let provider = twilio(&prism.url());
    let mut connection = provider.connection();
    let service = Outgoing { from: format!("MG{}", "0".repeat(32)), ..message(Channel::Sms) };
    for message in [message(Channel::Sms), service, message(Channel::Voice)] {
        let sent = send(&mut connection, &message).await;
        assert!(matches!(sent, Sent::Accepted { provider_id: Some(_), .. }), "{sent:?}");
    }
    provider.probe().await.expect("the list is there");
    for channel in [Channel::Sms, Channel::Voice] {
        let found = provider.look_up(&message(channel), Timestamp::default()).await;
        assert_eq!(found, Found::No, "Twilio's example is none of ours");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_only_fields_that_twilio_knows() {
    let Some(file) = shared(&format!("specs/{SPECIFICATION}")) else { return };
    let text = std::fs::read_to_string(file).expect("the description is readable");
    let specification: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let connection = twilio("http://127.0.0.1:1").connection();
    for channel in [Channel::Sms, Channel::Voice] {
        let Ok(Prepared::Request(request)) = connection.prepare(&message(channel)) else { panic!("a good message") };
        let path = format!("/2010-04-01/Accounts/{{AccountSid}}/{}", request.resource());
        let schema = &specification["paths"][&path]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]
            ["schema"]["properties"];
        for (name, _) in request.form() {
            assert!(schema.get(name).is_some(), "{name} is not a field of {path}");
        }
        let told = request.form().iter().find(|(name, _)| *name == "StatusCallback").map(|(_, url)| url.as_str());
        let base = "https://plus.harbour.example/hooks/test/status?touchpoint=";
        assert!(told.is_some_and(|url| url.starts_with(base)), "{told:?}");
    }
}

/// A double of Twilio that hears a request and says `answer`, then hangs up.
fn answering(answer: String) -> (Provider, double::Heard) {
    let (port, heard) = double::start(move |_, line| {
        let mut length = 0;
        loop {
            let header = line.hear().to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            }
            if header.trim().is_empty() {
                break;
            }
        }
        line.hear_bytes(length);
        line.say(&answer);
    });
    (twilio(&format!("http://{}:{port}", address())), heard)
}

fn response(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

async fn answered(answer: String) -> (Sent, usize) {
    let (provider, heard) = answering(answer);
    let sent = send(&mut provider.connection(), &message(Channel::Sms)).await;
    (sent, heard.text().matches("POST ").count())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_decide_leaves_a_doubt_and_is_not_asked_for_twice() {
    let cut = "HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{\"sid\": \"SM1\", \"status\"".to_owned();
    let endless = response("201 Created", "", &format!("\"{}\"", "a".repeat(2 << 20)));
    for answer in [
        String::new(),
        "HTTP/1.1 201 Cre".to_owned(),
        cut,
        endless,
        response("500 Internal Server Error", "", ""),
        response("503 Service Unavailable", "Retry-After: 5\r\n", ""),
        response("408 Request Timeout", "", ""),
        response("200 OK", "", "<html>a captive portal</html>"),
    ] {
        let shown: String = answer.chars().take(40).collect();
        let (sent, requests) = answered(answer).await;
        assert!(matches!(sent, Sent::InDoubt { .. }), "{shown:?}: {sent:?}");
        assert_eq!(requests, 1, "{shown:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_wait_as_long_as_asked() {
    let body = r#"{"code": 20429, "message": "Too Many Requests", "status": 429}"#;
    let (sent, requests) = answered(response("429 Too Many Requests", "Retry-After: 7\r\n", body)).await;
    let Sent::NotNow { code, after, .. } = sent else { panic!("a reason to wait: {sent:?}") };
    assert_eq!((code.as_deref(), after, requests), (Some("20429"), Some(Span::from_seconds(7)), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let (elsewhere, heard) = double::start(|_, _| {});
    let location = format!("Location: http://{}:{elsewhere}/\r\n", address());
    let (sent, requests) = answered(response("307 Temporary Redirect", &location, "")).await;
    assert!(matches!(sent, Sent::NotNow { .. }), "{sent:?}");
    assert_eq!((requests, heard.connections().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_at_the_provider_is_a_stop() {
    let body = r#"{"code": 21610, "message": "Attempt to send to unsubscribed recipient", "status": 400}"#;
    let (sent, _) = answered(response("400 Bad Request", "", body)).await;
    assert!(matches!(sent, Sent::Never { opted_out: true, bad_address: false, .. }), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_message_is_found_in_the_list() {
    let date = "Mon, 21 Sep 2026 14:13:25 +0000";
    let lost = message(Channel::Sms);
    let list = serde_json::json!({"messages": [
        {"sid": "SM1", "to": lost.to, "from": lost.from, "body": lost.words.sms, "date_created": date}
    ]});
    let (provider, heard) = answering(response("200 OK", "", &list.to_string()));
    assert_eq!(provider.look_up(&lost, lost.date).await, Found::Yes { provider_ids: vec!["SM1".to_owned()] });
    assert!(heard.text().starts_with("GET /2010-04-01/Accounts/AC"), "{}", heard.text());
    assert!(heard.text().contains("To=%2B447700900123"), "{}", heard.text());
}
