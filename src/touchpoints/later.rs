//! Touchpoints of later than now: `once --at T` takes T as now for everything, and what it wrote stands in the log with
//! that time. Numbers that count them say so.

use crate::amount::counted;
use crate::time::{Timestamp, Tz};
use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Later {
    pub count: u64,
    /// When the last of them was written.
    pub until: Timestamp,
}

impl Later {
    /// `12 touchpoints of later than now, the last of 2026-12-01 09:30`.
    pub fn told(self, zone: Tz) -> String {
        let (count, until) = (counted(self.count, "touchpoint"), self.until.to_minute(zone));
        format!("{count} of later than now, the last of {until}")
    }

    pub fn to_json(self) -> Value {
        json!({ "count": self.count, "until": self.until.to_string() })
    }
}
