//! Which rows may be candidates at some instant of a stretch of time: what a simulation asks before it asks at each
//! tick. Every row that is a candidate at an instant of it is among them, but for those that are settled.
//!
//! A row is settled that no tick of the stretch decides about otherwise: it was touched, or refused for a reason that
//! stands while the data stand still, or until the stretch is over ([`Asleep`](super::Asleep)), or it is too soon to write
//! again to the very end.

use super::{Among, Audience};
use crate::expr::window::Window;
use crate::rules::{OncePart, OncePer, Period};
use crate::sql::Sql;
use crate::time::Timestamp;
use crate::touchpoints::Reason;

impl Audience<'_> {
    /// The rows of `among` that may be candidates at an instant from `as_of` to `until`: bucket, entity key and customer. What
    /// was refused for a reason of `standing` is settled.
    pub fn possible(&self, among: Among<'_>, until: Timestamp, standing: &[Reason]) -> Sql {
        let mut sql = Sql::default();
        sql.push("select c._bucket, ").push(&self.entity_key()).push(", ").push(&self.customer_key());
        self.from(&mut sql);
        sql.push(" where ");
        self.among(&mut sql, among);
        let window = Window { from: self.moment(), until };
        for clause in &self.rule.when {
            sql.push(" and ");
            clause.write_possible(&mut sql, self.dialect, self.catalogue, self.aliases(), window);
        }
        for clause in &self.rule.unless {
            sql.push(" and (");
            clause.write_certain(&mut sql, self.dialect, self.catalogue, self.aliases(), window);
            sql.push(") is not true");
        }
        if self.rule.confirms {
            self.push_waits(&mut sql);
        }
        self.push_unsettled(&mut sql, until, standing);
        sql
    }

    fn push_unsettled(&self, sql: &mut Sql, until: Timestamp, standing: &[Reason]) {
        let rule = sql.reserve(&self.rule.name);
        let reasons: Vec<String> = standing.iter().map(|reason| format!("'{reason}'")).collect();
        let until_then = sql.reserve(until);
        let refused = format!("(x.reason in ({}) or x.asleep_until >= {until_then})", reasons.join(", "));
        let of_rule = format!(
            " and not exists (select 1 from touchpoints x where x.bucket = c._bucket and x.customer = {} \
             and x.rule = {rule} and x.step = 0 and ",
            self.customer_key()
        );
        // One that is numbered changes only with a touch, after which the row is asked about anew.
        if self.is_one_occurrence(until) || self.rule.once_per == OncePer::Numbered {
            sql.push(&of_rule).push("x.occurrence = ");
            self.push_occurrence(sql);
            sql.push(&format!(" and (x.state <> 'skipped' or {refused}))"));
        }
        let moved_on: Vec<String> =
            standing.iter().filter(|reason| reason.is_standing()).map(|reason| format!("'{reason}'")).collect();
        if self.has_standing_refusals() && !moved_on.is_empty() {
            sql.push(&of_rule).push(&format!("x.state = 'skipped' and x.reason in ({})", moved_on.join(", ")));
            if self.has_rows_of_its_own() {
                sql.push(" and x.entity_id = ").push(&self.entity_key());
            }
            sql.push(")");
        }
        if let Some(span) = self.rule.again_after {
            sql.push(" and coalesce(");
            self.push_last_touch(sql);
            sql.push(", ").bind(i64::MIN).push(") <= ").bind(until.minus(span));
        }
    }

    /// Whether a row has one and the same occurrence at every instant until then.
    fn is_one_occurrence(&self, until: Timestamp) -> bool {
        let OncePer::Parts(parts) = &self.rule.once_per else { return false };
        if self.rule.confirms {
            return false;
        }
        let periods = parts.iter().filter_map(|part| match part {
            OncePart::Period(period) => Some(*period),
            _ => None,
        });
        let moment = self.moment();
        let days = if moment.in_customers_time {
            let last = crate::expr::Moment { now: until, ..moment };
            *moment.days().start()..=*last.days().end()
        } else {
            // A clock that is set back over midnight shows the day before once more.
            let last = until.date(moment.zone).days();
            let first = moment.now.date(moment.zone).days();
            first..=last
        };
        let name = |period: Period, day: i64| super::occurrence::period_of(period, crate::time::Date::from_days(day));
        periods.into_iter().all(|period| name(period, *days.start()) == name(period, *days.end()))
    }
}
