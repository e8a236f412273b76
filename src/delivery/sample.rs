//! A rule's message as one customer would get it, outside of any run: for a look at it, or for a test.
//!
//! 1. Everything is as the live run has it (data, language, offer, way out) but what would speak for the customer: links
//!    lead nowhere, and a code shows its shape and cannot be redeemed.
//! 2. Nothing is written.

use super::facts::{self, Facts};
use crate::messages::{Needs, Words};
use crate::offers::Offer;
use crate::offers::code::CodeSource;
use crate::outreach::complete::complete;
use crate::plan::audience::{Among, Asleep, Audience};
use crate::plan::candidate::Candidate;
use crate::rules::{Channel, Purpose, Rule};
use crate::store::db::{Db, Result};
use crate::time::Timestamp;
use crate::touchpoints::Reason;
use crate::workspace::{Recipient, Workspace};

/// One rule's messages on one channel, at one moment.
#[derive(Clone, Copy)]
pub struct Samples<'a> {
    pub db: &'a Db,
    pub workspace: &'a Workspace,
    pub rule: &'a Rule,
    pub channel: Channel,
    pub now: Timestamp,
}

/// A row that a message could be about.
#[derive(Clone, Debug)]
pub struct Sample {
    pub customer: String,
    /// The key of the `for_each` row.
    pub entity: String,
    /// Whether the rule's conditions hold for it now.
    pub is_selected: bool,
    /// Values that the template reads and that are not there: `customer.first_name`.
    pub lacks: Vec<String>,
    candidate: Candidate,
    facts: Facts,
}

/// Why there is no message: the reason that the log would have, and its detail.
pub type Unsaid = (Reason, String);

impl<'a> Samples<'a> {
    /// The customer's row that the rule would be about: a selected one, else any. `None` where there is no row.
    pub async fn of_customer(&self, customer: &str) -> Result<Option<Sample>> {
        let bucket = crate::ids::bucket_of(customer);
        let mut rows = self.among(Among::Customer { bucket, customer }).await?;
        let place = rows.iter().position(|(_, is_selected)| *is_selected).unwrap_or(0);
        if rows.is_empty() {
            return Ok(None);
        }
        let row = rows.swap_remove(place);
        Ok(self.read(vec![row]).await?.into_iter().next())
    }

    /// The rows that the message fits worst: the `limit` longest and the `limit` emptiest of those that the rule
    /// matches now; of all where it matches nobody.
    pub async fn extremes(&self, limit: u32) -> Result<Vec<Sample>> {
        let templates = self.workspace.templates.all_of(self.rule);
        let needs = Needs::of(&templates, &self.workspace.project.catalogue, &self.rule.for_each, &[self.channel]);
        for matching in [true, false] {
            let rows = self.db.fetch(self.audience().extremes(&needs, self.channel, matching, limit)).await?;
            if !rows.is_empty() {
                let keys: Vec<(i64, &str)> = rows.iter().map(|row| (row.int(0), row.text(2))).collect();
                let keys = serde_json::to_string(&keys).expect("text and integers serialise");
                let mut found = self.read(self.among(Among::Rows(&keys)).await?).await?;
                found.retain(|sample| self.rule.channels_of(&sample.customer).contains(&self.channel));
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    fn audience(&self) -> Audience<'a> {
        let catalogue = &self.workspace.project.catalogue;
        let dialect = self.db.dialect();
        Audience {
            rule: self.rule,
            offers: &[],
            bad_moments: &[],
            catalogue,
            dialect,
            as_of: self.now,
            fires: None,
            asleep: Asleep::Nobody,
        }
    }

    /// The rows of `among` by their keys, and whether the conditions hold for each.
    async fn among(&self, among: Among<'_>) -> Result<Vec<(Candidate, bool)>> {
        let audience = self.audience();
        let rows = self.db.fetch(audience.recheck(among)).await?;
        let mut candidates: Vec<Candidate> = rows.iter().map(|row| audience.read(row)).collect();
        complete(self.db, &mut candidates, self.now).await?;
        let holds = rows.iter().map(|row| row.opt_int(audience.facts_from()) == Some(1));
        let mut rows: Vec<(Candidate, bool)> = candidates.into_iter().zip(holds).collect();
        rows.sort_by(|(one, _), (other, _)| (&one.customer, &one.entity).cmp(&(&other.customer, &other.entity)));
        Ok(rows)
    }

    async fn read(&self, rows: Vec<(Candidate, bool)>) -> Result<Vec<Sample>> {
        let key = |(one, _): &(Candidate, bool)| ((one.bucket, one.customer.clone()), (one.bucket, one.entity.clone()));
        let keys: Vec<_> = rows.iter().map(key).collect();
        let mut facts = facts::of_rows(self.db, self.workspace, self.rule, self.channel, &keys).await?;
        let catalogue = &self.workspace.project.catalogue;
        let sample = |(candidate, is_selected): (Candidate, bool)| {
            let facts = facts.remove(&candidate.entity).unwrap_or_default();
            let variant = self.rule.variant_of(&candidate.customer).map(|variant| variant.name.as_str());
            let template = self.workspace.templates.of(self.rule, variant);
            let needs = template.map(|template| template.needs(catalogue, &self.rule.for_each, &[self.channel]));
            let lacks = needs.map_or_else(Vec::new, |needs| needs.missing(&self.rule.for_each, &facts));
            let (customer, entity) = (candidate.customer.clone(), candidate.entity.clone());
            Sample { customer, entity, is_selected, lacks, candidate, facts }
        };
        Ok(rows.into_iter().map(sample).collect())
    }

    /// Whether the message is promotional, with its offer.
    pub fn is_promotional(&self, sample: &Sample) -> bool {
        self.rule.purpose == Purpose::Promotional || !self.rule.offers_of(&sample.customer).is_empty()
    }

    /// The words that the customer would read, in `locale` or in their own.
    ///
    /// # Errors
    /// The reason why this customer would get none.
    pub fn words(&self, sample: &Sample, locale: Option<&str>) -> std::result::Result<Words, Unsaid> {
        let place = self.rule.offers_of(&sample.customer).first().copied();
        let offer = place.and_then(|place| self.workspace.project.offers.get(&self.rule.offers[place]));
        let code = offer.and_then(placeholder);
        let recipient = Recipient {
            touchpoint: None,
            channel: self.channel,
            locale: locale.or(sample.candidate.locale.as_deref()),
            zone: sample.candidate.zone,
            offer: offer.map(|offer| offer.name.as_str()),
            code: code.as_deref(),
            variant: self.rule.variant_of(&sample.customer).map(|variant| variant.name.as_str()),
            promotional: self.is_promotional(sample),
            was_told: false,
            as_of: self.now,
            now: self.now,
        };
        self.workspace.words(self.rule, &recipient, sample.facts.clone())
    }
}

/// A code that shows its shape and that nobody can redeem.
fn placeholder(offer: &Offer) -> Option<String> {
    match offer.code.as_ref()? {
        CodeSource::Pattern(pattern) => Some(pattern.replace('#', "X")),
        CodeSource::Fixed(code) => Some(code.clone()),
        CodeSource::File(_) => Some("SAMPLE-CODE".to_owned()),
    }
}
