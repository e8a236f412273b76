//! The figures that operators watch, for Prometheus. Engines call the typed methods of [`Metrics`]; `web` serves the
//! text.
//!
//! 1. A clone shares its figures with the original and costs one reference count.
//! 2. Labels take few values: channels, providers, purposes, outcomes, reasons. Never a customer, an address, a
//!    touchpoint.
//! 3. Every series that can be known beforehand begins at 0, so that its first increase is seen as one.

use crate::rules::{Channel, Purpose, words};
use crate::time::Span;
use crate::touchpoints::Reason;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// What became of one attempt to send.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    Sent,
    /// A definite no.
    Failed,
    /// Nobody can say.
    InDoubt,
    /// A definite "not now".
    Retry,
}

words!(Outcome { Sent = "sent", Failed = "failed", InDoubt = "in_doubt", Retry = "retry" });

/// Seconds; a mail server may take its time over the final dot, a folder takes none.
const SEND_BUCKETS: [f64; 12] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];
/// Seconds; one statement over all customers.
const EVALUATION_BUCKETS: [f64; 10] = [0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0];

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct SendLabels {
    channel: &'static str,
    provider: String,
    category: &'static str,
    outcome: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ProviderLabels {
    channel: &'static str,
    provider: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct LaneLabels {
    channel: &'static str,
    category: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

type Seconds = Gauge<f64, AtomicU64>;
type Durations = Family<ProviderLabels, Histogram, fn() -> Histogram>;

/// The figures.
#[derive(Clone)]
pub struct Metrics(Arc<Series>);

struct Series {
    registry: Registry,
    sends: Family<SendLabels, Counter>,
    send_duration: Durations,
    queue_depth: Family<LaneLabels, Gauge>,
    queue_oldest_age: Family<LaneLabels, Seconds>,
    suppressed: Family<ReasonLabels, Counter>,
    rule_evaluation: Histogram,
    schedule_lag: Seconds,
    configuration_problems: Gauge,
}

/// One lane of the queue at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueLane {
    /// Not chosen yet, where absent.
    pub channel: Option<Channel>,
    pub purpose: Purpose,
    pub depth: i64,
    pub oldest_age: Span,
}

impl Metrics {
    /// All figures at 0, for a program with these ways out.
    pub fn start(ways_out: impl IntoIterator<Item = (Channel, String)>) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(SEND_BUCKETS);
        let mut series = Series {
            registry: Registry::with_prefix("plusone"),
            sends: Family::default(),
            send_duration: Family::new_with_constructor(histogram),
            queue_depth: Family::default(),
            queue_oldest_age: Family::default(),
            suppressed: Family::default(),
            rule_evaluation: Histogram::new(EVALUATION_BUCKETS),
            schedule_lag: Seconds::default(),
            configuration_problems: Gauge::default(),
        };
        series.register();
        let metrics = Self(Arc::new(series));
        for reason in Reason::ALL {
            drop(metrics.0.suppressed.get_or_create(&ReasonLabels { reason: reason.as_str() }));
        }
        metrics.queue(&[]);
        for (channel, provider) in ways_out {
            metrics.add_way_out(channel, &provider);
        }
        metrics
    }

    /// Begins the series of a way out at 0: at the start, and when the settings gain one.
    pub fn add_way_out(&self, channel: Channel, provider: &str) {
        for purpose in Purpose::ALL {
            for outcome in Outcome::ALL {
                drop(self.0.sends.get_or_create(&send_labels(channel, provider, *purpose, *outcome)));
            }
        }
        drop(self.0.send_duration.get_or_create(&provider_labels(channel, provider)));
    }

    /// One attempt to send, and how long it took on the wire.
    pub fn sent(&self, channel: Channel, provider: &str, purpose: Purpose, outcome: Outcome, took: Duration) {
        self.0.sends.get_or_create(&send_labels(channel, provider, purpose, outcome)).inc();
        self.0.send_duration.get_or_create(&provider_labels(channel, provider)).observe(took.as_secs_f64());
    }

    /// So many messages were decided against, for this reason.
    pub fn suppressed(&self, reason: Reason, count: u64) {
        self.0.suppressed.get_or_create(&ReasonLabels { reason: reason.as_str() }).inc_by(count);
    }

    /// One rule was evaluated at one tick.
    pub fn evaluated(&self, took: Duration) {
        self.0.rule_evaluation.observe(took.as_secs_f64());
    }

    /// How late the latest tick began.
    pub fn schedule_lag(&self, lag: Span) {
        self.0.schedule_lag.set(seconds(lag));
    }

    /// How many problems the files have as they are now.
    pub fn configuration_problems(&self, count: usize) {
        self.0.configuration_problems.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// What waits, lane by lane. A lane that is not named is empty.
    pub fn queue(&self, lanes: &[QueueLane]) {
        let channels = Channel::ALL.iter().copied().map(Some).chain([None]);
        for (channel, purpose) in
            channels.flat_map(|channel| Purpose::ALL.iter().map(move |purpose| (channel, *purpose)))
        {
            let lane = lanes.iter().find(|lane| (lane.channel, lane.purpose) == (channel, purpose));
            let labels = LaneLabels { channel: channel.map_or("none", Channel::as_str), category: purpose.as_str() };
            self.0.queue_depth.get_or_create(&labels).set(lane.map_or(0, |lane| lane.depth));
            self.0.queue_oldest_age.get_or_create(&labels).set(lane.map_or(0.0, |lane| seconds(lane.oldest_age)));
        }
    }

    /// The text in the OpenMetrics format 1.0.
    pub fn open_metrics(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.0.registry).expect("a string takes everything");
        text
    }

    /// The text in the classic format 0.0.4, which names a counter's family as its samples: with `_total`.
    pub fn classic(&self) -> String {
        let mut text = String::new();
        let mut help = None;
        for line in self.open_metrics().lines() {
            let mut words = line.splitn(4, ' ');
            match (words.next(), words.next(), words.next(), words.next()) {
                (Some("#"), Some("HELP"), Some(name), Some(said)) => help = Some((name.to_owned(), said.to_owned())),
                (Some("#"), Some("TYPE"), Some(name), Some(ty)) => {
                    let (suffix, ty) = match ty {
                        "counter" => ("_total", "counter"),
                        "info" => ("_info", "gauge"),
                        other => ("", other),
                    };
                    if let Some((_, said)) = help.take().filter(|(helped, _)| helped == name) {
                        text.push_str(&format!("# HELP {name}{suffix} {said}\n"));
                    }
                    text.push_str(&format!("# TYPE {name}{suffix} {ty}\n"));
                }
                (Some("#"), ..) => {}
                _ => {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
        text
    }
}

impl Series {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of this program", build);
        registry.register("sends", "Attempts to send, by what became of them", self.sends.clone());
        let seconds = || Unit::Seconds;
        let send_duration = "How long an attempt to send was on the wire";
        registry.register_with_unit("send_duration", send_duration, seconds(), self.send_duration.clone());
        registry.register("queue_depth", "Planned messages that wait, due or not", self.queue_depth.clone());
        let oldest = "How long the oldest message that is due has waited";
        registry.register_with_unit("queue_oldest_age", oldest, seconds(), self.queue_oldest_age.clone());
        let suppressed = "Messages decided against, by reason";
        registry.register("suppressed", suppressed, self.suppressed.clone());
        let evaluation = "How long one rule's evaluation at one tick took";
        registry.register_with_unit("rule_eval_duration", evaluation, seconds(), self.rule_evaluation.clone());
        let lag = "How late the latest tick began";
        registry.register_with_unit("schedule_lag", lag, seconds(), self.schedule_lag.clone());
        let problems = "Problems of the configuration files as they are now";
        registry.register("configuration_problems", problems, self.configuration_problems.clone());
    }
}

fn send_labels(channel: Channel, provider: &str, purpose: Purpose, outcome: Outcome) -> SendLabels {
    let provider = provider.to_owned();
    SendLabels { channel: channel.as_str(), provider, category: purpose.as_str(), outcome: outcome.as_str() }
}

fn provider_labels(channel: Channel, provider: &str) -> ProviderLabels {
    ProviderLabels { channel: channel.as_str(), provider: provider.to_owned() }
}

fn seconds(span: Span) -> f64 {
    Duration::from_micros(u64::try_from(span.micros()).unwrap_or(0)).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> Metrics {
        Metrics::start([(Channel::Email, "relay".to_owned())])
    }

    #[test]
    fn what_can_be_known_begins_at_zero() {
        let text = metrics().open_metrics();
        for line in [
            r#"plusone_sends_total{channel="email",provider="relay",category="promotional",outcome="in_doubt"} 0"#,
            r#"plusone_suppressed_total{reason="no_consent"} 0"#,
            r#"plusone_queue_depth{channel="sms",category="transactional"} 0"#,
            r#"plusone_send_duration_seconds_count{channel="email",provider="relay"} 0"#,
            "plusone_schedule_lag_seconds 0.0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn clones_count_together() {
        let metrics = metrics();
        let clone = metrics.clone();
        clone.sent(Channel::Email, "relay", Purpose::Promotional, Outcome::Sent, Duration::from_millis(30));
        clone.suppressed(Reason::NoConsent, 3);
        let text = metrics.open_metrics();
        let sent = r#"plusone_sends_total{channel="email",provider="relay",category="promotional",outcome="sent"} 1"#;
        assert!(text.contains(sent) && text.contains(r#"plusone_suppressed_total{reason="no_consent"} 3"#), "{text}");
    }

    #[test]
    fn a_lane_that_is_not_named_is_empty() {
        let metrics = metrics();
        let age = Span::from_seconds(90);
        let lane = QueueLane { channel: None, purpose: Purpose::Promotional, depth: 4, oldest_age: age };
        metrics.queue(&[lane]);
        let labels = r#"{channel="none",category="promotional"}"#;
        let text = metrics.open_metrics();
        assert!(text.contains(&format!("plusone_queue_depth{labels} 4")), "{text}");
        assert!(text.contains(&format!("plusone_queue_oldest_age_seconds{labels} 90.0")), "{text}");
        metrics.queue(&[]);
        assert!(metrics.open_metrics().contains(&format!("plusone_queue_depth{labels} 0")));
    }

    #[test]
    fn the_classic_format_names_families_as_their_samples() {
        let text = metrics().classic();
        assert!(text.contains("# TYPE plusone_sends_total counter\n"), "{text}");
        assert!(text.contains("# HELP plusone_sends_total Attempts"), "{text}");
        assert!(text.contains("# TYPE plusone_build_info gauge\n"), "{text}");
        assert!(!text.contains("# EOF") && !text.contains("# UNIT"), "{text}");
    }
}
