//! What the program does: serve, or one of the things that an operator does at
//! the machine. Answers go to standard output; a failure is told by the exit
//! code and in the log.

use std::{
    io::{self, IsTerminal as _, Read as _, Write as _},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, bail};
use chrono::SecondsFormat;
use shared::{
    clock::{Clock as _, SystemClock},
    database::{self, Database},
    name, probe, program,
    secret::Secret,
    verify::Rules,
};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::{
    SCHEMA,
    admin::{
        first::{self, Made, Revoked},
        lockout::{self, Dropped},
    },
    audit,
    config::{
        AdminCommand, AuditCommand, Command, Config, CreateOperator, DropFactors, ErasuresCommand,
        Explain, RevokeOperator, ServiceAccountCommand,
    },
    deletion::open::{self, Owed},
    explain,
    service_accounts::AccountName,
};

/// How long a command waits for the database.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than any password or token has, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Does what the configuration says.
///
/// # Errors
/// In words for the operator.
pub async fn run(config: Config) -> anyhow::Result<()> {
    match &config.command {
        Some(Command::Migrate) => {
            let owner = config.owner_database().map_err(anyhow::Error::msg)?;
            database::migrate(&owner, &SCHEMA).await
        }
        Some(Command::Health) => {
            probe::ready(config.admin_addr.context("AUTH_ADMIN_ADDR is missing")?).await
        }
        Some(Command::ServiceAccount(ServiceAccountCommand::Ensure(account))) => {
            crate::ensure_service_account(&config, account).await
        }
        Some(Command::Admin(AdminCommand::Create(operator))) => create(&config, operator).await,
        Some(Command::Admin(AdminCommand::Revoke(operator))) => revoke(&config, operator).await,
        Some(Command::Admin(AdminCommand::DropFactors(locked_out))) => {
            drop_factors(&config, locked_out).await
        }
        Some(Command::Erasures(ErasuresCommand::List)) => list_erasures(&config).await,
        Some(Command::Erasures(ErasuresCommand::Close { user, service })) => {
            close_erasure(&config, *user, service).await
        }
        Some(Command::Audit(AuditCommand::Verify)) => verify(&config).await,
        Some(Command::Explain(asked)) => explain(&config, asked).await,
        None => {
            let address = config.listen_addr;
            let listener = TcpListener::bind(address)
                .await
                .with_context(|| format!("AUTH_LISTEN_ADDR: cannot listen on {address}"))?;
            crate::serve(config, listener, program::stopped()).await
        }
    }
}

/// `auth-service admin create`
async fn create(config: &Config, operator: &CreateOperator) -> anyhow::Result<()> {
    let CreateOperator { email, password_file, unverified } = operator;
    let database = connect(config).await?;
    let password = || read_password(password_file.as_deref());
    let now = SystemClock.now();
    let made = first::make(config, &database, email, *unverified, password, now).await?;
    database.close().await;
    let email = email.as_str();
    match made {
        Made::New => say(&format!("{email} has an account now, which is an operator's.")),
        Made::Granted => say(&format!("{email} is an operator now.")),
        Made::Kept => say(&format!("{email} is an operator already.")),
    }
}

/// `auth-service admin revoke`
async fn revoke(config: &Config, operator: &RevokeOperator) -> anyhow::Result<()> {
    let database = connect(config).await?;
    let revoked = first::revoke(&database, &operator.email, SystemClock.now()).await?;
    database.close().await;
    let email = operator.email.as_str();
    match revoked {
        Revoked::Done => say(&format!("{email} is no operator any more; its sessions are over.")),
        Revoked::Kept => say(&format!("{email} is no operator.")),
    }
}

/// `auth-service admin drop-factors`
async fn drop_factors(config: &Config, locked_out: &DropFactors) -> anyhow::Result<()> {
    let database = connect(config).await?;
    let dropped = lockout::drop_factors(&database, &locked_out.email, SystemClock.now()).await?;
    database.close().await;
    let email = locked_out.email.as_str();
    match dropped {
        Dropped::Done => {
            say(&format!("{email} has no second factor any more; its sessions are over."))
        }
        Dropped::None => say(&format!("{email} has no second factor.")),
    }
}

/// `auth-service erasures list`
async fn list_erasures(config: &Config) -> anyhow::Result<()> {
    let database = connect(config).await?;
    let mut last = None;
    loop {
        let page = open::list(&database, last.as_ref()).await?;
        for Owed { user, service, requested_at } in &page {
            let since = requested_at.to_rfc3339_opts(SecondsFormat::Secs, true);
            say(&format!("{} {service} {since}", name::of_user(*user)))?;
        }
        last = page.into_iter().next_back();
        if last.is_none() {
            break;
        }
    }
    database.close().await;
    Ok(())
}

/// `auth-service erasures close`
async fn close_erasure(config: &Config, user: Uuid, service: &AccountName) -> anyhow::Result<()> {
    let database = connect(config).await?;
    let closed = open::close(&database, user, service, SystemClock.now()).await?;
    database.close().await;
    let (user, service) = (name::of_user(user), service.as_str());
    if !closed {
        bail!("nobody waits for {service} to erase {user}");
    }
    say(&format!("Nobody waits for {service} to erase {user} any more."))
}

/// `auth-service audit verify`
async fn verify(config: &Config) -> anyhow::Result<()> {
    let database = connect(config).await?;
    let verified = audit::verify(&database).await?;
    database.close().await;
    match verified {
        Ok(verified) => say(&format!(
            "The audit log holds: {} chains, {} entries; {} more chains went with their accounts.",
            verified.chains, verified.entries, verified.deleted
        )),
        Err(broken) => {
            say(&format!("The audit log is broken: {broken}."))?;
            bail!("the audit log is broken: {broken}")
        }
    }
}

/// `auth-service explain`
async fn explain(config: &Config, asked: &Explain) -> anyhow::Result<()> {
    let Explain { token, audience } = asked;
    let token = match token.expose() {
        "-" => read_input("the token")?,
        _ => token.clone(),
    };
    let rules = Rules {
        issuer: config.issuer.clone(),
        audience: audience.clone(),
        max_lifetime: config.access_token_ttl,
    };
    let database = connect(config).await?;
    let explained = explain::explain(&database, rules, token.expose(), SystemClock::shared());
    let explanation = explained.await?;
    database.close().await;
    say(&explanation.to_string())?;
    match explanation.failed() {
        None => Ok(()),
        Some(line) => bail!("the token is refused: {}", line.check),
    }
}

async fn connect(config: &Config) -> anyhow::Result<Database> {
    let database = Database::new(config.database().map_err(anyhow::Error::msg)?, 1);
    database.ready(PATIENCE).await?;
    Ok(database)
}

fn read_password(file: Option<&Path>) -> anyhow::Result<Secret> {
    let Some(file) = file else {
        return read_input("the password");
    };
    let password = Secret::either(None, Some(file));
    let password = password.map_err(|why| anyhow::anyhow!("the password {why}"))?;
    password.context("there is no password")
}

/// What is on standard input, without the line end.
fn read_input(what: &str) -> anyhow::Result<Secret> {
    let input = io::stdin();
    if input.is_terminal() {
        bail!("{what} is read from standard input, which is a terminal that would show it");
    }
    let mut text = String::new();
    input
        .take(LONGEST)
        .read_to_string(&mut text)
        .with_context(|| format!("{what} cannot be read from standard input"))?;
    let end = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(end);
    Ok(Secret::from(text))
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{text}").context("the answer cannot be written")
}
