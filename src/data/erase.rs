//! Erasing a person: everything that plusone holds about them goes, but for keyed hashes that keep them away.
//!
//! 1. The first transaction decides: it stops what is planned, stops their addresses, remembers their hashes and takes
//!    their own row out. From then on no rule finds them and no import brings them back. It is refused while a message
//!    is on its way or in doubt, because what became of it could not be written down.
//! 2. All else goes in short transactions, touchpoints last of all: begun again after a crash it finds the rest.
//! 3. Of the suppressions of their addresses one is left, without a letter of the address. An address that another
//!    customer has too is theirs, and is left as it is.
//! 4. What an offer has cost stays in its budget: a code in somebody's drawer may still be used up.
//! 5. Files of the folder provider and pages of previews are plusone's writing and go. Files and tables of others are named, not touched.

use super::DataError;
use super::suppress::Hasher;
use crate::catalogue::{CUSTOMER, Catalogue, Entity, Place, quoted};
use crate::channels::folder;
use crate::contact::{EVERYTHING, is_good_email, is_good_phone};
use crate::ids::bucket_of;
use crate::settings::{Settings, Way};
use crate::store::db::{Db, StoreError, Tx};
use crate::store::erase::{self, Person};
use crate::store::external::shown;
use crate::store::find::{Role, by_role};
use crate::store::person::{self, By, TABLES};
use crate::store::suppressions::{self, Suppression};
use crate::store::{erased, offers, rows};
use crate::time::Timestamp;
use crate::touchpoints::State;
use crate::workspace::PREVIEWS;
use futures_util::TryStreamExt;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The reason of the suppression that an erasure leaves.
pub const REASON: &str = "erasure";

/// What a suppression shows in the place of an erased address.
const SHOWN: &str = "erased";

/// How long a message that is being sent is waited for.
const PATIENCE: u32 = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// Whom to erase, and from what.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    pub db: &'a Db,
    pub catalogue: &'a Catalogue,
    pub settings: &'a Settings,
    /// Where relative paths begin.
    pub home: &'a Path,
    pub customer: &'a str,
    pub now: Timestamp,
}

/// What went, and what is not plusone's to take away.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Erasure {
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// Files of the folder providers, and error files with a row of theirs.
    pub files: u64,
    /// Pages of previews, of whomever.
    pub previews: u64,
    /// Addresses that are never written to again.
    pub suppressed: u64,
    /// How many of their addresses another customer has too.
    pub shared: u64,
    /// False where readers kept the old pages of a SQLite database in its log.
    pub unreadable: bool,
    /// Source files that may hold the person still, by entity.
    pub sources: Vec<(String, String)>,
    /// Tables of others that are read in place, by entity.
    pub in_place: Vec<(String, String)>,
}

/// Erases a person. Begun again it goes on where it ended.
///
/// # Errors
/// [`DataError::Refused`] while one of their messages is on its way or in doubt.
pub async fn erase(job: &Job<'_>) -> Result<Erasure, DataError> {
    let person = Person { bucket: bucket_of(job.customer), customer: job.customer };
    let mut told = Erasure::default();
    let addresses = addresses(job, person, &mut told).await?;
    decide(job, person, &addresses, &mut told).await?;
    offers::put_back(job.db).await?;
    remove_data(job, person, &mut told).await?;
    remove_kept(job, person, &mut told).await?;
    remove_error_files(job, &addresses, &mut told)?;
    remove_previews(job, &mut told)?;
    told.unreadable = job.db.compact().await?;
    for entity in job.catalogue.entities.values().filter(|entity| job.catalogue.is_owned(&entity.name)) {
        match (&entity.place, &entity.source, &entity.database) {
            (Place::InPlace(table), ..) => told.in_place.push((entity.name.clone(), table.clone())),
            (Place::Own, Some(source), _) => told.sources.push((entity.name.clone(), source.clone())),
            (Place::Own, _, Some(database)) => told.sources.push((entity.name.clone(), shown(database.url.expose()))),
            _ => {}
        }
    }
    Ok(told)
}

/// Lets an erased person's rows come again, by their key or an address; gives for how many of their addresses
/// promotional messages stay stopped. `None` where nobody of that name was erased.
pub async fn undo(db: &Db, country: &str, text: &str) -> Result<Option<u64>, DataError> {
    let hasher = Hasher::load(db).await?;
    let home = super::addresses::country(country);
    let mut wanted = vec![hasher.hash_key(CUSTOMER, text)];
    wanted.extend(super::addresses::normalised(text, home).map(|address| hasher.hash(&address)));
    let mut tx = db.begin().await?;
    let mut people: Vec<String> = erased::people(&mut tx, &wanted).await?.into_iter().map(|(_, one)| one).collect();
    people.sort();
    people.dedup();
    let mut narrowed = None;
    for one in &people {
        narrowed = Some(narrowed.unwrap_or(0) + erased::forget(&mut tx, one, REASON).await?);
    }
    tx.commit().await?;
    Ok(narrowed)
}

/// Whether a customer of this key was erased, or is being erased.
pub async fn is_known(db: &Db, customer: &str) -> Result<bool, StoreError> {
    erased::knows(db, &Hasher::load(db).await?.hash_key(CUSTOMER, customer)).await
}

/// Every address of the person that nobody else has.
async fn addresses(job: &Job<'_>, person: Person<'_>, told: &mut Erasure) -> Result<Vec<String>, DataError> {
    let mut all = erase::addresses(job.db, person).await?;
    let customer = job.catalogue.customer();
    let roles = [&job.catalogue.roles.email, &job.catalogue.roles.phone].into_iter().flatten();
    let columns: Vec<String> =
        roles.filter(|field| customer.field(field).is_some()).map(|field| quoted(field)).collect();
    if !columns.is_empty() {
        let key = quoted(&customer.key);
        let mut rows = person::data_rows(job.db, &customer.table(), &columns, &key, job.customer);
        while let Some(row) = rows.try_next().await? {
            all.extend((0..row.len()).filter_map(|index| row.opt_text(index).map(str::to_owned)));
        }
    }
    all.retain(|address| is_good_email(address) || is_good_phone(address));
    all.sort();
    all.dedup();
    let mut own = Vec::new();
    for address in all {
        let role = if address.contains('@') { Role::Email } else { Role::Phone };
        let holders = by_role(job.db, job.catalogue, role, &address).await?;
        if holders.iter().all(|holder| holder == job.customer) {
            own.push(address);
        } else {
            told.shared += 1;
        }
    }
    Ok(own)
}

/// The first transaction, tried again while a message is being sent.
async fn decide(job: &Job<'_>, person: Person<'_>, addresses: &[String], told: &mut Erasure) -> Result<(), DataError> {
    let hasher = Hasher::load(job.db).await?;
    let hashes = hasher.hash_all(&addresses.iter().map(String::as_str).collect::<Vec<_>>());
    let name = hasher.hash_key(CUSTOMER, job.customer);
    let mut tries = 0;
    loop {
        let mut tx = job.db.begin().await?;
        erase::lock(&mut tx, person).await?;
        let open = erase::on_their_way(&mut tx, person).await?;
        let is_sending = open.iter().all(|one| one.state != State::InDoubt);
        if open.is_empty() {
            erase::stop(&mut tx, person, job.now).await?;
            told.suppressed = suppress(&mut tx, &hashes, job.now).await?;
            for hash in &hashes {
                count(told, "replies", erase::remove_nameless_replies(&mut tx, hash).await?);
            }
            let known = hashes.iter().chain([&name]).map(|hash| (name.clone(), hash.clone()));
            erased::add(&mut tx, &known.collect::<Vec<_>>(), job.now).await?;
            remove_own_row(job, &mut tx, person, told).await?;
            return Ok(tx.commit().await?);
        }
        drop(tx);
        tries += 1;
        if !is_sending || tries > PATIENCE {
            return Err(DataError::Refused(refusal(&open)));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn refusal(open: &[erase::OnItsWay]) -> String {
    let one = open.iter().find(|one| one.state == State::InDoubt).unwrap_or(&open[0]);
    let id = one.id.get(..8).unwrap_or(&one.id);
    let cure = if one.state == State::InDoubt {
        format!("settle it with `plusone resolve {id} sent` or `not-sent`")
    } else {
        "let it end (`plusone run` or `plusone once` ends what a stopped daemon left)".to_owned()
    };
    format!(
        "nothing was erased: message {id} of rule {} to this customer is `{}`, and what becomes of it could not be \
         written down; {cure}, and erase again",
        one.rule, one.state
    )
}

/// Leaves one suppression of each address, which shows nothing of it.
async fn suppress(tx: &mut Tx, hashes: &[String], now: Timestamp) -> Result<u64, StoreError> {
    for hash in hashes {
        suppressions::remove_in(tx, hash).await?;
    }
    let bare = |hash: &String| Suppression::of(hash, EVERYTHING, SHOWN, REASON, now, "erase");
    let bare: Vec<Suppression> = hashes.iter().map(bare).collect();
    if bare.is_empty() { Ok(0) } else { suppressions::add(tx, &bare).await }
}

/// Takes the customer's own row out: no rule finds them any more.
async fn remove_own_row(job: &Job<'_>, tx: &mut Tx, person: Person<'_>, told: &mut Erasure) -> Result<(), DataError> {
    let tables = person::data_tables(job.db).await?;
    if let Some(table) = tables.iter().find(|table| table.entity == CUSTOMER) {
        let keys = erase::data_keys(tx, person, table).await?;
        count(told, "customer", erase::remove_data(tx, person, table, &keys).await?);
    }
    Ok(())
}

/// Takes out the rows of customer data; keys that other rows hang on are remembered as hashes.
async fn remove_data(job: &Job<'_>, person: Person<'_>, told: &mut Erasure) -> Result<(), DataError> {
    let hasher = Hasher::load(job.db).await?;
    let name = hasher.hash_key(CUSTOMER, job.customer);
    for table in person::data_tables(job.db).await? {
        let has_children = |entity: &Entity| !rows::children(job.catalogue, entity).is_empty();
        let is_parent = job.catalogue.entity(&table.entity).is_some_and(has_children);
        loop {
            let mut tx = job.db.begin().await?;
            let keys = erase::data_keys(&mut tx, person, &table).await?;
            if is_parent {
                let known = keys.iter().map(|key| (name.clone(), hasher.hash_key(&table.entity, key)));
                erased::add(&mut tx, &known.collect::<Vec<_>>(), job.now).await?;
            }
            count(told, &table.entity, erase::remove_data(&mut tx, person, &table, &keys).await?);
            tx.commit().await?;
            if keys.is_empty() {
                break;
            }
        }
    }
    Ok(())
}

/// Takes out plusone's own records, with the files of the messages; touchpoints last.
async fn remove_kept(job: &Job<'_>, person: Person<'_>, told: &mut Erasure) -> Result<(), DataError> {
    let named = TABLES.iter().filter(|table| table.by == By::Customer && table.name != "touchpoints");
    for table in named {
        let mut tx = job.db.begin().await?;
        count(told, table.name, erase::remove_rows(&mut tx, person, table.name).await?);
        tx.commit().await?;
    }
    let folders = folders(job);
    loop {
        let ids = erase::touchpoints(job.db, person).await?;
        if ids.is_empty() {
            break;
        }
        told.files += remove_files(&folders, &ids)?;
        let mut tx = job.db.begin().await?;
        for (table, removed) in erase::remove_touchpoints(&mut tx, person, &ids).await? {
            count(told, table, removed);
        }
        tx.commit().await?;
    }
    let mut tx = job.db.begin().await?;
    count(told, "pauses", erase::remove_traces(&mut tx, person).await?);
    Ok(tx.commit().await?)
}

fn count(told: &mut Erasure, table: &str, removed: u64) {
    if removed > 0 {
        *told.rows.entry(table.to_owned()).or_default() += removed;
    }
}

fn folders(job: &Job<'_>) -> Vec<PathBuf> {
    let ways = job.settings.providers.values().map(|provider| &provider.way);
    let paths = ways.filter_map(|way| match way {
        Way::Folder { path } => Some(job.home.join(path)),
        _ => None,
    });
    paths.collect()
}

fn remove_files(folders: &[PathBuf], ids: &[String]) -> Result<u64, DataError> {
    let mut removed = 0;
    for path in folders {
        for id in ids {
            removed += folder::remove(path, id).map_err(|error| DataError::file(&path.join(id), error))?;
        }
    }
    Ok(removed)
}

/// Removes the pages of previews, whomever they show: one is made again by a word, and nobody has to search them for
/// what a letter may have made of the person's data.
fn remove_previews(job: &Job<'_>, told: &mut Erasure) -> Result<(), DataError> {
    let folder = job.home.join(PREVIEWS);
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(()) };
    for entry in entries {
        let path = entry.map_err(|error| DataError::file(&folder, error))?.path();
        if path.extension().is_none_or(|ending| ending != "html") {
            continue;
        }
        std::fs::remove_file(&path).map_err(|error| DataError::file(&path, error))?;
        told.previews += 1;
    }
    Ok(())
}

/// Removes the error files of sources that hold a refused row of the person: the next reading writes them anew.
fn remove_error_files(job: &Job<'_>, addresses: &[String], told: &mut Erasure) -> Result<(), DataError> {
    let sources = job.catalogue.entities.values().filter_map(|entity| match (&entity.source, &entity.database) {
        (Some(source), _) => Some(format!("{source}.errors.csv")),
        (None, Some(_)) => Some(format!("var/{}.errors.csv", entity.name)),
        _ => None,
    });
    for source in sources {
        let path = job.home.join(source);
        let Ok(content) = std::fs::read(&path) else { continue };
        let text = String::from_utf8_lossy(&content);
        let holds = |cell: &str| text.contains(&format!("\"{}\"", cell.replace('"', "\"\"")));
        if holds(job.customer) || addresses.iter().any(|address| text.contains(address.as_str())) {
            std::fs::remove_file(&path).map_err(|error| DataError::file(&path, error))?;
            told.files += 1;
        }
    }
    Ok(())
}
