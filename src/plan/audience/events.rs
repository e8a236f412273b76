//! Rules that wait for an event, in SQL: whose event it was, and which came in since the last run.

use super::{Arrived, Audience};
use crate::catalogue::quoted;
use crate::sql::Sql;

/// The entity that events are rows of.
pub const EVENT: &str = "event";

impl Audience<'_> {
    fn is_about_events(&self) -> bool {
        self.rule.for_each == EVENT
    }

    /// The condition that there was such an event: the row itself, or one of its customer.
    pub(super) fn push_event(&self, sql: &mut Sql) {
        let Some(event) = &self.rule.on_event else { return };
        if self.is_about_events() {
            sql.push(" and e.\"name\" = ").bind(event);
            return;
        }
        let link = quoted("customer_id");
        sql.push(&format!(
            " and exists (select 1 from {} v where v._bucket = c._bucket and v.{link} = ",
            self.events()
        ));
        sql.push(&self.customer_key()).push(" and v.\"name\" = ").bind(event).push(")");
    }

    /// The condition that a row is among what came in.
    pub(super) fn push_arrived(&self, sql: &mut Sql, from: i64, until: i64, arrived: Arrived) {
        let Some(event) = &self.rule.on_event else {
            sql.push("false");
            return;
        };
        let (bucket, of_inbox, of_events) = match self.is_about_events() {
            true => ("e._bucket", "event", quoted("id")),
            false => {
                (if self.row_alias() == "c" { "c._bucket" } else { "e._bucket" }, "customer", "_customer".to_owned())
            }
        };
        let key = if self.is_about_events() { self.entity_key() } else { self.owner() };
        sql.push(&format!("({bucket}, {key}) in (select "));
        if let Some(after) = arrived.after {
            sql.push(&format!("i.bucket, i.{of_inbox} from event_inbox i where i.name = ")).bind(event);
            sql.push(" and i.arrival > ").bind(after).push(" and i.arrival <= ").bind(arrived.until);
            sql.push(" and i.bucket between ").bind(from).push(" and ").bind(until).push(")");
            return;
        }
        sql.push(&format!("v._bucket, v.{of_events} from {} v where v.\"name\" = ", self.events())).bind(event);
        sql.push(" and v.\"at\" > ").bind(self.as_of.minus(self.rule.expires_after));
        sql.push(" and v._bucket between ").bind(from).push(" and ").bind(until);
        // What comes in from now on is the next run's.
        sql.push(" and not exists (select 1 from event_inbox i where i.bucket = v._bucket and i.event = v.\"id\" ");
        sql.push("and i.arrival > ").bind(arrived.until).push("))");
    }

    /// The name of the event that the row is, if it is one.
    pub(super) fn push_event_name(&self, sql: &mut Sql) {
        sql.push(if self.is_about_events() { ", e.\"name\"" } else { ", null" });
    }

    /// When the event was that the row is, if it is one.
    pub(super) fn push_event_time(&self, sql: &mut Sql) {
        sql.push(if self.rule.on_event.is_some() && self.is_about_events() { ", e.\"at\"" } else { ", null" });
    }

    /// The customer whose row it is.
    fn owner(&self) -> String {
        if self.row_alias() == "c" { self.customer_key() } else { "e._customer".to_owned() }
    }

    fn events(&self) -> String {
        self.catalogue.entity(EVENT).expect("events need no declaration").table()
    }
}
