//! Who is right about a campaign: the log of the server that took the mail, joined with plusone's own by Message-ID.
//!
//! 1. Pure: two logs in, a verdict out.
//! 2. The server is believed about what arrived; plusone's log is judged by it, never the other way round.
//! 3. The words: *lost* was wanted and neither arrived nor is explained; *silent duplicate* arrived twice and is not
//!    flagged; *unknown* arrived, and the log knows nothing of its being sent.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A touchpoint, as `plusone log --json` tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logged {
    pub id: String,
    pub customer: String,
    pub state: String,
    pub possible_duplicate: bool,
}

impl Logged {
    /// # Panics
    /// When a name of the contract is absent.
    pub fn from_json(line: &Value) -> Self {
        let text = |name: &str| line[name].as_str().unwrap_or_else(|| panic!("{name} is text in {line}")).to_owned();
        let possible_duplicate = line["possible_duplicate"].as_bool().expect("possible_duplicate is a boolean");
        Self { id: text("id"), customer: text("customer"), state: text("state"), possible_duplicate }
    }
}

/// What the two logs say together. All lists are empty when every promise is kept.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Touchpoints that say sent, or say nothing of a doubt, and did not arrive; and customers without a touchpoint.
    pub lost: BTreeSet<String>,
    /// Touchpoints that arrived more than once.
    pub duplicated: BTreeSet<String>,
    /// Those of them without `possible_duplicate`.
    pub silent: BTreeSet<String>,
    /// Those that arrived more than twice: a doubt is resent once.
    pub thrice: BTreeSet<String>,
    /// Message-IDs that arrived, of a touchpoint that the log does not have or believes unsent.
    pub unknown: BTreeSet<String>,
    /// Touchpoints that the log leaves in doubt. Not a fault.
    pub in_doubt: BTreeSet<String>,
}

impl Verdict {
    /// `wanted` are the customers to be told, `arrived` the Message-IDs at the server, one for each time.
    pub fn of(wanted: &BTreeSet<String>, arrived: &[String], log: &[Logged]) -> Self {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for message_id in arrived {
            *times.entry(message_id.split('@').next().unwrap_or_default()).or_default() += 1;
        }
        let mut verdict = Self::default();
        for touchpoint in log {
            verdict.judge(touchpoint, times.remove(touchpoint.id.as_str()).unwrap_or(0));
        }
        verdict.unknown.extend(times.into_keys().map(str::to_owned));
        let told: BTreeSet<&str> = log.iter().map(|touchpoint| touchpoint.customer.as_str()).collect();
        verdict.lost.extend(wanted.iter().filter(|customer| !told.contains(customer.as_str())).cloned());
        verdict
    }

    fn judge(&mut self, touchpoint: &Logged, arrived: usize) {
        let add = |set: &mut BTreeSet<String>, yes: bool| {
            if yes {
                set.insert(touchpoint.id.clone());
            }
        };
        let doubt = touchpoint.state == "in_doubt";
        let believed_out =
            matches!(touchpoint.state.as_str(), "sent" | "delivered" | "bounced" | "dispatching") || doubt;
        add(&mut self.in_doubt, doubt);
        add(&mut self.lost, arrived == 0 && !doubt);
        add(&mut self.unknown, arrived > 0 && !believed_out);
        add(&mut self.duplicated, arrived > 1);
        add(&mut self.silent, arrived > 1 && !touchpoint.possible_duplicate);
        add(&mut self.thrice, arrived > 2);
    }

    /// The promises that hold for every rule: nothing lost, nothing doubled in silence, nothing unknown.
    pub fn keeps_the_promises(&self) -> bool {
        [&self.lost, &self.silent, &self.thrice, &self.unknown].iter().all(|set| set.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(id: &str, state: &str, possible_duplicate: bool) -> Logged {
        Logged { id: id.to_owned(), customer: format!("c-{id}"), state: state.to_owned(), possible_duplicate }
    }

    fn verdict(arrived: &[&str], log: &[Logged]) -> Verdict {
        let wanted = log.iter().map(|touchpoint| touchpoint.customer.clone()).collect();
        Verdict::of(&wanted, &arrived.iter().map(|id| format!("{id}@shop.test")).collect::<Vec<_>>(), log)
    }

    #[test]
    fn sent_once_and_arrived_once_keeps_every_promise() {
        let kept = verdict(&["a", "b"], &[logged("a", "sent", false), logged("b", "in_doubt", false)]);
        assert!(kept.keeps_the_promises() && kept.duplicated.is_empty());
        assert_eq!(kept.in_doubt, BTreeSet::from(["b".to_owned()]));
    }

    #[test]
    fn sent_that_did_not_arrive_is_lost() {
        assert_eq!(verdict(&[], &[logged("a", "sent", false)]).lost, BTreeSet::from(["a".to_owned()]));
        assert_eq!(verdict(&[], &[logged("a", "planned", false)]).lost, BTreeSet::from(["a".to_owned()]));
        assert!(verdict(&[], &[logged("a", "in_doubt", false)]).lost.is_empty());
    }

    #[test]
    fn a_customer_without_a_touchpoint_is_lost() {
        let wanted = BTreeSet::from(["c-a".to_owned(), "c-b".to_owned()]);
        let verdict = Verdict::of(&wanted, &["a@shop.test".to_owned()], &[logged("a", "sent", false)]);
        assert_eq!(verdict.lost, BTreeSet::from(["c-b".to_owned()]));
    }

    #[test]
    fn a_second_copy_needs_its_flag_and_a_third_has_no_excuse() {
        assert!(!verdict(&["a", "a"], &[logged("a", "sent", false)]).keeps_the_promises());
        let flagged = verdict(&["a", "a"], &[logged("a", "sent", true)]);
        assert!(flagged.keeps_the_promises() && flagged.duplicated.len() == 1);
        assert!(!verdict(&["a", "a", "a"], &[logged("a", "sent", true)]).keeps_the_promises());
    }

    #[test]
    fn what_arrived_must_be_known_as_out() {
        for state in ["planned", "claimed", "skipped", "failed", "expired", "held"] {
            assert_eq!(verdict(&["a"], &[logged("a", state, false)]).unknown.len(), 1, "{state}");
        }
        assert_eq!(verdict(&["b"], &[]).unknown.len(), 1);
    }
}
