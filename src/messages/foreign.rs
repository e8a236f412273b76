//! Placeholders of other systems, which would be sent as they stand.

use crate::problem::{Problem, Source};

/// A warning for each in a template's text: `{customer.first_name}`, `*|FNAME|*`, `%%first_name%%`, `${first_name}`.
pub fn placeholders(source: &Source) -> Vec<Problem> {
    let text = source.text.as_ref();
    let mut problems = Vec::new();
    for (open, close) in [("*|", "|*"), ("%%", "%%"), ("${", "}"), ("{", "}")] {
        let mut from = 0;
        while let Some(found) = text[from..].find(open) {
            let start = from + found;
            let inner = &text[start + open.len()..];
            from = start + open.len();
            let Some(length) = inner.find(close).filter(|length| is_name(&inner[..*length])) else { continue };
            let end = start + open.len() + length + close.len();
            let doubled = text[..start].ends_with(['{', '$', '%']) || text[end..].starts_with('}');
            if (open == "{" && (doubled || !inner[..length].contains('.')))
                || (open == "${" && text[..start].ends_with('{'))
            {
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
        let told = |text: &str| placeholders(&Source::new("a.hbs", text)).len();
        for text in ["Hi {customer.first_name}", "Hi *|FNAME|*", "Hi %%first_name%%", "Hi ${first_name}"] {
            assert_eq!(told(text), 1, "{text}");
        }
        for text in ["Hi {{customer.first_name}}", "p { color: red; }", "5 %% off", "a {b} c", "{{{a.b}}}"] {
            assert_eq!(told(text), 0, "{text}");
        }
    }
}
