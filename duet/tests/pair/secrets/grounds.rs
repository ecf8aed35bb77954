//! A pair as an operator runs it who takes care: a Postgres that asks for
//! passwords, every secret in a file, everything logged that can be. And the
//! places in which its secrets could turn up.

use std::{
    fs,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use auth_service::{factors, sealing::Sealer};
use embedded_postgres::{Cluster, Settings, Source, locate};
use shared::{
    database::{migrate, provision},
    program,
    secret::Key,
    testing::{eventually, secrets_in},
};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::hunt::{DATABASE, Hunt, Place};
use crate::harness::{Up, descendants, folder, project, sign_up};

const SCHEMAS: [&shared::database::Schema; 2] = [&auth_service::SCHEMA, &task_service::SCHEMA];
const ROLES: [&str; 4] = ["auth_app", "auth_owner", "tasks_app", "tasks_owner"];

/// The pair and its Postgres.
pub(crate) struct Grounds {
    pub(crate) up: Up,
    cluster: Cluster,
    passwords: Vec<(&'static str, String)>,
    /// What the folder of everything is called: in the log, in the environment,
    /// and in command lines.
    name: String,
    place: PathBuf,
    variables: Vec<(&'static str, String)>,
    _folder: TempDir,
}

/// Something that nobody has seen before.
pub(crate) fn novel(what: &str) -> String {
    format!("{what}-{}", Uuid::from_bytes(shared::rng::bytes()).simple())
}

impl Grounds {
    pub(crate) async fn new() -> Self {
        program::install_cryptography();
        let (folder, name) = (folder(), novel("canary"));
        let place = folder.path().join(&name);
        fs::create_dir(&place).unwrap();
        let cluster = postgres(&place).await;
        let passwords = ROLES.map(|role| (role, novel("Role")));
        keep_out(&cluster, &passwords).await;

        let line = |(role, password): &(&str, String)| format!("*:*:*:{role}:{password}\n");
        let passwords_file =
            private(&place, "pgpass", &passwords.iter().map(line).collect::<String>());
        let pepper = private(&place, "pepper", &Key::random().to_base64());
        let previous = private(&place, "previous-key", &Key::random().to_base64());
        let url = |database: &str, role: &str| cluster.url(database, role);
        let data = place.join("data");
        let variables = [
            ("AUTH_DATABASE_URL", url("auth", "auth_app")),
            ("TASK_DATABASE_URL", url("tasks", "tasks_app")),
            ("AUTH_OWNER_DATABASE_URL", url("auth", "auth_owner")),
            ("TASK_OWNER_DATABASE_URL", url("tasks", "tasks_owner")),
            ("PGPASSFILE", passwords_file),
            ("AUTH_PEPPER_FILE", pepper),
            ("AUTH_PREVIOUS_KEY_ENCRYPTION_KEY_FILE", previous),
            ("AUTH_ARGON2_MEMORY", "7168".to_owned()),
            ("DUET_LOG", "trace".to_owned()),
        ];
        let up = start(&data, &variables).await;
        let (passwords, variables) = (passwords.into(), variables.into());
        Self { up, cluster, passwords, name, place, variables, _folder: folder }
    }

    /// How a role connects.
    pub(crate) fn options(&self, database: &str, role: &str) -> PgConnectOptions {
        let (_, password) = self.passwords.iter().find(|(known, _)| *known == role).unwrap();
        self.cluster.options(database, role).password(password)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    /// Waits for a mail in which `fits` finds what it looks for.
    pub(crate) async fn mail<T>(&self, fits: impl Fn(&str) -> Option<T>) -> T {
        let look = || {
            fs::read_dir(self.file("data/mail")).unwrap().flatten().find_map(|entry| {
                let mail = fs::read_to_string(entry.path()).unwrap_or_default();
                // Of quoted-printable, what a link can have.
                fits(&mail.replace("=\r\n", "").replace("=3D", "="))
            })
        };
        eventually("a mail comes", async || look().is_some()).await;
        look().unwrap()
    }

    /// Looks for what the pair keeps to itself.
    pub(crate) async fn keep_own(&self, hunt: &mut Hunt) {
        let mut places = vec![Place::Log, Place::Environment, Place::Arguments, Place::Files];
        // Unless its path is too long for a socket.
        if self.cluster.socket_dir().starts_with(&self.place) {
            places.push(Place::Statements);
        }
        hunt.known("the name of the folder", &self.name, &places);
        for (role, password) in &self.passwords {
            hunt.secret(&format!("the password of {role}"), password);
        }
        let key =
            |file: &str| Key::parse(&fs::read_to_string(self.file(file)).unwrap()).expect("a key");
        let sealing = key("data/secrets/key-encryption-key");
        hunt.secret("the key-encryption key", sealing.expose());
        hunt.secret("the previous key-encryption key", key("previous-key").expose());
        hunt.secret("the key of page tokens", key("data/secrets/page-token-key").expose());
        hunt.secret("the pepper", key("pepper").expose());
        let secret = fs::read_to_string(self.file("data/secrets/task-service-secret")).unwrap();
        hunt.token("the secret of task-service", &secret);

        let sealer = Sealer::new(&sealing, None);
        hunt.secret("the key of auth-service's page tokens", sealer.page_key().expose());
        let mut superuser = self.superuser("auth").await;
        let rows = "select kid, sealed_private_key from data.signing_keys";
        let keys: Vec<(String, Vec<u8>)> =
            sqlx::query_as(rows).fetch_all(&mut superuser).await.unwrap();
        assert!(keys.len() > 1, "one was ordered");
        for (kid, sealed) in keys {
            let private = sealer.open(&kid, &sealed).expect("it opens");
            hunt.secret("a private key", &*private);
            // PKCS #8 of Ed25519 ends with the key itself.
            hunt.secret("a private key itself", &private[private.len() - 32..]);
        }
        let rows = "select user_id, id, sealed_secret from data.factors";
        let factors: Vec<(Uuid, Uuid, Vec<u8>)> =
            sqlx::query_as(rows).fetch_all(&mut superuser).await.unwrap();
        assert!(factors.len() > 1, "an authenticator and recovery codes");
        for (user, factor, sealed) in factors {
            let secret = sealer.open(&factors::label(user, factor), &sealed).expect("it opens");
            hunt.secret("what a factor is checked with", &*secret);
        }
        let rows = "select password_hash from data.users";
        let hashes: Vec<String> = sqlx::query_scalar(rows).fetch_all(&mut superuser).await.unwrap();
        for hash in hashes {
            hunt.known("the hash of a password", hash, &DATABASE);
        }
        // What is in a file is also in memory, and has to get there first.
        sqlx::query("checkpoint").execute(&mut superuser).await.unwrap();
    }

    /// Looks into everything but the log of the pair, while it runs.
    pub(crate) async fn search(&self, hunt: &mut Hunt) {
        for database in ["auth", "tasks"] {
            search_rows(&mut self.superuser(database).await, hunt).await;
        }
        hunt.search(Place::Files, contents(self.cluster.cluster_dir()));
        let statements = fs::read_to_string(self.cluster.log_file()).unwrap();
        // The tokens too that the services only show to each other.
        let hashes_aside = statements.replace("$argon2", "");
        assert_eq!(secrets_in(&hashes_aside), Vec::<&str>::new());
        hunt.search(Place::Statements, [statements.into_bytes()]);
        let mut processes = vec![self.up.pid(), i32::try_from(self.cluster.pid()).unwrap()];
        processes.extend(processes.clone().into_iter().flat_map(descendants));
        assert!(processes.len() > 6, "Postgres is many");
        look_at(&processes, hunt);
        hunt.search(Place::Repository, files().map(|(_, bytes)| bytes));
    }

    /// Stops the pair, and looks into what it logged; then has it send a mail in
    /// vain.
    pub(crate) async fn end(self, hunt: &mut Hunt) {
        let Self { up, cluster, place, mut variables, _folder, .. } = self;
        stop(up, hunt).await;
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let password = novel("Smtp");
        hunt.secret("the password of the mail server", &password);
        let port = server.local_addr().unwrap().port();
        let url = format!("smtps://duet:{password}@localhost:{port}");
        variables.push(("AUTH_SMTP_URL_FILE", private(&place, "smtp-url", &url)));
        let up = start(&place.join("data"), &variables).await;
        sign_up(&mut up.auth(), "carol@example.org").await;
        // Whoever speaks to it is hung up on.
        let hang_up = async move { while server.accept().await.is_ok() {} };
        let hang_up = tokio::spawn(hang_up);
        // While it is tried, the next attempt is further away.
        let tried = "select count(*) from data.outbox
            where attempts > 0 and next_attempt_at < now() + interval '3 minutes'";
        eventually("a mail is sent in vain", async || {
            let options = cluster.superuser_options("auth");
            let mut superuser = options.connect().await.unwrap();
            sqlx::query_scalar::<_, i64>(tried).fetch_one(&mut superuser).await.unwrap() > 0
        })
        .await;
        hang_up.abort();
        let mut superuser = cluster.superuser_options("auth").connect().await.unwrap();
        look_at(&[up.pid()], hunt);
        search_rows(&mut superuser, hunt).await;
        let statements = fs::read(cluster.log_file()).unwrap();
        hunt.search(Place::Statements, [statements]);
        stop(up, hunt).await;
        superuser.close().await.unwrap();
        cluster.stop().await.unwrap();
    }

    async fn superuser(&self, database: &str) -> PgConnection {
        self.cluster.superuser_options(database).connect().await.unwrap()
    }
}

async fn start(data: &Path, variables: &[(&str, String)]) -> Up {
    let variables: Vec<_> = variables.iter().map(|(name, to)| (*name, to.as_str())).collect();
    Up::start_with(data, &variables).await
}

/// Stops a pair, and looks into what it logged.
async fn stop(up: Up, hunt: &mut Hunt) {
    up.signal(rustix::process::Signal::INT);
    let (code, log) = up.ended().await;
    assert_eq!(code, Some(0));
    assert!(log.contains("TRACE"), "everything is logged");
    hunt.search(Place::Log, [log.into_bytes()]);
}

/// Looks at what processes were started with.
fn look_at(processes: &[i32], hunt: &mut Hunt) {
    for (place, file) in [(Place::Environment, "environ"), (Place::Arguments, "cmdline")] {
        // One may just have ended.
        let read = |pid: &i32| fs::read(format!("/proc/{pid}/{file}")).ok();
        hunt.search(place, processes.iter().filter_map(read));
    }
}

/// A server with both databases that logs all that it is told.
async fn postgres(place: &Path) -> Cluster {
    let bin = std::env::var_os("PG_BIN").map(PathBuf::from);
    let binaries = locate(Source::Any, bin.as_deref(), &|_| {}).await.unwrap();
    let rules = place.join("pg_hba.conf");
    fs::write(&rules, "local all postgres trust\nlocal all all scram-sha-256\n").unwrap();
    let parameters = [
        ("hba_file", rules.to_str().unwrap()),
        ("log_statement", "all"),
        // With the parameters.
        ("log_error_verbosity", "default"),
        ("log_parameter_max_length", "-1"),
    ];
    let settings = Settings {
        durable: false,
        parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..Settings::new(place.join("server"))
    };
    let cluster = Cluster::start(&binaries, settings, &|_| {}).await.unwrap();
    let mut superuser = cluster.superuser_options("postgres").connect().await.unwrap();
    for schema in SCHEMAS {
        provision(&mut superuser, schema.name, schema.name).await.unwrap();
    }
    superuser.close().await.unwrap();
    cluster
}

/// Gives every role a password, without which it does not get in any more.
async fn keep_out(cluster: &Cluster, passwords: &[(&str, String)]) {
    let mut superuser = cluster.superuser_options("postgres").connect().await.unwrap();
    // It is the operator who may write a password into the log, or not.
    let quiet = "set log_statement = 'none'".to_owned();
    let set =
        |(role, password): &(&str, String)| format!("alter role {role} password '{password}'");
    for statement in [quiet].into_iter().chain(passwords.iter().map(set)) {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut superuser).await.unwrap();
    }
    superuser.close().await.unwrap();
    assert!(cluster.options("auth", "auth_app").connect().await.is_err());
    for (schema, (role, password)) in SCHEMAS.iter().zip([&passwords[1], &passwords[3]]) {
        migrate(&cluster.options(schema.name, role).password(password), schema).await.unwrap();
    }
}

/// Writes a file for its owner's eyes.
fn private(place: &Path, name: &str, text: &str) -> String {
    use std::io::Write as _;
    let file = place.join(name);
    let mut options = fs::OpenOptions::new();
    let mut opened = options.write(true).create_new(true).mode(0o600).open(&file).unwrap();
    opened.write_all(text.as_bytes()).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Looks into every row of every table, the server's own tables included; bytes are
/// in hex. Codes are looked for in those of the services: the ids and hashes there are
/// longer words, and the times have fractions, while the server has many a number.
async fn search_rows(superuser: &mut PgConnection, hunt: &mut Hunt) {
    let tables = "select c.relnamespace = 'data'::regnamespace, c.oid::regclass::text
        from pg_class c where c.relkind in ('r', 'm', 'p')";
    let tables: Vec<(bool, String)> =
        sqlx::query_as(tables).fetch_all(&mut *superuser).await.unwrap();
    let mut dump = Vec::new();
    for (own, table) in tables {
        let rows = AssertSqlSafe(format!("select t::text from {table} t"));
        let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(&mut *superuser).await.unwrap();
        let rows = rows.join("\n");
        if own {
            hunt.search_codes(Place::Rows, &rows);
        }
        dump.push(rows.into_bytes());
    }
    assert!(dump.len() > 60, "the server has tables of its own");
    hunt.search(Place::Rows, dump);
}

/// The files in a folder and below, one after the other. Some go meanwhile.
fn contents(folder: &Path) -> Box<dyn Iterator<Item = Vec<u8>>> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    Box::new(entries.flat_map(|entry| {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            contents(&entry.path())
        } else {
            Box::new(fs::read(entry.path()).ok().into_iter())
        }
    }))
}

/// The files that are committed, and those that could be, by their names.
pub(crate) fn files() -> impl Iterator<Item = (String, Vec<u8>)> {
    let mut list = std::process::Command::new("git");
    list.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = list.current_dir(project()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let names = String::from_utf8(output.stdout).unwrap();
    let names: Vec<String> = names.split_terminator('\0').map(str::to_owned).collect();
    assert!(names.len() > 100);
    // One may have been removed and that not be committed.
    names.into_iter().filter_map(|name| Some((name.clone(), fs::read(project().join(name)).ok()?)))
}
