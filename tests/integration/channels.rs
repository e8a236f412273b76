//! The channels against servers that nobody here wrote, and against doubles that misbehave as those cannot be asked to.

mod announced;
pub mod double;
mod http;
mod relays;
mod words;

use crate::harness::address;
use plusone::channels::{Connection, Outgoing, Provider, Sent};
use plusone::messages::Words;
use plusone::rules::Channel;
use plusone::settings::{ProviderSettings, Secret, Way};
use plusone::time::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// An email to `to` with an id of its own.
fn email(to: &str) -> Outgoing {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    Outgoing {
        touchpoint: format!("5f0c2a9e-3a53-8d1c-9e0b-{:012}", NEXT.fetch_add(1, Ordering::Relaxed)),
        channel: Channel::Email,
        from: "Harbour Coffee <hello@sender.test>".to_owned(),
        to: to.to_owned(),
        words: Words {
            subject: Some("Your parcel is on its way".to_owned()),
            text: Some("It leaves today.".to_owned()),
            html: Some("<p>It leaves <b>today</b>.</p>".to_owned()),
            ..Words::default()
        },
        locale: "en-GB".to_owned(),
        promotional: false,
        unsubscribe: None,
        date: Timestamp::from_seconds(1_790_000_000),
        callback: None,
        test: false,
    }
}

fn opened(way: Way) -> Provider {
    let settings = ProviderSettings { way, rate: None, price: BTreeMap::new() };
    Provider::open("test", &settings, Path::new("/")).expect("good settings")
}

/// A relay at `port` of the run's address; `user` is what stands before the host in the URL, `query` what follows.
fn relay(scheme: &str, user: &str, port: u16, query: &str, ca_file: Option<PathBuf>) -> Provider {
    let url = format!("{scheme}://{user}{}:{port}{query}", address());
    opened(Way::Smtp { url: Secret::new(url), connections: 1, ca_file })
}

async fn send(connection: &mut Connection, message: &Outgoing) -> Sent {
    let prepared = connection.prepare(message).expect("a message that can be sent");
    connection.send(&prepared, None).await
}

/// The cause of a message that certainly was not sent and may be later.
fn not_now(sent: Sent) -> String {
    match sent {
        Sent::NotNow { why, .. } => why,
        other => panic!("not a reason to wait: {other:?}"),
    }
}
