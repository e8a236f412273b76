//! Touchpoints of later than now: `once --at T` takes T as now for everything, and what it wrote stands in the log with
//! that time. Numbers that count them say so.

use crate::amount::{agreeing, counted};
use crate::time::{Timestamp, Tz};
use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Later {
    /// None where only runs that wrote nothing are of later.
    pub count: u64,
    /// When the last of them was written; the instant of the last run where none was.
    pub until: Timestamp,
}

impl Later {
    /// `12 touchpoints of later than now, the last of 2026-12-01 09:30`, and where they come from.
    pub fn told(self, zone: Tz) -> String {
        let until = self.until.to_minute(zone);
        if self.count == 0 {
            return format!("a run of later than now that wrote nothing, of {until}: `once --at` made it");
        }
        let count = counted(self.count, "touchpoint");
        let (of, them) = (agreeing(self.count, "of", "the last of"), agreeing(self.count, "it", "them"));
        format!("{count} of later than now, {of} {until}: `once --at` made {them}")
    }

    pub fn to_json(self) -> Value {
        json!({ "count": self.count, "until": self.until.to_string() })
    }
}
