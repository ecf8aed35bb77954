//! `duet up`: one command, the same data again, and clear words when it cannot.

use std::os::unix::fs::PermissionsExt as _;

use proto::task::v1::ListTasksRequest;
use rustix::process::{Pid, Signal, kill_process};
use shared::testing::{database, eventually};
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};
use tokio::net::TcpListener;

use crate::harness::{Up, create, descendants, duet, finish, folder, sign_in, sign_up};

/// The first run makes everything, the second finds it again.
#[tokio::test]
async fn a_second_run_finds_the_same_data() {
    let data = folder();
    let up = Up::start(data.path()).await;
    for said in ["browser", "auth-service", "task-service", "data ", "demo user", "grpcurl"] {
        assert!(up.banner.contains(said), "{}", up.banner);
    }
    let file = data.path().join("demo-user");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let secrets = data.path().join("secrets");
    assert_eq!(secrets.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    // task-service has an account of its own, by a secret that stays the same.
    let identity = secrets.join("task-service-secret");
    assert_eq!(identity.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let secret = std::fs::read_to_string(&identity).unwrap();
    assert!(secret.starts_with("ds_task-service_"));
    let issued = up.service_token(&secret, &["trust:watch"]).await.unwrap();
    assert!(issued.access_token.starts_with("ey"));
    let text = std::fs::read_to_string(&file).unwrap();
    let [email, password] = text.lines().collect::<Vec<_>>()[..] else { panic!("two lines") };
    assert!(up.banner.contains(email) && up.banner.contains(password));

    let session = sign_in(&mut up.auth(), email, password).await.unwrap();
    let made = create(&mut up.tasks(&session.access_token), "Stays").await.unwrap();
    let first_banner = up.banner.clone();
    up.stop().await;

    let up = Up::start(data.path()).await;
    assert!(std::fs::read_to_string(&identity).unwrap() == secret, "the same secret");
    up.service_token(&secret, &["trust:watch"]).await.unwrap();
    assert!(first_banner.contains(password) && up.banner.contains(password));
    // The session lives on, and so does its access token.
    let list = up.tasks(&session.access_token).list_tasks(ListTasksRequest::default()).await;
    assert_eq!(list.unwrap().into_inner().tasks, [made]);
    up.stop().await;
}

/// Nobody has to look for the mails: the banner names their folder, and the log, which
/// is quiet otherwise, tells of each.
#[tokio::test]
async fn mails_are_put_into_a_folder_and_logged() {
    let data = folder();
    let up = Up::start_with(data.path(), &[("DUET_LOG", "")]).await;
    let mails = data.path().join("mail");
    assert!(up.banner.contains(&format!("mail          {}", mails.display())), "{}", up.banner);
    sign_up(&mut up.auth(), "ada@example.org").await;
    let files = || {
        let files = std::fs::read_dir(&mails).into_iter().flatten().map(|file| file.unwrap());
        files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|it| it == "eml"))
    };
    // The demo user gets one, too.
    eventually("the mails are there", async || files().count() == 2).await;
    let files: Vec<_> = files().collect();
    up.signal(Signal::INT);
    let (code, log) = up.ended().await;
    assert_eq!(code, Some(0), "{log}");
    let told: Vec<_> = log.lines().filter(|line| line.contains(" INFO ")).collect();
    assert_eq!(told.len(), 2, "{log}");
    assert!(told.iter().all(|line| line.contains("Please verify your address")), "{log}");
    for file in files {
        assert!(log.contains(&file.display().to_string()), "{log}");
    }
}

/// kill -9 of every process, and nothing that was acknowledged is lost.
#[tokio::test]
async fn nothing_is_lost_when_everything_is_killed() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let session = sign_up(&mut up.auth(), "ada@example.org").await;
    let mut tasks = up.tasks(&session.access_token);
    for n in 0..20 {
        create(&mut tasks, &format!("Task {n}")).await.unwrap();
    }
    // Running on, it would notice that Postgres is gone, and end by itself.
    up.signal(Signal::STOP);
    let mut processes = descendants(up.pid());
    assert!(processes.len() > 3, "Postgres runs as a child");
    processes.push(up.pid());
    for pid in processes {
        // One may end by itself while another is killed.
        let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
    }
    let (code, _) = up.ended().await;
    assert_eq!(code, None);

    let up = Up::start(data.path()).await;
    let list = up.tasks(&session.access_token).list_tasks(ListTasksRequest::default()).await;
    assert_eq!(list.unwrap().into_inner().tasks.len(), 20);
    up.stop().await;
}

/// When the launcher alone is killed, its Postgres goes, too.
#[tokio::test]
async fn no_postgres_is_left_behind() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let processes = descendants(up.pid());
    up.signal(Signal::KILL);
    up.ended().await;
    shared::testing::eventually("Postgres ends", async || {
        processes.iter().all(|pid| !std::path::Path::new(&format!("/proc/{pid}/cmdline")).exists())
    })
    .await;
}

/// SIGTERM with calls in flight: they finish, and the exit code is 0.
#[tokio::test(flavor = "multi_thread")]
async fn calls_in_flight_finish_when_it_is_stopped() {
    let data = folder();
    let up = Up::start(data.path()).await;
    // More at once with one e-mail are throttled.
    let people = ["ada", "bob", "eve", "kim"].map(|name| format!("{name}@example.org"));
    for email in &people {
        sign_up(&mut up.auth(), email).await;
    }
    let auth = up.auth();
    let calls: Vec<_> = people
        .iter()
        .cycle()
        .take(16)
        .map(|email| {
            let (mut auth, email) = (auth.clone(), email.clone());
            tokio::spawn(async move { sign_in(&mut auth, &email, crate::harness::PASSWORD).await })
        })
        .collect();
    // When the first is answered, the others wait for a hashing thread.
    let mut calls = calls.into_iter();
    calls.next().unwrap().await.unwrap().unwrap();
    up.signal(Signal::TERM);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(up.ended().await.0, Some(0));
}

/// Each obstacle is one clear sentence with the way out, and no success.
#[tokio::test]
async fn what_stands_in_the_way_is_said() {
    let data = folder();
    let refused = async |set: &[(&str, &str)]| {
        let mut command = duet(&["up"]);
        command.env("DUET_DATA_DIR", data.path());
        for port in ["DUET_LISTEN_ADDR", "AUTH_LISTEN_ADDR", "TASK_LISTEN_ADDR"] {
            command.env(port, "127.0.0.1:0");
        }
        command.envs(set.iter().copied());
        let output = finish(command).await;
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };

    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, said) = refused(&[("AUTH_LISTEN_ADDR", &address)]).await;
    assert_eq!(code, 1);
    assert!(said.contains(&address) && said.contains("--auth-listen-addr"), "{said}");

    let (code, said) = refused(&[("DUET_DATA_DIR", "/proc/nowhere")]).await;
    assert_eq!(code, 1);
    assert!(said.contains("/proc/nowhere") && said.contains("--data-dir"), "{said}");

    let bad = [("AUTH_ACCESS_TOKEN_TTL", "9h"), ("TASK_KEYS_REFRESH", "soon")];
    let (code, said) = refused(&bad).await;
    assert_eq!(code, 64);
    assert!(said.contains("AUTH_ACCESS_TOKEN_TTL") && said.contains("TASK_KEYS_REFRESH"), "{said}");

    let (code, said) = refused(&[("AUTH_KEY_ENCRYPTION_KEY", "secret")]).await;
    assert_eq!(code, 64);
    assert!(said.contains("AUTH_KEY_ENCRYPTION_KEY") && !said.contains("secret\""), "{said}");

    let (code, said) = refused(&[("AUTH_DATABASE_URL", "postgres://localhost/x")]).await;
    assert_eq!(code, 64);
    assert!(said.contains("TASK_DATABASE_URL"), "{said}");

    let (code, said) = refused(&[("PG_BIN", "/nowhere")]).await;
    assert_eq!(code, 1);
    assert!(said.contains("/nowhere") && said.contains("PG_BIN"), "{said}");

    let older = data.path().join("postgres-9");
    std::fs::create_dir(&older).unwrap();
    std::fs::write(older.join("PG_VERSION"), "9\n").unwrap();
    let (code, said) = refused(&[]).await;
    assert_eq!(code, 1);
    assert!(said.contains("PostgreSQL 9") && said.contains("another data folder"), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
}

/// A folder that somebody else owns: as an ordinary user, a clear sentence.
#[tokio::test]
async fn a_second_launcher_on_the_same_data_is_refused() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let mut command = duet(&["up"]);
    command.env("DUET_DATA_DIR", data.path());
    for port in ["DUET_LISTEN_ADDR", "AUTH_LISTEN_ADDR", "TASK_LISTEN_ADDR"] {
        command.env(port, "127.0.0.1:0");
    }
    if std::env::var_os("DUET_TEST_FETCH").is_some() {
        command.env("DUET_FETCH", "true");
    }
    let output = finish(command).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(data.path().to_str().unwrap()), "{said}");
    up.stop().await;
}

/// Databases of the user's own, instead of the embedded one.
#[tokio::test]
async fn it_runs_on_other_databases() {
    let auth = database(&auth_service::SCHEMA).await;
    let tasks = database(&task_service::SCHEMA).await;
    let url = |options: &PgConnectOptions| options.to_url_lossy().to_string();
    let data = folder();
    let variables = [
        ("AUTH_DATABASE_URL", url(&auth.app)),
        ("TASK_DATABASE_URL", url(&tasks.app)),
        ("AUTH_OWNER_DATABASE_URL", url(&auth.owner)),
        ("TASK_OWNER_DATABASE_URL", url(&tasks.owner)),
    ];
    let variables: Vec<_> = variables.iter().map(|(name, url)| (*name, url.as_str())).collect();
    let up = Up::start_with(data.path(), &variables).await;
    assert!(up.banner.contains("PostgreSQL elsewhere") && !up.banner.contains("demo user"));
    let session = sign_up(&mut up.auth(), "ada@example.org").await;
    create(&mut up.tasks(&session.access_token), "Elsewhere").await.unwrap();
    up.stop().await;
    let mut connection = tasks.superuser.connect().await.unwrap();
    let count: i64 = sqlx::query_scalar("select count(*) from data.tasks")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(count, 1);
}
