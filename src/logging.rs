//! What the program says while it runs: plain lines for people, or one JSON object a line for machines.
//!
//! 1. Everything goes to standard error; answers alone go to standard output.
//! 2. Lines for people bear the business's local time, to match the hours that its files speak of; JSON bears RFC 3339
//!    in UTC.
//! 3. `RUST_LOG` decides what is said; without it our own `info` and everybody's warnings.
//! 4. Contacts are masked by their types, and a failure is logged once, where it is handled.

use crate::clock::Clock;
use crate::settings::LogFormat;
use crate::time::Tz;
use std::fmt;
use std::io::IsTerminal;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// What is said where `RUST_LOG` says nothing.
const USUAL: &str = "warn,plusone=info";

/// Starts logging to standard error; a second start in one process does nothing.
pub fn start(format: LogFormat, zone: Tz) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL));
    let line =
        Line { format, colour: std::io::stderr().is_terminal(), time: LineTime { zone, clock: Clock::System, format } };
    // Err means that a subscriber is there already, a test's for instance: it stays.
    let _ = tracing::subscriber::set_global_default(subscriber(line, filter, std::io::stderr));
}

/// How a line looks.
struct Line {
    format: LogFormat,
    colour: bool,
    time: LineTime,
}

fn subscriber<W>(line: Line, filter: EnvFilter, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // A line that cannot be written is lost; to tell of that on the same standard error would end the program.
    let base = tracing_subscriber::fmt().log_internal_errors(false);
    let base = base.with_env_filter(filter).with_writer(writer).with_timer(line.time);
    match line.format {
        LogFormat::Json => Box::new(base.json().flatten_event(true).with_current_span(false).finish()),
        // Where colour is possible the crate's own default asks NO_COLOR.
        LogFormat::Text if line.colour => Box::new(base.with_target(false).finish()),
        LogFormat::Text => Box::new(base.with_target(false).with_ansi(false).finish()),
    }
}

/// Writes the time of a line.
struct LineTime {
    zone: Tz,
    clock: Clock,
    format: LogFormat,
}

impl FormatTime for LineTime {
    fn format_time(&self, out: &mut Writer<'_>) -> fmt::Result {
        let now = self.clock.now();
        match self.format {
            LogFormat::Json => write!(out, "{now}"),
            LogFormat::Text => write!(out, "{}", now.local(self.zone).format("%Y-%m-%d %H:%M:%S")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::touchpoints::Contact;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no test panics here").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn said(format: LogFormat, filter: &str) -> String {
        let memory = Memory::default();
        let writer = memory.clone();
        let clock = Clock::manual("2026-07-14T09:00:00Z".parse().expect("an instant"));
        let time = LineTime { zone: chrono_tz::Europe::London, clock, format };
        let line = Line { format, colour: false, time };
        let subscriber = subscriber(line, EnvFilter::new(filter), move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            let to = Contact::new("ada@harbour.example");
            tracing::info!(rule.name = "winback", %to, "sent\u{1b}[2J");
            tracing::debug!("not said");
        });
        let bytes = memory.0.lock().expect("no test panics here").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn people_read_the_local_time_and_masked_contacts() {
        let text = said(LogFormat::Text, USUAL);
        assert!(text.starts_with("2026-07-14 10:00:00  INFO sent"), "{text}");
        assert!(text.contains("a…@h….example") && !text.contains("ada@"), "{text}");
        assert_eq!((text.lines().count(), text.contains('\u{1b}')), (1, false), "{text}");
    }

    #[test]
    fn machines_read_one_object_a_line() {
        let text = said(LogFormat::Json, USUAL);
        let line: serde_json::Value = serde_json::from_str(&text).expect("one JSON object");
        assert_eq!(line["timestamp"], "2026-07-14T09:00:00Z");
        assert_eq!((&line["level"], &line["rule.name"]), (&"INFO".into(), &"winback".into()));
        assert_eq!(line["to"], "a…@h….example");
    }

    #[test]
    fn the_filter_decides_what_is_said() {
        assert_eq!(said(LogFormat::Text, "error"), "");
        assert_eq!(said(LogFormat::Text, "plusone=debug").lines().count(), 2);
    }
}
