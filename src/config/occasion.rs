//! What brings a rule up: its schedule, or an event.

use super::reader::Reader;
use crate::catalogue::Catalogue;
use crate::problem::Problem;
use crate::schedule::Schedule;
use crate::time::Tz;

/// `schedule` and `on_event` of a checked tree; one of them must be written.
pub fn read(
    root: Reader<'_>,
    zone: Tz,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> (Option<Schedule>, Option<String>) {
    match (root.get("schedule"), root.get("on_event")) {
        (None, None) if ["schedule", "on_event"].iter().any(|key| root.is_misspelt(key)) => (None, None),
        (None, None) => {
            let help = "add `schedule = \"every 15 minutes\"`, or `on_event = \"Order Completed\"` for a rule that waits for \
                        an event";
            problems.push(root.node.error("a rule has no `schedule`").help(help));
            (None, None)
        }
        (Some(_), Some(event)) => {
            let help = "leave one of the two out: two rules may have the same template";
            problems.push(event.error("a rule that waits for an event has no `schedule`").help(help));
            (None, None)
        }
        (None, Some(_)) => (Some(Schedule::Manual), event(root, catalogue, problems)),
        (Some(node), None) => match Schedule::parse(node.text().unwrap_or_default(), zone) {
            Ok(schedule) => (Some(schedule), None),
            Err(fault) => {
                problems.push(node.fault(fault));
                (None, None)
            }
        },
    }
}

/// The event's name, with a warning where it looks like a slip of a declared one.
fn event(root: Reader<'_>, catalogue: &Catalogue, problems: &mut Vec<Problem>) -> Option<String> {
    let node = root.get("on_event")?;
    let name = node.text()?;
    if let Some(near) = catalogue.event_meant(name) {
        let help = format!("the nearest that data.toml declares is `{near}`; names count to the letter");
        problems.push(node.warning(format!("no event `{name}` is declared")).help(help));
    }
    Some(name.to_owned())
}
