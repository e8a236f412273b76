//! `plusone find`: customers and touchpoints by whatever somebody has at hand.

use super::print::Table;
use super::{Answer, log, opened::Opened};
use crate::amount::counted;
use crate::data::addresses;
use crate::store::find::{Needle, find};
use std::io::Write;
use std::process::ExitCode;

/// How many customers, and how many touchpoints, are shown.
const SHOWN: usize = 20;

#[derive(clap::Args)]
pub struct Options {
    /// A name, an address, a phone number, an order number, a code, a provider's id
    #[arg(required = true, value_name = "TEXT")]
    pub text: Vec<String>,
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    let text = options.text.join(" ");
    let phone = addresses::phone(&text, addresses::country(&opened.settings.business.country));
    let found = find(&opened.db, &opened.catalogue, &Needle { text, phone }, SHOWN).await?;
    if json {
        writeln!(out, "{:#}", found.to_json(opened.currency()))?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.customers.is_empty() && found.touchpoints.is_empty() {
        writeln!(out, "Nobody and nothing found.")?;
        return Ok(ExitCode::SUCCESS);
    }
    if !found.customers.is_empty() {
        let mut table = Table::new(&["CUSTOMER", "NAME", "EMAIL", "PHONE", "FOUND BY"]);
        for one in &found.customers {
            let cell = |cell: &Option<String>| cell.clone().unwrap_or_default();
            table.row(vec![
                one.customer.clone(),
                cell(&one.name),
                cell(&one.email),
                cell(&one.phone),
                one.matched.clone(),
            ]);
        }
        table.write(out, "")?;
    }
    if !found.touchpoints.is_empty() {
        if !found.customers.is_empty() {
            writeln!(out)?;
        }
        log::table(opened, &found.touchpoints).await?.write(out, "")?;
    }
    if found.customers.len() == SHOWN || found.touchpoints.len() == SHOWN {
        let shown = counted(SHOWN, "row");
        writeln!(out, "\nOnly the first {shown} of each kind are shown: a longer text finds fewer.")?;
    }
    Ok(ExitCode::SUCCESS)
}
