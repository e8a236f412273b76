//! Dates of timestamps, and anniversaries, in whole numbers.

use super::Writer;
use crate::catalogue::quoted;
use crate::expr::calendar::{DAYS, LEAP_DAY, MICROS_PER_DAY, MarchDate, SHIFT};
use crate::expr::tree::{Bounds, Calendar, Kind, Node, Value};
use crate::time::{Date, Span};

impl Writer<'_> {
    /// The date of a timestamp in the zone of the moment. The day and the time of day are taken apart first, so that
    /// nothing overflows.
    pub(super) fn date_of(&mut self, of: &Node) {
        self.with(of, |writer, at| {
            let at = writer.operand_text(at);
            let offset = writer.offset_at(&at);
            writer.push(&format!(
                "({at} / {MICROS_PER_DAY} + ({at} % {MICROS_PER_DAY} + {offset} + {}) / {MICROS_PER_DAY} - 2)",
                2 * MICROS_PER_DAY
            ));
        });
    }

    /// What the local clock is ahead of UTC at `at`, in microseconds. The zone of a customer stands in the table under
    /// the name that the data has for it; a customer whose zone is not there is judged in the zone of the moment.
    fn offset_at(&mut self, at: &str) -> String {
        let zone = self.sql.reserve(self.moment.zone.name());
        let own = self.offset_of(&zone, at);
        match self.customers_zone() {
            Some(theirs) => format!("coalesce({}, {own})", self.offset_of(&theirs, at)),
            None => own,
        }
    }

    fn offset_of(&mut self, zone: &str, at: &str) -> String {
        let name = self.fresh("_z");
        format!(
            "(select {name}.offset_micros from zone_offsets as {name} where {name}.zone = {zone} \
             and {name}.from_at <= {at} order by {name}.from_at desc limit 1)"
        )
    }

    /// The column with the customer's zone, where days are counted in it.
    fn customers_zone(&self) -> Option<String> {
        let field = self.catalogue.roles.time_zone.as_deref().filter(|_| self.moment.in_customers_time)?;
        Some(format!("{}.{}", self.aliases.customer, quoted(field)))
    }

    /// The date of `now` for the customer.
    pub fn today(&mut self) {
        let now = Node { kind: Kind::Timestamp, bounds: Bounds::ALL, value: Value::Now(Span::default()) };
        self.date_of(&now);
    }

    pub(super) fn calendar(&mut self, function: Calendar, of: &Node) {
        self.with(of, |writer, date| {
            let guarded = !Self::is_within(of, DAYS);
            let date = writer.operand_text(date);
            if guarded {
                writer.push(&format!("(case when {date} between -{DAYS} and {DAYS} then "));
            }
            writer.calendar_of(function, &date);
            writer.push(if guarded { " end)" } else { "" });
        });
    }

    fn calendar_of(&mut self, function: Calendar, date: &str) {
        if !self.moment.in_customers_time {
            return self.calendar_on(function, self.moment.now.date(self.moment.zone), date);
        }
        self.push("(case ");
        self.today();
        for day in self.moment.days() {
            self.push(&format!(" when {day} then "));
            self.calendar_on(function, Date::from_days(day), date);
        }
        self.push(" end)");
    }

    /// The function where today is `today`.
    fn calendar_on(&mut self, function: Calendar, today: Date, date: &str) {
        let today = MarchDate::of(today);
        let day = day_text(date);
        match function {
            Calendar::IsAnniversary => {
                let (from, until) = (self.sql.reserve(today.day), self.sql.reserve(today.keeps()));
                self.push(&format!("({day} between {from} and {until})"));
            }
            Calendar::YearsSince => {
                let (year, keeps) = (self.sql.reserve(today.year), self.sql.reserve(today.keeps()));
                let born = year_text(date);
                self.push(&format!("({year} - {born} - case when {day} > {keeps} then 1 else 0 end)"));
            }
            Calendar::DaysUntilAnniversary => {
                let last = today.last_day();
                let this = capped(&day, last);
                let next = capped(&day, today.next_year().last_day());
                let (now, rest) = (self.sql.reserve(today.day), self.sql.reserve(last + 1 - today.day));
                self.push(&format!("(case when {this} >= {now} then {this} - {now} else {rest} + {next} end)"));
            }
        }
    }
}

/// See [`MarchDate::of`].
fn day_text(date: &str) -> String {
    format!("((4 * ((4 * ({date} + {SHIFT}) + 3) % 146097 / 4) + 3) % 1461 / 4)")
}

fn year_text(date: &str) -> String {
    let shifted = format!("(4 * ({date} + {SHIFT}) + 3)");
    format!("(100 * ({shifted} / 146097) + (4 * ({shifted} % 146097 / 4) + 3) / 1461)")
}

/// 29 February on the 28th of a year without one.
fn capped(day: &str, last: i64) -> String {
    if last == LEAP_DAY { day.to_owned() } else { format!("(case when {day} > {last} then {last} else {day} end)") }
}
