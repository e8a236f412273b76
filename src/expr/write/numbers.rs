//! Arithmetic that never fails: SQLite turns an overflow into a floating-point number, PostgreSQL ends the statement;
//! here either becomes NULL.

use super::{Operand, Writer};
use crate::expr::tree::{Arithmetic, Bounds, Node};
use crate::sql::Dialect;

impl Writer<'_> {
    pub(super) fn arithmetic(&mut self, op: Arithmetic, a: &Node, b: &Node) {
        let (bounds, plain) = op.bounds(a.bounds, b.bounds);
        let divides = matches!(op, Arithmetic::Divide | Arithmetic::Remainder);
        // A quotient can leave 64 bits only where the least of all integers is divided by −1.
        let fits =
            plain || op == Arithmetic::Remainder || divides && bounds.least > i64::MIN && bounds.greatest < i64::MAX;
        if fits {
            self.push("(");
            self.node(a);
            self.push(sign(op));
            if divides && !plain {
                self.push("nullif(");
                self.node(b);
                self.push(", 0))");
            } else {
                self.node(b);
                self.push(")");
            }
            return;
        }
        self.with_all([a, b], |writer, [a, b]| {
            let raw = |writer: &mut Self| match (writer.dialect, op) {
                (Dialect::Postgres, Arithmetic::Divide) => {
                    writer.push("div(");
                    writer.operand(a);
                    writer.push("::numeric, nullif(");
                    writer.operand(b);
                    writer.push(", 0))");
                }
                (dialect, _) => {
                    writer.push("(");
                    writer.operand(a);
                    writer.push(if dialect == Dialect::Postgres { "::numeric" } else { "" });
                    writer.push(sign(op));
                    writer.operand(b);
                    writer.push(")");
                }
            };
            writer.checked(raw);
        });
    }

    pub(super) fn negate(&mut self, of: &Node) {
        if of.bounds.least > i64::MIN {
            self.push("(- ");
            self.node(of);
            self.push(")");
            return;
        }
        self.with(of, |writer, of| {
            writer.checked(|writer| {
                let cast = if writer.dialect == Dialect::Postgres { "::numeric)" } else { ")" };
                writer.push("(- ");
                writer.operand(of);
                writer.push(cast);
            });
        });
    }

    /// What `raw` writes (a numeric on PostgreSQL), or NULL where it does not fit 64 bits.
    fn checked(&mut self, raw: impl Fn(&mut Self)) {
        self.push("(case when ");
        match self.dialect {
            Dialect::Sqlite => {
                self.push("typeof(");
                raw(self);
                self.push(") = 'integer' then ");
                raw(self);
                self.push(" end)");
            }
            Dialect::Postgres => {
                raw(self);
                self.push(&format!(" {IN_64_BITS} then "));
                raw(self);
                self.push("::bigint end)");
            }
        }
    }

    /// Whether every value of `of` lies within the days of the calendar.
    pub(super) fn is_within(of: &Node, limit: i64) -> bool {
        let Bounds { least, greatest } = of.bounds;
        -limit <= least && greatest <= limit
    }

    pub(super) fn operand_text(&mut self, operand: &Operand<'_>) -> String {
        let start = self.sql.text.len();
        self.operand(operand);
        self.sql.text.split_off(start)
    }
}

/// For numerics on PostgreSQL.
pub(super) const IN_64_BITS: &str = "between -9223372036854775808 and 9223372036854775807";

fn sign(op: Arithmetic) -> &'static str {
    match op {
        Arithmetic::Add => " + ",
        Arithmetic::Subtract => " - ",
        Arithmetic::Multiply => " * ",
        Arithmetic::Divide => " / ",
        Arithmetic::Remainder => " % ",
    }
}
