//! Callbacks of a provider over a real connection: stops, receipts and keys, on both databases; forged ones too.

mod forged;
mod keys;
mod receipts;
mod replies;
mod sdk;

use crate::channels::double::{self, Heard};
use crate::harness::address;
use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::shop::{NOON, Shop, at, customers, home};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use plusone::clock::Clock;
use plusone::courtesy::consent::{Answer, SourceKind};
use plusone::data::answers::{self, Said};
use plusone::health::Health;
use plusone::metrics::Metrics;
use plusone::sql::Sql;
use plusone::web::{Web, serve};
use sha1::Sha1;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// The address that Twilio knows; nobody of the tests listens there.
const PUBLIC: &str = "https://plus.shop.test";
const TOKEN: &str = "the-account-token";
/// Ann's number, as `shop::customers` gives it to the first customer.
const ANN: &str = "+447911120000";

/// A double of Twilio that takes everything: the n-th request becomes `SM…n`, or `CA…n` for a call.
fn twilio() -> (u16, Heard) {
    double::start(|number, line| {
        let first = line.hear();
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
        let kind = if first.contains("/Calls.json") { "CA" } else { "SM" };
        let body = format!(r#"{{"sid": "{kind}{number:032}", "status": "queued", "num_segments": "1"}}"#);
        line.say(format!("HTTP/1.1 201 Created\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()));
    })
}

/// A shop whose text messages and calls go by Twilio.
fn phone_home(database: Option<&Database>, port: u16) -> Home {
    let more = format!(
        "[providers.phone]\ntype = \"twilio\"\naccount_sid = \"AC{:032}\"\nauth_token = \"{TOKEN}\"\n\
         api_base = \"http://{}:{port}\"\nwebhook_keys = {{ key-1 = \"the-shared-key\" }}\n",
        0,
        address()
    );
    let mut settings = Settings { more, ..Settings::default() };
    if let Some(database) = database {
        settings.database.clone_from(&database.url);
    }
    let home = home(&settings);
    let text = home.read("config/plusone.toml");
    let phones = "from = \"+442079460000\"\nproviders = [\"outbox\"]";
    let text = text.replace(phones, "from = \"+442079460000\"\nproviders = [\"phone\"]");
    let public = text.lines().find(|line| line.starts_with("public_url")).expect("the settings name it").to_owned();
    home.write("config/plusone.toml", &text.replace(&public, &format!("public_url = \"{PUBLIC}\"")));
    home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,,yes", "bob,bob@shop.test,Bob,,yes"]));
    home.file("templates/note/voice.hbs", "Your table is ready.")
        .file("templates/note/voice.toml", "[keys.1]\ndoes = \"repeat\"\n")
}

/// A shop at work with its web server.
struct Desk {
    shop: Shop,
    address: SocketAddr,
    twilio: Heard,
    /// Where the shop lives, for the program's commands beside it.
    home: Home,
    _stop: oneshot::Sender<()>,
}

/// Runs `test` with a rule's file, once for each database that there is.
async fn at_the_desk(rule: &str, test: impl AsyncFn(Desk)) {
    let database = Database::create();
    for database in [None, database.as_ref()].into_iter().take(1 + usize::from(database.is_some())) {
        let (port, heard) = twilio();
        let home = phone_home(database, port);
        home.write("config/rules/note.toml", rule);
        let shop = Shop::open(&home, NOON).await;
        test(Desk::open(shop, heard, home).await).await;
    }
}

/// An answer: its status and body.
struct Reply {
    status: u16,
    body: String,
}

impl Desk {
    async fn open(shop: Shop, twilio: Heard, home: Home) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let web = Web {
            db: shop.app.db.clone(),
            clock: Clock::manual(at("2026-11-03T12:30:00Z")),
            metrics: Metrics::start([]),
            health: Health::default(),
            in_force: shop.app.in_force.clone(),
            home: crate::harness::root().to_owned(),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(serve(listener, web, async move {
            let _ = stopped.await;
        }));
        Self { shop, address, twilio, home, _stop: stop }
    }

    /// Plans and sends what the rule says.
    async fn send(&mut self, now: &str) {
        self.shop.pass(now).await;
        self.shop.send(now).await;
    }

    /// Posts fields that are signed as Twilio signs them.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let signature = sign(TOKEN, &format!("{PUBLIC}{path}"), fields);
        self.raw(path, fields, &format!("X-Twilio-Signature: {signature}\r\n")).await
    }

    /// Posts fields with these headers.
    async fn raw(&self, path: &str, fields: &[(&str, &str)], headers: &str) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: elsewhere.test\r\nConnection: close\r\n{headers}\
             Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut connection = TcpStream::connect(self.address).await.expect("a connection");
        connection.write_all(request.as_bytes()).await.expect("written");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        Reply { status: head[9..12].parse().expect("a status"), body: body.to_owned() }
    }

    /// A text message of a customer.
    async fn text(&self, sid: &str, from: &str, words: &str) -> Reply {
        let fields = [("MessageSid", sid), ("From", from), ("To", "+442079460000"), ("Body", words)];
        self.post("/hooks/phone/inbound", &fields).await
    }

    async fn count(&self, of: &str) -> i64 {
        self.shop.number(&format!("select count(*) from {of}")).await
    }

    /// A column of rows as text.
    async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.shop.app.db.fetch(Sql::new(sql)).await.expect("a good statement");
        rows.iter().map(|row| row.opt_text(0).unwrap_or("-").to_owned()).collect()
    }

    /// The number of rows that a callback may write.
    async fn trace(&self) -> Vec<i64> {
        let mut counts = Vec::new();
        for table in ["provider_events", "replies", "suppressions", "consents", "touchpoint_events"] {
            counts.push(self.count(table).await);
        }
        counts
    }

    /// Ann says yes to offers on a channel.
    async fn consent(&self, channel: &str) {
        let at = at("2026-11-01T12:00:00Z");
        let (answer, kind) = (Answer::Yes, SourceKind::Api);
        let said =
            Said { customer: "ann", topic: "offers", channel: Some(channel), answer, at, source: "the test", kind };
        let settings = &self.shop.app.workspace.project.settings;
        answers::set(&self.shop.app.db, settings, said, at).await.expect("written");
    }
}

/// The signature as Twilio's documentation describes it, written apart from the program's own.
fn sign(secret: &str, url: &str, fields: &[(&str, &str)]) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let text: String = sorted.iter().flat_map(|(name, value)| [*name, *value]).collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(format!("{url}{text}").as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}
