//! Logs, metrics and panics of the process: set up once, by whoever comes
//! first, so that two services and all tests can share a process.
//!
//! Invariant: logs go to standard error or to a test's buffer, one line each.
//! What is logged is decided where it happens.

mod json;

use std::{
    any::Any,
    cell::Cell,
    io::{self, Write},
    panic::PanicHookInfo,
    str::FromStr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter, layer::SubscriberExt as _};

use self::json::JsonLines;
use crate::call;

/// What is logged if nobody says otherwise.
pub const DEFAULT_FILTER: &str = "info";

/// What tests get to see: everything but the inner life of connections.
const CAPTURE_FILTER: &str = "debug,h2=info,hyper=info,hyper_util=info";

/// Bounds of the histograms of durations, in seconds.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How often samples are folded into their histograms, asked for or not.
const UPKEEP: Duration = Duration::from_secs(5);

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
static CAPTURED: OnceLock<Captured> = OnceLock::new();

thread_local! {
    /// What the last panic of this thread said, if it happened in a call.
    static PANIC: Cell<Option<String>> = const { Cell::new(None) };
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    #[default]
    Json,
    /// For people, coloured on a terminal.
    Text,
}

/// Log output kept in memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// Everything logged so far.
    #[must_use]
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Sets up logs to standard error, metrics and the panic hook. `filter` is a
/// list of directives as `info,sqlx=warn`. Does nothing the second time.
///
/// # Errors
/// If `filter` cannot be read.
pub fn init(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    init_with_writer(format, filter, io::stderr)
}

/// As `init`, with another place for the logs.
///
/// # Errors
/// If `filter` cannot be read.
pub fn init_with_writer<W>(format: LogFormat, filter: &str, writer: W) -> anyhow::Result<()>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    if set_logs(format, filter, writer)? {
        std::panic::set_hook(Box::new(note_panic));
    }
    Ok(())
}

/// Sets up telemetry for tests: what any of them logs in this process, in one
/// buffer, the same every time. Failed assertions are still printed.
#[must_use]
pub fn capture() -> Captured {
    let captured = CAPTURED.get_or_init(Captured::default).clone();
    if let Ok(true) = set_logs(LogFormat::Json, CAPTURE_FILTER, captured.clone()) {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            note_panic(info);
            print(info);
        }));
    }
    captured
}

/// The metrics of the process, to be rendered for Prometheus.
pub fn metrics() -> PrometheusHandle {
    METRICS.get_or_init(record_metrics).clone()
}

/// What a caught panic said and where, if the panic hook knows.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    PANIC.take().unwrap_or_else(|| message(payload).to_owned())
}

/// Whether it was us who set up the logs.
fn set_logs<W>(format: LogFormat, filter: &str, writer: W) -> anyhow::Result<bool>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter =
        EnvFilter::from_str(filter).with_context(|| format!("bad log filter: {filter}"))?;
    metrics();
    let logs = tracing_subscriber::registry().with(filter);
    let set = match format {
        LogFormat::Json => tracing::subscriber::set_global_default(logs.with(JsonLines(writer))),
        LogFormat::Text => {
            let colours = io::IsTerminal::is_terminal(&io::stderr());
            let text = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(colours);
            tracing::subscriber::set_global_default(logs.with(text))
        }
    };
    Ok(set.is_ok())
}

fn record_metrics() -> PrometheusHandle {
    let builder = PrometheusBuilder::new();
    let builder = builder
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
        .unwrap_or_else(|_| PrometheusBuilder::new());
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    // Somebody else's recorder stays; ours then renders nothing.
    if metrics::set_global_recorder(recorder).is_ok() {
        let handle = handle.clone();
        let upkeep = move || loop {
            std::thread::sleep(UPKEEP);
            handle.run_upkeep();
        };
        let thread = std::thread::Builder::new().name("metrics".to_owned());
        if let Err(error) = thread.spawn(upkeep) {
            tracing::warn!(%error, "Metrics take memory until they are read.");
        }
    }
    handle
}

/// The panic hook. A panic in a call is logged with the call's error, once.
fn note_panic(info: &PanicHookInfo<'_>) {
    let at = info.location().map(ToString::to_string).unwrap_or_default();
    let said = format!("panicked at {at}: {}", message(info.payload()));
    if call::current().is_some() {
        PANIC.set(Some(said));
    } else {
        tracing::error!(error = said, "A part of the program failed by our own fault.");
    }
}

fn message(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic")
}
