//! The zones that customers live in, for rules whose time of day comes by each customer's own clock.
//!
//! 1. A customer whose zone is missing or is none has the business's, as everywhere.
//! 2. An instant is a tick if some customer's clock shows the rule's time then; only those customers are its candidates.

use crate::config::Project;
use crate::plan::audience::Fires;
use crate::rules::Rule;
use crate::store::db::{Db, Result};
use crate::store::zones;
use crate::time::{Span, Timestamp, Tz, zone_named};
use serde_json::json;
use std::collections::HashSet;

/// Zones as the data has them, with what they mean.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Zones {
    written: Vec<(Option<String>, Tz)>,
}

impl Zones {
    /// Loads them where a rule of the project asks, and makes the database ready to count days in them.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn load(db: &Db, project: &Project) -> Result<Self> {
        if !project.rules.values().any(|rule| rule.in_customers_time) {
            return Ok(Self::default());
        }
        let written = zones::in_use(db, &project.catalogue).await?;
        zones::prepare_names(db, written.iter().flatten().map(String::as_str)).await?;
        let business = project.settings.business.time_zone;
        let zone = |name: &Option<String>| name.as_deref().and_then(zone_named).unwrap_or(business);
        Ok(Self { written: written.into_iter().map(|name| (name.clone(), zone(&name))).collect() })
    }

    /// Every zone by whose clock the rule ticks.
    pub fn of(&self, rule: &Rule) -> Vec<Tz> {
        if !Self::matter_to(rule) {
            return vec![rule.time_zone];
        }
        // Whoever comes next without a zone has the business's.
        let zones: HashSet<Tz> = self.written.iter().map(|(_, zone)| *zone).chain([rule.time_zone]).collect();
        zones.into_iter().collect()
    }

    /// Whose clocks show the rule's time of day at `instant`; `None` where all customers tick together.
    pub fn firing(&self, rule: &Rule, instant: Timestamp) -> Option<Fires> {
        if !Self::matter_to(rule) {
            return None;
        }
        let firing = self.written.iter().filter(|(_, zone)| fires(rule, *zone, instant));
        let firing = firing.filter_map(|(name, _)| name.as_deref());
        let zones = firing.map(|name| json!([name])).collect::<serde_json::Value>().to_string();
        Some(Fires { zones, without: fires(rule, rule.time_zone, instant) })
    }

    /// Whether the tick at `instant` is the first of every zone that ticks then, for a rule that began at `began`: each
    /// zone has a first tick of its own. Not asked of rules whose customers all tick together.
    pub fn is_first(&self, rule: &Rule, instant: Timestamp, began: Timestamp) -> bool {
        let before = |zone: Tz| rule.schedule.in_zone(zone).latest(instant.minus(Span::from_micros(1)), zone);
        let here = self.of(rule).into_iter().filter(|zone| fires(rule, *zone, instant));
        here.into_iter().all(|zone| before(zone).is_none_or(|before| before < began))
    }

    /// Whether the rule's time of day comes at another instant in another zone.
    pub const fn matter_to(rule: &Rule) -> bool {
        rule.in_customers_time && rule.schedule.is_civil()
    }
}

/// Whether the clocks of `zone` show the rule's time of day at `instant`.
fn fires(rule: &Rule, zone: Tz, instant: Timestamp) -> bool {
    rule.schedule.in_zone(zone).latest(instant, zone) == Some(instant)
}
