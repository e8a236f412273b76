//! Whether a message says the code of its offer: asked by `check`.
//!
//! 1. Any place that prints it counts, in the part or in a partial, inside of a test too: what is told of is a message
//!    that never says it. It is a warning: a code may be meant for the till alone.

use crate::messages::library::{Part, Template};
use crate::messages::needs::parts_of;
use crate::messages::tree::{Node, Path};
use crate::messages::variants::reads;
use crate::problem::Problem;
use crate::rules::Channel;

impl Template {
    /// A warning for each form of the message, in each locale, that never says the code of `offer`.
    pub fn check_code(&self, channels: &[Channel], offer: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        for part in channels.iter().flat_map(|&channel| parts_of(channel)).filter(|part| **part != Part::Subject) {
            for (locale, tree) in self.parts.get(part).into_iter().flatten() {
                let is_mail = matches!(part, Part::Html | Part::Text);
                let subject = self.part(Part::Subject, locale).filter(|_| is_mail);
                if says_code(&tree.nodes) || subject.is_some_and(|(_, subject)| says_code(&subject.nodes)) {
                    continue;
                }
                let end = tree.sources[0].text.trim_end().len();
                let message = format!("the code of the offer `{offer}` is nowhere in this message");
                let problem = Problem::warning(&tree.sources[0], end..end, message);
                problems.push(problem.help("say it: `{{#if offer.code}}{{offer.code}}{{/if}}`"));
            }
        }
        problems
    }
}

fn says_code(nodes: &[Node]) -> bool {
    let is_code = |path: &Path| path.frame == 0 && path.fields == ["offer", "code"];
    nodes.iter().any(|node| match node {
        Node::Text(_) => false,
        Node::Print(expr) => reads(expr, &is_code),
        Node::If { then, otherwise, .. } => says_code(then) || says_code(otherwise),
        Node::Each { body, otherwise, .. } => says_code(body) || says_code(otherwise),
    })
}
