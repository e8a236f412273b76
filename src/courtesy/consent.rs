//! Consent as a question in SQL: the current answer is the latest by its time; of two at one instant the no.

/// Stands for every channel.
pub const EVERY_CHANNEL: &str = "*";

/// A scalar subquery for the current answer of a customer about a topic on a channel: 1, 0, or NULL where there is
/// none. The arguments are SQL expressions: columns of the query around it, or places of binds.
///
/// ```
/// let sql = plusone::courtesy::consent::current_sql("c.\"_bucket\"", "c.\"_customer\"", "$1", "$2");
/// assert!(sql.starts_with("(select k.value from consents as k where k.bucket = c.\"_bucket\""));
/// ```
pub fn current_sql(bucket: &str, customer: &str, topic: &str, channel: &str) -> String {
    format!(
        "(select k.value from consents as k where k.bucket = {bucket} and k.customer = {customer} \
         and k.topic = {topic} and k.channel in ({channel}, '{EVERY_CHANNEL}') \
         order by k.at desc, k.value limit 1)"
    )
}
