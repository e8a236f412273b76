//! Keys pressed in calls: the call's own menu says what each does.
//!
//! 1. A call is said at most [`TURNS`] times; the key that stops works until its end.
//! 2. What is said next follows from the call's words and the turn alone: asked twice, it is answered alike.

use super::replies::{KIND, customers};
use super::stop::{self, Stop};
use crate::channels::twilio::notice::Pressed;
use crate::courtesy::phrases;
use crate::data::suppress::Hasher;
use crate::messages::menu::{self, Choice, Does};
use crate::rules::Channel;
use crate::store::db::{Db, Result};
use crate::store::feedback::{self, Notice, Subject};
use crate::time::Timestamp;
use crate::workspace::Workspace;
use serde_json::json;
use std::collections::BTreeMap;

/// How many times a call asks for a key.
pub const TURNS: u8 = 3;

/// What the call says next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Next {
    pub spoken: String,
    pub locale: String,
    /// Whether another key may be pressed, as this turn of the call; none ends it.
    pub turn: Option<u8>,
}

/// Takes a key pressed in turn `turn` of the call that `touchpoint` was; `None` where there is no such call.
///
/// # Errors
/// When the database refuses; nothing of it is taken then.
pub async fn take(
    db: &Db,
    workspace: &Workspace,
    provider: &str,
    touchpoint: &str,
    pressed: &Pressed,
    turn: u8,
    now: Timestamp,
) -> Result<Option<Next>> {
    let subject = feedback::look_up(db, touchpoint).await?;
    let is_call = |subject: &Subject| {
        subject.channel == Some(Channel::Voice) && subject.provider.as_ref().is_none_or(|known| known == provider)
    };
    let Some(subject) = subject.filter(is_call) else { return Ok(None) };
    let Some(call) = feedback::words(db, &subject).await?.and_then(|words| said(&words)) else { return Ok(None) };
    let key = pressed.digits.parse::<u8>().ok();
    let choice = call.choices.iter().find(|choice| Some(choice.key) == key);
    if let Some(choice) = choice.filter(|choice| choice.does == Does::Stop) {
        hear(db, workspace, provider, &subject, pressed, choice, now).await?;
    }
    Ok(Some(next(&call, choice, turn)))
}

/// A call as it was made.
struct Call {
    spoken: String,
    locale: String,
    choices: Vec<Choice>,
}

fn said(words: &str) -> Option<Call> {
    let mut parts: BTreeMap<String, String> = serde_json::from_str(words).ok()?;
    Some(Call {
        spoken: parts.remove("voice")?,
        locale: parts.remove("locale").unwrap_or_default(),
        choices: parts.remove("menu").map(|written| menu::read(&written)).unwrap_or_default(),
    })
}

fn next(call: &Call, choice: Option<&Choice>, turn: u8) -> Next {
    let spoken = match choice {
        Some(Choice { does: Does::Repeat, .. }) => call.spoken.clone(),
        Some(choice) => choice.says.clone(),
        None => format!("{} {}", phrases::of_or_english(&call.locale).wrong_key, call.spoken),
    };
    let goes_on = choice.is_none_or(|choice| choice.does != Does::Stop) && turn < TURNS;
    Next { spoken, locale: call.locale.clone(), turn: goes_on.then(|| turn + 1) }
}

/// Hears a stop, once for a call however often and at once the key is pressed.
async fn hear(
    db: &Db,
    workspace: &Workspace,
    provider: &str,
    subject: &Subject,
    pressed: &Pressed,
    choice: &Choice,
    now: Timestamp,
) -> Result<()> {
    let Some(number) = &subject.address else { return Ok(()) };
    let hasher = Hasher::load(db).await?;
    let mut customers = customers(db, &workspace.project.catalogue, number).await?;
    if !customers.contains(&subject.customer) {
        customers.push(subject.customer.clone());
    }
    let notice = Notice {
        provider: provider.to_owned(),
        event: format!("{}:stop", pressed.sid),
        kind: KIND.to_owned(),
        touchpoint: Some(subject.id.clone()),
        provider_id: None,
        detail: Some(json!({ "key": choice.key.to_string(), "meaning": choice.does.as_str() }).to_string()),
        at: now,
    };
    let mut tx = db.begin().await?;
    if !feedback::note(&mut tx, &notice).await? {
        return Ok(());
    }
    let source = format!("call key {}", choice.key);
    let stop = Stop {
        channel: Channel::Voice,
        number,
        customers: &customers,
        source: &source,
        event: &pressed.sid,
        words: &pressed.digits,
    };
    stop::hear(&mut tx, &workspace.project.settings, &hasher, stop, now).await?;
    if !feedback::add_event(&mut tx, subject, KIND, notice.detail.as_deref(), now).await? {
        feedback::set_pending(&mut tx, &notice, true).await?;
    }
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Call {
        let words = r#"{"voice": "Hello.", "locale": "de", "menu": "1 repeat\n2 say More.\n9 stop Bye."}"#;
        said(words).expect("words of a call")
    }

    fn after(key: u8, turn: u8) -> Next {
        let call = call();
        next(&call, call.choices.iter().find(|choice| choice.key == key), turn)
    }

    #[test]
    fn a_key_does_what_the_call_said() {
        assert_eq!((after(1, 1).spoken.as_str(), after(1, 1).turn), ("Hello.", Some(2)));
        assert_eq!((after(2, 1).spoken.as_str(), after(2, 1).turn), ("More.", Some(2)));
        assert_eq!((after(9, 1).spoken.as_str(), after(9, 1).turn), ("Bye.", None));
        assert_eq!(after(5, 1).spoken, "Diese Taste hat hier keine Wirkung. Hello.");
    }

    #[test]
    fn a_call_does_not_go_on_for_ever() {
        assert_eq!(after(1, TURNS).turn, None);
        assert_eq!(after(5, u8::MAX).turn, None);
    }
}
