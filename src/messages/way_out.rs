//! Whether every promotional text message and call of a template says how it is stopped: asked by `check`.
//!
//! 1. What counts is what the template says in every case, whatever the data: words in a branch of an `if` count where
//!    the other branch has them too.
//! 2. Where plusone says it itself (words under a text message, a key in a call) nothing is asked of the template.

use crate::courtesy::phrases::{self, names_a_keyword};
use crate::messages::library::{Part, Template};
use crate::messages::menu::Does;
use crate::messages::tree::{Expr, Node};
use crate::problem::Problem;
use crate::rules::Channel;
use crate::settings::{EveryText, Settings};

/// What a rule makes of its template.
#[derive(Clone, Copy)]
pub struct Sending<'a> {
    pub settings: &'a Settings,
    pub channels: &'a [Channel],
    /// Whether a message of the rule may be promotional: by its topic, or by an offer.
    pub promotional: bool,
}

impl Template {
    /// Whether its text message to `locale` names a word to answer with, so that nothing need be added.
    pub fn says_stop(&self, locale: &str) -> bool {
        self.part(Part::Sms, locale).is_some_and(|(_, tree)| always(&tree.nodes, &is_keyword))
    }

    /// What is missing of a way out.
    pub fn check_way_out(&self, sending: &Sending<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if sending.channels.contains(&Channel::Sms) && sending.promotional {
            self.check_texts(sending.settings, &mut problems);
        }
        if sending.channels.contains(&Channel::Voice) {
            self.check_calls(sending, &mut problems);
        }
        problems
    }

    fn check_texts(&self, settings: &Settings, problems: &mut Vec<Problem>) {
        for (locale, tree) in self.parts.get(&Part::Sms).into_iter().flatten() {
            let spoken = if locale.is_empty() { &settings.business.locale } else { locale };
            let never = settings.way_out.every == EveryText::Never;
            let problem = match settings.one_way_sender() {
                Some(_) if always(&tree.nodes, &|node| is_link_out(node) || is_short_code(node)) => continue,
                Some(sender) => {
                    let message = format!(
                        "a promotional text message names no way out, and nobody can answer the sender `{sender}`"
                    );
                    let help = "put `{{links.unsubscribe}}` into the text, or send from a number";
                    Problem::error(&tree.sources[0], 0..0, message).help(help)
                }
                None if always(&tree.nodes, &is_keyword) => continue,
                None if never => {
                    let message =
                        "a promotional text message says no way out, and `opt_out` of `[channels.sms]` adds none";
                    let help = "write `Reply STOP to opt out.` into it, or set `every = \"always\"`";
                    Problem::error(&tree.sources[0], 0..0, message).help(help)
                }
                None if settings.way_out.words(spoken).is_none() => {
                    let message = format!("plusone has no opt-out words in `{spoken}` and adds them in English");
                    let help = format!("write them in `[channels.sms] opt_out = {{ words = {{ {spoken} = \"…\" }} }}`");
                    Problem::warning(&tree.sources[0], 0..0, message).help(help)
                }
                None => continue,
            };
            problems.push(problem);
        }
    }

    fn check_calls(&self, sending: &Sending<'_>, problems: &mut Vec<Problem>) {
        let settings = sending.settings;
        for (locale, tree) in self.parts.get(&Part::Voice).into_iter().flatten() {
            let spoken = if locale.is_empty() { &settings.business.locale } else { locale };
            let menu = self.menu(locale);
            let file = self.menus.get(locale);
            let place = file.map_or(&tree.sources[0], |file| &file.source);
            if !settings.keys_work() {
                let help = "set `public_url` of `[web]` to the address by which the provider reaches this server: \
                            `https://plus.harbour.example`";
                if sending.promotional {
                    let message = "a promotional call could not be stopped: no key that is pressed reaches plusone";
                    problems.push(Problem::error(place, 0..0, message).help(help));
                } else if file.is_some() {
                    let message = "this menu is left out: no key that is pressed reaches plusone";
                    problems.push(Problem::warning(place, 0..0, message).help(help));
                }
                continue;
            }
            let stop = menu.stops_with();
            let taken = menu.keys.get(&settings.way_out.stop_key).filter(|_| stop.is_none());
            if let Some(key) = taken {
                let digit = settings.way_out.stop_key;
                let message = format!("no key stops: key {digit}, which would, does `{}`", key.does);
                problems.push(Problem::error(place, 0..0, message).help("give one key `does = \"stop\"`"));
            }
            if file.is_none() && menu.speaks() && !locale.is_empty() {
                let message = format!("the keys of this call would be told in another language than `{locale}`");
                let help = format!("write `voice.toml` for `{locale}` beside it");
                problems.push(Problem::error(place, 0..0, message).help(help));
            }
            if phrases::of(spoken).is_none() {
                let stops = menu.keys.values().find(|key| key.does == Does::Stop);
                let is_told = stops.is_some_and(|key| key.prompt.is_some() && key.says.is_some());
                let mute = menu.keys.values().any(|key| key.prompt.is_none());
                if mute || !is_told && (sending.promotional || stops.is_some()) {
                    let message = format!("plusone has no sentences in `{spoken}` for the keys of a call");
                    let help = "write `voice.toml` with `[keys.9]`, `does = \"stop\"`, `prompt` and `says`";
                    problems.push(Problem::error(place, 0..0, message).help(help));
                }
            }
        }
    }
}

/// Whether every rendering of `nodes` has a node for which `holds`.
fn always(nodes: &[Node], holds: &dyn Fn(&Node) -> bool) -> bool {
    nodes.iter().any(|node| match node {
        Node::If { then, otherwise, .. } => always(then, holds) && always(otherwise, holds),
        Node::Each { .. } => false,
        Node::Text(_) | Node::Print(_) => holds(node),
    })
}

fn is_keyword(node: &Node) -> bool {
    matches!(node, Node::Text(text) if names_a_keyword(text))
}

/// `STOP au 36111`: a keyword and a number to send it to.
fn is_short_code(node: &Node) -> bool {
    let has_number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() >= 4);
    matches!(node, Node::Text(text) if names_a_keyword(text) && has_number(text))
}

/// `{{links.unsubscribe}}` or `{{links.preferences}}`.
fn is_link_out(node: &Node) -> bool {
    let Node::Print(expr) = node else { return false };
    let path = match expr {
        Expr::Path(path) => path,
        Expr::Call(call) => match call.args.first() {
            Some(Expr::Path(path)) => path,
            _ => return false,
        },
        _ => return false,
    };
    let fields: Vec<&str> = path.fields.iter().map(String::as_str).collect();
    path.frame == 0 && matches!(fields[..], ["links", "unsubscribe" | "preferences"])
}
