//! Words that are yet to be written: `[[your words]]`, as `plusone new` leaves them.

use crate::messages::library::Template;
use crate::problem::{Problem, Source};

impl Template {
    /// A problem for each place in its files that waits for words: an error where the rule is live.
    pub fn check_unwritten(&self, is_live: bool) -> Vec<Problem> {
        let trees = self.parts.values().flat_map(|by_locale| by_locale.values());
        trees.flat_map(|tree| unwritten(&tree.sources[0], is_live)).collect()
    }
}

fn unwritten(source: &Source, is_live: bool) -> Vec<Problem> {
    let text = source.text.as_ref();
    let opened = text.match_indices("[[").map(|(start, _)| start);
    let places = opened.filter_map(|start| Some(start..start + text[start..].lines().next()?.find("]]")? + 2));
    let problem = |place: std::ops::Range<usize>| {
        let message = format!("`{}` is yet to be written", &text[place.clone()]);
        match is_live {
            true => Problem::error(source, place, message).help("write it, or take `live` out of the rule until then"),
            false => Problem::warning(source, place, message).help("write your own words in its place"),
        }
    };
    places.map(problem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Severity;

    #[test]
    fn what_waits_for_words_keeps_a_rule_from_going_live() {
        let source = Source::new("a.hbs", "Hello [[name]],\n[[what\nyou]] say {{default x \"[]\"}} [[now]]");
        for (is_live, severity) in [(true, Severity::Error), (false, Severity::Warning)] {
            let problems = unwritten(&source, is_live);
            let places: Vec<&str> = problems.iter().map(|problem| &source.text[problem.span.clone()]).collect();
            assert_eq!(places, ["[[name]]", "[[now]]"]);
            assert!(problems.iter().all(|problem| problem.severity == severity));
        }
    }
}
