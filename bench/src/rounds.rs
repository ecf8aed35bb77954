//! Round after round through the same list of measurements, so that a slow
//! minute of the machine falls on everything that is compared.

use std::time::Duration;

use anyhow::Context as _;
use proto::{
    auth::v1::{auth_service_client::AuthServiceClient, token_service_client::TokenServiceClient},
    task::v1::task_service_client::TaskServiceClient,
};
use tokio::runtime::{Builder, Runtime};
use tonic::{client::Grpc, transport::Channel};

use crate::{
    callers::{
        Creates, Echoes, Gets, Guesses, Lists, Refreshes, SignIns, Turns, Updates, Verifies,
    },
    child::ServerProcess,
    echo::v1::echo_service_client::EchoServiceClient,
    grounds::{COLLECTOR, Grounded, SETTLERS},
    hashing,
    load::{Caller, Load, Timing},
    measure::Sample,
    pgbench::{Pgbench, Statement},
    plan::{Case, FLOOD, Plan, WRITERS, What},
    process,
    report::{Figures, report},
    stage::Stage,
    start::Starts,
    watchers::{CROWD, Crowd, Sees, endpoint},
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
    runtime: &'a Runtime,
    stage: &'a Stage,
    timing: Timing,
    /// Calls per second of open loops.
    rate: u32,
    cases: Vec<Case>,
    /// None if it is not installed here.
    pgbench: Option<Pgbench>,
    /// None if `duet` was not built.
    starts: Option<Starts>,
    /// Those that the cases need.
    grounds: Vec<Grounded>,
}

impl<'a> Bench<'a> {
    fn prepare(runtime: &'a Runtime, stage: &'a Stage, plan: &Plan) -> anyhow::Result<Self> {
        let measured = Duration::from_secs(plan.seconds.into());
        let cases = plan.cases();
        let starts = cases.iter().any(|case| case.what == What::Start);
        let mut grounds: Vec<Grounded> = Vec::new();
        for ground in cases.iter().filter_map(|case| case.what.ground()) {
            if grounds.iter().all(|other| other.ground != ground) {
                grounds.push(runtime.block_on(Grounded::prepare(stage, ground))?);
            }
        }
        Ok(Self {
            runtime,
            stage,
            timing: Timing { warm_up: measured / WARM_UP, measured },
            rate: plan.rate,
            cases,
            pgbench: runtime.block_on(Pgbench::prepare(stage))?,
            starts: if starts { Starts::prepare()? } else { None },
            grounds,
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
        let Case { what, callers } = case;
        let load = match what {
            What::BareEcho => self.echo(&self.stage.bare, callers),
            What::QuietEcho => self.echo(&self.stage.quiet, callers),
            What::WholeEcho => self.echo(&self.stage.whole, callers),
            What::Verify => self.load(&self.stage.auth, callers, |channel, turns| Verifies {
                client: TokenServiceClient::new(channel),
                turns,
            }),
            What::Refresh => self.load(&self.stage.auth, callers, |channel, turns| Refreshes {
                client: AuthServiceClient::new(channel),
                turns,
            }),
            What::SignIn => self.sign_in(callers),
            What::Get => self.load(&self.stage.tasks, callers, gets),
            What::Create => self.load(&self.stage.tasks, callers, creates),
            What::Edit => self.load(&self.stage.tasks, callers, updates),
            What::List | What::ListInCalm => self.load(&self.stage.tasks, callers, lists),
            What::ListInStorm => {
                return self.meanwhile(self.sign_in(STORM)?, callers).map(Some);
            }
            What::ListInFlood => return self.meanwhile(self.guess(FLOOD)?, callers).map(Some),
            What::Guess => self.guess(callers),
            What::Hashing => return hashing::measure(self.timing).map(Some),
            What::PlainInsert => return plain(Statement::Insert),
            What::PlainSelect => return plain(Statement::Select),
            What::SeenHere | What::SeenThere | What::Watcher => {
                return self.watched(case).map(Some);
            }
            What::Update | What::UpdateWatched => return self.beside_watchers(case).map(Some),
            What::FirstPage
            | What::LastPage
            | What::ListOfFew
            | What::ListOfMany
            | What::GetOfFew
            | What::GetOfMany
            | What::ListRuled
            | What::ListUnruled
            | What::CreateRuled
            | What::CreateUnruled => return self.on_ground(case).map(Some),
            What::GetPaced | What::ListPaced | What::CreatePaced => self.paced(case),
            What::Start => return self.starts.as_ref().map(Starts::measure).transpose(),
        };
        load?.measure(self.timing).map(Some)
    }

    /// Reads tasks during another load.
    fn meanwhile(&self, storm: Load, readers: usize) -> anyhow::Result<Sample> {
        let sample = self.load(&self.stage.tasks, readers, lists)?.measure(self.timing);
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

    /// Guesses passwords of nobody's.
    fn guess(&self, callers: usize) -> anyhow::Result<Load> {
        Load::start(self.stage.target(&self.stage.auth), callers, |channel, number| Guesses {
            client: AuthServiceClient::new(channel),
            number,
            made: 0,
        })
    }

    /// How long it takes until a watcher was told, or what one weighs.
    fn watched(&self, case: Case) -> anyhow::Result<Sample> {
        let server = &self.stage.tasks;
        let other = self.runtime.block_on(self.stage.serve_tasks("tasks"))?;
        if case.what == What::Watcher {
            return self.weight(&other);
        }
        let watched = if case.what == What::SeenHere { server } else { &other };
        let watched = endpoint(watched.address)?;
        let users = self.stage.users.clone();
        let sees = move |channel, number| {
            let turns = Turns::among(&users, number..number + 1, 0, 1);
            Sees::new(channel, &watched, turns)
        };
        Load::start(self.stage.target(server), case.callers, sees)?.measure(self.timing)
    }

    /// What each watcher of a crowd adds to a server that nobody has watched.
    fn weight(&self, server: &ServerProcess) -> anyhow::Result<Sample> {
        let before = process::resident(server.pid())?;
        let crowd = self.gather(server)?;
        let after = process::resident(server.pid())?;
        drop(crowd);
        let weight = after.saturating_sub(before) as f64 / CROWD as f64;
        Ok(Sample { resident: Some(weight), ..Sample::default() })
    }

    /// Writes on a server of its own, with a crowd that watches others, or without.
    fn beside_watchers(&self, case: Case) -> anyhow::Result<Sample> {
        let server = self.runtime.block_on(self.stage.serve_tasks("tasks"))?;
        let crowd = match case.what {
            What::UpdateWatched => Some(self.gather(&server)?),
            _ => None,
        };
        let users = self.stage.users.clone();
        let updates = move |channel, number| {
            let turns = Turns::among(&users, 0..WRITERS, number, WRITERS);
            updates(channel, turns)
        };
        let load = Load::start(self.stage.target(&server), case.callers, updates)?;
        let sample = load.measure(self.timing);
        drop(crowd);
        sample
    }

    /// A crowd that watches everybody but the writers.
    fn gather(&self, server: &ServerProcess) -> anyhow::Result<Crowd> {
        let users = &self.stage.users;
        self.runtime.block_on(Crowd::gather(server.address, users, WRITERS..users.len()))
    }

    /// In an open loop.
    fn paced(&self, case: Case) -> anyhow::Result<Load> {
        let Case { what, callers } = case;
        let (target, rate) = (self.stage.target(&self.stage.tasks), self.rate);
        let users = self.stage.users.clone();
        let turns = move |number| Turns::of(&users, number, callers);
        match what {
            What::GetPaced => {
                Load::paced(target, callers, rate, move |channel, at| gets(channel, turns(at)))
            }
            What::CreatePaced => {
                Load::paced(target, callers, rate, move |channel, at| creates(channel, turns(at)))
            }
            _ => Load::paced(target, callers, rate, move |channel, at| lists(channel, turns(at))),
        }
    }

    /// On a database of its own.
    fn on_ground(&self, case: Case) -> anyhow::Result<Sample> {
        let Case { what, callers } = case;
        let found = self.grounds.iter().find(|other| what.ground() == Some(other.ground));
        let Grounded { server, last_page, .. } = found.context("a database that is missing")?;
        let target = self.stage.target(server);
        let users = self.stage.users.clone();
        let settled = move |number| Turns::among(&users, 0..SETTLERS, number, callers);
        let users = self.stage.users.clone();
        let collector = move || Turns::among(&users, COLLECTOR..COLLECTOR + 1, 0, 1);
        let page_token = last_page.clone();
        let load = match what {
            What::FirstPage => {
                Load::start(target, callers, move |channel, _| lists(channel, collector()))
            }
            What::LastPage => Load::start(target, callers, move |channel, _| Lists {
                page_token: page_token.clone(),
                ..lists(channel, collector())
            }),
            What::GetOfFew | What::GetOfMany => {
                Load::start(target, callers, move |channel, at| gets(channel, settled(at)))
            }
            What::CreateRuled | What::CreateUnruled => {
                Load::start(target, callers, move |channel, at| creates(channel, settled(at)))
            }
            _ => Load::start(target, callers, move |channel, at| lists(channel, settled(at))),
        };
        load?.measure(self.timing)
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

fn gets(channel: Channel, turns: Turns) -> Gets {
    Gets { client: TaskServiceClient::new(channel), turns, at: 0 }
}

fn creates(channel: Channel, turns: Turns) -> Creates {
    Creates { client: TaskServiceClient::new(channel), turns }
}

fn updates(channel: Channel, turns: Turns) -> Updates {
    Updates { client: TaskServiceClient::new(channel), turns, at: 0 }
}

fn lists(channel: Channel, turns: Turns) -> Lists {
    Lists { client: Grpc::new(channel), turns, page_token: String::new() }
}
