//! What a candidate has said about the rule's topic, in SQL: the answers by channel, a purchase where it may stand for a
//! yes, and whose yes waits for its confirmation.
//!
//! A rule asks for what it needs and no more: a purchase is looked for only under a soft opt-in.

use super::Audience;
use crate::courtesy::consent::current_sql;
use crate::expr::Aliases;
use crate::rules::Channel;
use crate::sql::Sql;
use crate::time::Span;

/// How long a yes that waits is asked about.
const ASKED_WITHIN: Span = Span::from_days(7);

/// Stands among the answers of [`Audience::push_consents`] for a purchase that may stand for a yes.
pub(super) const SOFT: &str = "+";

impl Audience<'_> {
    /// The current answers about the rule's topic, by channel: `email -sms ?voice` is a yes to email, a no to SMS and a
    /// yes to calls that waits for its confirmation. [`SOFT`] among them: has bought, and never said no.
    pub(super) fn push_consents(&self, sql: &mut Sql) {
        let topic = sql.reserve(&self.rule.topic);
        for (place, channel) in self.rule.channels.iter().enumerate() {
            if place > 0 {
                sql.push(" || ");
            }
            let answer = self.answer(&topic, *channel);
            sql.push(&format!(
                "case {answer} when 1 then '{channel} ' when 0 then '-{channel} ' when 2 then '?{channel} ' else '' end"
            ));
        }
        if let Some(has_bought) = &self.rule.soft_opt_in {
            sql.push(" || case when (");
            let customer = Aliases { root: "c", customer: "c" };
            has_bought.write_sql(sql, self.dialect, self.catalogue, customer, self.moment());
            let key = self.customer_key();
            sql.push(&format!(
                ") and not exists (select 1 from consents n where n.bucket = c._bucket and n.customer = {key} \
                 and n.topic = {topic} and n.value = 0) then '{SOFT} ' else '' end"
            ));
        }
    }

    fn answer(&self, topic: &str, channel: Channel) -> String {
        current_sql("c._bucket", &self.customer_key(), topic, &format!("'{channel}'"))
    }

    /// The condition of a rule that asks for confirmations: a yes to the topic, said lately, still waits.
    pub(super) fn push_waits(&self, sql: &mut Sql) {
        let topic = sql.reserve(&self.rule.topic);
        let since = sql.reserve(self.as_of.minus(ASKED_WITHIN));
        let key = self.customer_key();
        // Written out, so that the index of those who wait is used.
        sql.push(&format!(
            " and (c._bucket, {key}) in (select p.bucket, p.customer from consents p where p.topic = {topic} \
             and p.value = 2 and p.at > {since}) and 2 in ("
        ));
        let answers: Vec<String> = Channel::ALL.iter().map(|channel| self.answer(&topic, *channel)).collect();
        sql.push(&answers.join(", ")).push(")");
    }

    /// When a customer last said the yes that is asked about.
    pub(super) fn last_waiting(&self, sql: &mut Sql) -> String {
        let (topic, key) = (sql.reserve(&self.rule.topic), self.customer_key());
        format!(
            "(select max(p.at) from consents p where p.bucket = c._bucket and p.customer = {key} \
             and p.topic = {topic} and p.value = 2)"
        )
    }
}
