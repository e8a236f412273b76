//! What a run writes down of restraint: messages that are held out, and addresses that have had theirs.

use super::{AT_ONCE, Rows, Writer, gates_text};
use crate::outreach::addresses;
use crate::outreach::judge::Judged;
use crate::plan::decide::Message;
use crate::rules::{Channel, Purpose};
use crate::store::address_places::{self, Take};
use crate::store::db::{Result, StoreError, Tx};
use crate::store::planning::Planned;
use crate::touchpoints::{Reason, State};

impl Writer<'_> {
    /// Adds who has the addresses of a chunk, as this transaction sees it.
    pub(super) async fn hold_addresses(&self, tx: &mut Tx, chunk: &mut [Judged]) -> Result<()> {
        let Some(hasher) = self.hasher else { return Ok(()) };
        let rule = self.question.rule;
        addresses::hash(hasher, rule, chunk);
        let rows = tx.fetch(addresses::question(self.question.dialect, rule, chunk)).await?;
        addresses::answer(&rows, chunk);
        Ok(())
    }

    /// What would have gone is written down as held out: when and on which channel, with no address and no words.
    pub(super) fn held_out(&self, judged: &Judged, message: Message, by: &str, rows: &mut Rows) {
        let row = Planned {
            purpose: message.purpose.to_string(),
            channel: Some(message.channel.to_string()),
            state: State::HeldOut.to_string(),
            reason: Some(Reason::HeldOut.to_string()),
            due_at: Some(message.due_at.micros()),
            gates: Some(gates_text(&message.gates)),
            detail: Some(format!("{}: {by}", Reason::HeldOut)),
            ..self.row(judged)
        };
        self.take_address(judged, message.purpose, message.channel, &row, rows);
        match &judged.candidate.existing {
            None => rows.fresh.push(row),
            Some(_) => rows.changed.push(row),
        }
    }

    pub(super) fn take_address(
        &self,
        judged: &Judged,
        purpose: Purpose,
        channel: Channel,
        row: &Planned,
        rows: &mut Rows,
    ) {
        if purpose == Purpose::Promotional {
            rows.takes.extend(addresses::take(&judged.candidate, channel, &row.id));
        }
    }

    /// Takes the addresses of a chunk. What another plan took at this very moment was not seen when this one was
    /// decided: it is decided anew.
    pub(super) async fn take_addresses(&self, tx: &mut Tx, takes: &[Take]) -> Result<()> {
        if address_places::take(tx, &self.question.rule.name, takes, self.now).await? < takes.len() as u64 {
            return Err(StoreError::Schema(AT_ONCE.to_owned()));
        }
        Ok(())
    }
}
