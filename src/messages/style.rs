//! Styles put where mail readers look for them: in each element's `style`.
//!
//! 1. Once per template: the template's HTML is given to the inliner with marks in place of values and blocks, and
//!    taken apart again ([`inline`]).
//! 2. Where styles hang on data (`class="{{…}}"`) or a block holds half an element, once per message ([`inline_message`]).
//! 3. No style sheet is ever fetched.

use crate::messages::markup::{Skeleton, apart};
use crate::messages::tree::Node;
use css_inline::{CSSInliner, InlineError};

fn inliner() -> CSSInliner<'static> {
    CSSInliner::options().load_remote_stylesheets(false).keep_at_rules(true).build()
}

/// Puts the styles of a rendered part in place.
///
/// # Errors
/// Why the styles cannot be read.
pub fn inline_message(html: &str) -> Result<String, String> {
    inliner().inline(html).map_err(|error: InlineError| error.to_string())
}

/// The template with its styles in place; `None` where that has to wait for the message.
pub fn inline(skeleton: &Skeleton<'_>) -> Option<Vec<Node>> {
    if !skeleton.whole {
        return None;
    }
    let html = inline_message(&skeleton.html).ok()?;
    apart(skeleton, &html).ok()
}
