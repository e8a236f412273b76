//! `plusone customer`: one customer on one page.

use super::consent::told;
use super::print::{Table, local, money, plain, short};
use super::{Answer, Failure, log, lookup, opened::Opened, replied};
use crate::amount::{Amount, SCALE};
use crate::catalogue::{Entity, Type};
use crate::courtesy::pauses::Scope;
use crate::shell;
use crate::store::page::{CustomerPage, customer_page};
use crate::store::pauses;
use crate::time::Timestamp;
use crate::touchpoints::Touchpoint;
use serde_json::Value;
use std::io::{self, Write};
use std::process::ExitCode;

/// How many touchpoints the page holds.
const SHOWN: i64 = 20;

#[derive(clap::Args)]
pub struct Options {
    /// An id, an email address, a phone number, order:1234, or a name that one person has
    pub customer: String,
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    let customer = lookup::the_customer_or_name(opened, &options.customer).await?;
    let page = customer_page(&opened.db, &opened.catalogue, &customer, SHOWN).await?;
    let page = page.ok_or_else(|| Failure::failed(format!("nothing is known of customer `{customer}`")))?;
    let paused = pauses::load(&opened.db).await?.holds(&Scope::Customer(customer), opened.now);
    if json {
        let mut whole = page.to_json(&opened.catalogue, opened.currency());
        whole["paused"] = Value::Bool(paused);
        writeln!(out, "{whole:#}")?;
    } else {
        sentences(opened, &page, paused, out).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn sentences(opened: &Opened, page: &CustomerPage, paused: bool, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(out, "Customer {}  (times of {})", plain(&page.customer), opened.zone())?;
    if paused {
        writeln!(
            out,
            "  paused: nothing is sent to them; `plusone resume {}` ends it",
            plain(&shell::customer(&page.customer))
        )?;
    }
    match &page.fields {
        None => writeln!(out, "  no longer in the customer data; only what plusone recorded remains")?,
        Some(fields) => {
            let customer = opened.catalogue.customer();
            for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                writeln!(out, "  {:<16} {}", plain(name), plain(&shown(opened, customer, name, value)))?;
            }
        }
    }
    consents(opened, page, out)?;
    rows(opened, page, out)?;
    section(opened, "Planned next", &page.planned, out).await?;
    section(opened, "Touchpoints", &page.touchpoints, out).await?;
    if !page.replies.is_empty() {
        writeln!(out, "\nWhat they wrote back")?;
        replied::table(&page.replies, opened.zone()).write(out, "  ")?;
        replied::waits(&page.replies, out)?;
    }
    Ok(offers(opened, page, out)?)
}

fn consents(opened: &Opened, page: &CustomerPage, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nConsent")?;
    if page.consents.is_empty() {
        return writeln!(out, "  nothing recorded: a no for promotional topics");
    }
    page.consents.iter().try_for_each(|one| writeln!(out, "  {}", told(opened, one)))
}

/// How many columns of a row are shown.
const COLUMNS: usize = 6;

fn rows(opened: &Opened, page: &CustomerPage, out: &mut dyn Write) -> io::Result<()> {
    for rows in &page.rows {
        let Some(entity) = opened.catalogue.entity(&rows.entity) else { continue };
        let newest = rows.newest.len() as i64;
        let shown_of = if newest < rows.count { format!(", the newest {newest}") } else { String::new() };
        writeln!(out, "\n{}: {}{shown_of}", plain(&rows.plural), rows.count)?;
        // Whose they are is said above.
        let is_told = |name: &&str| entity.belongs_to.iter().all(|link| link.field != **name);
        let names: Vec<&str> = entity.fields.iter().map(|field| field.name.as_str()).filter(is_told).collect();
        let names = &names[..names.len().min(COLUMNS)];
        let mut table = Table::new(names);
        for row in &rows.newest {
            table.row(names.iter().map(|name| shown(opened, entity, name, &row[*name])).collect());
        }
        table.write(out, "  ")?;
    }
    Ok(())
}

/// A field's value as people read it: times by the business's clock, money with its thousands apart, decimals without
/// needless zeros.
fn shown(opened: &Opened, entity: &Entity, name: &str, value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let read = match entity.field(name).map(|field| field.ty) {
        Some(Type::Timestamp) => text.parse::<Timestamp>().ok().map(|at| local(at, opened.zone())),
        Some(Type::Money) => Amount::parse(&text, SCALE).map(Amount::told),
        Some(Type::Decimal(scale)) => Amount::parse(&text, scale).map(Amount::short),
        _ => None,
    };
    read.unwrap_or(text)
}

async fn section(opened: &Opened, title: &str, touchpoints: &[Touchpoint], out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(out, "\n{title}")?;
    if touchpoints.is_empty() {
        return Ok(writeln!(out, "  none")?);
    }
    Ok(log::table(opened, touchpoints).await?.write(out, "  ")?)
}

fn offers(opened: &Opened, page: &CustomerPage, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nOffers")?;
    if page.offers.is_empty() {
        return writeln!(out, "  none");
    }
    let mut table = Table::new(&["OFFER", "CODE", "STATE", "WORTH", "GIVEN", "VALID UNTIL", "TOUCHPOINT"]);
    for one in &page.offers {
        table.row(vec![
            one.offer.clone(),
            one.code.clone().unwrap_or_default(),
            one.state.told().to_owned(),
            format!("{} {}", money(one.value), opened.currency()),
            local(one.granted_at, opened.zone()),
            one.expires_at.map_or(String::new(), |at| local(at, opened.zone())),
            short(&one.touchpoint).to_owned(),
        ]);
    }
    table.write(out, "  ")
}
