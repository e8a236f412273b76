//! The keys by which the links of public pages are signed: made here, kept in the database, changed once a year.
//!
//! 1. The first key is made when it is first asked for; a new one joins when the newest is older than [`AGE`]. Of two
//!    daemons that do so at once one wins, and both use its key.
//! 2. No key is ever taken away: the way out of an old letter never expires.

use super::db::{Db, Result, StoreError};
use crate::sql::Sql;
use crate::time::{Span, Timestamp};
use crate::tokens::{KEY_LENGTH, Keyring};
use rand::TryRng;
use rand::rngs::SysRng;

/// How old the newest key may become.
pub const AGE: Span = Span::from_seconds(365 * 24 * 60 * 60);

/// A key with its number and the time it was made.
type Kept = (u8, [u8; KEY_LENGTH], Timestamp);

/// The keys there are, with a fresh one where there is none or the newest is older than [`AGE`].
///
/// # Errors
/// When the database refuses, or holds what is no key.
pub async fn load(db: &Db, now: Timestamp) -> Result<Keyring> {
    let mut keys = all(db).await?;
    let newest = keys.iter().max_by_key(|(number, ..)| *number);
    let next = match newest {
        None => Some(0),
        // After 256 years of keys the last one goes on signing.
        Some((number, _, made_at)) if now.since(*made_at) > AGE => number.checked_add(1),
        Some(_) => None,
    };
    if let Some(number) = next {
        let insert = "insert into token_keys (number, secret, made_at) values ($1, $2, $3) on conflict do nothing";
        db.execute(Sql::new(insert).with(i64::from(number)).with(fresh()).with(now)).await?;
        // Whoever was first has made it.
        keys = all(db).await?;
    }
    Ok(Keyring::of(keys.into_iter().map(|(number, key, _)| (number, key))).expect("one has just been made"))
}

async fn all(db: &Db) -> Result<Vec<Kept>> {
    let rows = db.fetch(Sql::new("select number, secret, made_at from token_keys")).await?;
    rows.iter()
        .map(|row| {
            let number = u8::try_from(row.int(0)).ok();
            let key = number.zip(bytes(row.text(1)));
            let (number, key) = key.ok_or_else(|| StoreError::Column("token_keys holds what is no key".to_owned()))?;
            Ok((number, key, Timestamp::from_micros(row.int(2))))
        })
        .collect()
}

/// 256 random bits in hexadecimal.
fn fresh() -> String {
    let mut key = [0_u8; KEY_LENGTH];
    SysRng.try_fill_bytes(&mut key).expect("the operating system gives random bytes");
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A key from its hexadecimal form.
fn bytes(text: &str) -> Option<[u8; KEY_LENGTH]> {
    let mut key = [0; KEY_LENGTH];
    if text.len() != 2 * KEY_LENGTH || !text.is_ascii() {
        return None;
    }
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::{AGE, Db, Span, Timestamp, bytes, fresh, load};
    use crate::store::migrate::migrate;
    use crate::tokens::Purpose;

    #[test]
    fn a_key_reads_as_it_is_written() {
        let key = fresh();
        let read = bytes(&key).unwrap();
        assert_eq!(read.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), key);
        assert!(bytes(&key[1..]).is_none() && bytes(&key.replace(&key[..1], "x")).is_none() && bytes("é").is_none());
    }

    #[tokio::test]
    async fn keys_are_made_once_and_joined_by_a_new_one_after_a_year() {
        let home = tempfile::tempdir().unwrap();
        let db = Db::open("sqlite://keys.db", home.path()).await.unwrap();
        migrate(&db).await.unwrap();
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let id = crate::ids::touchpoint("rule", "1", "-", 0);
        let first = load(&db, now).await.unwrap().sign(Purpose::Why, &id, &[]).unwrap();
        let later = now.plus(AGE);
        assert_eq!(load(&db, later).await.unwrap().sign(Purpose::Why, &id, &[]).unwrap(), first);
        let ring = load(&db, later.plus(Span::from_seconds(1))).await.unwrap();
        let second = ring.sign(Purpose::Why, &id, &[]).unwrap();
        assert_ne!(first, second);
        assert!(ring.verify(Purpose::Why, &first).is_some() && ring.verify(Purpose::Why, &second).is_some());
    }
}
