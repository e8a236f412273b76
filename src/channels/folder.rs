//! The folder provider: every message as a file that a person can open, for a first run, for tests and for businesses
//! that carry messages elsewhere. An email is an `.eml`, a text message an `.sms.json`, a call a `.call.json`.
//!
//! 1. A file is named after its touchpoint and has the same content on every attempt: sending again changes nothing.
//! 2. A file is whole or absent: it is written aside, synced, renamed into place, and the folder is synced.
//! 3. A folder that cannot be written to is a reason to wait, never to give up: nothing was sent.

use super::{ChannelError, Found, Outgoing, Refused, Sent, checked_id, email, part, twilio::twiml};
use crate::messages::segments::segments;
use crate::rules::Channel;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Files written side by side: enough to share the cost of syncing.
pub const CONNECTIONS: usize = 4;

/// A folder that takes messages. It is made when first needed.
#[derive(Clone, Debug)]
pub struct Folder {
    provider: String,
    path: PathBuf,
}

/// A message as a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    name: String,
    content: Vec<u8>,
    units: Option<i64>,
}

impl File {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn content(&self) -> &[u8] {
        &self.content
    }
}

impl Folder {
    pub fn new(provider: &str, path: PathBuf) -> Self {
        Self { provider: provider.to_owned(), path }
    }

    /// Composes the file of a message.
    ///
    /// # Errors
    /// [`Refused`] without words for the channel, and for an email address that is none.
    pub fn prepare(&self, message: &Outgoing) -> Result<File, Refused> {
        let name = name(message)?;
        Ok(match message.channel {
            Channel::Email => File { name, content: email::prepare(message)?.into_bytes(), units: None },
            Channel::Sms => sms(name, message)?,
            Channel::Voice => call(&self.provider, name, message)?,
        })
    }

    pub(super) async fn send(&self, file: &File) -> Sent {
        let (folder, file, units) = (self.path.clone(), file.clone(), file.units);
        let name = file.name.clone();
        let written = tokio::task::spawn_blocking(move || write(&folder, &file.name, &file.content)).await;
        let why = match written {
            Ok(Ok(())) => {
                let answer = format!("written to {}", self.path.join(&name).display());
                return Sent::Accepted { provider_id: Some(name), answer, units };
            }
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        let why = format!("cannot write {name} into the folder {}: {why}", self.path.display());
        Sent::NotNow { why, code: None, after: None }
    }

    pub(super) fn look_up(&self, message: &Outgoing) -> Found {
        let Ok(name) = name(message) else { return Found::No };
        match self.path.join(&name).try_exists() {
            Ok(true) => Found::Yes { provider_ids: vec![name] },
            Ok(false) => Found::No,
            Err(error) => Found::CannotSay { why: format!("cannot look into {}: {error}", self.path.display()) },
        }
    }

    pub(super) async fn probe(&self) -> Result<String, ChannelError> {
        let folder = self.path.clone();
        let tried = tokio::task::spawn_blocking(move || {
            let probe = folder.join(format!(".probe-{}", std::process::id()));
            // A block's worth: a full disk still takes an empty file.
            let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&probe, [b' '; 4096]));
            let removed = fs::remove_file(&probe);
            written.and(removed)
        });
        let shown = self.path.display();
        match tried.await.map_err(io::Error::other).and_then(|result| result) {
            Ok(()) => Ok(format!("{shown} is writable")),
            Err(error) => Err(ChannelError::Unreachable {
                provider: self.provider.clone(),
                why: format!("cannot write into the folder {shown}: {error}"),
            }),
        }
    }
}

fn name(message: &Outgoing) -> Result<String, Refused> {
    let id = checked_id(message)?;
    let extension = match message.channel {
        Channel::Email => "eml",
        Channel::Sms => "sms.json",
        Channel::Voice => "call.json",
    };
    Ok(format!("{id}.{extension}"))
}

/// Removes the files of a touchpoint, whole or begun; gives how many there were.
///
/// # Errors
/// When a file that is there cannot be removed.
pub fn remove(folder: &Path, touchpoint: &str) -> io::Result<u64> {
    let mut removed = 0;
    for extension in ["eml", "sms.json", "call.json"] {
        let name = format!("{touchpoint}.{extension}");
        for file in [folder.join(&name), folder.join(format!(".{name}.part"))] {
            match fs::remove_file(file) {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(removed)
}

fn sms(name: String, message: &Outgoing) -> Result<File, Refused> {
    let text = part(message.words.sms.as_ref(), Channel::Sms)?;
    let size = segments(text);
    let content = json(&serde_json::json!({
        "touchpoint": message.touchpoint,
        "to": message.to,
        "from": message.from,
        "text": text,
        "encoding": size.encoding.as_str(),
        "segments": size.count,
    }));
    Ok(File { name, content, units: i64::try_from(size.count).ok() })
}

fn call(provider: &str, name: String, message: &Outgoing) -> Result<File, Refused> {
    let spoken = part(message.words.voice.as_ref(), Channel::Voice)?;
    let menu = message.words.menu.iter().map(|choice| {
        serde_json::json!({ "key": choice.key.to_string(), "does": choice.does.as_str(), "says": choice.says })
    });
    let menu: Vec<_> = menu.collect();
    let callback = message.callback.as_ref().filter(|_| !menu.is_empty());
    let action = callback.and_then(|callback| callback.keys(provider, 1));
    let content = json(&serde_json::json!({
        "touchpoint": message.touchpoint,
        "to": message.to,
        "from": message.from,
        "spoken": spoken,
        "menu": menu,
        "twiml": twiml::call(spoken, &message.locale, action.as_deref()),
        "locale": message.locale,
    }));
    Ok(File { name, content, units: None })
}

fn json(value: &serde_json::Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

fn write(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let aside = folder.join(format!(".{name}.part"));
    let written = write_synced(&aside, content).and_then(|()| fs::rename(&aside, folder.join(name)));
    if written.is_err() {
        // What could not be written is of no use; that it cannot be removed either changes nothing.
        let _ = fs::remove_file(&aside);
    }
    written?;
    sync_folder(folder)
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes the new name durable. Only Unix can open a folder to sync it; elsewhere the file system sees to it.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Words;
    use crate::time::Timestamp;
    use serde_json::Value;

    fn message(channel: Channel) -> Outgoing {
        Outgoing {
            touchpoint: "5f0c2a9e-3a53-8d1c-9e0b-0d6a4f1b2c3d".to_owned(),
            channel,
            from: if channel == Channel::Email { "Harbour <hello@harbour.example>" } else { "+442071838750" }
                .to_owned(),
            to: if channel == Channel::Email { "ann@customers.test" } else { "+447700900123" }.to_owned(),
            words: Words {
                locale: "en-GB".to_owned(),
                subject: Some("On its way".to_owned()),
                html: Some("<p>Hello</p>".to_owned()),
                text: Some("Hello".to_owned()),
                sms: Some("It’s on its way".to_owned()),
                voice: Some("Fish & chips".to_owned()),
                menu: Vec::new(),
            },
            locale: "en-GB".to_owned(),
            promotional: false,
            unsubscribe: None,
            date: Timestamp::from_seconds(1_790_000_000),
            callback: None,
            test: false,
        }
    }

    async fn sent(folder: &Folder, channel: Channel) -> Sent {
        folder.send(&folder.prepare(&message(channel)).expect("a good message")).await
    }

    fn read(path: &Path) -> Value {
        serde_json::from_slice(&fs::read(path).expect("the file is there")).expect("the file is JSON")
    }

    #[tokio::test]
    async fn each_channel_has_its_file_in_a_folder_that_is_made() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let folder = Folder::new("outbox", home.path().join("var/outbox"));
        for channel in [Channel::Email, Channel::Sms, Channel::Voice] {
            assert!(matches!(sent(&folder, channel).await, Sent::Accepted { .. }));
        }
        let id = message(Channel::Email).touchpoint;
        let at = |extension: &str| home.path().join("var/outbox").join(format!("{id}.{extension}"));
        let mail = fs::read_to_string(at("eml")).expect("an email is ASCII");
        assert!(mail.contains(&format!("Message-ID: <{id}@harbour.example>\r\n")), "{mail}");
        let sms = read(&at("sms.json"));
        assert_eq!((&sms["encoding"], &sms["segments"]), (&Value::from("UCS-2"), &Value::from(1)));
        let call = read(&at("call.json"));
        assert_eq!(call["twiml"], "<Response><Say language=\"en-GB\">Fish &amp; chips</Say></Response>");
        assert_eq!(fs::read_dir(home.path().join("var/outbox")).expect("the folder").count(), 3);
    }

    #[tokio::test]
    async fn sending_again_changes_nothing() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let folder = Folder::new("outbox", home.path().to_owned());
        let first = sent(&folder, Channel::Email).await;
        let bytes = |id: &str| fs::read(home.path().join(format!("{id}.eml"))).expect("the file is there");
        let before = bytes(&message(Channel::Email).touchpoint);
        assert_eq!(sent(&folder, Channel::Email).await, first);
        assert_eq!(bytes(&message(Channel::Email).touchpoint), before);
        assert_eq!(fs::read_dir(home.path()).expect("the folder").count(), 1);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_is_a_reason_to_wait() {
        let home = tempfile::tempdir().expect("a folder for the test");
        fs::write(home.path().join("outbox"), "a file where the folder should be").expect("a file");
        let folder = Folder::new("outbox", home.path().join("outbox"));
        let Sent::NotNow { why, .. } = sent(&folder, Channel::Sms).await else { panic!("nothing can be written") };
        assert!(why.contains("into the folder") && why.contains("outbox"), "{why}");
        assert!(folder.probe().await.is_err());
    }

    #[tokio::test]
    async fn a_look_up_tells_what_is_there() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let folder = Folder::new("outbox", home.path().to_owned());
        assert_eq!(folder.look_up(&message(Channel::Sms)), Found::No);
        sent(&folder, Channel::Sms).await;
        assert!(matches!(folder.look_up(&message(Channel::Sms)), Found::Yes { .. }));
    }

    #[test]
    fn an_id_that_is_a_path_is_refused() {
        let folder = Folder::new("outbox", PathBuf::from("outbox"));
        let hostile = Outgoing { touchpoint: "../../etc/passwd".to_owned(), ..message(Channel::Sms) };
        assert!(folder.prepare(&hostile).is_err());
    }
}
