//! The launcher against the installed PostgreSQL: data survives what it must,
//! nothing is left behind, and what cannot work is refused in words. Runs as
//! root and as an ordinary user. The packaged server has its test beside its
//! code, behind the feature `packaged-tests`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use embedded_postgres::{Binaries, Cluster, Error, Progress, Settings, Source, locate};
use rustix::process::{Pid, Signal, geteuid, kill_process, test_kill_process};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

async fn installed() -> Binaries {
    locate(Source::Any, None, &|_| ()).await.unwrap()
}

/// A folder that the account root drops to can enter.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

async fn start(folder: &Path) -> Result<Cluster, Error> {
    Cluster::start(&installed().await, Settings::new(folder), &|_| ()).await
}

async fn run(cluster: &Cluster, statement: &str) -> Result<(), sqlx::Error> {
    run_at(&cluster.url("postgres", "postgres"), statement).await
}

async fn run_at(url: &str, statement: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await
}

async fn answer(cluster: &Cluster, query: &str) -> String {
    let options = cluster.superuser_options("postgres");
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut connection).await.unwrap()
}

/// Waits, as long as a slow machine may need, for what must come to be.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..500 {
        if condition() {
            return;
        }
        tick.tick().await;
    }
    panic!("{what}");
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

/// Runs no more: gone, or dead and waiting for its parent to notice.
fn is_dead(pid: u32) -> bool {
    let gone = test_kill_process(Pid::from_raw(pid.cast_signed()).unwrap()).is_err();
    gone || fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

/// Another process with a cluster, the server's process id, and its URL.
fn other_process(data_dir: Option<&Path>) -> (Child, u32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_embedded-postgres"))
        .args(data_dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let (pid, url) = line.trim().split_once(' ').expect("the other process has started a server");
    (child, pid.parse().unwrap(), url.to_owned())
}

#[tokio::test]
async fn a_second_start_finds_the_same_data_and_initializes_nothing() {
    let folder = folder();
    let cluster = start(folder.path()).await.unwrap();
    run(&cluster, "CREATE TABLE t AS SELECT 'kept' AS word").await.unwrap();
    cluster.stop().await.unwrap();

    let steps = std::sync::Mutex::new(Vec::new());
    let progress = |step| steps.lock().unwrap().push(step);
    let settings = Settings::new(folder.path());
    let cluster = Cluster::start(&installed().await, settings, &progress).await.unwrap();
    assert_eq!(answer(&cluster, "SELECT word FROM t").await, "kept");
    assert_eq!(*steps.lock().unwrap(), [Progress::Starting]);
}

#[tokio::test]
async fn text_is_utf8_in_byte_order_and_nobody_else_can_connect() {
    let cluster = Cluster::throwaway(&installed().await).await.unwrap();
    assert_eq!(answer(&cluster, "SHOW server_encoding").await, "UTF8");
    assert_eq!(answer(&cluster, "SELECT upper('é') || ('Z' < 'a')::text").await, "Étrue");
    assert_eq!(answer(&cluster, "SHOW listen_addresses").await, "");
    assert_eq!(answer(&cluster, "SHOW data_checksums").await, "on");
    for private in [cluster.socket_dir(), cluster.cluster_dir()] {
        assert_eq!(fs::metadata(private).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[tokio::test]
async fn nothing_is_lost_when_the_parent_is_killed_and_the_server_goes_with_it() {
    let folder = folder();
    let (mut parent, server, url) = other_process(Some(folder.path()));
    run_at(&url, "CREATE TABLE t AS SELECT 'kept' AS word").await.unwrap();
    parent.kill().unwrap();
    parent.wait().unwrap();

    let cluster = start(folder.path()).await.unwrap();
    assert!(is_dead(server));
    assert_eq!(answer(&cluster, "SELECT word FROM t").await, "kept");
    let log = fs::read_to_string(cluster.log_file()).unwrap();
    if cfg!(target_os = "linux") {
        assert!(
            !log.contains("automatic recovery in progress"),
            "it did not shut down in order: {log}"
        );
    }
}

#[tokio::test]
async fn nothing_is_lost_when_parent_and_server_are_killed() {
    let folder = folder();
    let (mut parent, server, url) = other_process(Some(folder.path()));
    run_at(&url, "CREATE TABLE t AS SELECT 'kept' AS word").await.unwrap();
    signal(server, Signal::KILL);
    parent.kill().unwrap();
    parent.wait().unwrap();

    let cluster = start(folder.path()).await.unwrap();
    assert_eq!(answer(&cluster, "SELECT word FROM t").await, "kept");
}

#[tokio::test]
async fn the_end_of_the_server_is_noticed_and_it_starts_again_in_the_same_place() {
    let folder = folder();
    let cluster = start(folder.path()).await.unwrap();
    run(&cluster, "CREATE TABLE t AS SELECT 'kept' AS word").await.unwrap();
    let url = cluster.url("postgres", "postgres");
    signal(cluster.pid(), Signal::KILL);
    let error = cluster.exited().await.to_string();
    assert!(error.contains("signal: 9"), "{error}");
    drop(cluster);

    let cluster = start(folder.path()).await.unwrap();
    assert_eq!(cluster.url("postgres", "postgres"), url);
    assert_eq!(answer(&cluster, "SELECT word FROM t").await, "kept");
}

#[tokio::test]
async fn a_stopped_server_does_not_keep_its_owner_from_ending() {
    let cluster = Cluster::throwaway(&installed().await).await.unwrap();
    let pid = cluster.pid();
    signal(pid, Signal::STOP);
    drop(cluster);
    assert!(is_dead(pid));
}

#[tokio::test]
async fn a_lock_file_with_the_number_of_a_stranger_is_no_hindrance() {
    let folder = folder();
    let cluster = start(folder.path()).await.unwrap();
    let pid_file = cluster.cluster_dir().join("postmaster.pid");
    let text = fs::read_to_string(&pid_file).unwrap();
    let server = cluster.pid().to_string();
    signal(cluster.pid(), Signal::KILL);
    cluster.exited().await;
    drop(cluster);
    fs::write(&pid_file, text.replacen(&server, &std::process::id().to_string(), 1)).unwrap();
    start(folder.path()).await.unwrap();
}

#[tokio::test]
async fn a_folder_in_use_is_refused_with_the_process_that_uses_it() {
    let folder = folder();
    let (mut parent, _, _) = other_process(Some(folder.path()));
    let error = start(folder.path()).await.unwrap_err();
    assert!(matches!(error, Error::InUse { pid, .. } if pid == parent.id()), "{error}");
    signal(parent.id(), Signal::INT);
    assert!(parent.wait().unwrap().success());
}

#[tokio::test]
async fn data_of_another_major_version_is_refused_with_the_way_out() {
    let (major, folder) = (installed().await.major, folder());
    for (name, found) in [("postgres-9", "9"), (&*format!("postgres-{major}"), "14")] {
        let cluster = folder.path().join(name);
        fs::create_dir(&cluster).unwrap();
        fs::write(cluster.join("PG_VERSION"), format!("{found}\n")).unwrap();
        let text = start(folder.path()).await.unwrap_err().to_string();
        for part in [
            cluster.to_str().unwrap(),
            &format!("PostgreSQL {found}"),
            &major.to_string(),
            "PG_BIN",
        ] {
            assert!(text.contains(part), "{text}");
        }
        fs::remove_dir_all(cluster).unwrap();
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = start(&file.join("data")).await.unwrap_err();
    assert!(matches!(error, Error::Folder { .. }), "{error}");

    // Root could use it, but the account it drops to could not.
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    let error = start(&closed).await.unwrap_err();
    assert_eq!(matches!(error, Error::Closed { .. }), geteuid().is_root(), "{error}");
    assert!(error.to_string().contains(closed.to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_server_that_does_not_start_is_quoted() {
    let folder = folder();
    let mut settings = Settings::new(folder.path());
    settings.parameters.push(("no_such_setting".to_owned(), "1".to_owned()));
    let error =
        Cluster::start(&installed().await, settings, &|_| ()).await.unwrap_err().to_string();
    assert!(error.contains("unrecognized configuration parameter"), "{error}");
    assert!(error.contains("log"), "{error}");
}

#[tokio::test]
async fn a_named_folder_without_a_server_is_refused() {
    let folder = folder();
    let error = locate(Source::Any, Some(folder.path()), &|_| ()).await.unwrap_err();
    assert!(matches!(error, Error::Unusable { .. }), "{error}");
}

#[tokio::test]
async fn a_long_path_gets_its_socket_elsewhere() {
    let folder = folder();
    let long = folder.path().join("long, and with a blank ".repeat(5).trim());
    let cluster = start(&long).await.unwrap();
    let socket_dir = cluster.socket_dir().to_owned();
    assert!(!socket_dir.starts_with(folder.path()));
    run(&cluster, "SELECT 1").await.unwrap();
    cluster.stop().await.unwrap();
    assert!(fs::read_dir(&socket_dir).unwrap().next().is_none());
    fs::remove_dir(socket_dir).unwrap();
}

#[tokio::test]
async fn the_log_holds_neither_statements_nor_values() {
    let cluster = Cluster::throwaway(&installed().await).await.unwrap();
    run(&cluster, "CREATE TABLE t (v text PRIMARY KEY); INSERT INTO t VALUES ('canary')")
        .await
        .unwrap();
    for statement in ["INSERT INTO t VALUES ('canary')", "SELECT 'canary' FROM nothing"] {
        run(&cluster, statement).await.unwrap_err();
    }
    let log = fs::read_to_string(cluster.log_file()).unwrap();
    assert!(log.contains("duplicate key") && !log.contains("canary"), "{log}");
}

#[tokio::test]
async fn a_throw_away_folder_goes_with_its_cluster() {
    let binaries = installed().await;
    let first = Cluster::throwaway(&binaries).await.unwrap();
    let second = Cluster::throwaway(&binaries).await.unwrap();
    let folders =
        [&first, &second].map(|cluster| cluster.cluster_dir().parent().unwrap().to_owned());
    assert_ne!(folders[0], folders[1]);
    first.stop().await.unwrap();
    drop(second);
    for folder in folders {
        assert!(!folder.exists(), "{}", folder.display());
    }
}

#[tokio::test]
async fn a_throw_away_folder_goes_with_its_process() {
    let (mut parent, server, _) = other_process(None);
    let folders = || {
        let name = format!("duet-test-{}-1", parent.id());
        [Path::new("/dev/shm"), &std::env::temp_dir()].map(|place| place.join(&name))
    };
    let folders = folders();
    assert!(folders.iter().any(|folder| folder.exists()));
    parent.kill().unwrap();
    parent.wait().unwrap();
    until("the folder is removed", || folders.iter().all(|folder| !folder.exists())).await;
    assert!(is_dead(server));
}

#[tokio::test]
async fn what_a_killed_process_left_is_removed_by_the_next() {
    let mut dead = Command::new("true").spawn().unwrap();
    dead.wait().unwrap();
    let left = std::env::temp_dir().join(format!("duet-test-{}-7", dead.id()));
    fs::create_dir(&left).unwrap();
    let cluster = Cluster::throwaway(&installed().await).await.unwrap();
    assert!(!left.exists());
    drop(cluster);
}
