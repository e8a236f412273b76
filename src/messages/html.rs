//! HTML: values become text in it, links lead to where links may lead.
//!
//! 1. Escaped once, where a value is printed; never again.
//! 2. After rendering, every link is looked at as a browser would: only [`ALLOWED_SCHEMES`] leave.

/// Where a link in a message may lead.
pub const ALLOWED_SCHEMES: [&str; 5] = ["http", "https", "mailto", "tel", "cid"];
/// Attributes that hold an address.
pub const LINKS: [&str; 10] =
    ["href", "src", "action", "formaction", "background", "poster", "cite", "data", "srcset", "xlink:href"];

/// Appends `text` so that no browser reads markup in it, in an element or in a quoted attribute.
pub fn escape_into(out: &mut String, text: &str) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escaped = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#x27;",
            b'`' => "&#x60;",
            b'=' => "&#x3D;",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(escaped);
        from = at + 1;
    }
    out.push_str(&text[from..]);
}

/// One attribute with a value, as it stands in the source.
pub struct Attribute<'a> {
    pub name: &'a str,
    pub value: &'a str,
}

/// Walks the tags of `html` and hands each attribute that has a value to `seen`, until it answers with an error.
///
/// # Errors
/// The error of `seen`.
pub fn attributes<'a, E>(html: &'a str, mut seen: impl FnMut(Attribute<'a>) -> Result<(), E>) -> Result<(), E> {
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        rest = &rest[open + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            // A conditional comment is markup to Outlook: what stands in it is looked at like anything else.
            rest = comment;
        } else if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            rest = tag(rest, &mut seen)?;
        }
    }
    Ok(())
}

/// Reads one tag from behind its `<`; gives what follows it.
fn tag<'a, E>(text: &'a str, seen: &mut impl FnMut(Attribute<'a>) -> Result<(), E>) -> Result<&'a str, E> {
    let ends_name = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '=');
    let mut rest = &text[text.find(ends_name).unwrap_or(text.len())..];
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '='));
        if rest.is_empty() {
            return Ok(rest);
        }
        if let Some(behind) = rest.strip_prefix('>') {
            return Ok(behind);
        }
        let (name, behind) = rest.split_at(rest.find(ends_name).unwrap_or(rest.len()));
        let Some(value) = behind.trim_start().strip_prefix('=') else {
            rest = behind;
            continue;
        };
        let value = value.trim_start();
        let (value, behind) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            _ => value.split_at(value.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(value.len())),
        };
        seen(Attribute { name, value })?;
        rest = behind;
    }
}

/// Checks every link of a rendered part.
///
/// # Errors
/// The first link that may not be sent, as written.
pub fn check_links(html: &str) -> Result<(), String> {
    attributes(html, |attribute| {
        let name = attribute.name.to_ascii_lowercase();
        if LINKS.contains(&name.as_str()) && !is_allowed(attribute.value) {
            return Err(attribute.value.chars().take(80).collect());
        }
        Ok(())
    })
}

/// Whether an attribute's value leads somewhere allowed: an allowed scheme, or a place in the same message.
pub fn is_allowed(value: &str) -> bool {
    let decoded = decode(value);
    // Browsers drop tabs, line ends and leading controls before they read a scheme.
    let address: String = decoded.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    let Some((scheme, _)) = address.split_once(':') else {
        return address.is_empty() || address.starts_with('#');
    };
    ALLOWED_SCHEMES.iter().any(|allowed| scheme.eq_ignore_ascii_case(allowed)) || scheme.starts_with('#')
}

/// The text of an attribute's value: character references replaced.
fn decode(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(rest) {
            Some((c, length)) => {
                text.extend(c);
                rest = &rest[length..];
            }
            None => {
                text.push('&');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

/// The character reference at the start of `text` and its length. Those that could hide a scheme are known by name.
fn reference(text: &str) -> Option<(Option<char>, usize)> {
    if let Some(number) = text.strip_prefix("&#") {
        let (radix, digits) = match number.strip_prefix(['x', 'X']) {
            Some(hex) => (16, hex),
            None => (10, number),
        };
        let length = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
        let code = u32::from_str_radix(&digits[..length], radix).ok()?;
        let end = text.len() - digits.len() + length;
        return Some((char::from_u32(code), end + usize::from(text[end..].starts_with(';'))));
    }
    let names = [
        ("&colon;", ':'),
        ("&Tab;", '\t'),
        ("&NewLine;", '\n'),
        ("&amp;", '&'),
        ("&quot;", '"'),
        ("&sol;", '/'),
        ("&num;", '#'),
        ("&lpar;", '('),
    ];
    names.iter().find(|(name, _)| text.starts_with(name)).map(|(name, c)| (Some(*c), name.len()))
}

/// Whether `url` is absolute and `http` or `https`, with a host and nothing that could not stand in an address.
pub fn is_web_address(url: &str) -> bool {
    let host = ["https://", "http://"].iter().find_map(|scheme| {
        url.get(..scheme.len()).filter(|start| start.eq_ignore_ascii_case(scheme)).map(|_| &url[scheme.len()..])
    });
    host.is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '['))
        && !url.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '\\'))
}
