//! What Twilio is asked, and what its answers mean.

use super::*;
use crate::messages::Words;

fn account() -> Account {
    let sid = format!("AC{}", "0".repeat(32));
    Account::open("twilio", &sid, &Secret::new("token"), Some("http://127.0.0.1:1")).expect("good settings")
}

fn message(channel: Channel) -> Outgoing {
    Outgoing {
        touchpoint: "5f0c2a9e-3a53-8d1c-9e0b-0d6a4f1b2c3d".to_owned(),
        channel,
        from: "+442071838750".to_owned(),
        to: "+447700900123".to_owned(),
        words: Words { sms: Some("On its way".to_owned()), voice: Some("Tea & cake".to_owned()), ..Words::default() },
        locale: "en-GB".to_owned(),
        promotional: false,
        unsubscribe: None,
        date: Timestamp::from_seconds(1_790_000_000),
        callback: None,
        test: false,
    }
}

fn form(message: &Outgoing) -> Vec<(&'static str, String)> {
    account().prepare(message).expect("a good message").form().to_vec()
}

#[test]
fn a_text_message_goes_from_a_number_or_a_messaging_service() {
    let expected = |from: (&'static str, &str)| {
        vec![("To", "+447700900123".to_owned()), (from.0, from.1.to_owned()), ("Body", "On its way".to_owned())]
    };
    assert_eq!(form(&message(Channel::Sms)), expected(("From", "+442071838750")));
    let service = "MG00000000000000000000000000000000";
    let by_service = Outgoing { from: service.to_owned(), ..message(Channel::Sms) };
    assert_eq!(form(&by_service), expected(("MessagingServiceSid", service)));
}

#[test]
fn a_call_carries_what_it_says() {
    let twiml = "<Response><Say language=\"en-GB\">Tea &amp; cake</Say></Response>";
    assert_eq!(form(&message(Channel::Voice))[2], ("Twiml", twiml.to_owned()));
}

#[test]
fn what_twilio_would_refuse_is_refused_here() {
    let why = |message: &Outgoing| account().prepare(message).expect_err("beyond a limit");
    for number in ["", "07700900123", "+0447700900123", "+44 7700 900123", "+44", "ann@customers.test"] {
        assert!(why(&Outgoing { to: number.to_owned(), ..message(Channel::Sms) }).bad_address, "{number}");
    }
    let mut long = message(Channel::Sms);
    long.words.sms = Some("é".repeat(1_601));
    assert!(why(&long).why.contains("1601 characters"));
    long.words.sms = Some("é".repeat(1_600));
    assert!(account().prepare(&long).is_ok());
    long.words.voice = Some("&".repeat(800));
    assert!(why(&Outgoing { channel: Channel::Voice, ..long }).why.contains("4000"));
    assert!(account().prepare(&message(Channel::Email)).is_err());
}

#[test]
fn a_token_goes_in_clear_to_this_host_alone() {
    assert!(base("http://127.0.0.62:4010/").is_ok_and(|url| url == "http://127.0.0.62:4010"));
    assert!(base("http://localhost:4010").is_ok());
    assert!(base("https://api.dublin.ie1.twilio.com").is_ok());
    assert!(base("http://twilio.example").expect_err("in clear").contains("in clear"));
    assert!(base("ftp://twilio.example").is_err() && base("twilio.example").is_err());
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_got_nothing() {
    let request = account().prepare(&message(Channel::Sms)).expect("a good message");
    assert!(matches!(account().send(&request).await, Sent::NotNow { .. }));
    assert!(account().probe().await.is_err());
    assert!(matches!(account().look_up(&message(Channel::Sms), Timestamp::default()).await, Found::CannotSay { .. }));
}
