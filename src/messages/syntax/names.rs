//! What a name means where it stands.
//!
//! 1. `customer.first_name` is read from the row at hand, `../` leads one `each` or `with` outwards, `@root` to the
//!    message's own names.
//! 2. `as |line|` and a partial's `name=value` give names that come before the row's; a partial sees none of its
//!    caller's.

use crate::messages::tree::{At, Expr, Loop, Path};

/// A path as written, taken apart.
pub struct Way<'a> {
    from_root: bool,
    /// Written `this.x` or `./x`: never one of the given names.
    from_row: bool,
    ups: usize,
    fields: Vec<&'a str>,
}

impl<'a> Way<'a> {
    pub fn read(raw: &'a str) -> Self {
        let mut way = Self { from_root: false, from_row: false, ups: 0, fields: Vec::new() };
        let mut rest = raw;
        if let Some(behind) = rest.strip_prefix("./") {
            (way.from_row, rest) = (true, behind);
        }
        if let Some(behind) = rest.strip_prefix("@root.").or_else(|| rest.strip_prefix("@root/")) {
            (way.from_root, rest) = (true, behind);
        }
        while let Some(behind) = rest.strip_prefix("../").or_else(|| rest.strip_prefix("...")) {
            way.ups += 1;
            rest = behind;
        }
        for (index, field) in split(rest).into_iter().enumerate() {
            if field == "this" {
                way.from_row |= index == 0;
            } else {
                way.fields.push(field);
            }
        }
        way
    }
}

/// Splits `a.b/c.[d e]` at its points and slashes.
fn split(raw: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() {
        let (field, behind) = match rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((field, behind)) => (field, behind),
            None => rest.split_at(rest.find(['.', '/']).unwrap_or(rest.len())),
        };
        fields.push(field);
        rest = behind.strip_prefix(['.', '/']).unwrap_or(behind);
    }
    fields
}

/// The names that can be read at a place.
pub struct Scope<'s> {
    /// The row at hand: a frame and a way from it.
    frame: usize,
    fields: Vec<String>,
    names: Vec<(String, Expr)>,
    /// The frame whose `@index` is at hand.
    pub row: Option<usize>,
    /// How many `each` stand around.
    depth: usize,
    /// What `../` leads to.
    outer: Option<&'s Scope<'s>>,
    /// Where names are looked for next.
    lexical: Option<&'s Scope<'s>>,
}

type NameFault = (String, Option<String>);

impl<'s> Scope<'s> {
    pub fn root() -> Self {
        Self { frame: 0, fields: Vec::new(), names: Vec::new(), row: None, depth: 0, outer: None, lexical: None }
    }

    /// The scope of an `if`: nothing changes.
    pub fn same(&'s self) -> Self {
        Self {
            frame: self.frame,
            fields: self.fields.clone(),
            names: Vec::new(),
            row: self.row,
            depth: self.depth,
            outer: self.outer,
            lexical: Some(self),
        }
    }

    /// The scope of an `each`.
    pub fn row(&'s self, at: At, (row, index): (Option<&str>, Option<&str>)) -> Self {
        let frame = self.depth + 1;
        let path = |name: &str| Path { frame, fields: Vec::new(), text: name.to_owned(), at };
        let names = row.map(|name| (name.to_owned(), Expr::Path(path(name))));
        let index = index.map(|name| (name.to_owned(), Expr::Loop { frame, what: Loop::Index, at }));
        Self {
            frame,
            fields: Vec::new(),
            names: names.into_iter().chain(index).collect(),
            row: Some(frame),
            depth: frame,
            outer: Some(self),
            lexical: Some(self),
        }
    }

    /// The scope of a `with`.
    pub fn within(&'s self, path: Path, (name, _): (Option<&str>, Option<&str>)) -> Self {
        let names = name.map(|name| (name.to_owned(), Expr::Path(path.clone()))).into_iter().collect();
        let (frame, fields) = (path.frame, path.fields);
        Self { frame, fields, names, row: self.row, depth: self.depth, outer: Some(self), lexical: Some(self) }
    }

    /// The scope of a partial's text.
    pub fn partial(&'s self, context: Option<Path>, names: Vec<(String, Expr)>) -> Self {
        let mut scope = match context {
            Some(path) => self.within(path, (None, None)),
            None => self.same(),
        };
        (scope.names, scope.lexical) = (names, None);
        scope
    }

    pub fn up(&self, levels: usize) -> Option<&Scope<'s>> {
        (0..levels).try_fold(self, |scope, _| scope.outer)
    }

    fn name(&self, name: &str) -> Option<&Expr> {
        let own = self.names.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        own.or_else(|| self.lexical.and_then(|scope| scope.name(name)))
    }

    /// What `way` means here.
    pub fn resolve(&self, way: &Way<'_>, raw: &str, at: At) -> Result<Expr, NameFault> {
        let path = |frame: usize, base: &[String]| {
            let fields = base.iter().cloned().chain(way.fields.iter().map(|&field| field.to_owned())).collect();
            Expr::Path(Path { frame, fields, text: raw.to_owned(), at })
        };
        if way.from_root {
            return Ok(path(0, &[]));
        }
        let Some(scope) = self.up(way.ups) else {
            let help = format!("`../` leads out of one `each` or `with`, and there are {}", self.levels());
            return Err((format!("`{raw}` leads out of the template"), Some(help)));
        };
        if way.ups == 0
            && !way.from_row
            && let Some((first, rest)) = way.fields.split_first()
            && let Some(value) = self.name(first)
        {
            return extend(value, rest, raw, at);
        }
        Ok(path(scope.frame, &scope.fields))
    }

    fn levels(&self) -> usize {
        std::iter::successors(self.outer, |scope| scope.outer).count()
    }
}

/// `value` with further fields read of it.
fn extend(value: &Expr, rest: &[&str], raw: &str, at: At) -> Result<Expr, NameFault> {
    match value {
        Expr::Path(base) => {
            let fields = base.fields.iter().cloned().chain(rest.iter().map(|&field| field.to_owned())).collect();
            Ok(Expr::Path(Path { frame: base.frame, fields, text: raw.to_owned(), at }))
        }
        other if rest.is_empty() => Ok(other.clone()),
        _ => Err((format!("`{raw}`: what stands before the point is a single value"), None)),
    }
}
