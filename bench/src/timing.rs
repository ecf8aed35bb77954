//! Whether the time of an answer tells who has an account. Two calls that must
//! not differ are made one after the other, in random order, again and again;
//! what is printed is the median of the differences within the pairs, and the
//! interval that it lies in by a bootstrap. Nothing else is going on meanwhile.
//!
//! Invariant: the two answers are alike, or there is an error and no figure. Nobody
//! is asked about twice: the pause between two mails would hide what the first costs.

use std::{
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use proto::auth::v1::{
    RequestPasswordResetRequest, SignInRequest, SignUpRequest,
    auth_service_client::AuthServiceClient,
};
use shared::{rng, secret::Key};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

use crate::{
    child::ServerProcess,
    measure::Spread,
    report::table,
    stage::{folder, postgres},
};

/// Pairs that are not counted: connections open, statements are prepared.
const WARM_UP: usize = 64;
/// How often the bootstrap draws.
const DRAWS: usize = 1000;
/// How far the median may lie from nothing.
const MOST: Duration = Duration::from_millis(2);

const PASSWORD: &str = "walnut-Trombone-91";

/// How long to look.
#[derive(Clone, Debug, Args)]
pub(crate) struct Timing {
    /// Pairs of calls.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(20..))]
    pairs: u32,
    /// Look at this only; may be given more than once.
    #[arg(long, value_name = "NAME")]
    only: Vec<Question>,
}

/// What the time must not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Question {
    /// A sign-in: a wrong password, and an e-mail without an account.
    SignIn,
    /// A sign-up, with AUTH_ENUMERATION=strict: a taken e-mail, and a free one.
    SignUp,
    /// A request for a mail to reset the password: with an account, and without.
    Reset,
}

impl Timing {
    /// Looks, and prints what was seen.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        shared::program::install_cryptography();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let told = runtime.block_on(self.ask())?;
        writeln!(std::io::stdout(), "{told}")?;
        Ok(())
    }

    async fn ask(&self) -> anyhow::Result<comfy_table::Table> {
        let folder = folder()?;
        let (_, cluster) = postgres(folder.path()).await?;
        let key = Key::random().to_base64();
        let database = cluster.url("auth", "auth_app");
        let start = |enumeration| auth_service(&[&database, &key, enumeration], folder.path());
        let pairs = self.pairs as usize;
        // Where sign-ups are strict, they make an account only by a mail.
        let open = start("open")?;
        let calls = Calls::to(&open).await?;
        for person in 0..WARM_UP + pairs {
            calls.sign_up(&known(person)).await.context("cannot sign up")?;
        }
        drop((calls, open));
        let auth = start("strict")?;
        let mut calls = Calls::to(&auth).await?;
        let all = if self.only.is_empty() { Question::value_variants() } else { &self.only };
        let mut told = table(&["", "known ms", "unknown ms", "difference ms", "95 %", "must", ""]);
        for question in all {
            let pairs = calls.pairs(*question, pairs).await?;
            told.add_row(row(*question, &pairs)?);
        }
        drop(auth);
        cluster.stop().await?;
        Ok(told)
    }
}

/// An auth-service that lets everything through, and puts its mails into the folder.
fn auth_service(
    [database, key, enumeration]: &[&str; 3],
    folder: &Path,
) -> anyhow::Result<ServerProcess> {
    let mails = folder.join("mails");
    let settings = [
        ("AUTH_LISTEN_ADDR", "127.0.0.1:0"),
        ("AUTH_DATABASE_URL", database),
        ("AUTH_KEY_ENCRYPTION_KEY", key),
        ("AUTH_ENUMERATION", enumeration),
        ("AUTH_MAIL_DIR", mails.to_str().context("a folder that is no text")?),
        ("AUTH_MAIL_FROM", "Duet <duet@example.org>"),
        ("AUTH_PUBLIC_URL", "http://localhost:8080"),
        ("AUTH_SIGN_IN_FREE_ATTEMPTS", "1000000"),
        ("AUTH_SIGN_IN_PER_ADDRESS", "1000000"),
        ("AUTH_SIGN_UP_PER_ADDRESS", "1000000"),
    ];
    ServerProcess::start(&["serve-auth"], &settings, &folder.join("auth.log"))
}

/// Who has an account.
fn known(person: usize) -> String {
    format!("known-{person}@example.org")
}

/// Who has none, and is asked about once.
fn unknown(question: Question, person: usize) -> String {
    format!("{question:?}-{person}@example.org")
}

/// How long the two calls of a pair took, in seconds.
struct Pair {
    known: f64,
    unknown: f64,
}

struct Calls {
    client: AuthServiceClient<Channel>,
}

impl Calls {
    async fn to(auth: &ServerProcess) -> anyhow::Result<Self> {
        let channel = Endpoint::from_shared(auth.url())?.tcp_nodelay(true).connect().await?;
        Ok(Self { client: AuthServiceClient::new(channel) })
    }

    async fn pairs(&mut self, question: Question, pairs: usize) -> anyhow::Result<Vec<Pair>> {
        let mut found = Vec::with_capacity(pairs);
        for number in 0..WARM_UP + pairs {
            let emails = [known(number), unknown(question, number)];
            let [first] = rng::bytes::<1>();
            let first = usize::from(first % 2);
            let (mut took, mut said) = ([0.0; 2], [const { String::new() }; 2]);
            for at in [first, 1 - first] {
                let began = Instant::now();
                let answer = self.call(question, &emails[at]).await;
                took[at] = began.elapsed().as_secs_f64();
                said[at] = words(answer);
            }
            anyhow::ensure!(said[0] == said[1], "the answers tell: {} and {}", said[0], said[1]);
            if number >= WARM_UP {
                let [known, unknown] = took;
                found.push(Pair { known, unknown });
            }
        }
        Ok(found)
    }

    async fn call(&mut self, question: Question, email: &str) -> Result<(), Status> {
        let email = email.to_owned();
        match question {
            Question::SignIn => {
                let password = "not-the-Password-7".to_owned();
                let request = SignInRequest { email, password, ..SignInRequest::default() };
                self.client.sign_in(request).await.map(drop)
            }
            Question::SignUp => self.sign_up(&email).await,
            Question::Reset => {
                let request = RequestPasswordResetRequest { email };
                self.client.request_password_reset(request).await.map(drop)
            }
        }
    }

    async fn sign_up(&self, email: &str) -> Result<(), Status> {
        let request = SignUpRequest {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            ..SignUpRequest::default()
        };
        self.client.clone().sign_up(request).await.map(drop)
    }
}

/// What an answer says, but for its id.
fn words(answer: Result<(), Status>) -> String {
    match answer {
        Ok(()) => "OK".to_owned(),
        Err(status) => format!("{:?}: {}", status.code(), status.message()),
    }
}

fn row(question: Question, pairs: &[Pair]) -> anyhow::Result<[String; 7]> {
    let differences: Vec<f64> = pairs.iter().map(|pair| pair.known - pair.unknown).collect();
    let median = |times: &mut dyn Iterator<Item = f64>| {
        Spread::of(times).map(|spread| spread.median).context("no pairs")
    };
    let (low, high) = interval(&differences)?;
    let ms = |seconds: f64| format!("{:.3}", seconds * 1e3);
    let most = MOST.as_secs_f64();
    let difference = median(&mut differences.iter().copied())?;
    let name = match question {
        Question::SignIn => "sign-in: wrong password, unknown e-mail",
        Question::SignUp => "sign-up: taken e-mail, free e-mail",
        Question::Reset => "reset: e-mail with an account, without",
    };
    Ok([
        name.to_owned(),
        ms(median(&mut pairs.iter().map(|pair| pair.known))?),
        ms(median(&mut pairs.iter().map(|pair| pair.unknown))?),
        ms(difference),
        format!("{} – {}", ms(low), ms(high)),
        format!("± {}", ms(most)),
        if low >= -most && high <= most { "yes" } else { "NO" }.to_owned(),
    ])
}

/// Where the median lies, with a probability of 95 %: medians of what is drawn
/// from the differences again and again.
fn interval(differences: &[f64]) -> anyhow::Result<(f64, f64)> {
    let mut medians = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        let drawn = (0..differences.len()).filter_map(|_| {
            let drawn = u64::from_le_bytes(rng::bytes()) % differences.len() as u64;
            differences.get(usize::try_from(drawn).ok()?).copied()
        });
        medians.push(Spread::of(drawn).context("no pairs")?.median);
    }
    medians.sort_by(f64::total_cmp);
    Ok((medians[DRAWS / 40], medians[DRAWS - 1 - DRAWS / 40]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_the_median_and_little_else() {
        let around = |middle: f64| (0..400).map(move |n| middle + f64::from(n % 21 - 10) * 1e-4);
        let differences: Vec<f64> = around(0.003).collect();
        let (low, high) = interval(&differences).unwrap();
        assert!(low <= 0.003 && 0.003 <= high && high - low < 5e-4, "{low} {high}");
        assert!(interval(&[]).is_err());
        let verdict = |middle: f64| {
            let pair = |known| Pair { known, unknown: 0.0 };
            let pairs: Vec<Pair> = around(middle).map(pair).collect();
            row(Question::SignIn, &pairs).unwrap()[6].clone()
        };
        assert_eq!([verdict(0.003), verdict(-0.003), verdict(0.0001)], ["NO", "NO", "yes"]);
    }
}
