//! Problems as people read them: file, place, line, cause and cure.
//!
//! Every command that meets a bad configuration prints it through here.

use crate::problem::{Problem, Severity};
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity as Weight, SourceCode,
};
use std::fmt;
use std::io::IsTerminal;

/// Lines are not broken where nobody looks at a terminal: a search through the output finds whole sentences.
const UNBROKEN: usize = 4_000;
const TERMINAL_WIDTH: usize = 100;
/// Bytes of a line that is shown; of a longer one only the place is told.
const LONGEST_LINE: usize = 500;

/// How problems are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    Terminal,
    Plain,
}

impl Look {
    /// For what standard output is: a terminal gets colour.
    pub fn of_stdout() -> Self {
        if std::io::stdout().is_terminal() { Self::Terminal } else { Self::Plain }
    }
}

/// All problems, one under the other.
pub fn render(problems: &[Problem], look: Look) -> String {
    let handler = match look {
        Look::Terminal => GraphicalReportHandler::new_themed(GraphicalTheme::unicode()).with_width(TERMINAL_WIDTH),
        Look::Plain => GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(UNBROKEN),
    };
    let handler = handler.with_urls(false);
    let mut text = String::new();
    for (index, problem) in problems.iter().enumerate() {
        text.push_str(if index > 0 { "\n" } else { "" });
        let shown = Shown::of(problem);
        handler.render_report(&mut text, &shown).expect("writing to a string does not fail");
    }
    text
}

/// One line that counts them: `2 errors, 1 warning`.
pub fn count(problems: &[Problem]) -> String {
    let of = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let some = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    match (of(Severity::Error), of(Severity::Warning)) {
        (0, 0) => "no problems".to_owned(),
        (0, warnings) => some(warnings, "warning"),
        (errors, 0) => some(errors, "error"),
        (errors, warnings) => format!("{}, {}", some(errors, "error"), some(warnings, "warning")),
    }
}

/// A problem as miette prints it.
#[derive(Debug)]
struct Shown<'a> {
    problem: &'a Problem,
    source: NamedSource<String>,
}

impl<'a> Shown<'a> {
    fn of(problem: &'a Problem) -> Self {
        let source = NamedSource::new(problem.source.name.as_ref(), problem.source.text.to_string());
        Self { problem, source }
    }

    /// Whether there is a line to show, and one that a person can read.
    fn has_text(&self) -> bool {
        let Problem { source, span, .. } = self.problem;
        let (line, _) = source.position(span.start);
        source.text.lines().nth(line - 1).is_some_and(|line| line.len() <= LONGEST_LINE)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.has_text() {
            true => write!(f, "{}", self.problem.message),
            false if self.problem.source.text.is_empty() => {
                write!(f, "{}: {}", self.problem.source.name, self.problem.message)
            }
            false => {
                let (line, column) = self.problem.source.position(self.problem.span.start);
                write!(f, "{}:{line}:{column}: {}", self.problem.source.name, self.problem.message)
            }
        }
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<Weight> {
        Some(match self.problem.severity {
            Severity::Error => Weight::Error,
            Severity::Warning => Weight::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.problem.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display + 'b>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.has_text().then_some(&self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.problem.span.clone();
        self.has_text().then(|| Box::new(std::iter::once(LabeledSpan::underline(span))) as Box<dyn Iterator<Item = _>>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Source;

    #[test]
    fn a_problem_is_shown_with_its_place_its_line_and_its_cure() {
        let text = "when = \"é\"\nkind = \"statuss\"\n";
        let source = Source::new("config/rules/winback.toml", text);
        let start = text.find("statuss").expect("it is there");
        let problem =
            Problem::error(&source, start..start + 7, "`statuss` is not known here").help("the nearest is `status`");
        insta::assert_snapshot!(render(&[problem], Look::Plain), @r#"
         × `statuss` is not known here
          ╭─[config/rules/winback.toml:2:9]
        1 │ when = "é"
        2 │ kind = "statuss"
          ·         ───────
          ╰────
         help: the nearest is `status`
        "#);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let problem = Problem::error(&Source::new("config/plusone.toml", ""), 0..0, "there is no such file");
        insta::assert_snapshot!(render(&[problem], Look::Plain), @r#"
          × config/plusone.toml: there is no such file
        "#);
    }

    #[test]
    fn a_line_that_nobody_can_read_is_not_shown() {
        let source = Source::new("config/data.toml", &"[".repeat(5_000));
        let problem = Problem::error(&source, 80..81, "too deep");
        assert_eq!(render(&[problem], Look::Plain).trim(), "× config/data.toml:1:81: too deep");
    }

    #[test]
    fn counts_are_words() {
        let source = Source::new("a", "b");
        let error = Problem::error(&source, 0..1, "x");
        let warning = Problem::warning(&source, 0..1, "x");
        assert_eq!(count(&[]), "no problems");
        assert_eq!(count(&[error.clone(), error.clone(), warning.clone()]), "2 errors, 1 warning");
        assert_eq!(count(&[warning]), "1 warning");
    }
}
