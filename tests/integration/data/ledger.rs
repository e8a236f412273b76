//! The ledger of consent and the list of suppressions: what they add up to, and that nothing that is read from a file
//! takes a no back.

use super::trial::{Trial, trials};
use plusone::catalogue::Absent;
use plusone::catalogue::{ConsentColumns, Field, Type};
use plusone::courtesy::consent::{Answer, EVERY_CHANNEL, Source, SourceKind, current, current_sql};
use plusone::data::import::{Import, import};
use plusone::data::suppress::{self, Hasher, Wish};
use plusone::data::{answers, suppress::lift_for_a_yes};
use plusone::rules::{Channel, Purpose};
use plusone::settings::{OptIn, Topic};
use plusone::sql::{ColumnType, Sql};
use plusone::store::consents::{self, Entry};
use plusone::store::{entities, suppressions};
use plusone::time::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn said(customer: &str, channel: &str, answer: Answer, at: Timestamp) -> Entry {
    Entry::said(customer, "offers", channel, answer, at, Source::new(SourceKind::Support, "desk"))
}

async fn add(trial: &Trial, entries: &[Entry]) {
    let mut tx = trial.db.begin().await.expect("begun");
    for chunk in entries.chunks(1_000) {
        consents::add(&mut tx, chunk, trial.now).await.expect("added");
    }
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn the_statements_fold_a_ledger_as_the_law_does_in_any_order_of_writing() {
    for trial in trials().await {
        let mut random = StdRng::seed_from_u64(26);
        let mut ledgers: Vec<(String, Vec<Entry>)> = Vec::new();
        for n in 0..400 {
            let customer = format!("c{n}");
            let entries = (0..random.random_range(0..7)).map(|_| {
                let channel = ["email", "sms", EVERY_CHANNEL][random.random_range(0..3)];
                let answer = Answer::of_code(random.random_range(0..3));
                said(&customer, channel, answer, Timestamp::from_seconds(random.random_range(0..5)))
            });
            let entries: Vec<Entry> = entries.collect();
            ledgers.push((customer, entries));
        }
        add(&trial, &ledgers.iter().flat_map(|(_, entries)| entries.clone()).collect::<Vec<_>>()).await;
        for channel in ["email", "sms", "voice"] {
            let asked: Vec<(i64, &str)> =
                ledgers.iter().map(|(customer, _)| (plusone::ids::bucket_of(customer), customer.as_str())).collect();
            let columns = [("b", ColumnType::Int), ("c", ColumnType::Text)];
            let rows = trial.db.dialect().rows("$1", &columns, "r");
            let folded = current_sql("r.b", "r.c", "$2", "$3");
            let sql = Sql::new(format!("select r.c, {folded} from {rows}"))
                .with(serde_json::to_string(&asked).expect("text and integers"))
                .with("offers")
                .with(channel);
            let answers = trial.db.fetch(sql).await.expect("answers");
            assert_eq!(answers.len(), ledgers.len());
            for (row, (customer, entries)) in answers.iter().zip(&ledgers) {
                assert_eq!(row.text(0), customer);
                let by_law = current(entries, "offers", channel);
                assert_eq!(row.opt_int(1).map(Answer::of_code), by_law, "{customer} {channel} {entries:?}");
            }
        }
    }
}

const CROWD: usize = 10_000;

/// A trial whose customer data says yes to offers, and when.
async fn with_columns(trial: &mut Trial) {
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
    trial.settings.topics.insert("offers".to_owned(), Topic::single(Purpose::Promotional, "Offers"));
    let zone = trial.settings.business.time_zone;
    entities::prepare(&trial.db, &trial.catalogue, zone).await.expect("prepared");
}

fn crowd(row: impl Fn(usize) -> String) -> String {
    let rows: String = (0..CROWD).map(row).collect();
    format!("id,E-Mail,opt_in,opt_in_at\n{rows}")
}

#[tokio::test]
async fn no_import_brings_an_opt_out_back() {
    for mut trial in trials().await {
        with_columns(&mut trial).await;
        let yes = crowd(|n| format!("{n},c{n}@example.com,yes,2026-01-01T00:00:00Z\n"));
        let file = trial.file("customers.csv", &yes);
        trial.import("customer", &file).await.expect("imported");
        let left = at("2026-06-01T00:00:00Z");
        let noes: Vec<Entry> = (0..CROWD).map(|n| said(&n.to_string(), "email", Answer::No, left)).collect();
        add(&trial, &noes).await;
        let business = trial.settings.business.clone();
        let stop = Wish { scope: Some("promotional"), ..Wish::of("c7@example.com", "unsubscribe", "page") };
        assert!(suppress::add(&trial.db, &business, stop, trial.now).await.expect("added"));

        let undated = crowd(|n| format!("{n},c{n}@example.com,yes,\n"));
        let older = crowd(|n| format!("{n},c{n}@example.com,yes,2026-05-31T23:59:59Z\n"));
        let moved = crowd(|n| format!("{n},new{n}@example.com,yes,2026-01-01T00:00:00Z\n"));
        let future = crowd(|n| format!("{n},c{n}@example.com,yes,2031-01-01T00:00:00Z\n"));
        let few = "id,E-Mail,opt_in,opt_in_at\n0,c0@example.com,yes,\n".to_owned();
        for text in [&undated, &older, &moved, &few, &yes, &future, &undated] {
            let file = trial.file("customers.csv", text);
            let job = Import { absent: Absent::Remove, confirmed: true, ..trial.job("customer", &file) };
            import(&trial.db, &job).await.expect("imported");
        }
        let rows: String =
            (0..CROWD).map(|n| format!("{n},offers,email,yes,2026-05-01T00:00:00Z,old list\n")).collect();
        let list = trial.file("list.csv", &format!("customer,topic,channel,value,at,source\n{rows}"));
        let report = answers::import(&trial.db, &trial.settings, &list, trial.now).await.expect("imported");
        assert_eq!((report.rows, report.refused), (CROWD as u64, 0));

        let answer = current_sql("c._bucket", "c._customer", "'offers'", "'email'");
        let counted = trial.rows(&format!("select count(*) from d_customer c where {answer} = 0")).await;
        assert_eq!(counted, [[CROWD.to_string()]], "lost opt-outs");
        let hash = Hasher::load(&trial.db).await.expect("a key").hash("C7@example.com");
        assert_eq!(suppressions::lookup(&trial.db, &[hash], trial.now).await.expect("looked up").len(), 1);
    }
}

#[tokio::test]
async fn a_list_brings_its_proof_and_a_double_opt_in_waits_unless_it_was_confirmed() {
    for mut trial in trials().await {
        let topic = Topic { opt_in: OptIn::Double, ..Topic::single(Purpose::Promotional, "Offers") };
        trial.settings.topics.insert("offers".to_owned(), topic);
        let list = trial.file(
            "consents.csv",
            "customer,topic,channel,value,at,source,wording,ip,evidence,confirmed\n\
             1,offers,email,yes,2026-01-01T00:00:00Z,web form,\"Yes, write to me\",192.0.2.7,form 12,\n\
             2,offers,email,yes,2026-01-01T00:00:00Z,web form,\"Yes, write to me\",2001:db8::1,,yes\n\
             3,offers,email,no,2026-01-01T00:00:00Z,support: Ann,,,,\n\
             4,offers,email,yes,2026-01-01T00:00:00Z,web form,,not an address,,\n",
        );
        let report = answers::import(&trial.db, &trial.settings, &list, trial.now).await.expect("imported");
        assert_eq!((report.rows, report.added, report.refused), (4, 3, 1));
        let ledger = async |customer: &str| {
            let bucket = plusone::ids::bucket_of(customer);
            consents::ledger(&trial.db, bucket, customer).await.expect("a ledger")
        };
        let one = ledger("1").await.remove(0);
        assert_eq!((one.answer, one.source.kind), (Answer::Pending, SourceKind::Import));
        assert_eq!(one.wording.as_deref(), Some("Yes, write to me"));
        assert_eq!((one.ip.as_deref(), one.evidence.as_deref()), (Some("192.0.2.7"), Some("form 12")));
        assert_eq!(ledger("2").await[0].answer, Answer::Yes);
        assert_eq!(ledger("3").await[0].source.kind, SourceKind::Support);
        assert_eq!(trial.rows("select count(*) from wordings").await, [["1"]], "a wording is kept once");

        let mut tx = trial.db.begin().await.expect("begun");
        let confirmed = consents::confirm(&mut tx, "1", "offers", None, Some("mail 1".to_owned()), trial.now).await;
        assert_eq!(confirmed.expect("confirmed"), [Channel::Email]);
        let again = consents::confirm(&mut tx, "1", "offers", None, None, trial.now).await;
        assert_eq!(again.expect("answered"), [], "a link followed twice changes nothing");
        tx.commit().await.expect("committed");
        let ledger = ledger("1").await;
        assert_eq!(current(&ledger, "offers", "email"), Some(Answer::Yes));
        assert_eq!(current(&ledger, "offers", "sms"), None);
        assert_eq!(ledger[1].source.words, "web form", "what was confirmed is told");
    }
}

#[tokio::test]
async fn a_confirmation_takes_no_later_no_back() {
    for trial in trials().await {
        let pending = said("1", EVERY_CHANNEL, Answer::Pending, at("2026-10-01T00:00:00Z"));
        let no = said("1", "sms", Answer::No, at("2026-10-02T00:00:00Z"));
        add(&trial, &[no, pending]).await;
        let mut tx = trial.db.begin().await.expect("begun");
        let confirmed = consents::confirm(&mut tx, "1", "offers", None, None, trial.now).await.expect("confirmed");
        tx.commit().await.expect("committed");
        assert_eq!(confirmed, [Channel::Email, Channel::Voice]);
    }
}

#[tokio::test]
async fn each_reason_to_suppress_stands_for_itself() {
    for trial in trials().await {
        let business = &trial.settings.business;
        let list = trial.file(
            "list.csv",
            "address,scope,reason,evidence,until\n\
             ann@example.com,topic:offers,ManualSuppression,left in Postmark,\n\
             ann@example.com,topic:offers,SpamComplaint,,\n\
             ann@example.com,channel:email,bounces,550 no such user,\n\
             bob@example.com,,asked us by phone,,2026-12-01T00:00:00Z\n\
             eve@example.com,,BOUNCE,,2026-01-01T00:00:00Z\n",
        );
        let report = suppress::import(&trial.db, business, &list, trial.now).await.expect("imported");
        assert_eq!((report.rows, report.added, report.refused), (5, 4, 1), "what has ended is refused");
        let ann = async || suppress::of_address(&trial.db, business, "Ann@Example.com").await.expect("listed");
        let mut reasons: Vec<String> = ann().await.into_iter().map(|one| one.reason).collect();
        reasons.sort();
        assert_eq!(reasons, ["complaint", "hard_bounce", "unsubscribe"]);

        let refused = suppress::remove(&trial.db, business, "ann@example.com", None, false).await;
        assert!(refused.expect_err("it is her wish").to_string().contains("only they can take that back"));
        assert_eq!(ann().await.len(), 3, "nothing was lifted");

        let hasher = Hasher::load(&trial.db).await.expect("a key");
        let mut tx = trial.db.begin().await.expect("begun");
        let lifted = lift_for_a_yes(&mut tx, &hasher, "ann@example.com", "offers", Channel::Email).await;
        assert_eq!(lifted.expect("lifted"), 1, "her unsubscribe, neither her complaint nor the bounce");
        tx.commit().await.expect("committed");

        let bob = [hasher.hash("bob@example.com")];
        let counts = async |at: Timestamp| suppressions::lookup(&trial.db, &bob, at).await.expect("looked up").len();
        assert_eq!((counts(trial.now).await, counts(at("2026-12-01T00:00:00Z")).await), (1, 0));
        let forever = Wish::of("bob@example.com", "asked us by phone", "support");
        assert!(suppress::add(&trial.db, business, forever, trial.now).await.expect("lasts longer now"));
        let shorter = Wish { until: Some(at("2026-11-20T00:00:00Z")), ..forever };
        assert!(!suppress::add(&trial.db, business, shorter, trial.now).await.expect("stays for ever"));
        assert_eq!(counts(at("2027-12-01T00:00:00Z")).await, 1);
        let lifted = suppress::remove(&trial.db, business, "ann@example.com", None, true).await.expect("she asked");
        assert_eq!(lifted.len(), 2);
    }
}

#[tokio::test]
async fn random_lists_are_read_without_a_panic_and_nothing_half_written() {
    let good = "customer,topic,channel,value,at,source,wording,ip,evidence,confirmed\n\
                1,offers,email,yes,2026-01-01T00:00:00Z,web form,\"Yes, please\",192.0.2.7,form 12,no\n\
                2,offers,,no,,letter,,,,\n";
    let pieces = ["\"", ",", "\n", "\0", "yes", "offers", "9999-99-99", "\u{feff}", "é", "=1+1", "\r", "{", ";", "-"];
    for mut trial in trials().await {
        trial.settings.topics.insert("offers".to_owned(), Topic::single(Purpose::Promotional, "Offers"));
        let mut random = StdRng::seed_from_u64(3);
        let (mut answered, mut stopped) = (0, 0);
        for _ in 0..150 {
            let mut bytes = good.as_bytes().to_vec();
            for _ in 0..random.random_range(0..12) {
                let place = random.random_range(0..=bytes.len());
                if random.random_range(0..4) == 0 {
                    bytes.truncate(place);
                } else {
                    let piece = pieces[random.random_range(0..pieces.len())];
                    bytes.splice(place..place, piece.bytes());
                }
            }
            let path = trial.folder.path().join("noise.csv");
            std::fs::write(&path, &bytes).expect("written");
            if let Ok(report) = answers::import(&trial.db, &trial.settings, &path, trial.now).await {
                answered += report.added;
                assert!(report.added + report.refused <= report.rows);
            }
            let text = String::from_utf8_lossy(&bytes).replace("customer,topic", "address,scope");
            std::fs::write(&path, text).expect("written");
            if let Ok(report) = suppress::import(&trial.db, &trial.settings.business, &path, trial.now).await {
                stopped += report.added;
            }
        }
        assert!(answered > 0, "some were good");
        let counted = trial.rows("select count(*) from consents where topic = 'offers' and source <> ''").await;
        assert_eq!(counted, [[answered.to_string()]]);
        assert_eq!(trial.rows("select count(*) from suppressions").await, [[stopped.to_string()]]);
    }
}
