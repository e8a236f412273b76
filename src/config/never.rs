//! Rules whose messages can never go on a channel, because the hours leave no minute of the week.

use super::reader::Reader;
use crate::courtesy::quiet_hours::Silence;
use crate::problem::Problem;
use crate::rules::{Channel, Purpose};
use crate::settings::{Settings, Topic};

/// Warns of each channel of a rule on which the hours leave no time. Of a country's laws only those of the business's
/// own are asked, and holidays not at all.
pub fn warn(
    root: Reader<'_>,
    purpose: Option<Purpose>,
    channels: &[Channel],
    settings: &Settings,
    problems: &mut Vec<Problem>,
) {
    let (Some(purpose), Some(node)) = (purpose, root.get("channels")) else { return };
    let topic = root.text("topic").and_then(|topic| settings.topics.get(&topic));
    let is_urgent = root.boolean("urgent") == Some(true);
    for channel in channels {
        let quiet = [settings.quiet_hours.get(channel), topic.map(|Topic { quiet_hours, .. }| quiet_hours)];
        let silence = Silence {
            quiet: quiet.into_iter().flatten().filter(|_| !is_urgent).map(Vec::as_slice).collect(),
            open: settings.legal_hours.of(&settings.business.country, None, *channel, purpose).collect(),
            country: &settings.business.country,
        };
        if silence.covers_whole_week() {
            let message =
                format!("nothing of this rule can ever go by {channel}: the hours leave no minute of the week");
            let help = "look at `quiet_hours` and `legal_hours` of the channel and of the topic in plusone.toml";
            problems.push(node.warning(message).help(help));
        }
    }
}
