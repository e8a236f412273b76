//! Where in HTML one is after some of it: the states of an HTML tokenizer that matter to a template.

/// Elements that have no end.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Elements whose content is text alone.
const RAW: [&str; 4] = ["script", "style", "title", "textarea"];

/// Where a value would stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place<'p> {
    Text,
    /// Between `<` and `>`, outside of quotes.
    Tag,
    /// In the quoted value of an attribute.
    Attribute(&'p str),
    /// In an element whose content is text alone.
    Raw(&'p str),
    Comment,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    Text,
    Name,
    Tag,
    Attribute,
    Equals,
    Value(char),
    Unquoted,
    Raw,
    Comment,
    Declaration,
}

/// What was passed on the way.
#[derive(Default)]
pub struct Seen {
    pub scripts: bool,
    pub styles: bool,
    /// Attributes such as `onclick`.
    pub handlers: Vec<String>,
    /// Attributes with their whole values, where no value of the data is in them.
    pub links: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default)]
pub struct Position {
    state: State,
    /// The tag at hand: its name, lowercase; `/` before that of an end.
    tag: String,
    attribute: String,
    /// The attribute's value so far; `None` once a value of the data is in it.
    value: Option<String>,
    /// What of the text was not yet enough to tell: `<!-` …
    held: String,
    /// Elements opened within the block at hand and not yet closed.
    open: Vec<String>,
    /// An element was closed that the block did not open.
    broken: bool,
}

impl Position {
    /// Where a block within this place begins.
    pub fn inside(&self) -> Self {
        Self { open: Vec::new(), broken: false, ..self.clone() }
    }

    /// Whether the HTML of a block leads back to where the block began.
    pub fn is_back_at(&self, before: &Self) -> bool {
        self.state == before.state
            && self.tag == before.tag
            && (self.attribute == before.attribute || !matches!(self.state, State::Value(_)))
            && self.held == before.held
            && self.open.is_empty()
            && !self.broken
    }

    pub fn place(&self) -> Place<'_> {
        match self.state {
            // Behind a `<` of which it is not yet known what it begins.
            State::Text if !self.held.is_empty() => Place::Tag,
            State::Text => Place::Text,
            State::Value(_) => Place::Attribute(&self.attribute),
            State::Raw => Place::Raw(&self.tag),
            State::Comment | State::Declaration => Place::Comment,
            State::Name | State::Tag | State::Attribute | State::Equals | State::Unquoted => Place::Tag,
        }
    }

    /// Passes a value of the data.
    pub fn value(&mut self) {
        self.value = None;
    }

    /// Passes text of the template.
    pub fn feed(&mut self, text: &str) -> Seen {
        let mut seen = Seen::default();
        text.chars().for_each(|c| self.step(c, &mut seen));
        seen
    }

    fn step(&mut self, c: char, seen: &mut Seen) {
        match self.state {
            State::Text => self.in_text(c),
            State::Raw => self.in_raw(c),
            State::Comment => self.until("-->", c),
            State::Declaration if c == '>' => self.state = State::Text,
            State::Declaration => {}
            State::Name => match c {
                '>' => self.end_tag(seen),
                c if c.is_ascii_whitespace() || c == '/' && self.tag.len() > 1 => self.state = State::Tag,
                c => self.tag.push(c.to_ascii_lowercase()),
            },
            State::Tag => self.in_tag(c, seen),
            State::Attribute => match c {
                '=' => self.state = State::Equals,
                '>' => self.end_tag(seen),
                c if c.is_ascii_whitespace() || c == '/' => self.state = State::Tag,
                c => self.attribute.push(c.to_ascii_lowercase()),
            },
            State::Equals => match c {
                '"' | '\'' => self.begin_value(State::Value(c), seen),
                '>' => self.end_tag(seen),
                c if c.is_ascii_whitespace() => {}
                c => {
                    self.begin_value(State::Unquoted, seen);
                    self.value = Some(c.to_string());
                }
            },
            State::Value(quote) if c == quote => self.end_value(seen),
            State::Unquoted if c == '>' || c.is_ascii_whitespace() => {
                self.end_value(seen);
                if c == '>' {
                    self.end_tag(seen);
                }
            }
            State::Value(_) | State::Unquoted => {
                if let Some(value) = &mut self.value {
                    value.push(c);
                }
            }
        }
    }

    fn in_text(&mut self, c: char) {
        if self.held.is_empty() {
            if c == '<' {
                self.held.push(c);
            }
            return;
        }
        self.held.push(c);
        match self.held.as_str() {
            "<!" | "<!-" => return,
            "<!--" => self.state = State::Comment,
            "<?" => self.state = State::Declaration,
            held if held.starts_with("<!") => self.state = State::Declaration,
            "</" => {
                self.tag = "/".to_owned();
                self.state = State::Name;
            }
            _ if c.is_ascii_alphabetic() => {
                self.tag = c.to_ascii_lowercase().to_string();
                self.state = State::Name;
            }
            _ => {}
        }
        self.held.clear();
    }

    /// The end tag of an element whose content is text alone.
    fn in_raw(&mut self, c: char) {
        self.held.push(c.to_ascii_lowercase());
        let end = format!("</{}", self.tag);
        if self.held == end {
            self.held.clear();
            self.tag.insert(0, '/');
            self.state = State::Name;
        } else if !end.starts_with(&self.held) {
            self.held.clear();
            if c == '<' {
                self.held.push(c);
            }
        }
    }

    fn until(&mut self, end: &str, c: char) {
        self.held.push(c);
        if self.held.ends_with(end) {
            self.held.clear();
            self.state = State::Text;
        } else if !end.starts_with(&self.held) {
            let kept: String = self.held.chars().rev().take_while(|&c| c == '-').take(2).collect();
            self.held = kept;
        }
    }

    fn in_tag(&mut self, c: char, seen: &mut Seen) {
        match c {
            '>' => self.end_tag(seen),
            c if c.is_ascii_whitespace() || c == '/' => {}
            '=' => self.state = State::Equals,
            c => {
                self.attribute = c.to_ascii_lowercase().to_string();
                self.state = State::Attribute;
            }
        }
    }

    fn begin_value(&mut self, state: State, seen: &mut Seen) {
        if self.attribute.starts_with("on") {
            seen.handlers.push(self.attribute.clone());
        }
        self.value = Some(String::new());
        self.state = state;
    }

    fn end_value(&mut self, seen: &mut Seen) {
        if let Some(value) = self.value.take() {
            seen.links.push((self.attribute.clone(), value));
        }
        self.attribute.clear();
        self.state = State::Tag;
    }

    fn end_tag(&mut self, seen: &mut Seen) {
        self.attribute.clear();
        self.state = State::Text;
        seen.scripts |= self.tag == "script";
        seen.styles |= self.tag == "style";
        if let Some(name) = self.tag.strip_prefix('/') {
            match self.open.pop() {
                Some(open) => self.broken |= open != name,
                None => self.broken = true,
            }
            self.tag.clear();
        } else if RAW.contains(&self.tag.as_str()) {
            self.open.push(self.tag.clone());
            self.state = State::Raw;
        } else {
            let tag = std::mem::take(&mut self.tag);
            if !VOID.contains(&tag.as_str()) {
                self.open.push(tag);
            }
        }
    }
}
