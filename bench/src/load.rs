//! The load: callers that each make one call after the other over connections
//! of our own, on as many single-threaded runtimes as there are processors. A
//! closed loop calls again as soon as it was answered; an open one at a pace,
//! and is timed from when a call should have begun.
//!
//! Invariant: every answer is checked. A call that fails ends the load, and
//! the measurement is an error, never a fast figure. Calls answered during the
//! warm-up are not counted.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

use crate::{
    measure::{Latencies, Sample, Used, latencies},
    process,
};

/// Callers that share one connection.
const CALLERS_PER_CONNECTION: usize = 8;

/// Somebody who makes calls.
pub(crate) trait Caller: Send + 'static {
    /// Makes one call and checks the answer.
    fn call(&mut self) -> impl Future<Output = Result<(), Status>> + Send;

    /// The moment from which the last call is timed, which began at `began`.
    fn timed_from(&self, began: Instant) -> Instant {
        began
    }
}

/// Where a load goes, and whose use of the machine counts as its cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// The server's address.
    pub(crate) address: SocketAddr,
    /// The server's process.
    pub(crate) server: u32,
    /// The process that is the parent of all of Postgres.
    pub(crate) postgres: u32,
}

/// How long a measurement takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// Before anything is counted.
    pub(crate) warm_up: Duration,
    /// What is counted.
    pub(crate) measured: Duration,
}

/// A load that is running.
pub(crate) struct Load {
    target: Target,
    phase: Arc<Phase>,
    workers: Vec<JoinHandle<anyhow::Result<Latencies>>>,
    pacer: Option<JoinHandle<()>>,
}

/// What the callers are told.
struct Phase(AtomicU8);

impl Phase {
    const WARMING_UP: u8 = 0;
    const MEASURING: u8 = 1;
    const OVER: u8 = 2;

    fn is(&self, phase: u8) -> bool {
        self.0.load(Ordering::Relaxed) == phase
    }

    fn set(&self, phase: u8) {
        self.0.store(phase, Ordering::Relaxed);
    }
}

impl Load {
    /// Starts `callers` callers; `make` gets a connection and the caller's number.
    pub(crate) fn start<C: Caller>(
        target: Target,
        callers: usize,
        make: impl Fn(Channel, usize) -> C + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let phase = Arc::new(Phase(AtomicU8::new(Phase::WARMING_UP)));
        Self::spawn(target, callers, make, phase, None)
    }

    /// The same as an open loop of `rate` calls per second, which wait where
    /// there are too few callers.
    pub(crate) fn paced<C: Caller>(
        target: Target,
        callers: usize,
        rate: u32,
        make: impl Fn(Channel, usize) -> C + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let phase = Arc::new(Phase(AtomicU8::new(Phase::WARMING_UP)));
        let (sender, beginnings) = mpsc::unbounded_channel();
        let pacer = {
            let phase = phase.clone();
            let pace = move || pace(rate, &sender, &phase);
            std::thread::Builder::new().name("pace".to_owned()).spawn(pace)?
        };
        let beginnings = Some(Arc::new(Mutex::new(beginnings)));
        let load = Self::spawn(target, callers, make, phase, beginnings)?;
        Ok(Self { pacer: Some(pacer), ..load })
    }

    fn spawn<C: Caller>(
        target: Target,
        callers: usize,
        make: impl Fn(Channel, usize) -> C + Send + Sync + 'static,
        phase: Arc<Phase>,
        beginnings: Option<Beginnings>,
    ) -> anyhow::Result<Self> {
        let make = Arc::new(make);
        let threads = processors().min(callers);
        let spawn = |thread: usize| {
            let (make, phase, beginnings) = (make.clone(), phase.clone(), beginnings.clone());
            let numbers: Vec<usize> = (thread..callers).step_by(threads).collect();
            let run = move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let cue = Cue { phase: phase.clone(), beginnings };
                let done = runtime.block_on(work(target.address, &numbers, &*make, &cue));
                if done.is_err() {
                    phase.set(Phase::OVER);
                }
                done
            };
            std::thread::Builder::new().name(format!("load-{thread}")).spawn(run)
        };
        let workers = (0..threads).map(spawn).collect::<Result<_, _>>()?;
        Ok(Self { target, phase, workers, pacer: None })
    }

    /// Warms up, measures, and ends the load.
    pub(crate) fn measure(self, timing: Timing) -> anyhow::Result<Sample> {
        let Target { server, postgres, .. } = self.target;
        std::thread::sleep(timing.warm_up);
        let before = (process::family_cpu(postgres)?, process::cpu(server)?, process::own_cpu()?);
        let began = Instant::now();
        self.phase.set(Phase::MEASURING);
        std::thread::sleep(timing.measured);
        let failed = self.phase.is(Phase::OVER);
        self.phase.set(Phase::OVER);
        let used = Used {
            time: began.elapsed(),
            generator: process::own_cpu()? - before.2,
            server: process::cpu(server)? - before.1,
            postgres: process::family_cpu(postgres)?.saturating_sub(before.0),
            resident: process::resident(server)?,
        };
        let latencies = self.finish()?;
        anyhow::ensure!(!failed && !latencies.is_empty(), "no call was answered");
        Ok(Sample::of(&latencies, &used))
    }

    /// Ends the load without having measured it.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.phase.set(Phase::OVER);
        self.finish().map(drop)
    }

    fn finish(self) -> anyhow::Result<Latencies> {
        let mut all = latencies()?;
        for worker in self.workers {
            let found = worker.join().map_err(|_| anyhow::anyhow!("a load thread panicked"))?;
            all.add(found?)?;
        }
        if let Some(pacer) = self.pacer {
            pacer.join().map_err(|_| anyhow::anyhow!("the pace was lost"))?;
        }
        Ok(all)
    }
}

/// When calls of an open loop should begin, for whoever comes first.
type Beginnings = Arc<Mutex<mpsc::UnboundedReceiver<Instant>>>;

/// When to call.
#[derive(Clone)]
struct Cue {
    phase: Arc<Phase>,
    /// None in a closed loop.
    beginnings: Option<Beginnings>,
}

impl Cue {
    /// When the next call begins or should have begun; None if there is none.
    async fn next(&self) -> Option<Instant> {
        let beginning = match &self.beginnings {
            None => Some(Instant::now()),
            Some(beginnings) => beginnings.lock().await.recv().await,
        };
        beginning.filter(|_| !self.phase.is(Phase::OVER))
    }
}

/// Says when calls should begin, until the load is over. A thread of its own:
/// the timer of the runtime knows whole milliseconds only.
fn pace(rate: u32, sender: &mpsc::UnboundedSender<Instant>, phase: &Phase) {
    let (began, gap) = (Instant::now(), Duration::from_secs(1) / rate);
    for number in 0.. {
        let beginning = began + gap * number;
        std::thread::sleep(beginning.saturating_duration_since(Instant::now()));
        if phase.is(Phase::OVER) || sender.send(beginning).is_err() {
            return;
        }
    }
}

/// Processors that load and servers share.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The callers of one thread.
async fn work<C: Caller>(
    address: SocketAddr,
    numbers: &[usize],
    make: &(dyn Fn(Channel, usize) -> C + Send + Sync),
    cue: &Cue,
) -> anyhow::Result<Latencies> {
    let mut callers = JoinSet::new();
    for numbers in numbers.chunks(CALLERS_PER_CONNECTION) {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true);
        let channel = endpoint.connect().await.context("cannot connect")?;
        for number in numbers {
            callers.spawn(keep_calling(make(channel.clone(), *number), cue.clone()));
        }
    }
    let mut all = latencies()?;
    while let Some(found) = callers.join_next().await {
        all.add(found??)?;
    }
    Ok(all)
}

async fn keep_calling(mut caller: impl Caller, cue: Cue) -> anyhow::Result<Latencies> {
    let mut latencies = latencies()?;
    while let Some(began) = cue.next().await {
        caller.call().await.map_err(|status| {
            anyhow::anyhow!("a call was refused with {:?}: {}", status.code(), status.message())
        })?;
        if cue.phase.is(Phase::MEASURING) {
            let took = caller.timed_from(began).elapsed().as_nanos();
            let took = u64::try_from(took).unwrap_or(u64::MAX);
            latencies.saturating_record(took);
        }
    }
    Ok(latencies)
}
