//! What customers write back.

use super::{ANN, at_the_desk};
use crate::shop::{NOON, rule};

fn texts(more: &[(&str, &str)]) -> String {
    let keys = [("channels", "[\"sms\"]"), ("once_per", "[\"day\"]"), ("schedule", "\"every minute\"")];
    rule(&[&keys[..], more].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_silences_the_number_at_once_and_is_kept_word_for_word() {
    at_the_desk(&texts(&[]), async |mut desk| {
        desk.send(NOON).await;
        let sent = desk.twilio.text();
        assert!(sent.contains("StatusCallback=https%3A%2F%2Fplus.shop.test%2Fhooks%2Fphone%2Fstatus"), "{sent}");
        for _ in 0..3 {
            let reply = desk.text("SM-in-1", ANN, "Stop! Please.").await;
            assert_eq!((reply.status, reply.body.as_str()), (200, "<Response/>"));
        }
        let suppressed = desk.texts("select scope || ' ' || reason || ' ' || shown from suppressions").await;
        assert_eq!(suppressed, ["channel:sms stop +44…00"]);
        assert_eq!(desk.texts("select source || ' ' || evidence from suppressions").await, ["reply STOP SM-in-1"]);
        let no = "select customer || ' ' || topic || ' ' || channel || ' ' || kind || ' ' || source || ' ' || evidence \
                  from consents where value = 0";
        assert_eq!(desk.texts(no).await, ["ann offers sms reply reply STOP Stop! Please."]);
        let kept = "select customer || ' ' || meaning || ' ' || keyword || ' ' || words from replies";
        assert_eq!(desk.texts(kept).await, ["ann stop STOP Stop! Please."]);
        assert_eq!(desk.count("provider_events").await, 1);
        assert_eq!(desk.shop.events("ann").await, ["planned", "sent", "replied"]);
        let said = "select detail from touchpoint_events where kind = 'replied'";
        let said: serde_json::Value = serde_json::from_str(&desk.texts(said).await[0]).expect("JSON");
        assert_eq!((&said["text"], &said["review"]), (&"Stop! Please.".into(), &true.into()));
        // the next day ann gets nothing, bob does
        desk.send("2026-11-04T12:00:00Z").await;
        let fates = "select customer || ' ' || state || ' ' || coalesce(reason, '-') from touchpoints \
                     where occurrence = '2026-11-04' order by 1";
        assert_eq!(desk.texts(fates).await, ["ann skipped suppressed", "bob sent -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_heard_from_a_number_that_nobody_has() {
    at_the_desk(&texts(&[]), async |desk| {
        assert_eq!(desk.text("SM-in-1", "+15005550006", "unsubscribe").await.status, 200);
        assert_eq!((desk.count("suppressions").await, desk.count("replies").await), (1, 1));
        assert_eq!(desk.count("consents where value = 0").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn start_takes_back_the_stop_and_nothing_else_and_yes_means_nothing() {
    at_the_desk(&texts(&[("topic", "\"offers\"")]), async |mut desk| {
        desk.consent("sms").await;
        desk.send(NOON).await;
        desk.text("SM-in-1", ANN, "STOP").await;
        desk.text("SM-in-2", ANN, "YES").await;
        desk.text("SM-in-3", ANN, "ok start again").await;
        assert_eq!(desk.count("suppressions").await, 1);
        desk.text("SM-in-4", ANN, "Start").await;
        assert_eq!(desk.count("suppressions").await, 0);
        let answers = "select cast(value as text) from consents where topic = 'offers' and channel = 'sms' order by at";
        assert_eq!(desk.texts(answers).await, ["1", "0"], "a promotional no stays no");
        desk.send("2026-11-04T12:00:00Z").await;
        assert_eq!(desk.count("touchpoints where state = 'sent'").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_the_network_read_is_one_whatever_its_words() {
    at_the_desk(&texts(&[]), async |desk| {
        let fields =
            [("MessageSid", "SM-in-1"), ("From", ANN), ("To", "+44"), ("Body", "Tschüss"), ("OptOutType", "STOP")];
        assert_eq!(desk.post("/hooks/phone/inbound", &fields).await.status, 200);
        assert_eq!(desk.count("suppressions").await, 1);
        let help = [("MessageSid", "SM-in-2"), ("From", ANN), ("To", "+44"), ("Body", "HELP"), ("OptOutType", "HELP")];
        assert_eq!(desk.post("/hooks/phone/inbound", &help).await.body, "<Response/>", "the network has answered");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn help_says_who_writes_about_what_and_how_to_stop_it() {
    at_the_desk(&texts(&[]), async |desk| {
        let reply = desk.text("SM-in-1", ANN, "help").await;
        assert_eq!(
            reply.body,
            "<Response><Message>Test Shop writes about: Reminders. Reply STOP to get no more text messages. \
             Questions: +442079460000</Message></Response>"
        );
        let talk = desk.text("SM-in-2", ANN, "thanks, see you at 5").await;
        assert_eq!(talk.body, "<Response/>");
        assert_eq!((desk.count("suppressions").await, desk.count("replies").await), (0, 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotional_text_says_how_to_stop_it_each_time_or_the_first_time() {
    for (every, second) in [("always", true), ("first", false)] {
        at_the_desk(&texts(&[("topic", "\"offers\"")]), async |mut desk| {
            let settings = format!("[channels.sms]\nopt_out = {{ every = \"{every}\" }}");
            let file = desk.shop.app.home.join("config/plusone.toml");
            let text = std::fs::read_to_string(&file).expect("settings");
            std::fs::write(&file, text.replace("[channels.sms]", &settings)).expect("written");
            desk.shop.reload().await;
            desk.consent("sms").await;
            for (day, says) in [(NOON, true), ("2026-11-04T12:00:00Z", second)] {
                let before = desk.twilio.text().len();
                desk.send(day).await;
                let sent = desk.twilio.text().split_off(before);
                assert!(sent.contains("Body=Hello"), "{every} {day}: {sent}");
                assert_eq!(sent.contains("Body=Hello+Reply+STOP+to+opt+out."), says, "{every} {day}: {sent}");
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_own_words_waits_for_a_person_until_somebody_has_read_it() {
    at_the_desk(&texts(&[("topic", "\"offers\"")]), async |mut desk| {
        desk.consent("sms").await;
        desk.send(NOON).await;
        let id = desk.texts("select id from touchpoints where customer = 'ann' and state = 'sent'").await.remove(0);
        let shown = desk.home.plusone(&["show", &id, "--json"]).ended_with(0).json();
        assert!(shown["consent"]["sentence"].as_str().is_some_and(|said| said.contains("said yes")), "{shown:#}");
        desk.text("SM-in-0001-own", ANN, "please take me off your list, thanks").await;
        desk.text("SM-in-0002-yes", ANN, "see you at five").await;
        desk.text("SM-in-0003-no", "+15005550006", "unsubscribe").await;
        let home = &desk.home;
        let status = home.plusone(&["status", "--json"]).ended_with(0).json();
        assert_eq!(status["replies_to_read"], 1, "{status:#}");
        let concern =
            "1 reply taken for a stop waits for a person: `plusone log --replied` lists, `plusone resolve` settles it";
        assert!(home.plusone(&["status"]).ended_with(0).stdout.contains(concern));
        let listed = home.plusone(&["log", "--replied", "--json"]).ended_with(0).json_lines();
        assert_eq!(listed.len(), 3);
        let own = listed.iter().find(|reply| reply["review"] == true).expect("one waits");
        assert_eq!((&own["customer"], &own["meaning"]), (&"ann".into(), &"stop".into()));
        let page = home.plusone(&["customer", "ann", "--json"]).ended_with(0).json();
        assert_eq!(page["replies"].as_array().map(Vec::len), Some(2), "{page:#}");
        let text = home.plusone(&["log", "--replied", "--customer", "ann"]).ended_with(0).stdout;
        assert!(text.contains("please take me off your list") && text.contains("see you at five"), "{text}");
        assert!(text.contains("plusone resolve SM-in-0001 read") && !text.contains("unsubscribe"), "{text}");
        assert!(home.plusone(&["customer", "ann"]).ended_with(0).stdout.contains("What they wrote back"));
        home.plusone(&["resolve", "SM-in", "read"]).ended_with(1);
        home.plusone(&["resolve", "SM-in-0001", "read"]).ended_with(0);
        assert_eq!(home.plusone(&["status", "--json"]).ended_with(0).json()["replies_to_read"], 0);
        assert_eq!(desk.count("suppressions where reason = 'stop'").await, 2, "what it stopped stays stopped");
    })
    .await;
}
