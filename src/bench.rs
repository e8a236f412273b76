//! Measurements that anybody can repeat: each stage of plusone beside its limit, in the same run on the same machine.
//!
//! The limit of a stage is what a program without any of plusone's promises would reach with the same parts: the bare
//! statement, the C load generator, the database's own bulk load.
//!
//! 1. A bench works in a temporary home of its own, removed afterwards. It reads no configuration of the user's and
//!    writes to no database, provider or address of theirs.
//! 2. Data comes from a generator with a fixed seed: two runs measure the same work.
//! 3. Ours and the limit take turns, round by round; the figure of each is the median of its rounds.
//! 4. What was measured is counted as well: a stage whose rows or messages do not add up fails.

mod business;
mod check;
mod email;
mod evaluate;
mod home;
mod idle;
mod import;
mod postfix;
mod process;
mod questions;
mod simulate;

use crate::app::AppError;
use crate::data::DataError;
use crate::store::db::StoreError;
use serde_json::{Map, Value, json};

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    Evaluate,
    Email,
    Import,
    Check,
    Idle,
    Simulate,
    Who,
    Why,
}

impl Stage {
    pub const ALL: [Self; 8] =
        [Self::Evaluate, Self::Email, Self::Import, Self::Check, Self::Idle, Self::Simulate, Self::Who, Self::Why];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Evaluate => "evaluate",
            Self::Email => "email",
            Self::Import => "import",
            Self::Check => "check",
            Self::Idle => "idle",
            Self::Simulate => "simulate",
            Self::Who => "who",
            Self::Why => "why",
        }
    }
}

/// How much is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// Enough to see that a stage works; its figures mean little.
    Small,
    Full,
}

/// One stage beside its limit.
#[derive(Clone, PartialEq, Debug)]
pub struct Figures {
    pub stage: Stage,
    pub ours: f64,
    pub limit: f64,
    /// Of both figures. For `s`, `ms` and `% of a core` less is better, for rates more.
    pub unit: &'static str,
    /// Greatest resident memory, in MB of 10^6 bytes; `None` where the system does not tell.
    pub peak_rss_mb: Option<f64>,
    /// What was measured and how, by stable names.
    pub setup: Map<String, Value>,
}

impl Figures {
    pub fn ratio(&self) -> f64 {
        self.ours / self.limit
    }

    /// With the names of `bench --json`.
    pub fn to_json(&self) -> Value {
        json!({
            "stage": self.stage.as_str(),
            "ours": rounded(self.ours),
            "limit": rounded(self.limit),
            "ratio": rounded(self.ratio()),
            "unit": self.unit,
            "peak_rss_mb": self.peak_rss_mb.map(rounded),
            "setup": self.setup,
        })
    }
}

/// Three digits after the point, six of less than a tenth: more would be noise.
fn rounded(figure: f64) -> f64 {
    let parts = if figure.abs() < 0.1 { 1_000_000.0 } else { 1_000.0 };
    (figure * parts).round() / parts
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error("{0} is not installed: it comes with Postfix (`apt install postfix`), and is the limit of this stage")]
    NoPostfix(&'static str),
    #[error("{0}")]
    Void(String),
}

impl BenchError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

type Result<T> = std::result::Result<T, BenchError>;

/// Measures one stage, `rounds` times ours and the limit in turn.
///
/// # Errors
/// When something that the stage needs is missing, or when its counts do not add up.
pub async fn measure(stage: Stage, size: Size, rounds: usize) -> Result<Figures> {
    process::forget_peak();
    match stage {
        Stage::Evaluate => evaluate::measure(size, rounds).await,
        Stage::Email => email::measure(size, rounds).await,
        Stage::Import => import::measure(size, rounds).await,
        Stage::Check => check::measure(size, rounds).await,
        Stage::Idle => idle::measure(size).await,
        Stage::Simulate => simulate::measure(size, rounds).await,
        Stage::Who => questions::who(size, rounds).await,
        Stage::Why => questions::why(size, rounds).await,
    }
}

/// The middle one; of an even number the lower of the two.
fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// Each round's figure, for the setup.
fn shown(figures: &[f64]) -> Value {
    figures.iter().map(|figure| rounded(*figure)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_one_of_the_figures() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0]) - 1.0).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn figures_have_the_stable_names() {
        let figures = Figures {
            stage: Stage::Evaluate,
            ours: 2.0,
            limit: 0.8,
            unit: "s",
            peak_rss_mb: Some(40.25),
            setup: Map::new(),
        };
        let json =
            r#"{"stage":"evaluate","ours":2.0,"limit":0.8,"ratio":2.5,"unit":"s","peak_rss_mb":40.25,"setup":{}}"#;
        assert_eq!(figures.to_json().to_string(), json);
    }
}
