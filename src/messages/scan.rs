//! The linear look at a template before any parser sees it.
//!
//! Handlebars' parser and renderer recurse, and a template of 41 bytes can end the process. What could do that is
//! refused here, in one pass over the bytes without recursion.
//!
//! 1. At most [`MAX_SOURCE`] bytes a file, [`MAX_NESTING`] blocks deep (an `else if` counts as one), [`MAX_BRACKETS`]
//!    brackets deep within a tag.
//! 2. No inline partials, partial blocks, dynamic partials, decorators or raw blocks.
//! 3. Every tag is found with its place, in the order of the text.

use crate::problem::Fault;
use std::ops::Range;

/// Bytes of one template file.
pub const MAX_SOURCE: usize = 64 * 1024;
/// Blocks within blocks.
pub const MAX_NESTING: usize = 32;
/// Brackets within brackets in one tag.
const MAX_BRACKETS: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TagKind {
    Print,
    Open,
    /// `{{else if x}}`.
    ElseChain,
    Else,
    Close,
    Partial,
    Comment,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tag {
    pub kind: TagKind,
    /// From the first brace to behind the last.
    pub span: Range<usize>,
}

/// Finds the tags of `text`, or why it cannot be read.
///
/// # Errors
/// The first fault: what follows it cannot be told.
pub fn scan(text: &str) -> Result<Vec<Tag>, Fault> {
    if text.len() > MAX_SOURCE {
        let message = format!("the file is {} bytes long, and a template may be {MAX_SOURCE}", text.len());
        return Err(Fault::new(0..0, message).help("move parts of it into `_partials`"));
    }
    let mut tags = Vec::new();
    let mut nesting = Nesting::default();
    let mut from = 0;
    while let Some(found) = text[from..].find("{{") {
        let start = from + found;
        let tag = read_tag(text, start)?;
        nesting.take(&tag, text)?;
        from = tag.span.end;
        tags.push(tag);
    }
    nesting.end(text)?;
    Ok(tags)
}

/// Blocks that are open: where each began, and how many `else if` it has had.
#[derive(Default)]
struct Nesting {
    open: Vec<(Range<usize>, usize)>,
    depth: usize,
}

impl Nesting {
    fn take(&mut self, tag: &Tag, text: &str) -> Result<(), Fault> {
        match tag.kind {
            TagKind::Open => {
                self.open.push((tag.span.clone(), 0));
                self.depth += 1;
            }
            TagKind::ElseChain => {
                let (_, chained) = self.open.last_mut().ok_or_else(|| outside(tag, "{{else …}}"))?;
                *chained += 1;
                self.depth += 1;
            }
            TagKind::Else if self.open.is_empty() => return Err(outside(tag, "{{else}}")),
            TagKind::Close => {
                let (opened, chained) = self.open.pop().ok_or_else(|| outside(tag, "the end of a block"))?;
                let (opened, closed) = (name_of(text, &opened), name_of(text, &tag.span));
                if opened != closed {
                    let message = format!("`{closed}` is closed, and what is open is `{opened}`");
                    return Err(Fault::new(tag.span.clone(), message).help(format!("write `{{{{/{opened}}}}}`")));
                }
                self.depth -= 1 + chained;
            }
            _ => {}
        }
        if self.depth > MAX_NESTING {
            let message = format!("more than {MAX_NESTING} blocks within each other");
            return Err(Fault::new(tag.span.clone(), message));
        }
        Ok(())
    }

    fn end(self, text: &str) -> Result<(), Fault> {
        self.open.last().map_or(Ok(()), |(span, _)| {
            let name: String = name_of(text, span);
            Err(Fault::new(span.clone(), "this block is never closed").help(format!("close it with `{{{{/{name}}}}}`")))
        })
    }
}

/// The name in `{{#name …}}` and `{{/name}}`.
fn name_of(text: &str, span: &Range<usize>) -> String {
    let inner = text[span.clone()].trim_start_matches(['{', '~', '#', '^', '/', ' ']);
    inner.chars().take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect()
}

fn outside(tag: &Tag, what: &str) -> Fault {
    Fault::new(tag.span.clone(), format!("{what} without a block that is open"))
}

fn read_tag(text: &str, start: usize) -> Result<Tag, Fault> {
    let rest = &text[start..];
    let refuse = |message: &str, help: &str| Err(Fault::new(start..start + 2, message).help(help));
    if text[..start].ends_with('\\') {
        return refuse("a backslash before `{{`", "text that shows braces can use `&#123;&#123;` in HTML");
    }
    if rest.starts_with("{{{{") {
        return refuse("raw blocks `{{{{…}}}}` are not part of the language", "write `{{…}}`");
    }
    if rest.starts_with("{{!") {
        return comment(text, start);
    }
    let inner = rest[2..].trim_start_matches('~').trim_start();
    let kind = kind_of(inner).map_err(|(message, help)| Fault::new(start..start + 2, message).help(help))?;
    let closing = if inner.starts_with('{') { "}}}" } else { "}}" };
    let end = end_of_tag(text, start, closing)?;
    Ok(Tag { kind, span: start..end })
}

fn comment(text: &str, start: usize) -> Result<Tag, Fault> {
    let closing = if text[start..].starts_with("{{!--") { "--}}" } else { "}}" };
    let end = text[start..].find(closing).ok_or_else(|| {
        Fault::new(start..start + 3, "this comment is never closed").help(format!("close it with `{closing}`"))
    })?;
    Ok(Tag { kind: TagKind::Comment, span: start..start + end + closing.len() })
}

/// What a tag is by what follows its braces.
fn kind_of(inner: &str) -> Result<TagKind, (&'static str, &'static str)> {
    let mut chars = inner.chars();
    match chars.next() {
        Some('#') => match chars.as_str().trim_start().chars().next() {
            Some('*') => Err(("inline partials are not part of the language", "put it into a file of `_partials`")),
            Some('>') => Err(("partial blocks are not part of the language", "write `{{> name}}`")),
            _ => Ok(TagKind::Open),
        },
        Some('*') => Err(("decorators are not part of the language", "write `{{…}}`")),
        Some('>') => match chars.as_str().trim_start().chars().next() {
            Some('(') => Err(("a partial's name cannot be computed", "write its name: `{{> footer}}`")),
            Some('@') => Err(("`@partial-block` is not part of the language", "write `{{> name}}`")),
            _ => Ok(TagKind::Partial),
        },
        Some('/') => Ok(TagKind::Close),
        Some('^') => Ok(else_kind(chars.as_str())),
        _ => match inner.strip_prefix("else") {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_whitespace() || c == '}' || c == '~') => {
                Ok(else_kind(rest))
            }
            _ => Ok(TagKind::Print),
        },
    }
}

fn else_kind(rest: &str) -> TagKind {
    let rest = rest.trim_start().trim_start_matches('~');
    if rest.is_empty() || rest.starts_with('}') { TagKind::Else } else { TagKind::ElseChain }
}

/// Where the tag that begins at `start` ends; quotes hide braces.
fn end_of_tag(text: &str, start: usize, closing: &str) -> Result<usize, Fault> {
    let bytes = text.as_bytes();
    let mut at = start + closing.len();
    let mut brackets = 0_usize;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => at = end_of_quote(bytes, at, quote),
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets = brackets.saturating_sub(1),
            b'{' => {
                let line = text[start..at].find(['\n', '}']).map_or(at, |end| start + end);
                let is_half = text[line..].starts_with('}');
                let fault = Fault::new(start..line + usize::from(is_half), "this tag is never closed");
                return Err(fault.help(format!("close it with `{closing}`")));
            }
            b'}' if text[at..].starts_with(closing) => return Ok(at + closing.len()),
            _ => {}
        }
        if brackets > MAX_BRACKETS {
            return Err(Fault::new(at..at + 1, format!("more than {MAX_BRACKETS} brackets within each other")));
        }
        at += 1;
    }
    Err(Fault::new(start..start + 2, "this tag is never closed").help(format!("close it with `{closing}`")))
}

/// The closing quote of the text that begins at `at`, or the end.
fn end_of_quote(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    at += 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at
}
