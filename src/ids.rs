//! Ids that follow from what they name, so that the same decision made twice names the same row.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// How many buckets customers are spread over; a bucket is the unit of ownership among daemons.
pub const BUCKETS: i64 = 256;

/// The bucket of a customer: the first byte of SHA-256 of their id.
pub fn bucket_of(customer: &str) -> i64 {
    i64::from(Sha256::digest(customer.as_bytes())[0])
}

/// The id of a touchpoint: a UUID (version 8, RFC 9562) from its key, its first byte the customer's bucket.
///
/// ```
/// let id = plusone::ids::touchpoint("birthday", "17", "2026", 0);
/// assert_eq!(id, plusone::ids::touchpoint("birthday", "17", "2026", 0));
/// assert!(id.starts_with(&format!("{:02x}", plusone::ids::bucket_of("17"))));
/// ```
pub fn touchpoint(rule: &str, customer: &str, occurrence: &str, step: i64) -> String {
    derived("touchpoint", bucket_of(customer), &[rule, customer, occurrence, &step.to_string()])
}

/// The id of a run: a UUID (version 8) from its rule and instant, so that whoever sees a tick first names it alike.
pub fn run(rule: &str, instant_micros: i64, cause: &str) -> String {
    let instant = instant_micros.to_string();
    let digest = digest("run", &[rule, &instant, cause]);
    Uuid::new_v8(digest).to_string()
}

/// A number that follows from `text` and looks like chance: the first eight bytes of its SHA-256.
pub fn number(text: &str) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest("number", &[text])[..8]);
    u64::from_be_bytes(bytes)
}

fn derived(kind: &str, bucket: i64, parts: &[&str]) -> String {
    let mut bytes = digest(kind, parts);
    bytes[0] = u8::try_from(bucket).expect("a bucket is one byte");
    Uuid::new_v8(bytes).to_string()
}

/// The first 16 bytes of SHA-256 over length-prefixed parts: no two lists of parts run together.
fn digest(kind: &str, parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in std::iter::once(&kind).chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    bytes
}

/// The hexadecimal SHA-256 of a file's content: the version of a rule, an offer, a template.
pub fn content_hash(parts: &[&str]) -> String {
    digest("content", parts).iter().map(|byte| format!("{byte:02x}")).collect()
}
