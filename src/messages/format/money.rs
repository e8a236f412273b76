//! Money by ICU4X's experimental crate: the one place that uses it, pinned to one version. The amounts in the tests
//! of `format` are the wire that trips when a new version writes them otherwise.

use super::kept::{self, Kept};
use fixed_decimal::Decimal;
use icu::decimal::DecimalFormatter;
use icu::locale::Locale;
use icu_experimental::dimension::currency::CurrencyType;
use icu_experimental::dimension::currency::formatter::CurrencyFormatter;
use icu_experimental::dimension::currency::options::CurrencyFormatterOptions;

thread_local! {
    /// By locale and currency.
    static AMOUNTS: Kept<(Locale, String), CurrencyFormatter<DecimalFormatter>> = Kept::default();
}

/// `currency` is an ISO 4217 code; the amount is rounded to its decimals.
pub fn format(locale: &Locale, currency: &str, amount: &Decimal) -> Result<String, String> {
    let make = || {
        let code = CurrencyType::try_from_str(currency).map_err(|_| format!("`{currency}` is not a currency"))?;
        CurrencyFormatter::try_new_symbol(locale.into(), code, CurrencyFormatterOptions::default())
            .map_err(|error| error.to_string())
    };
    let formatter = kept::get(&AMOUNTS, (locale.clone(), currency.to_owned()), make)?;
    Ok(formatter.format_fixed_decimal(amount).to_string())
}
