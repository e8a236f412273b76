//! `plusone log --replied`: what customers wrote back, newest first, with what it was taken for.
//!
//! What was read as a stop though it said so in its own way waits for a person until `plusone resolve REPLY read`.

use super::opened::Opened;
use super::print::{Table, local, plain, short};
use super::{Answer, Failure};
use crate::amount::{agreeing, counted};
use crate::shell::word;
use crate::store::replies::{self, Reply, Wanted};
use crate::time::Tz;
use serde_json::json;
use std::io::{self, Write};
use std::process::ExitCode;

/// The fewest characters that name a reply.
const SHORTEST: usize = 8;

/// Lists what is wanted; `shown` at most, where people read it.
pub async fn list(opened: &Opened, json: bool, wanted: &Wanted, shown: i64, out: &mut dyn Write) -> Answer {
    if json {
        for reply in replies::list(&opened.db, wanted).await? {
            writeln!(out, "{}", reply.to_json())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let one_more = Wanted { limit: Some(shown.saturating_add(1)), ..wanted.clone() };
    let mut found = replies::list(&opened.db, &one_more).await?;
    let more = i64::try_from(found.len()).unwrap_or(i64::MAX) > shown;
    found.truncate(usize::try_from(shown).unwrap_or(usize::MAX));
    if found.is_empty() {
        writeln!(out, "Nobody has written back.")?;
        return Ok(ExitCode::SUCCESS);
    }
    table(&found, opened.zone()).write(out, "")?;
    let replies = counted(found.len(), "reply");
    let rest = if more { "; there are older ones: --limit shows more of them" } else { "" };
    writeln!(out, "\n{replies}, newest first, times of {}{rest}", opened.zone())?;
    waits(&found, out)?;
    Ok(ExitCode::SUCCESS)
}

/// A word on those that wait for a person.
pub fn waits(replies: &[Reply], out: &mut dyn Write) -> io::Result<()> {
    let Some(first) = replies.iter().find(|reply| reply.review) else { return Ok(()) };
    let id = word(name(&first.id));
    writeln!(
        out,
        "look: taken for a stop, in words of their own; if it was none, write to them. `plusone resolve {id} read` settles it"
    )
}

/// Replies lined up.
pub fn table(replies: &[Reply], zone: Tz) -> Table {
    let mut table = Table::new(&["WRITTEN", "CUSTOMER", "FROM", "TAKEN FOR", "", "ANSWERS", "ID", "WORDS"]);
    for one in replies {
        table.row(vec![
            local(one.at, zone),
            one.customer.clone().unwrap_or_else(|| "nobody known".to_owned()),
            one.from.clone(),
            one.meaning.clone(),
            if one.review { "look" } else { "" }.to_owned(),
            one.touchpoint.as_deref().map_or(String::new(), |id| short(id).to_owned()),
            name(&one.id).to_owned(),
            if one.words.is_empty() { "(forgotten)".to_owned() } else { one.words.clone() },
        ]);
    }
    table
}

/// Enough of a provider's id to name the reply by.
fn name(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

/// What `status` says of replies that wait; `None` where none does.
pub fn concern(waiting: i64) -> Option<String> {
    let (wait, them) = (agreeing(waiting, "waits", "wait"), agreeing(waiting, "it", "them"));
    let replies = counted(waiting, "reply");
    (waiting > 0).then(|| {
        format!("{replies} taken for a stop {wait} for a person: `plusone log --replied` lists, `plusone resolve` settles {them}")
    })
}

/// Notes that somebody has looked at the reply that `text` names.
pub async fn resolve(opened: &Opened, json: bool, text: &str, out: &mut dyn Write) -> Answer {
    let mut found = if text.chars().count() < SHORTEST { Vec::new() } else { replies::named(&opened.db, text).await? };
    if found.len() > 1 {
        let ids: Vec<&str> = found.iter().map(|reply| reply.id.as_str()).collect();
        return Err(Failure::failed(format!(
            "more than one reply has an id that begins with `{text}`: {}",
            ids.join(", ")
        )));
    }
    let Some(reply) = found.pop() else {
        return Err(Failure::failed(format!(
            "no reply has an id that is or begins with `{text}` ({SHORTEST} characters or more): `plusone log --replied` lists them"
        )));
    };
    let mut tx = opened.db.begin().await?;
    replies::settle(&mut tx, &reply.id).await?;
    tx.commit().await?;
    if json {
        writeln!(out, "{:#}", json!({ "id": reply.id, "review": false }))?;
    } else {
        let who = reply.customer.as_deref().unwrap_or(&reply.from);
        writeln!(out, "Settled: somebody has read what {} wrote. What it stopped stays stopped.", plain(who))?;
    }
    Ok(ExitCode::SUCCESS)
}
