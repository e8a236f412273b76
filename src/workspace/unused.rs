//! Templates and partials that nothing uses.
//!
//! 1. A template is used if any rule's file names it, good or broken; a partial if any other file prints it.

use crate::config::{CONFIRM_TEMPLATE, Project};
use crate::problem::{Problem, Source};

const PARTIALS: &str = "_partials";

/// A warning for each.
pub fn unused(project: &Project) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, files) in project.templates.iter().filter(|(name, _)| *name != PARTIALS && !is_shipped(name)) {
        if let Some(first) = files.first().filter(|_| !is_named(project, name)) {
            let problem = Problem::warning(first, 0..0, format!("no rule uses the template `{name}`"));
            problems.push(problem.help(format!("name it in a rule (`template = \"{name}\"`), or delete its folder")));
        }
    }
    problems.extend(unused_partials(project));
    problems
}

/// plusone's own, which waits for a topic with `opt_in = "double"`.
fn is_shipped(name: &str) -> bool {
    CONFIRM_TEMPLATE.iter().any(|(path, _)| path.split('/').nth(1) == Some(name))
}

fn is_named(project: &Project, template: &str) -> bool {
    let [single, double] = ["'", "\""].map(|quote| format!("{quote}{template}{quote}"));
    project.rule_files.values().any(|file| file.text.contains(&single) || file.text.contains(&double))
}

/// All of them at once. Where there is no template yet they wait for the first.
fn unused_partials(project: &Project) -> Option<Problem> {
    if project.templates.keys().all(|name| name == PARTIALS || is_shipped(name)) {
        return None;
    }
    let files: Vec<&Source> = project.templates.values().flatten().collect();
    let mut unused: Vec<(&str, &Source)> = Vec::new();
    for file in files.iter().filter(|file| file.name.split('/').any(|part| part == PARTIALS)) {
        let Some(name) = file.name.rsplit('/').next().and_then(|name| name.strip_suffix(".hbs")) else { continue };
        let is_itself = |other: &Source| other.name.rsplit('/').next() == file.name.rsplit('/').next();
        let is_used = files.iter().any(|other| !is_itself(other) && printed(&other.text).any(|of| of == name));
        if !is_used && unused.iter().all(|(known, _)| *known != name) {
            unused.push((name, file));
        }
    }
    let (name, first) = unused.first()?;
    let names = unused.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let what = if unused.len() == 1 { "partial" } else { "partials" };
    let problem = Problem::warning(first, 0..0, format!("no template uses the {what} {names}"));
    Some(problem.help(format!("write `{{{{> {name}}}}}` and the like where they belong, or delete the files")))
}

/// The names of the partials that a text prints.
fn printed(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|tag| {
        let name = tag.trim_start_matches('~').trim_start().strip_prefix('>')?.trim_start();
        let end = name.find(|c: char| c.is_whitespace() || c == '}' || c == '~')?;
        Some(name[..end].trim_matches(['\'', '"', '[', ']']))
    })
}

#[cfg(test)]
mod tests {
    use super::printed;

    #[test]
    fn partials_are_found_however_their_tags_are_written() {
        let text = "{{> a}} {{~>  b x=1 ~}} {{>\"c\"}} {{a > b}} {{#if d}}{{/if}}";
        assert_eq!(printed(text).collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
