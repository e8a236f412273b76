//! What is said to stand, stands: of random refusals that a rehearsal would not judge again, each is judged again at many
//! instants of the time for which it is said to stand, and is the same refusal.

use crate::harness::home::Settings;
use crate::shop::{Shop, WAY_OUT, at, home, rule};
use plusone::courtesy::caps::Taken;
use plusone::offers::Spent;
use plusone::outreach::judge::Question;
use plusone::plan::candidate::{Address, Candidate, OfferFacts};
use plusone::plan::decide::{Case, Decision, decide};
use plusone::plan::standing::{Standing, may_stand, standing};
use plusone::rules::{Channel, Purpose};
use plusone::time::{Span, Timestamp};
use plusone::touchpoints::Reason;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;

const BEGIN: &str = "2026-03-20T00:00:00Z";
const MONTHS: i64 = 60 * 86_400;
const ZONES: [chrono_tz::Tz; 4] = [
    chrono_tz::Europe::London,
    chrono_tz::America::New_York,
    chrono_tz::Australia::Lord_Howe,
    chrono_tz::Asia::Kolkata,
];

const OFFER: &str = "description = \"A plus one\"\nvalue = 2.50\ncost = 1.00\nbudget = { per_day = 3 }\n\
                     per_customer = { max = 1 }\neligible = ['customer.tier != \"basic\"']\n";

fn settings() -> Settings {
    let more = "[courtesy]\nquiet_hours = { email = [\"21:00-08:00\", \"Sun\"], sms = \"20:00-09:30\" }\n\
                caps = [{ purpose = \"promotional\", max = 1, per = \"5d\" }, { max = 2, per = \"day\" }, \
                { channel = \"email\", max = 3, per = \"month\" }]\n";
    Settings { more: more.to_owned(), ..Settings::default() }
}

fn rules() -> Vec<String> {
    let mut rules = Vec::new();
    for channels in ["[\"email\"]", "[\"sms\", \"email\"]"] {
        for on_cap in ["\"drop\"", "\"defer\""] {
            for expires in ["\"2h\"", "\"1d\"", "\"6d\""] {
                for (topic, offer) in [("\"offers\"", "[]"), ("\"offers\"", "[\"cookie\"]"), ("\"reminders\"", "[]")] {
                    let keys = [
                        ("topic", topic),
                        ("kind", "\"reminder\""),
                        ("channels", channels),
                        ("on_cap", on_cap),
                        ("expires_after", expires),
                        ("offer", offer),
                    ];
                    let keys: Vec<_> = keys.into_iter().filter(|(_, value)| *value != "[]").collect();
                    rules.push(rule(&keys));
                }
            }
        }
    }
    rules
}

/// A customer with a past and plans.
fn candidate(chance: &mut StdRng, now: Timestamp) -> Candidate {
    let address = |chance: &mut StdRng, good: &str| {
        if chance.random_bool(0.8) { Address::Good(good.to_owned()) } else { Address::None }
    };
    let taken = (0..chance.random_range(0..6)).map(|_| {
        let is_open = chance.random_bool(0.3);
        let hours = if is_open { 0..60 } else { -900..1 };
        Taken {
            rule: "another".to_owned(),
            topic: (*["offers", "reminders"].choose(chance).expect("two")).to_owned(),
            purpose: *[Purpose::Promotional, Purpose::Transactional].choose(chance).expect("two"),
            channel: *[Channel::Email, Channel::Sms].choose(chance).expect("two"),
            at: now.plus(Span::from_seconds(3_600 * chance.random_range(hours))),
            is_open,
            waits: is_open && chance.random_bool(0.2),
        }
    });
    let taken = taken.collect();
    Candidate {
        customer: "17".to_owned(),
        entity: "17".to_owned(),
        occurrence: "-".to_owned(),
        email: address(chance, "ann@shop.test"),
        phone: address(chance, "+447911120000"),
        zone: ZONES.choose(chance).copied().filter(|_| chance.random_bool(0.9)),
        zones: if chance.random_bool(0.5) { Vec::new() } else { ZONES[..2].to_vec() },
        consents: vec![Channel::Email, Channel::Sms],
        bad_moments: if chance.random_bool(0.1) { vec!["a complaint".to_owned()] } else { Vec::new() },
        offers: vec![OfferFacts { eligible: chance.random_bool(0.8), left: chance.random_range(0..2), first: None }],
        taken,
        ..Candidate::default()
    }
}

/// As the customer is at `now`, if what was planned went when it was due.
fn sent_by(now: Timestamp, candidate: &Candidate) -> Candidate {
    let mut candidate = candidate.clone();
    for taken in &mut candidate.taken {
        taken.is_open &= taken.at > now;
    }
    candidate
}

#[tokio::test]
async fn what_is_said_to_stand_is_refused_for_the_same_reason_at_every_instant_of_that_time() {
    let home = home(&settings()).file("config/offers/cookie.toml", OFFER);
    home.write("templates/note/email.txt.hbs", WAY_OUT);
    for (number, text) in rules().iter().enumerate() {
        home.write(&format!("config/rules/rule-{number}.toml"), text);
    }
    let shop = Shop::open(&home, BEGIN).await;
    let project = &shop.app.workspace.project;
    let pauses = plusone::courtesy::pauses::Pauses::default();
    let mut chance = StdRng::seed_from_u64(11);
    let mut stood: BTreeMap<Reason, u32> = BTreeMap::new();
    for rule in project.rules.values() {
        for _ in 0..400 {
            let now = at(BEGIN).plus(Span::from_seconds(chance.random_range(0..MONTHS)));
            let question = Question::new(project, rule, now, &pauses, false, plusone::sql::Dialect::Sqlite);
            assert!(may_stand(rule, &question.offers, &[]), "{}", rule.name);
            let policy = question.policy();
            let candidate = candidate(&mut chance, now);
            let case = Case { rule, candidate: &candidate, policy: &policy, now, turns: None };
            let has_budget = chance.random_bool(0.3);
            let reason_at = |now| {
                let candidate = &sent_by(now, &candidate);
                match decide(Case { now, candidate, ..case }, &mut |_| has_budget.then_some(()).ok_or(Spent::Day)) {
                    Decision::Refuse(refusal) => Some(refusal.reason),
                    Decision::Plan(_) | Decision::HoldOut(..) => None,
                }
            };
            let Some(reason) = reason_at(now) else { continue };
            let until = match standing(case, reason, &question.offers, false) {
                None => continue,
                Some(Standing::Until(until)) => until.min(now.plus(Span::from_seconds(MONTHS))),
                Some(Standing::WhileBudgetIsOut) => now.plus(Span::from_seconds(MONTHS)),
            };
            *stood.entry(reason).or_default() += 1;
            let last = until.minus(Span::from_micros(1));
            for _ in 0..20 {
                let later = Timestamp::from_micros(chance.random_range(now.micros()..=last.micros()));
                assert_eq!(reason_at(later), Some(reason), "{}: {now}, {later}: {candidate:?}", rule.name);
            }
            assert_eq!(reason_at(last), Some(reason), "{}: {now}, {last}: {candidate:?}", rule.name);
        }
    }
    for reason in [Reason::BadMoment, Reason::Capped, Reason::NoBudget, Reason::NotEligible] {
        assert!(stood.get(&reason).is_some_and(|count| *count > 50), "{reason}: {stood:?}");
    }
}
