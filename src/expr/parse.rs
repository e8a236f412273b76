//! From text to CEL's own tree, by the `cel` crate's parser with no macro expanded.
//!
//! 1. The parser recurses deeply: it runs on a thread of its own with a large stack, after [`super::scan`].
//! 2. Places are bytes of the text. The parser knows one per node (an operator, a point, an opening bracket); the
//!    tokens of the scan give the rest.

use super::scan::{Token, TokenKind, scan};
use crate::problem::Fault;
use cel::common::ast::{Expr, SourceInfo};
use cel::parser::ParseError;
use cel::{Env, IdedExpr};
use std::ops::Range;

const STACK_BYTES: usize = 16 * 1024 * 1024;

/// A condition's text with its tokens and the places of its nodes.
pub struct Text<'a> {
    pub text: &'a str,
    pub tokens: Vec<Token>,
    info: SourceInfo,
}

/// Runs `work` where the recursion of parser and typing fits.
pub fn on_a_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("expr".to_owned()).stack_size(STACK_BYTES);
        let handle = thread.spawn_scoped(scope, work).expect("a thread can be started");
        match handle.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Parses `text`. To be called inside [`on_a_large_stack`].
///
/// # Errors
/// What the scan finds, else the parser's first error.
pub fn parse(text: &str) -> Result<(IdedExpr, Text<'_>), Vec<Fault>> {
    let tokens = scan(text)?;
    let parser = Env::default().with_optional_support(false).parser();
    match parser.parse_with_source_info(text) {
        Ok((tree, info)) => Ok((tree, Text { text, tokens, info })),
        Err(errors) => Err(vec![fault(text, &tokens, errors.errors.first())]),
    }
}

/// The parser's error in our words: what stands at its place, and that it does not belong there.
fn fault(text: &str, tokens: &[Token], error: Option<&ParseError>) -> Fault {
    let place = error.map_or(0, |error| place(text, error.pos));
    let message = error.map_or("", |error| error.msg.as_str());
    let Some(token) = tokens.iter().find(|token| token.span.end > place) else {
        return Fault::new(text.len()..text.len(), "the condition ends too early");
    };
    let word = &text[token.span.clone()];
    if message.starts_with("reserved identifier") {
        return Fault::new(token.span.clone(), format!("`{word}` is a word that CEL keeps for itself"));
    }
    match token.kind {
        TokenKind::Number => {
            Fault::new(token.span.clone(), format!("the number `{word}` is too large or stands in a wrong place"))
        }
        TokenKind::Text if word.contains('\\') => {
            let fault = Fault::new(token.span.clone(), "a text with an escape that CEL does not know");
            fault.help("write `\\\\` for a backslash, or put r before the quotes")
        }
        _ => Fault::new(token.span.clone(), format!("`{word}` is not expected here")),
    }
}

/// The byte that a line and a column (from 1, in characters) name.
fn place(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &text[start.min(text.len())..];
    start + rest.char_indices().nth(column).map_or(rest.len(), |(byte, _)| byte)
}

impl<'a> Text<'a> {
    /// The token that the parser names as the node's place.
    fn token(&self, node: &IdedExpr) -> Option<usize> {
        let (start, _) = self.info.offset_for(node.id)?;
        let start = usize::try_from(start).ok()?;
        let found = self.tokens.partition_point(|token| token.span.end <= start);
        (found < self.tokens.len()).then_some(found)
    }

    /// The digits of a number as written, without a sign.
    pub fn digits(&self, node: &IdedExpr) -> Option<&'a str> {
        let token = &self.tokens[self.token(node)?];
        (token.kind == TokenKind::Number).then(|| &self.text[token.span.clone()])
    }

    /// The text from the first to the last byte of `node`; brackets around it are not part of it.
    pub fn written(&self, node: &IdedExpr) -> &'a str {
        &self.text[self.span(node)]
    }

    /// The bytes of `node`.
    pub fn span(&self, node: &IdedExpr) -> Range<usize> {
        let (start, end) = (self.start(node), self.end(node));
        if start < end { start..end } else { 0..self.text.len() }
    }

    /// The bytes of the name that `node` ends with: a field after its point, a function before its bracket.
    pub fn name_span(&self, node: &IdedExpr) -> Range<usize> {
        let Some(token) = self.token(node) else { return self.span(node) };
        match &node.expr {
            Expr::Select(_) => self.tokens.get(token + 1).unwrap_or(&self.tokens[token]).span.clone(),
            Expr::Call(call) if self.is_bracket(token) && !call.func_name.starts_with('_') => {
                self.tokens[token.saturating_sub(1)].span.clone()
            }
            _ => self.tokens[token].span.clone(),
        }
    }

    fn is_bracket(&self, token: usize) -> bool {
        &self.text[self.tokens[token].span.clone()] == "("
    }

    fn start(&self, node: &IdedExpr) -> usize {
        let own = || self.token(node).map_or(0, |token| self.tokens[token].span.start);
        match &node.expr {
            Expr::Select(select) => self.start(&select.operand),
            Expr::Call(call) => match (&call.target, call.args.first(), self.token(node)) {
                (Some(target), _, _) => self.start(target),
                (None, _, Some(token)) if self.is_bracket(token) => self.tokens[token.saturating_sub(1)].span.start,
                (None, Some(first), _) if call.args.len() > 1 => self.start(first),
                _ => own(),
            },
            Expr::Literal(_) => match self.token(node) {
                Some(token) if token > 0 && self.is_sign(token - 1) => self.tokens[token - 1].span.start,
                _ => own(),
            },
            _ => own(),
        }
    }

    /// Whether the token is a minus that belongs to the number after it.
    fn is_sign(&self, token: usize) -> bool {
        let text = |index: usize| &self.text[self.tokens[index].span.clone()];
        let number = self.tokens.get(token + 1).is_some_and(|next| next.kind == TokenKind::Number);
        let after_value =
            token > 0 && (self.tokens[token - 1].kind != TokenKind::Symbol || matches!(text(token - 1), ")" | "]"));
        number && text(token) == "-" && !after_value
    }

    fn end(&self, node: &IdedExpr) -> usize {
        let Some(token) = self.token(node) else { return self.text.len() };
        match &node.expr {
            Expr::Select(_) => self.tokens.get(token + 1).map_or(self.text.len(), |name| name.span.end),
            Expr::Call(call) => match call.args.last() {
                _ if self.is_bracket(token) => self.closing(token),
                Some(last) => self.end(last),
                None => self.tokens[token].span.end,
            },
            Expr::List(_) | Expr::Map(_) | Expr::Struct(_) => self.closing(token),
            _ => self.tokens[token].span.end,
        }
    }

    /// Where the bracket that opens at `token` is closed.
    fn closing(&self, token: usize) -> usize {
        let mut depth = 0_usize;
        for token in &self.tokens[token..] {
            match &self.text[token.span.clone()] {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return token.span.end;
            }
        }
        self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(text: &str) -> String {
        let found = on_a_large_stack(|| parse(text).err()).expect("a fault");
        format!("{}: {}", found[0].span.start, found[0])
    }

    #[test]
    fn the_place_of_a_syntax_error_is_its_token() {
        assert_eq!(fault_of("customer.tier == "), "17: the condition ends too early");
        assert_eq!(fault_of("a b"), "2: `b` is not expected here");
        assert_eq!(fault_of("'é' == 'ü' b"), "13: `b` is not expected here");
        assert_eq!(fault_of("if == 1"), "0: `if` is a word that CEL keeps for itself");
        assert_eq!(
            fault_of("a == 99999999999999999999"),
            "5: the number `99999999999999999999` is too large or stands in a wrong place"
        );
        assert_eq!(
            fault_of(r"a == '\q'"),
            "5: a text with an escape that CEL does not know (write `\\\\` for a backslash, or put r before the quotes)"
        );
    }

    #[test]
    fn a_node_knows_its_own_text() {
        let text = "a && customer.orders.filter(o, (o.total) > -5).size() >= 3";
        on_a_large_stack(|| {
            let (tree, source) = parse(text).expect("a good text");
            let Expr::Call(and) = &tree.expr else { panic!("an and") };
            let Expr::Call(compare) = &and.args[1].expr else { panic!("a comparison") };
            assert_eq!(source.written(&compare.args[0]), "customer.orders.filter(o, (o.total) > -5).size()");
            let Expr::Call(size) = &compare.args[0].expr else { panic!("a call") };
            let filter = size.target.as_ref().expect("a target");
            assert_eq!(&text[source.name_span(filter)], "filter");
            let Expr::Call(filter) = &filter.expr else { panic!("a call") };
            assert_eq!(source.written(&filter.args[1]), "o.total) > -5");
        });
    }
}
