//! How values read in many languages. A new version of ICU4X that writes one otherwise fails here first.

use super::fixtures::{at, data, date, env, sms, sms_for};
use crate::amount::Amount;
use crate::messages::Env;
use crate::messages::format::{DateForm, Formats};
use crate::messages::segments::segments;
use crate::time::Tz;

fn formats(locale: &str) -> Formats {
    Formats::new(locale, locale, Tz::Europe__London, "EUR")
}

#[test]
fn money_reads_as_the_language_writes_it() {
    let amount = Amount::money(12_345_678);
    for (locale, currency, written) in [
        ("en-GB", "GBP", "£1,234.57"),
        ("en-US", "USD", "$1,234.57"),
        ("de", "EUR", "1.234,57\u{a0}€"),
        ("fr", "EUR", "1\u{202f}234,57\u{a0}€"),
        ("es", "EUR", "1234,57\u{a0}€"),
        ("hi", "INR", "₹1,234.57"),
        ("ja", "JPY", "￥1,235"),
        ("ar-EG", "EGP", "\u{200f}١٬٢٣٤٫٥٧\u{a0}ج.م.\u{200f}"),
    ] {
        let formats = Formats::new(locale, locale, Tz::UTC, currency);
        assert_eq!(formats.money(amount).as_deref(), Ok(written), "{locale}");
    }
}

#[test]
fn dates_and_times_follow_language_and_zone() {
    let day = date("2026-11-03");
    for (locale, form, written) in [
        ("en-GB", DateForm::Short, "03/11/2026"),
        ("en-GB", DateForm::Medium, "3 Nov 2026"),
        ("en-GB", DateForm::Long, "3 November 2026"),
        ("en-GB", DateForm::Full, "Tuesday, 3 November 2026"),
        ("en-GB", DateForm::Weekday, "Tuesday"),
        ("de", DateForm::Long, "3. November 2026"),
        ("fr", DateForm::Weekday, "mardi"),
        ("ja", DateForm::Long, "2026年11月3日"),
    ] {
        assert_eq!(formats(locale).date(day, form).as_deref(), Ok(written), "{locale}");
    }
    let source = "{{time now}} {{date now}} {{now}}";
    assert_eq!(sms(source, &data()).as_deref(), Ok("12:00 1 Jul 2026 1 Jul 2026, 12:00"));
    let tokyo = Env { zone: Tz::Asia__Tokyo, ..env() };
    assert_eq!(sms_for("{{time now}}", &data(), &tokyo).as_deref(), Ok("20:00"));
    assert_eq!(formats("en-GB").time(at("2026-03-29T01:30:00Z")).as_deref(), Ok("02:30"));
}

#[test]
fn values_printed_bare_are_never_raw() {
    let source = "{{customer.points}} {{customer.rating}} {{customer.birthday}} {{number customer.points}}";
    assert_eq!(sms(source, &data()).as_deref(), Ok("12345 4.5 28 Feb 1990 12,345"));
    let german = Env { locale: "de_DE", ..env() };
    assert_eq!(sms_for("{{customer.rating}} {{cart.total}}", &data(), &german).as_deref(), Ok("4,5 1.234,50 £"));
    let unknown = Env { locale: "??", ..env() };
    assert_eq!(sms_for("{{cart.total}}", &data(), &unknown).as_deref(), Ok("£1,234.50"));
}

#[test]
fn an_amount_or_a_time_never_makes_an_sms_dearer() {
    for locale in ["de", "fr", "en-US", "es"] {
        let text = sms_for("{{cart.total}} {{number customer.points}} {{time now}}", &data(), &Env { locale, ..env() });
        let text = text.expect("an SMS");
        assert_eq!(segments(&text).forced_by, None, "{text}");
    }
}

#[test]
fn plural_forms_follow_the_language_of_the_words() {
    let polish = Formats::new("en", "pl", Tz::UTC, "PLN");
    for (count, category) in [(1, "one"), (2, "few"), (5, "many"), (22, "few")] {
        assert_eq!(polish.plural(Amount { units: count, scale: 0 }), Ok(category));
    }
    let source = "{{#each cart.lines}}{{plural quantity one=\"# bag\" other=\"# bags\"}} {{/each}}";
    assert_eq!(sms(source, &data()).as_deref(), Ok("2 bags 1 bag"));
}

#[test]
fn an_unknown_locale_is_no_error() {
    for locale in ["", "xx-YY", "not a locale", "zz"] {
        assert!(formats(locale).date(date("2026-11-03"), DateForm::Long).is_ok(), "{locale}");
        assert!(formats(locale).money(Amount::money(1)).is_ok(), "{locale}");
    }
}
