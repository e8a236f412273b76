//! One offer: what it is, what is left and what became of it today and in all, and to whom it was given last. Of one
//! whose file is gone, what is recorded.

use super::super::Answer;
use super::super::print::{Table, local, money, plain, say, say_json, short, spoken};
use super::{as_json, codes, money_json, share_json, unknown};
use crate::amount::{counted, grouped};
use crate::app::App;
use crate::config::OFFERS;
use crate::offers::code::CodeSource;
use crate::offers::grant::GrantState;
use crate::offers::{Offer, PerCustomer, Unused};
use crate::rules::Live;
use crate::store::offers::latest::{Given, latest};
use crate::store::offers::summary::{Share, Shares, Summary, recorded, summaries};
use crate::time::{Date, Tz};
use serde_json::{Value, json};
use std::process::ExitCode;

/// How many grants are listed unless `--limit` asks for more or fewer.
const SHOWN: i64 = 20;

/// What is told of an offer.
struct Told<'a> {
    name: &'a str,
    /// What its file says, where one is in force.
    offer: Option<&'a Offer>,
    /// The rules that give it, drafts too.
    rules: Vec<(&'a str, Live)>,
    summary: Summary,
    given: Vec<Given>,
    currency: &'a str,
    zone: Tz,
}

pub(super) async fn run(app: &App, name: &str, limit: Option<i64>, today: Date, json: bool) -> Answer {
    let project = &app.workspace.project;
    let offer = project.offers.get(name);
    let summary = match offer {
        Some(offer) => summaries(&app.db, &[offer], today).await?.pop(),
        None => recorded(&app.db, name, today).await?,
    };
    let rules = project.rules.values().filter(|rule| rule.offers.iter().any(|offer| offer == name));
    let told = Told {
        name,
        offer,
        rules: rules.map(|rule| (rule.name.as_str(), rule.live)).collect(),
        summary: summary.ok_or_else(|| unknown(name, &project.offers))?,
        given: latest(&app.db, name, limit.unwrap_or(SHOWN)).await?,
        currency: &project.settings.business.currency,
        zone: project.settings.business.time_zone,
    };
    if json {
        say_json(json!({ "today": today.to_string(), "offers": [told.as_json()] }))?;
    } else {
        say(told.as_text())?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Told<'_> {
    /// How many grants are not listed.
    fn more(&self) -> u64 {
        self.summary.all.count().saturating_sub(self.given.len() as u64)
    }

    fn as_json(&self) -> Value {
        let currency = self.currency;
        let mut json = as_json(&self.summary, currency);
        let more = [
            ("in_force", json!(self.offer.is_some())),
            ("rules", self.rules.iter().map(|(rule, _)| *rule).collect()),
            ("of_today", shares_json(&self.summary.today, currency)),
            ("given", self.given.iter().map(|given| given.to_json(currency)).collect()),
            ("more", json!(self.more())),
        ];
        for (name, value) in more.into_iter().chain(file_json(self.offer, currency)) {
            json[name] = value;
        }
        json
    }

    fn as_text(&self) -> String {
        let mut text = self.name.to_owned();
        match self.offer {
            Some(offer) if offer.description.is_empty() => {}
            Some(offer) => text.push_str(&format!(": {}", plain(&offer.description))),
            None => text.push_str(&format!(": {OFFERS}/{}.toml is gone, or broken; so much was recorded", self.name)),
        }
        text.push('\n');
        for (name, said) in self.offer.into_iter().flat_map(|offer| self.what_it_is(offer)) {
            text.push_str(&format!("  {name:<14}{}\n", plain(&said)));
        }
        text.push('\n');
        text.push_str(&written(&self.ledger()));
        text.push('\n');
        if self.given.is_empty() {
            text.push_str("Given to nobody yet.");
            return text;
        }
        text.push_str("Given last:\n");
        text.push_str(&written(&self.latest()));
        match self.more() {
            0 => {}
            more => text.push_str(&format!("  … and {} more; `--limit N` lists more, `--json` too", grouped(more))),
        }
        text.trim_end().to_owned()
    }

    /// What its file says, in words.
    fn what_it_is(&self, offer: &Offer) -> Vec<(&'static str, String)> {
        let money = |units: i64| format!("{} {}", money(units), self.currency);
        let code = match &offer.code {
            None => "none".to_owned(),
            Some(CodeSource::Pattern(pattern)) => format!("{pattern}, for each customer another"),
            Some(CodeSource::File(file)) => format!("one of {file}, for each customer another"),
            Some(CodeSource::Fixed(code)) => format!("{code}, the same for everyone"),
        };
        let left = self.summary.codes_left.map_or_else(String::new, |left| format!("; {} left", codes(left)));
        let unused = match offer.unused {
            Unused::Keep => "who does not use it in time has had it all the same: it stays in the budget",
            Unused::Return => "who does not use it in time gives it back into the budget",
        };
        let valid = offer.valid_for.map(|span| format!("{}; {unused}", spoken(span)));
        let limit = offer.per_customer.map(|one| {
            let per = one.per.map_or_else(|| "ever".to_owned(), |per| format!("in {}", spoken(per)));
            format!("{} {per}", counted(one.max, "time"))
        });
        let rules = self.rules.iter().map(|(rule, live)| match live {
            Live::Draft => format!("{rule} (a draft)"),
            _ => (*rule).to_owned(),
        });
        let rules = rules.collect::<Vec<_>>().join(", ");
        let eligible: Vec<&str> = offer.eligible.iter().map(|clause| clause.text.as_str()).collect();
        let mut lines = vec![
            ("worth", format!("{} to the customer; one costs {}", money(offer.value), money(offer.cost))),
            ("code", format!("{code}{left}")),
            ("valid for", valid.unwrap_or_else(|| "ever".to_owned())),
            ("per customer", limit.unwrap_or_else(|| "as often as rules give it".to_owned())),
        ];
        if !eligible.is_empty() {
            lines.push(("for whom", eligible.join(" and ")));
        }
        lines.push(("given by", if rules.is_empty() { "no rule".to_owned() } else { rules }));
        lines
    }

    /// The budget, what became of it, and what is left: of today, and in all. Without its file no budget is known.
    fn ledger(&self) -> Table {
        let (summary, currency) = (&self.summary, self.currency);
        let limit = |units: Option<i64>| {
            units.map_or_else(|| "no limit".to_owned(), |units| format!("{} {currency}", money(units)))
        };
        let share = |share: Share| match share.count {
            0 => String::new(),
            count => format!("{} ({} {currency})", grouped(count), money(share.cost)),
        };
        let mut table = Table::new(&[if self.offer.is_some() { "BUDGET" } else { "GIVEN" }, "TODAY", "IN ALL"]);
        if self.offer.is_some() {
            table.row(vec!["given at most".to_owned(), limit(summary.per_day), limit(summary.total)]);
        }
        for ((state, today), (_, all)) in summary.today.each().into_iter().zip(summary.all.each()) {
            let always = matches!(state, GrantState::Spent | GrantState::Redeemed);
            if all.count > 0 || always {
                table.row(vec![said(state).to_owned(), share(today), share(all)]);
            }
        }
        if self.offer.is_some() {
            table.row(vec!["left".to_owned(), limit(summary.left_today), limit(summary.left)]);
        }
        table
    }

    fn latest(&self) -> Table {
        let mut table = Table::new(&["GIVEN", "CUSTOMER", "CODE", "STATE", "VALID UNTIL", "RULE", "TOUCHPOINT"]);
        for Given { customer, rule, grant } in &self.given {
            table.row(vec![
                local(grant.granted_at, self.zone),
                customer.clone(),
                grant.code.clone().unwrap_or_default(),
                grant.state.told().to_owned(),
                grant.expires_at.map_or_else(String::new, |at| local(at, self.zone)),
                rule.clone().unwrap_or_default(),
                short(&grant.touchpoint).to_owned(),
            ]);
        }
        table
    }
}

/// What the file of an offer says; all of it null where none is in force.
fn file_json(offer: Option<&Offer>, currency: &str) -> [(&'static str, Value); 8] {
    let of = |part: &dyn Fn(&Offer) -> Value| offer.map_or(Value::Null, part);
    let code = |code: &CodeSource| match code {
        CodeSource::Pattern(pattern) => json!({ "pattern": pattern }),
        CodeSource::File(file) => json!({ "file": file }),
        CodeSource::Fixed(code) => json!({ "fixed": code }),
    };
    let limit = |one: PerCustomer| json!({ "max": one.max, "per": one.per.map(|per| per.to_string()) });
    let unused = |unused: Unused| match unused {
        Unused::Keep => "keep",
        Unused::Return => "return",
    };
    [
        ("description", of(&|offer| json!(offer.description))),
        ("value", of(&|offer| money_json(offer.value, currency))),
        ("cost", of(&|offer| money_json(offer.cost, currency))),
        ("per_customer", of(&|offer| json!(offer.per_customer.map(limit)))),
        ("eligible", of(&|offer| offer.eligible.iter().map(|clause| clause.text.as_str()).collect())),
        ("code", of(&|offer| json!(offer.code.as_ref().map(code)))),
        ("valid_for", of(&|offer| json!(offer.valid_for.map(|span| span.to_string())))),
        ("unused", of(&|offer| json!(unused(offer.unused)))),
    ]
}

/// What became of grants, longer than in a list.
const fn said(state: GrantState) -> &'static str {
    match state {
        GrantState::Reserved => "reserved for what waits",
        GrantState::Spent => "sent, not redeemed yet",
        GrantState::Redeemed => "redeemed",
        GrantState::Expired => "expired unused",
        GrantState::Lapsed => "expired, back in the budget",
        GrantState::Freed | GrantState::Released => "not sent",
    }
}

fn shares_json(shares: &Shares, currency: &str) -> Value {
    shares.each().into_iter().map(|(state, share)| (state.as_str().to_owned(), share_json(share, currency))).collect()
}

fn written(table: &Table) -> String {
    let mut out = Vec::new();
    table.write(&mut out, "  ").expect("memory takes everything");
    String::from_utf8_lossy(&out).into_owned()
}
