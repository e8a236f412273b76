//! What looks like a placeholder and is none, so that it would be sent as it stands.

use crate::messages::braces::strays;
use crate::problem::{Problem, Severity, Source};

/// A warning for each in a template's text: those of other systems (`*|FNAME|*`, `%%first_name%%`, `${first_name}`), and
/// braces that make no tag and name nothing known; those that do are errors of the template. `entities` are the names of
/// the rows that templates can read.
pub fn placeholders(source: &Source, entities: &[String]) -> Vec<Problem> {
    let text = source.text.as_ref();
    let unknown = strays(text, entities).into_iter().filter(|stray| !stray.is_known).map(|stray| stray.fault(text));
    let warning = |fault| Problem { severity: Severity::Warning, ..Problem::fault(source, 0, fault) };
    let mut problems: Vec<Problem> = unknown.map(warning).collect();
    for (open, close) in [("*|", "|*"), ("%%", "%%"), ("${", "}")] {
        let mut from = 0;
        while let Some(found) = text[from..].find(open) {
            let start = from + found;
            let inner = &text[start + open.len()..];
            from = start + open.len();
            let Some(length) = inner.find(close).filter(|length| is_name(&inner[..*length])) else { continue };
            let end = start + open.len() + length + close.len();
            if open == "${" && text[..start].ends_with('{') {
                continue;
            }
            let written = &text[start..end];
            let problem = Problem::warning(source, start..end, format!("`{written}` is sent as it stands"));
            problems.push(problem.help("a value is written `{{customer.first_name}}`"));
            from = end;
        }
    }
    problems
}

fn is_name(text: &str) -> bool {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "_.: ".contains(c);
    !text.trim().is_empty() && text.len() <= 60 && text.chars().all(is_good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_placeholder_is_told_of() {
        let told = |text: &str| placeholders(&Source::new("a.hbs", text), &[]).len();
        for text in ["Hi {guest.first_name}", "Hi *|FNAME|*", "Hi %%first_name%%", "Hi ${first_name}"] {
            assert_eq!(told(text), 1, "{text}");
        }
        for text in ["Hi {{customer.first_name}}", "p { color: red; }", "5 %% off", "a {b} c", "{{{a.b}}}"] {
            assert_eq!(told(text), 0, "{text}");
        }
        // Told as an error where the template is read.
        assert_eq!(told("Hi {customer.first_name}}"), 0);
    }
}
