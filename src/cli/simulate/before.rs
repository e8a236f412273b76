//! Refusals that stood when the simulation began and to which nothing else came: nothing new is written down of them, so
//! they are told beside what was simulated, and not counted with it.

use super::Failure;
use crate::outreach::simulate::Rehearsal;
use crate::rules::Live;
use crate::store::db::Result as Stored;
use crate::store::rehearsal::lines::Line;
use crate::touchpoints::Reason;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use std::future::ready;

/// How many, by rule and reason; of a rule the most frequent reason first.
pub(super) type Counts = Vec<(String, Reason, u64)>;

/// The sentence above their numbers.
pub(super) const HEADING: &str = "Refused before the simulation began, and nothing else came of it (not counted above)";

pub(super) async fn counts(rehearsal: &Rehearsal, only: &[String]) -> Result<Counts, Failure> {
    let mut counts = rehearsal.refused_before().await?;
    counts.retain(|(rule, ..)| is_told(rehearsal, only, rule));
    Ok(counts)
}

/// A line for each, in the order of time.
pub(super) fn lines<'a>(rehearsal: &'a Rehearsal, only: &'a [String]) -> BoxStream<'a, Stored<Line>> {
    rehearsal.lines_before().try_filter(move |line| ready(is_told(rehearsal, only, &line.rule))).boxed()
}

/// Whether the rule was simulated, and is asked about.
fn is_told(rehearsal: &Rehearsal, only: &[String], rule: &str) -> bool {
    let known = rehearsal.workspace().project.rules.get(rule);
    known.is_some_and(|known| known.live != Live::Draft) && (only.is_empty() || only.iter().any(|one| one == rule))
}
