//! The worst cases of a rule's audience: whom the message fits worst, by what comes out for them.
//!
//! 1. The database names the longest and the emptiest rows, a few dozen; each is rendered, and what comes out decides.
//! 2. Whoever would get no message at all comes first.

use crate::amount::counted;
use crate::cli::Failure;
use crate::delivery::sample::{Sample, Samples};
use crate::messages::Words;
use crate::messages::segments::segments;
use crate::rules::Channel;

/// How many rows of each kind are rendered.
const TRIED: u32 = 40;

/// The worst cases and why they were taken: at most one of each kind.
pub async fn cases(samples: &Samples<'_>) -> Result<Vec<(Sample, Option<String>)>, Failure> {
    let found = samples.extremes(TRIED).await?;
    let rule = samples.rule;
    if found.is_empty() {
        return Err(Failure::failed(format!("there is no {} to show rule {} for", rule.for_each, rule.name)));
    }
    let whose = if found.iter().any(|sample| sample.is_selected) {
        "of those whom the rule matches now"
    } else {
        super::super::complain(format_args!("note: rule {} matches nobody now, so everybody was looked at", rule.name));
        "of all"
    };
    let said: Vec<(&Sample, Result<Words, _>)> =
        found.iter().map(|sample| (sample, samples.words(sample, None))).collect();
    let mut cases: Vec<(&Sample, String)> = Vec::new();
    if let Some((sample, Err((reason, _)))) = said.iter().find(|(_, words)| words.is_err()) {
        cases.push((sample, format!("no message comes out ({reason})")));
    }
    let written = said.iter().filter_map(|(sample, words)| Some((*sample, words.as_ref().ok()?)));
    let size = |words: &Words| measure(samples.channel, words);
    // of several alike the first
    let longest = written.clone().rev().max_by_key(|(_, words)| size(words));
    if let Some((sample, words)) = longest {
        cases.push((sample, format!("the longest {whose}: {}", told(samples.channel, words))));
    }
    let emptiest = written.rev().max_by_key(|(sample, _)| sample.lacks.len());
    if let Some((sample, _)) = emptiest.filter(|(sample, _)| !sample.lacks.is_empty()) {
        cases.push((sample, format!("the most values missing {whose}: {}", sample.lacks.join(", "))));
    }
    Ok(merged(cases))
}

/// One case for each row, with every reason why it was taken.
fn merged(cases: Vec<(&Sample, String)>) -> Vec<(Sample, Option<String>)> {
    let mut merged: Vec<(Sample, Option<String>)> = Vec::new();
    for (sample, why) in cases {
        match merged.iter_mut().find(|(known, _)| known.entity == sample.entity && known.customer == sample.customer) {
            Some((_, Some(known))) => *known = format!("{known}; {why}"),
            _ => merged.push((sample.clone(), Some(why))),
        }
    }
    merged
}

/// What is worse when it is greater.
fn measure(channel: Channel, words: &Words) -> (usize, usize) {
    let length = |text: &Option<String>| text.as_deref().map_or(0, |text| text.chars().count());
    match channel {
        Channel::Email => (length(&words.subject), length(&words.text)),
        Channel::Sms => {
            let size = segments(words.sms.as_deref().unwrap_or_default());
            (size.count, size.units)
        }
        Channel::Voice => (length(&words.voice), 0),
    }
}

fn told(channel: Channel, words: &Words) -> String {
    let (size, _) = measure(channel, words);
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    match channel {
        Channel::Email => format!("a subject of {}", counted(size, "character")),
        Channel::Sms => counted(size, "segment"),
        Channel::Voice => format!("{} to be spoken", counted(size, "character")),
    }
}
