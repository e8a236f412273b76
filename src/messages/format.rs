//! Values as a customer reads them: in their language, their time zone and the business currency.
//!
//! 1. Words follow CLDR, by ICU4X; the formatting of money is its experimental part and stands in `money` alone.
//! 2. A locale that nobody knows falls back to its language and then to the root of CLDR; none is an error.
//! 3. A formatter is made once for each thread and locale, and then kept: making one costs more than a whole message.

mod kept;
mod money;

use crate::amount::Amount;
use crate::messages::context::Value;
use crate::rules::words;
use crate::time::{Date, Timestamp, Tz};
use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use fixed_decimal::Decimal;
use icu::calendar::Iso;
use icu::datetime::fieldsets::{E, T, YMD, YMDE, YMDT};
use icu::datetime::input::{Date as IcuDate, DateTime, Time};
use icu::datetime::{DateTimeFormatter, DateTimeFormatterPreferences, NoCalendarFormatter};
use icu::decimal::DecimalFormatter;
use icu::decimal::options::{DecimalFormatterOptions, GroupingStrategy};
use icu::locale::Locale;
use icu::plurals::{PluralCategory, PluralOperands, PluralRules};
use kept::Kept;
use std::fmt;
use std::str::FromStr;

thread_local! {
    /// By whether digits are grouped.
    static NUMBERS: Kept<(Locale, bool), DecimalFormatter> = Kept::default();
    static DATES: Kept<(Locale, DateForm), DateTimeFormatter<YMD>> = Kept::default();
    static FULL_DATES: Kept<Locale, DateTimeFormatter<YMDE>> = Kept::default();
    static WEEKDAYS: Kept<Locale, DateTimeFormatter<E>> = Kept::default();
    static TIMES: Kept<Locale, NoCalendarFormatter<T>> = Kept::default();
    static INSTANTS: Kept<Locale, DateTimeFormatter<YMDT>> = Kept::default();
    static PLURALS: Kept<Locale, PluralRules> = Kept::default();
}

/// How a date is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DateForm {
    /// `03/11/2026`
    Short,
    /// `3 Nov 2026`
    Medium,
    /// `3 November 2026`
    Long,
    /// `Tuesday, 3 November 2026`
    Full,
    /// `Tuesday`
    Weekday,
}

words!(DateForm {
    Short = "short",
    Medium = "medium",
    Long = "long",
    Full = "full",
    Weekday = "weekday",
});

/// A value that cannot be shown: a date outside of every calendar, a currency that is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot be written in the locale `{locale}`: {reason}")]
pub struct FormatError {
    locale: String,
    reason: String,
}

/// Writes values for one customer.
#[derive(Clone, Debug)]
pub struct Formats {
    locale: Locale,
    /// The language of the words around the values, which plural forms follow.
    words: Locale,
    zone: Tz,
    currency: String,
}

/// `text` as a locale: `fr-CA`, also `fr_CA`.
pub fn locale(text: &str) -> Option<Locale> {
    Locale::try_from_str(&text.trim().replace('_', "-")).ok()
}

impl Formats {
    /// `locale` is the customer's, `words` that of the template's words; what is not a locale reads as unknown.
    pub fn new(locale_text: &str, words: &str, zone: Tz, currency: &str) -> Self {
        let parsed = |text: &str| locale(text).unwrap_or(Locale::UNKNOWN);
        Self { locale: parsed(locale_text), words: parsed(words), zone, currency: currency.to_owned() }
    }

    fn error(&self, reason: impl ToString) -> FormatError {
        FormatError { locale: self.locale.to_string(), reason: reason.to_string() }
    }

    fn prefs(&self) -> DateTimeFormatterPreferences {
        (&self.locale).into()
    }

    /// A value printed as it stands: `{{cart.total}}`. A list or a record has no text.
    pub fn text(&self, value: &Value) -> Result<String, FormatError> {
        match value {
            Value::Missing => Ok(String::new()),
            Value::Text(text) => Ok(text.clone()),
            Value::Integer(number) => self.digits(&Decimal::from(*number), false),
            Value::Decimal(amount) => self.number(*amount),
            Value::Money(amount) => self.money(*amount),
            Value::Boolean(yes) => Ok(yes.to_string()),
            Value::Date(date) => self.date(*date, DateForm::Medium),
            Value::Timestamp(at) => self.date_and_time(*at),
            Value::Record(_) | Value::List(_) => Err(self.error("a record is no text")),
        }
    }

    /// With the locale's separators, and no more decimals than there are: `1,234.5`.
    pub fn number(&self, amount: Amount) -> Result<String, FormatError> {
        let mut decimal = decimal(amount);
        decimal.absolute.trim_end();
        self.digits(&decimal, true)
    }

    fn digits(&self, decimal: &Decimal, grouped: bool) -> Result<String, FormatError> {
        let grouping = if grouped { GroupingStrategy::Auto } else { GroupingStrategy::Never };
        let make = || DecimalFormatter::try_new((&self.locale).into(), DecimalFormatterOptions::from(grouping));
        let formatter = kept::get(&NUMBERS, (self.locale.clone(), grouped), make).map_err(|e| self.error(e))?;
        Ok(formatter.format(decimal).to_string())
    }

    /// In the business currency, with its decimals: `£12.50`.
    pub fn money(&self, amount: Amount) -> Result<String, FormatError> {
        money::format(&self.locale, &self.currency, &decimal(amount)).map_err(|reason| self.error(reason))
    }

    pub fn date(&self, date: Date, form: DateForm) -> Result<String, FormatError> {
        let date = self.icu_date(date.naive())?;
        let (prefs, locale) = (self.prefs(), self.locale.clone());
        let set = match form {
            DateForm::Short => YMD::short(),
            DateForm::Medium => YMD::medium(),
            DateForm::Long => YMD::long(),
            DateForm::Full => {
                let formatter = kept::get(&FULL_DATES, locale, || DateTimeFormatter::try_new(prefs, YMDE::long()));
                return Ok(formatter.map_err(|e| self.error(e))?.format(&date).to_string());
            }
            DateForm::Weekday => {
                let formatter = kept::get(&WEEKDAYS, locale, || DateTimeFormatter::try_new(prefs, E::long()));
                return Ok(formatter.map_err(|e| self.error(e))?.format(&date).to_string());
            }
        };
        let formatter = kept::get(&DATES, (locale, form), || DateTimeFormatter::try_new(prefs, set));
        Ok(formatter.map_err(|e| self.error(e))?.format(&date).to_string())
    }

    /// The civil date of `at` in the customer's zone.
    pub fn date_of(&self, at: Timestamp, form: DateForm) -> Result<String, FormatError> {
        self.date(at.date(self.zone), form)
    }

    /// Hours and minutes in the customer's zone.
    pub fn time(&self, at: Timestamp) -> Result<String, FormatError> {
        let make = || NoCalendarFormatter::try_new(self.prefs(), T::hm());
        let formatter = kept::get(&TIMES, self.locale.clone(), make).map_err(|e| self.error(e))?;
        Ok(formatter.format(&self.icu_time(at.local(self.zone))?).to_string())
    }

    fn date_and_time(&self, at: Timestamp) -> Result<String, FormatError> {
        let local = at.local(self.zone);
        let make = || DateTimeFormatter::try_new(self.prefs(), YMD::medium().with_time_hm());
        let formatter = kept::get(&INSTANTS, self.locale.clone(), make).map_err(|e| self.error(e))?;
        let input = DateTime { date: self.icu_date(local.date())?, time: self.icu_time(local)? };
        Ok(formatter.format(&input).to_string())
    }

    /// The CLDR category of a count in the language of the words: `one`, `few`, `other` …
    pub fn plural(&self, amount: Amount) -> Result<&'static str, FormatError> {
        let make = || PluralRules::try_new_cardinal((&self.words).into());
        let rules = kept::get(&PLURALS, self.words.clone(), make).map_err(|e| self.error(e))?;
        let mut decimal = decimal(amount);
        decimal.absolute.trim_end();
        Ok(match rules.category_for(PluralOperands::from(&decimal)) {
            PluralCategory::Zero => "zero",
            PluralCategory::One => "one",
            PluralCategory::Two => "two",
            PluralCategory::Few => "few",
            PluralCategory::Many => "many",
            PluralCategory::Other => "other",
        })
    }

    fn icu_date(&self, date: NaiveDate) -> Result<IcuDate<Iso>, FormatError> {
        let (month, day) = (u8::try_from(date.month()).unwrap_or(0), u8::try_from(date.day()).unwrap_or(0));
        IcuDate::try_new_iso(date.year(), month, day).map_err(|e| self.error(e))
    }

    fn icu_time(&self, local: NaiveDateTime) -> Result<Time, FormatError> {
        let part = |number: u32| u8::try_from(number).unwrap_or(0);
        Time::try_new(part(local.hour()), part(local.minute()), part(local.second()), 0).map_err(|e| self.error(e))
    }
}

fn decimal(amount: Amount) -> Decimal {
    let mut decimal = Decimal::from(amount.units);
    decimal.multiply_pow10(-i16::from(amount.scale));
    decimal
}
