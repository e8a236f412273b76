//! What was written is what is read: through a real Postfix with STARTTLS and a log-in, into a Maildir, by Python's
//! email package.

use super::{email, not_now, opened, relay, send};
use crate::harness::mail::{header, part};
use crate::harness::postfix::Postfix;
use crate::harness::{address, socket};
use plusone::channels::{Outgoing, Sent};
use plusone::messages::Words;
use plusone::settings::{Secret, Way};
use std::path::Path;
use std::sync::Arc;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// Words that are hard to carry.
fn corpus() -> Vec<Words> {
    let words = |subject: &str, text: &str, html: &str| Words {
        subject: Some(subject.to_owned()),
        text: Some(text.to_owned()),
        html: Some(html.to_owned()),
        ..Words::default()
    };
    vec![
        words("Plain", "Plain text.", "<p>Plain</p>"),
        words("Schöne Grüße aus Köln ☕", "Grüße, 你好, مرحبا, 🎁\n", "<p>Grüße, 你好, مرحبا, 🎁</p>"),
        words(&"Long subject of many words ".repeat(12), "x", "<p>x</p>"),
        words(&"Ünbrökensübject".repeat(20), "x", "<p>x</p>"),
        words("Dots", ".\n..\n.a\nb.\n.", "<p>\n.\n</p>\n.\n"),
        words("Long lines", &"word ".repeat(2_000), &format!("<p>{}</p>", "a".repeat(5_000))),
        words("Line ends", "one\r\ntwo\rthree\nfour", "<p>\r\n</p>"),
        words(
            "Spaces",
            "trailing   \n\ttab\t\nFrom here on = 3D",
            "<a href=\"https://harbour.example/?a=1&b=2\">x</a>",
        ),
        words("Empty text", "", "<p>only this</p>"),
        words("=?utf-8?b?SGVsbG8=?= stays", "=?utf-8?q?x?=", "<p>--=_5f0c2a9e</p>"),
        Words { html: None, ..words("Text alone", "Just this.\n.\nEnd", "") },
        Words { text: None, ..words("HTML alone", "", "<p>Just thís</p>") },
    ]
}

/// Line ends are one; a single part has one more at its end.
fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim_end_matches('\n').to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn words_arrive_as_they_were_written() {
    let Some(postfix) = Postfix::start() else { return };
    let provider = relay("smtp", "ann%40harbour:secret@", postfix.submission, "", Some(postfix.ca_file()));
    let mut connection = provider.connection();
    let messages: Vec<Outgoing> =
        corpus().into_iter().map(|words| Outgoing { words, ..email("ann@customers.test") }).collect();
    for message in &messages {
        let sent = send(&mut connection, message).await;
        assert!(matches!(&sent, Sent::Accepted { provider_id: Some(id), .. } if !id.is_empty()), "{sent:?}");
    }
    connection.close().await;
    let mails = postfix.wait_for_mail("customers.test", messages.len());
    assert_eq!(mails.len(), messages.len());
    for message in &messages {
        let id = format!("<{}@sender.test>", message.touchpoint);
        let mail = mails.iter().find(|mail| header(mail, "message-id") == id).expect("every message arrived");
        let read = |content_type| part(mail, content_type).map(plain);
        assert_eq!(mail["defects"], serde_json::json!([]), "{mail:#}");
        let subject = message.words.subject.as_deref().unwrap_or_default();
        assert_eq!(header(mail, "subject").trim_end(), subject.trim_end());
        assert_eq!(read("text/plain"), message.words.text.as_deref().map(plain), "{subject}");
        assert_eq!(read("text/html"), message.words.html.as_deref().map(plain), "{subject}");
        assert_eq!(header(mail, "date"), "Mon, 21 Sep 2026 14:13:20 +0000");
        assert_eq!(header(mail, "auto-submitted"), "auto-generated");
        assert_eq!(mail["addresses"]["from"], serde_json::json!([["Harbour Coffee", "hello@sender.test"]]));
        assert_eq!(mail["addresses"]["to"], serde_json::json!([["", "ann@customers.test"]]));
    }
    assert!(provider.probe().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_recipient_leaves_the_connection_to_the_next() {
    let Some(postfix) = Postfix::start() else { return };
    let mut connection = relay("smtp", "", postfix.smtp, "", None).connection();
    let refused = send(&mut connection, &email("refused@customers.test")).await;
    assert!(
        matches!(&refused, Sent::Never { code: Some(code), bad_address: true, .. } if code == "550 5.1.1"),
        "{refused:?}"
    );
    assert!(matches!(send(&mut connection, &email("ann@customers.test")).await, Sent::Accepted { .. }));
    let grey = send(&mut connection, &email("grey@customers.test")).await;
    assert!(matches!(&grey, Sent::NotNow { code: Some(code), .. } if code == "450 4.7.1"), "{grey:?}");
    let closing = send(&mut connection, &email("drop@customers.test")).await;
    assert!(matches!(&closing, Sent::NotNow { code: Some(code), .. } if code == "421 4.3.2"), "{closing:?}");
    assert!(matches!(send(&mut connection, &email("bob@customers.test")).await, Sent::Accepted { .. }));
    assert_eq!(postfix.wait_for_mail("customers.test", 2).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_cannot_prove_its_name_gets_neither_password_nor_mail() {
    let Some(postfix) = Postfix::start() else { return };
    let message = email("ann@customers.test");
    let unknown_authority = relay("smtp", "ann:secret@", postfix.submission, "", None);
    let why = not_now(send(&mut unknown_authority.connection(), &message).await);
    assert!(why.contains("no TLS") && why.contains("ca_file"), "{why}");
    let other_name = if address() == "127.0.0.61" { "127.0.0.60" } else { "127.0.0.61" };
    let elsewhere = forward(&format!("{other_name}:0"), postfix.submission).await;
    let url = format!("smtp://ann:secret@{other_name}:{elsewhere}");
    let wrong_host = opened(Way::Smtp { url: Secret::new(url), connections: 1, ca_file: Some(postfix.ca_file()) });
    let why = not_now(send(&mut wrong_host.connection(), &message).await);
    assert!(why.contains("no TLS") && why.contains(other_name), "{why}");
    let wrong_password = relay("smtp", "ann:wrong@", postfix.submission, "", Some(postfix.ca_file()));
    let why = not_now(send(&mut wrong_password.connection(), &message).await);
    assert!(why.contains("refused the log-in: 535") && !why.contains("wrong"), "{why}");
    assert!(wrong_password.probe().await.is_err());
    let log = postfix.log();
    assert!(!log.lines().any(|line| line.contains("client=") && line.contains("sasl_username=")), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn smtps_is_tls_from_the_first_byte() {
    let Some(postfix) = Postfix::start() else { return };
    let port = terminate_tls(&postfix.ca_file(), postfix.smtp).await;
    let provider = relay("smtps", "", port, "", Some(postfix.ca_file()));
    let mut connection = provider.connection();
    for _ in 0..2 {
        assert!(matches!(send(&mut connection, &email("ann@customers.test")).await, Sent::Accepted { .. }));
    }
    assert_eq!(postfix.wait_for_mail("customers.test", 2).len(), 2);
}

/// Passes connections to `listen` on to `port` of the run's address.
async fn forward(listen: &str, port: u16) -> u16 {
    let listener = TcpListener::bind(listen).await.expect("a loopback address");
    let at = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(socket(port)).await.expect("the server is up");
            // either end may hang up
            let _ = copy_bidirectional(&mut near, &mut far).await;
        }
    });
    at
}

/// Takes TLS connections with the server's certificate beside `ca_file`, and passes them on in clear.
async fn terminate_tls(ca_file: &Path, port: u16) -> u16 {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let folder = ca_file.parent().expect("a file lies in a folder");
    let certificate = CertificateDer::from_pem_file(folder.join("server.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).expect("its key");
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks both versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the key fits");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(socket(0)).await.expect("a free port");
    let at = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let mut near = acceptor.accept(near).await.expect("the client believes the certificate");
            let mut far = TcpStream::connect(socket(port)).await.expect("the server is up");
            // either end may hang up
            let _ = copy_bidirectional(&mut near, &mut far).await;
        }
    });
    at
}
