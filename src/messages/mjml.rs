//! MJML: letters in few words, made into the tables that mail readers understand.
//!
//! 1. Once per template: the template is rendered with marks in place of values and blocks, and taken apart again, so
//!    that it is HTML before anything else is done with it.
//! 2. What would be left out in silence (an unknown element, a value where MJML has no place for one) is an error; an
//!    attribute that does not exist is one only where the renderer tells.
//! 3. Nothing is fetched: no `mj-include`, no web font that the template does not name, no picture of somebody else's.
//!
//! The language: <https://documentation.mjml.io/>.

use crate::messages::markup::{MARK, Skeleton, apart, look};
use crate::messages::syntax::Tree;
use crate::messages::tree::{At, Node};
use crate::problem::Problem;
use mrml::prelude::parser::{Error, ParserOptions, Span, WarningKind};
use mrml::prelude::render::RenderOptions;
use std::collections::HashMap;

/// How deep elements may stand in each other: the parser calls itself for each.
const DEPTH: usize = 64;
/// Where the renderer would fetch the pictures of networks that have none of their own.
const NO_PICTURE: &str = "plusone0picture/";
const PLACES: &str = "see documentation.mjml.io for what may stand where";

/// Turns a template written in MJML into one of HTML.
///
/// # Errors
/// What is wrong with it, at its place.
pub fn to_html(tree: &mut Tree) -> Result<(), Vec<Problem>> {
    let skeleton = look(tree)?;
    let html = render(&skeleton).map_err(|fault| vec![fault.told(tree, &skeleton)])?;
    let nodes = apart(&skeleton, &html).map_err(|lost| vec![misplaced(tree, &skeleton, lost)])?;
    tree.nodes = nodes;
    Ok(())
}

fn render(skeleton: &Skeleton<'_>) -> Result<String, Fault> {
    if !skeleton.whole {
        return Err(Fault::new(
            None,
            "MJML around half an element, or a value within `class`, `id` or `style`",
            "let a block hold whole elements, and write styles as they are",
        ));
    }
    if !skeleton.html.contains("<mjml") {
        return Err(Fault::of(Error::NoRootNode, ""));
    }
    if depth(&skeleton.html) > DEPTH {
        return Err(Fault::new(None, "elements that stand too deep in each other", "at most 64 levels are read"));
    }
    let parsed = mrml::parse_with_options(&skeleton.html, &ParserOptions::default())
        .map_err(|error| Fault::of(error, &skeleton.html))?;
    if let Some(warning) = parsed.warnings.first() {
        let (message, help) = match warning.kind {
            WarningKind::UnexpectedAttribute => {
                ("MJML knows no such attribute here", "see documentation.mjml.io for those of each element")
            }
            WarningKind::InlineStyleUnsupported => {
                ("`inline` does nothing here", "leave it out: styles are put in place in any case")
            }
        };
        return Err(Fault::new(Some(warning.span), message, help));
    }
    let options =
        RenderOptions { disable_comments: false, social_icon_origin: Some(NO_PICTURE.into()), fonts: HashMap::new() };
    let html = parsed.element.render(&options).map_err(|error| {
        Fault::new(None, format!("MJML cannot be made into HTML: {error}"), "see documentation.mjml.io")
    })?;
    if let Some(left) = html.find("<mj-") {
        // What the renderer does not know it takes for HTML.
        let name: String = html[left..].chars().take_while(|c| !c.is_whitespace() && !matches!(c, '>' | '/')).collect();
        let span = skeleton.html.find(&name).map(|start| Span { start, end: start + name.len() });
        return Err(Fault::new(span, "MJML knows no such element here", PLACES));
    }
    if html.contains(NO_PICTURE) {
        let help = "give each `mj-social-element` its picture: `src=\"https://…\"`";
        return Err(Fault::new(None, "a picture that would be fetched from somebody else", help));
    }
    Ok(html)
}

/// How deep the elements of a text stand in each other, at most.
fn depth(text: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    for (at, _) in text.match_indices('<') {
        let behind = &text[at + 1..];
        if behind.starts_with('/') {
            open = open.saturating_sub(1);
        } else if behind.starts_with(|c: char| c.is_ascii_alphabetic()) {
            open += 1;
            deepest = deepest.max(open);
            let ends = behind.find('>').is_some_and(|end| behind[..end].ends_with('/'));
            open -= usize::from(ends);
        }
    }
    deepest
}

/// What the renderer refused, at a place of the text that it was given.
struct Fault {
    span: Option<Span>,
    message: String,
    help: &'static str,
}

impl Fault {
    fn new(span: Option<Span>, message: impl Into<String>, help: &'static str) -> Self {
        Self { span, message: message.into(), help }
    }

    fn of(error: Error, text: &str) -> Self {
        match error {
            Error::UnexpectedElement { position, .. } => {
                Self::new(Some(position), "MJML knows no such element here", PLACES)
            }
            Error::UnexpectedToken { position, .. } => Self::new(Some(position), "this cannot stand here", PLACES),
            Error::MissingAttribute { name, position, .. } => {
                Self::new(Some(position), format!("the attribute `{name}` is missing"), PLACES)
            }
            Error::InvalidAttribute { position, .. } | Error::InvalidFormat { position, .. } => {
                Self::new(Some(position), "this attribute cannot be read", PLACES)
            }
            Error::IncludeLoaderError { position, .. } => {
                Self::new(Some(position), "`mj-include` is not read", "use a partial: `{{> name}}`")
            }
            Error::EndOfStream { .. } => {
                Self::new(None, "an element is not closed", "close each: `<mj-text>…</mj-text>`")
            }
            Error::ParserError { source, .. } => {
                let place = rest_of_line(text, source.pos().row, source.pos().col);
                Self::new(place, "this is not MJML", "is a tag or a quote left open?")
            }
            Error::SizeLimit { .. } => Self::new(None, "this is too long", "a letter of this length is not read"),
            Error::NoRootNode => Self::new(None, "there is no `<mjml>`", "write `<mjml><mj-body>…</mj-body></mjml>`"),
        }
    }

    /// The fault at its place in the file: the renderer saw marks instead of values.
    fn told(&self, tree: &Tree, skeleton: &Skeleton<'_>) -> Problem {
        let words = self.span.and_then(|span| skeleton.html.get(span.start..span.end)).unwrap_or_default();
        let words = words.split(MARK).next().unwrap_or_default();
        let sources = tree.sources.iter().enumerate();
        let found =
            sources.filter(|_| !words.is_empty()).find_map(|(file, source)| Some((file, source.text.find(words)?)));
        let (file, start) = found.unwrap_or((0, 0));
        let end = if found.is_some() { start + words.len() } else { start };
        Problem::error(&tree.sources[file], start..end, self.message.as_str()).help(self.help)
    }
}

/// The text from a row and column on, which count from 1.
fn rest_of_line(text: &str, row: u32, column: u32) -> Option<Span> {
    let (row, column) = (usize::try_from(row).ok()?, usize::try_from(column).ok()?);
    let start: usize = text.split_inclusive('\n').take(row.checked_sub(1)?).map(str::len).sum();
    let line = text.get(start..)?.lines().next()?;
    let (before, _) = line.char_indices().nth(column.checked_sub(1)?)?;
    Some(Span { start: start + before, end: start + line.len() })
}

/// A value or block for which the renderer had no place.
fn misplaced(tree: &Tree, skeleton: &Skeleton<'_>, lost: Option<usize>) -> Problem {
    let at = lost.map_or(At { file: 0, start: 0, end: 0 }, |place| match skeleton.marked[place] {
        Node::Print(value) => value.at(),
        Node::If { test, .. } => test.at(),
        Node::Each { list, .. } => list.at(),
        Node::Text(_) => unreachable!("text is not marked"),
    });
    Problem::error(&tree.sources[at.file], at.start..at.end, "MJML has no place for this here")
        .help("values stand in text or in quoted attributes, blocks around whole elements")
}
