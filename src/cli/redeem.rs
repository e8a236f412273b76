//! `plusone redeem CODE`: marks a customer's plus one as used.

use super::print::{say, say_json};
use super::{Answer, Failure, Global, open};
use crate::clock::Clock;
use crate::offers::Offer;
use crate::offers::code::CodeSource;
use crate::store::offers::grants::{Redemption, redeem};
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// The code as the customer shows it
    pub code: String,
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let app = open(global, Clock::System).await?;
    let (offers, now) = (&app.workspace.project.offers, app.clock.now());
    let code = options.code.trim();
    let same_for_all =
        |offer: &&Offer| matches!(&offer.code, Some(CodeSource::Fixed(fixed)) if fixed.eq_ignore_ascii_case(code));
    let shared = |which: String| {
        Failure::failed(format!(
            "{code} is the same for everyone{which}: whose was used cannot be told, so nothing is marked"
        ))
    };
    if let Some(offer) = offers.values().find(same_for_all) {
        return Err(shared(format!(" who has the offer `{}`", offer.name)));
    }
    match redeem(&app.db, code, now).await? {
        Redemption::Redeemed(whose) if global.json => {
            say_json(json!({
                "code": code,
                "offer": whose.offer,
                "customer": whose.customer,
                "touchpoint": whose.touchpoint,
                "redeemed_at": now.to_string(),
            }))?;
            Ok(ExitCode::SUCCESS)
        }
        Redemption::Redeemed(whose) => {
            say(format_args!(
                "Redeemed {code}: {} of customer {} (touchpoint {}).",
                whose.offer, whose.customer, whose.touchpoint
            ))?;
            Ok(ExitCode::SUCCESS)
        }
        Redemption::Unknown => Err(Failure::failed(format!("no customer was given the code {code}"))),
        Redemption::Already(at) => Err(Failure::failed(format!("{code} was redeemed already, at {at}"))),
        Redemption::Expired(at) => Err(Failure::failed(format!("{code} was valid until {at}"))),
        Redemption::Shared(count) => Err(shared(format!(" of its {count} customers"))),
    }
}
