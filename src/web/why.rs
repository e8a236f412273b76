//! `/w/{token}`: why did I get this? Answered from the touchpoint, in plain words.
//!
//! Says which data were looked at, not what they said: a letter is passed on more easily than a birthday is told.

use super::Web;
use super::visit::{Visit, broken};
use crate::data::wishes::{Leaving, leaving};
use crate::rules::Purpose as Law;
use crate::store::log::detail;
use crate::tokens::Purpose;
use crate::touchpoints::record::parsed_json;
use axum::extract::{Path, State};
use axum::response::Response;
use maud::html;
use std::collections::BTreeSet;

/// The page.
pub async fn show(State(web): State<Web>, Path(token): Path<String>) -> Response {
    let visit = match Visit::begin(&web, Purpose::Why, &token).await {
        Ok(visit) => visit,
        Err(answer) => return answer,
    };
    let facts = match detail(&web.db, visit.touchpoint.clone()).await {
        Ok(detail) => detail.facts,
        Err(error) => return broken(error),
    };
    let (touchpoint, looked_at) = (&visit.touchpoint, names(facts.as_deref()));
    let rule = visit.workspace.project.rules.get(&touchpoint.rule);
    let body = html! {
        p { (came(&visit)) }
        @if let Some(subject) = &touchpoint.subject {
            p { (visit.say("why-subject", &[("subject", subject)])) }
        }
        // A rule that nobody described has its reason in the data below: no word is made up in its place.
        @if rule.is_none_or(|rule| !rule.description.trim().is_empty()) {
            h2 { (visit.say("why-rule", &[])) }
        }
        @match rule.map(|rule| rule.description.trim()) {
            // Rules are described in the business's own language.
            Some(said) if !said.is_empty() => p lang=(visit.settings().business.locale) { (said) },
            Some(_) => {},
            None => p { (visit.say("why-rule-unknown", &[])) },
        }
        h2 { (visit.say("why-data", &[])) }
        @if looked_at.is_empty() {
            p { (visit.say("why-data-none", &[])) }
        } @else {
            p { (visit.say("why-data-lead", &[])) }
            ul { @for name in &looked_at { li { (name) } } }
        }
        h2 { (visit.say("why-consent", &[])) }
        p { (consent(&visit)) }
        @if leaving(touchpoint, visit.settings()) == Leaving::Extras {
            p { (visit.say("why-extras", &[])) }
        }
        h2 { (visit.say("why-change", &[])) }
        nav {
            ul {
                @if visit.is_editable() {
                    li { a href=(visit.link(Purpose::Preferences)) { (visit.say("to-preferences", &[])) } }
                }
                li { a href=(visit.link(Purpose::Unsubscribe)) { (visit.say("to-leave", &[])) } }
            }
        }
    };
    visit.page(visit.say("why-heading", &[]), body)
}

/// How and when it came.
fn came(visit: &Visit) -> String {
    match (visit.touchpoint.sent_at, visit.touchpoint.channel) {
        (Some(at), Some(channel)) => {
            visit.say("why-lead", &[("channel", &visit.way(channel)), ("date", &visit.day(at))])
        }
        _ => visit.say("why-planned", &[]),
    }
}

/// The names of the data that the conditions read, as people write them.
fn names(facts: Option<&str>) -> BTreeSet<String> {
    let facts = parsed_json(facts);
    let keys = facts.as_object().into_iter().flat_map(|facts| facts.keys());
    // What lies with the customer themselves needs no name of its place.
    let plain = |key: &String| {
        let data = data_of(key);
        data.strip_prefix("customer.").unwrap_or(data).replace('.', ": ").replace('_', " ")
    };
    keys.map(plain).collect()
}

/// The data that an expression reads first: of `customer.orders.filter(o, o.total > 5).size()` it is `customer.orders`.
fn data_of(expression: &str) -> &str {
    let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.');
    let end = expression.find(|letter| !is_name(letter)).unwrap_or(expression.len());
    let (path, rest) = expression.split_at(end);
    match (rest.strip_prefix('('), path.rsplit_once('.')) {
        (None, _) => path,
        (Some(_), Some((data, _))) => data,
        (Some(inner), None) => data_of(inner),
    }
}

/// What their consent was: when and where the yes was given that counts now; of one that came without a date, since when
/// it is known.
fn consent(visit: &Visit) -> String {
    let touchpoint = &visit.touchpoint;
    let yes = touchpoint.channel.and_then(|channel| visit.person.said_yes(&touchpoint.topic, channel));
    match (yes, visit.topic().1) {
        (Some(yes), _) => {
            let key = if yes.is_undated { "why-consent-undated" } else { "why-consent-yes" };
            visit.say(key, &[("date", &visit.day(yes.at)), ("source", &yes.source.words)])
        }
        (None, Law::Transactional) => visit.say("why-consent-service", &[]),
        (None, Law::Promotional) => visit.say("why-consent-none", &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_the_data_and_not_the_expression() {
        let expressions = [
            ("customer.orders.exists(o, o.ordered_at > ago(\"14d\"))", "customer.orders"),
            ("customer.orders.filter(o, o.total > 5).size()", "customer.orders"),
            ("size(customer.orders)", "customer.orders"),
            ("cart.updated_at", "cart.updated_at"),
        ];
        for (expression, data) in expressions {
            assert_eq!(data_of(expression), data);
        }
        let facts = r#"{"customer.orders.exists(o, o.paid)": true, "customer.first_name": "Ann", "cart.total": "5"}"#;
        assert_eq!(names(Some(facts)).into_iter().collect::<Vec<_>>(), ["cart: total", "first name", "orders"]);
    }
}
