//! How many cells of a column are of a kind, and the first that is not.
//!
//! 1. A kind that most cells are not of is given up early: a column of text costs little.

/// The cells that were looked at for one kind.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub fits: u64,
    odds: u64,
    /// The first that fits.
    pub first: Option<String>,
    /// The first that does not.
    pub odd: Option<String>,
}

impl Tally {
    pub fn see(&mut self, text: &str, fits: impl FnOnce(&str) -> bool) {
        const EARLY: u64 = 4;
        if self.odds > EARLY && !self.most() {
            return;
        }
        let (count, example) =
            if fits(text) { (&mut self.fits, &mut self.first) } else { (&mut self.odds, &mut self.odd) };
        *count += 1;
        example.get_or_insert_with(|| shown(text));
    }

    /// Whether every cell fits.
    pub const fn all(&self) -> bool {
        self.odds == 0 && self.fits > 0
    }

    /// Whether two of three fit, or more.
    pub const fn most(&self) -> bool {
        self.fits > 0 && self.fits >= self.odds * 2
    }
}

/// The beginning of a cell, fit for a comment.
fn shown(text: &str) -> String {
    const SHOWN: usize = 30;
    text.chars().filter(|sign| !sign.is_control()).take(SHOWN).collect()
}
