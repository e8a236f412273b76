//! Texts: their beginnings, ends and parts, patterns, and small letters.

use super::Writer;
use crate::expr::pattern::Pattern;
use crate::expr::tree::{Node, TextTest, Value};
use crate::sql::Dialect;

impl Writer<'_> {
    pub(super) fn text_test(&mut self, test: TextTest, text: &Node, part: &Node) {
        match (test, self.dialect, &part.value) {
            (TextTest::StartsWith, Dialect::Postgres, _) => self.call("starts_with", text, part, ""),
            // The place is 1 for an empty part too.
            (TextTest::StartsWith, Dialect::Sqlite, Value::Text(literal)) => {
                let length = literal.chars().count();
                self.cut(text, &format!("1, {length}"), part);
            }
            (TextTest::StartsWith, Dialect::Sqlite, _) => self.call("instr", text, part, " = 1"),
            (TextTest::Contains, Dialect::Sqlite, _) => self.call("instr", text, part, " > 0"),
            (TextTest::Contains, Dialect::Postgres, _) => self.call("strpos", text, part, " > 0"),
            (TextTest::EndsWith, Dialect::Sqlite, Value::Text(literal)) if literal.is_empty() => {
                self.always(true, text)
            }
            (TextTest::EndsWith, Dialect::Sqlite, Value::Text(literal)) => {
                let length = literal.chars().count();
                self.cut(text, &format!("-{length}"), part);
            }
            (TextTest::EndsWith, Dialect::Sqlite, _) => self.ends_with_any(text, part),
            (TextTest::EndsWith, Dialect::Postgres, _) => self.with(part, |writer, part| {
                writer.push("(right(");
                writer.node(text);
                writer.push(", length(");
                writer.operand(part);
                writer.push(")) = ");
                writer.operand(part);
                writer.push(")");
            }),
        }
    }

    fn call(&mut self, function: &str, text: &Node, part: &Node, after: &str) {
        let collate = self.bytewise();
        self.push(&format!("({function}("));
        self.node(text);
        self.push(&format!("{collate}, "));
        self.node(part);
        self.push(&format!("){after})"));
    }

    fn cut(&mut self, text: &Node, range: &str, part: &Node) {
        self.push("(substr(");
        self.node(text);
        self.push(&format!(", {range}) = "));
        self.node(part);
        self.push(")");
    }

    /// A point is put after both, since a part of no characters has no last ones.
    fn ends_with_any(&mut self, text: &Node, part: &Node) {
        self.with(part, |writer, part| {
            writer.push("(substr(");
            writer.node(text);
            writer.push(" || '.', -length(");
            writer.operand(part);
            writer.push(") - 1) = ");
            writer.operand(part);
            writer.push(" || '.')");
        });
    }

    pub(super) fn matches(&mut self, text: &Node, pattern: &Pattern) {
        self.push("(");
        self.node(text);
        self.push(match self.dialect {
            Dialect::Sqlite => " regexp ",
            Dialect::Postgres => " collate \"C\" ~ ",
        });
        self.sql.bind(pattern.text(self.dialect));
        self.push(")");
    }

    /// SQLite knows only A to Z; PostgreSQL's C collation likewise.
    pub(super) fn lower(&mut self, of: &Node) {
        self.push("lower(");
        self.node(of);
        self.push(self.bytewise());
        self.push(")");
    }
}
