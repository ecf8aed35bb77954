//! Round after round through the same list of measurements, so that a slow
//! minute of the machine falls on everything that is compared.

use std::time::Duration;

use proto::{
    auth::v1::{auth_service_client::AuthServiceClient, token_service_client::TokenServiceClient},
    task::v1::task_service_client::TaskServiceClient,
};
use tokio::runtime::{Builder, Runtime};
use tonic::{client::Grpc, transport::Channel};

use crate::{
    callers::{Creates, Echoes, Gets, Lists, Refreshes, SignIns, Turns, Verifies},
    child::ServerProcess,
    echo::v1::echo_service_client::EchoServiceClient,
    hashing,
    load::{Caller, Load, Timing},
    measure::Sample,
    pgbench::{Pgbench, Statement},
    plan::{Case, Plan, What},
    report::{Figures, report},
    stage::Stage,
    start::Starts,
};

/// The warm-up is this part of what is measured.
const WARM_UP: u32 = 4;
/// Callers of a storm of sign-ins.
const STORM: usize = 32;

/// Measures and reports.
pub(crate) fn run(plan: &Plan) -> anyhow::Result<()> {
    shared::program::install_cryptography();
    // Its threads do nothing while something is measured.
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let stage = runtime.block_on(Stage::set())?;
    let measured = Bench::prepare(&runtime, &stage, plan).and_then(|bench| bench.rounds(plan));
    runtime.block_on(stage.clear())?;
    report(&measured?, plan)
}

struct Bench<'a> {
    stage: &'a Stage,
    timing: Timing,
    cases: Vec<Case>,
    /// None if it is not installed here.
    pgbench: Option<Pgbench>,
    /// None if `duet` was not built.
    starts: Option<Starts>,
}

impl<'a> Bench<'a> {
    fn prepare(runtime: &Runtime, stage: &'a Stage, plan: &Plan) -> anyhow::Result<Self> {
        let measured = Duration::from_secs(plan.seconds.into());
        let cases = plan.cases();
        let starts = cases.iter().any(|case| case.what == What::Start);
        Ok(Self {
            stage,
            timing: Timing { warm_up: measured / WARM_UP, measured },
            cases,
            pgbench: runtime.block_on(Pgbench::prepare(stage))?,
            starts: if starts { Starts::prepare()? } else { None },
        })
    }

    fn rounds(&self, plan: &Plan) -> anyhow::Result<Figures> {
        let mut figures = Figures::new(self.stage.idle);
        for round in 1..=plan.rounds {
            eprintln!("Round {round} of {}", plan.rounds);
            for case in &self.cases {
                if let Some(sample) = self.measure(*case)? {
                    figures.add(*case, sample);
                }
            }
        }
        Ok(figures)
    }

    /// None if what it takes is not there.
    fn measure(&self, case: Case) -> anyhow::Result<Option<Sample>> {
        let plain = |statement| {
            let run = |pgbench: &Pgbench| pgbench.run(statement, self.timing.measured);
            self.pgbench.as_ref().map(run).transpose()
        };
        let load =
            match case.what {
                What::BareEcho => self.echo(&self.stage.bare, case.callers),
                What::QuietEcho => self.echo(&self.stage.quiet, case.callers),
                What::WholeEcho => self.echo(&self.stage.whole, case.callers),
                What::Verify => self.load(&self.stage.auth, case.callers, |channel, turns| {
                    Verifies { client: TokenServiceClient::new(channel), turns }
                }),
                What::Refresh => self.load(&self.stage.auth, case.callers, |channel, turns| {
                    Refreshes { client: AuthServiceClient::new(channel), turns }
                }),
                What::SignIn => self.sign_in(case.callers),
                What::Get => self.load(&self.stage.tasks, case.callers, |channel, turns| Gets {
                    client: TaskServiceClient::new(channel),
                    turns,
                    at: 0,
                }),
                What::Create => self.load(&self.stage.tasks, case.callers, |channel, turns| {
                    Creates { client: TaskServiceClient::new(channel), turns }
                }),
                What::List | What::ListInCalm => self.list(case.callers),
                What::ListInStorm => return self.storm(case.callers).map(Some),
                What::Hashing => return hashing::measure(self.timing).map(Some),
                What::PlainInsert => return plain(Statement::Insert),
                What::PlainSelect => return plain(Statement::Select),
                What::Start => return self.starts.as_ref().map(Starts::measure).transpose(),
            };
        load?.measure(self.timing).map(Some)
    }

    fn storm(&self, readers: usize) -> anyhow::Result<Sample> {
        let storm = self.sign_in(STORM)?;
        let sample = self.list(readers)?.measure(self.timing);
        storm.stop()?;
        sample
    }

    fn echo(&self, server: &ServerProcess, callers: usize) -> anyhow::Result<Load> {
        self.load(server, callers, |channel, turns| Echoes {
            client: EchoServiceClient::new(channel),
            turns,
        })
    }

    fn sign_in(&self, callers: usize) -> anyhow::Result<Load> {
        self.load(&self.stage.auth, callers, |channel, turns| SignIns {
            client: AuthServiceClient::new(channel),
            turns,
        })
    }

    fn list(&self, callers: usize) -> anyhow::Result<Load> {
        self.load(&self.stage.tasks, callers, |channel, turns| Lists {
            client: Grpc::new(channel),
            turns,
        })
    }

    fn load<C: Caller>(
        &self,
        server: &ServerProcess,
        callers: usize,
        make: impl Fn(Channel, Turns) -> C + Send + Sync + 'static,
    ) -> anyhow::Result<Load> {
        let users = self.stage.users.clone();
        Load::start(self.stage.target(server), callers, move |channel, number| {
            make(channel, Turns::of(&users, number, callers))
        })
    }
}
