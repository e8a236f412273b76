//! Whom a message is shown for where nobody is named: the first who would get it now.

use super::super::{Failure, complain};
use crate::app::App;
use crate::delivery::sample::Samples;
use crate::outreach::foresee::{Fate, Foresight};
use crate::outreach::tick::History;
use crate::plan::decide::Decision;
use crate::progress::Progress;
use crate::rules::Rule;
use crate::store::db::StoreError;
use crate::store::pauses;

/// Why the walk through the audience ended early.
enum End {
    Found(String),
    Failed(StoreError),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// The customer. Where nobody would get the message now, one whom the rule matches, else anybody; which of these is told
/// on standard error, as the answer may be read by a program.
pub async fn of_audience(app: &App, rule: &Rule) -> Result<String, Failure> {
    let (customer, who) = match first(app, rule).await? {
        Some(customer) => (customer, "the first who would get it now"),
        None => any(app, rule).await?,
    };
    complain(format_args!(
        "note: for customer {customer}, {who}; `--customer` names another, `--worst` whom it fits worst"
    ));
    Ok(customer)
}

async fn first(app: &App, rule: &Rule) -> Result<Option<String>, Failure> {
    let (now, project) = (app.clock.now(), &app.workspace.project);
    let pauses = pauses::load(&app.db).await?;
    let first_run = History::load_with_zones(&app.db, project).await?.is_first_at(rule, now, now);
    let foresight = Foresight { db: &app.db, project, rule, at: now, pauses: &pauses, first_run };
    let planned = |fate: &&Fate| matches!(fate.decision, Decision::Plan(_));
    let progress = Progress::default();
    let looked = foresight.by_chunks(&progress, async |fates: &[Fate]| {
        let found = fates.iter().find(planned);
        found.map_or(Ok(()), |fate| Err(End::Found(fate.judged.candidate.customer.clone())))
    });
    match looked.await {
        Ok(_) => Ok(None),
        Err(End::Found(customer)) => Ok(Some(customer)),
        Err(End::Failed(error)) => Err(error.into()),
    }
}

async fn any(app: &App, rule: &Rule) -> Result<(String, &'static str), Failure> {
    for channel in &rule.channels {
        let now = app.clock.now();
        let samples = Samples { db: &app.db, workspace: &app.workspace, rule, channel: *channel, now };
        if let Some(sample) = samples.extremes(1).await?.first() {
            let who = if sample.is_selected {
                "whom the rule matches, though nobody would get it now (`plusone who` says why)"
            } else {
                "since the rule matches nobody now"
            };
            return Ok((sample.customer.clone(), who));
        }
    }
    Err(Failure::failed(format!(
        "there is no {} to show rule {} for: has your data been read?",
        rule.for_each, rule.name
    )))
}
