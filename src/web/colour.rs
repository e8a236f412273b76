//! The business's colour, made readable: WCAG 2.2, success criterion 1.4.3 (contrast of at least 4.5 to 1).
//!
//! A colour that is too pale on white or too dark on black is moved towards its opposite just as far as it must.

/// Red, green and blue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Colour([u8; 3]);

const WHITE: Colour = Colour([255; 3]);
const BLACK: Colour = Colour([0; 3]);
/// The ground of the dark look: what Pico CSS paints.
const DARK: Colour = Colour([0x13, 0x17, 0x1f]);
/// What WCAG asks between text and its ground, with a little more for rounding.
const ENOUGH: f64 = 4.6;

impl Colour {
    /// `#rrggbb`.
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    fn hex(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// WCAG's relative luminance.
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        one.max(two) / one.min(two)
    }

    /// `percent` of the way to another colour.
    fn towards(self, other: Self, percent: u16) -> Self {
        let mix = |at: usize| {
            let sum = u16::from(self.0[at]) * (100 - percent) + u16::from(other.0[at]) * percent;
            u8::try_from(sum / 100).expect("a mean of bytes is one")
        };
        Self([mix(0), mix(1), mix(2)])
    }

    /// The nearest colour on the way to `far` that can be read on `ground`.
    fn readable(self, ground: Self, far: Self) -> Self {
        let steps = (0..=100).map(|percent| self.towards(far, percent));
        steps.into_iter().find(|colour| colour.contrast(ground) >= ENOUGH).unwrap_or(far)
    }
}

/// The style sheet that gives buttons and links this colour, in the light and in the dark look.
pub fn sheet(colour: Colour) -> String {
    let look = |on_page: Colour, far: Colour| {
        let text = if on_page.contrast(WHITE) >= ENOUGH { WHITE } else { BLACK };
        let (page, pressed) = (on_page.hex(), on_page.towards(far, 15).hex());
        format!(
            "--pico-primary:{page};--pico-primary-background:{page};--pico-primary-border:{page};\
             --pico-primary-underline:{page};--pico-primary-hover:{pressed};\
             --pico-primary-hover-background:{pressed};--pico-primary-hover-border:{pressed};\
             --pico-primary-hover-underline:{pressed};--pico-primary-focus:{page}80;--pico-primary-inverse:{}",
            text.hex()
        )
    };
    format!(
        ":root{{{}}}@media (prefers-color-scheme:dark){{:root:not([data-theme]){{{}}}}}",
        look(colour.readable(WHITE, BLACK), BLACK),
        look(colour.readable(DARK, WHITE), WHITE)
    )
}

#[cfg(test)]
mod tests {
    use super::{BLACK, Colour, DARK, ENOUGH, WHITE};

    #[test]
    fn every_colour_becomes_readable_on_both_grounds() {
        for step in 0..4096_u32 {
            let part = |shift: u32| u8::try_from((step >> shift & 15) * 17).unwrap();
            let colour = Colour([part(0), part(4), part(8)]);
            let (light, dark) = (colour.readable(WHITE, BLACK), colour.readable(DARK, WHITE));
            assert!(light.contrast(WHITE) >= ENOUGH && dark.contrast(DARK) >= ENOUGH, "{colour:?}");
        }
        let brown = Colour::read("#7a3b12").unwrap();
        assert_eq!(brown.readable(WHITE, BLACK), brown);
        assert_eq!(Colour::read("#7a3b1"), None);
        assert_eq!(Colour::read("brown"), None);
    }

    #[test]
    fn contrast_is_as_the_standard_computes_it() {
        assert!((WHITE.contrast(BLACK) - 21.0).abs() < 1e-9);
        assert!((Colour::read("#767676").unwrap().contrast(WHITE) - 4.54).abs() < 0.01);
    }
}
