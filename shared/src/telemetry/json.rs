//! Log events as JSON (RFC 8259), one object a line: when, how grave, the fields
//! in the order they were given, and where from. Each line is made in one buffer
//! and written by one call. The formatter that comes with tracing-subscriber
//! gives the same lines by way of serde, piece by piece, for three times the work.
//!
//! Deliberately not here: spans. Nothing in this workspace opens one.

use std::{
    cell::Cell,
    fmt::{self, Debug, Write as _},
    io::Write as _,
};

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context};

use crate::clock::{Clock as _, SystemClock};

/// The largest buffer that a thread keeps.
const KEPT_BYTES: usize = 16 * 1024;

thread_local! {
    /// The memory of the last line.
    static LINE: Cell<String> = const { Cell::new(String::new()) };
}

/// Writes every event as a line of JSON.
pub(super) struct JsonLines<W>(pub(super) W);

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        // Taken, not borrowed: a value may log something while it is formatted.
        let mut line = LINE.try_with(Cell::take).unwrap_or_default();
        line.clear();
        write_event(&mut line, SystemClock.now(), event);
        // A log that cannot be written cannot be complained about.
        let _ = self.0.make_writer_for(event.metadata()).write_all(line.as_bytes());
        if line.capacity() <= KEPT_BYTES {
            let _ = LINE.try_with(|kept| kept.set(line));
        }
    }
}

fn write_event(line: &mut String, now: DateTime<Utc>, event: &Event<'_>) {
    line.push_str(r#"{"timestamp":""#);
    write_time(line, now);
    line.push_str(r#"","level":""#);
    line.push_str(match *event.metadata().level() {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    });
    line.push('"');
    event.record(&mut Members(line));
    Members(line).text("target", event.metadata().target());
    line.push_str("}\n");
}

/// RFC 3339, to the microsecond.
fn write_time(line: &mut String, now: DateTime<Utc>) {
    let micros = now.timestamp_subsec_micros();
    for (number, digits, end) in [
        (now.year().unsigned_abs(), 4, '-'),
        (now.month(), 2, '-'),
        (now.day(), 2, 'T'),
        (now.hour(), 2, ':'),
        (now.minute(), 2, ':'),
        (now.second(), 2, '.'),
        (micros, 6, 'Z'),
    ] {
        let mut unit = 10_u32.pow(digits - 1);
        while unit > 0 {
            line.push(char::from(b'0' + (number / unit % 10) as u8));
            unit /= 10;
        }
        line.push(end);
    }
}

/// The members of an object, behind one that is there already.
struct Members<'a>(&'a mut String);

impl Members<'_> {
    fn name(&mut self, name: &str) -> &mut String {
        self.0.push_str(",\"");
        escape(self.0, name);
        self.0.push_str("\":");
        self.0
    }

    fn text(&mut self, name: &str, value: &str) {
        let line = self.name(name);
        line.push('"');
        escape(line, value);
        line.push('"');
    }

    /// A value that is written as it is.
    fn plain(&mut self, field: &Field, value: impl fmt::Display) {
        // A string takes everything.
        let _ = write!(self.name(field.name()), "{value}");
    }
}

impl Visit for Members<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no word for the others.
        if value.is_finite() {
            self.plain(field, format_args!("{value:?}"));
        } else {
            self.plain(field, "null");
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let line = self.name(field.name());
        line.push('"');
        // If the value cannot be formatted, what there is of it is shown.
        let _ = write!(Escaped(line), "{value:?}");
        line.push('"');
    }
}

/// Takes text and writes it as the inside of a JSON string.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text);
        Ok(())
    }
}

/// Writes text as the inside of a JSON string.
fn escape(line: &mut String, text: &str) {
    // Looks at every byte, come what may: that is what compilers make wide
    // instructions of, and nearly all text is clean.
    if !text.bytes().fold(false, |found, byte| found | is_special(byte)) {
        line.push_str(text);
        return;
    }
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate().filter(|&(_, byte)| is_special(byte)) {
        line.push_str(&text[written..at]);
        written = at + 1;
        match byte {
            b'"' => line.push_str("\\\""),
            b'\\' => line.push_str("\\\\"),
            b'\n' => line.push_str("\\n"),
            b'\r' => line.push_str("\\r"),
            b'\t' => line.push_str("\\t"),
            _ => {
                let _ = write!(line, "\\u{byte:04x}");
            }
        }
    }
    line.push_str(&text[written..]);
}

/// RFC 8259, section 7: quotation mark, reverse solidus and control characters
/// must be escaped, everything else stands for itself.
fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    use std::{error::Error, io};

    use chrono::TimeDelta;
    use serde_json::Value;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::telemetry::Captured;

    /// What is logged by `log`, by us and by tracing-subscriber's formatter.
    fn logged(log: impl FnOnce()) -> (Vec<Value>, Vec<Value>) {
        let (ours, theirs) = (Captured::default(), Captured::default());
        let reference = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(theirs.clone());
        let both = tracing_subscriber::registry().with(JsonLines(ours.clone())).with(reference);
        tracing::subscriber::with_default(both, log);
        let read = |log: Captured| {
            let lines = log.text();
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        (read(ours), read(theirs))
    }

    /// Everything but the time, which is read twice.
    fn without_time(lines: &mut [Value]) {
        for line in lines {
            let time = line["timestamp"].take();
            DateTime::parse_from_rfc3339(time.as_str().unwrap()).unwrap();
        }
    }

    /// The lines mean what tracing-subscriber's would, for every type of value
    /// and whatever text.
    #[test]
    fn lines_mean_the_same_as_the_usual_ones() {
        let error = io::Error::other("it said \"no\"\n");
        let text =
            "\"quoted\" back\\slash /solidus\u{0}\u{8}\u{c}\u{1b}\u{7f}\r\n\t é 漢 \u{2028} 🎻";
        let (mut ours, mut theirs) = logged(|| {
            tracing::error!(error = &error as &dyn Error, "An error.");
            tracing::warn!(%error, debug = ?error, "Displayed, debugged.");
            tracing::info!(text, display = %text, debug = ?text, "{text}");
            tracing::debug!(t = true, i = i64::MIN, u = u64::MAX, h = u128::MAX, small = -1_i8);
            tracing::trace!(target: "else\"where", none = None::<u64>, some = Some(5), "");
            tracing::info!(a.b.c = 1, "odd \"name\"" = 2, empty = "");
            for f in [0.0, -0.0, 1.0, 0.1, 1e-7, 1e16, 1e21, f64::MAX, f64::MIN_POSITIVE] {
                tracing::info!(f, "{f}");
            }
            for f in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                tracing::info!(f, "No number.");
            }
        });
        without_time(&mut ours);
        without_time(&mut theirs);
        assert_eq!(ours.len(), 18);
        assert_eq!(ours, theirs);
        assert_eq!(ours[0]["error"], "it said \"no\"\n");
        assert_eq!(ours[2]["text"], text);
        assert_eq!(ours[17]["f"], Value::Null);
    }

    /// A machine reads one line at a time: an event is one, in the usual order.
    #[test]
    fn an_event_is_one_line() {
        let log = Captured::default();
        let subscriber = tracing_subscriber::registry().with(JsonLines(log.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("outer", hidden = 1);
            let _inside = span.enter();
            tracing::info!(target: "call", n = 1, "two\nlines");
        });
        let text = log.text();
        let (time, rest) = text.split_at(r#"{"timestamp":"2026-11-20T13:44:13.046737Z","#.len());
        assert!(time.starts_with(r#"{"timestamp":"2"#) && time.ends_with(r#"Z","#), "{time}");
        assert_eq!(
            rest,
            "\"level\":\"INFO\",\"message\":\"two\\nlines\",\"n\":1,\"target\":\"call\"}\n"
        );
    }

    #[test]
    fn the_time_has_all_its_digits() {
        let start = DateTime::from_timestamp(1_709_164_800, 0).unwrap();
        for (micros, shown) in
            [(0, "2024-02-29T00:00:00.000000Z"), (1, "2024-02-29T00:00:00.000001Z")]
        {
            let mut line = String::new();
            write_time(&mut line, start + TimeDelta::microseconds(micros));
            assert_eq!(line, shown);
        }
    }
}
