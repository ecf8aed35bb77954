//! Runs a private PostgreSQL until Ctrl-C and prints how to reach it: for trying
//! it out, and the process that this crate's tests kill. `duet up` is the real
//! thing; nothing here is part of it.

use std::{
    io::{Write, stdout},
    path::PathBuf,
    process::ExitCode,
};

use embedded_postgres::{Cluster, Error, SUPERUSER, Settings, Source, locate};

const USAGE: &str = "\
usage: embedded-postgres [--fetch] [--pg-bin <folder>] [<data folder>]
Runs a private PostgreSQL until Ctrl-C; without a data folder a throw-away one.
--fetch runs the packaged one, --pg-bin the one whose programs are in the folder.
";

#[tokio::main]
async fn main() -> ExitCode {
    let (mut source, mut pg_bin, mut data_dir) = (Source::Any, None, None);
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--fetch") => source = Source::Packaged,
            Some("--pg-bin") => pg_bin = arguments.next().map(PathBuf::from),
            Some(other) if other.starts_with('-') => return fail(USAGE, 64),
            _ if data_dir.is_none() => data_dir = Some(PathBuf::from(argument)),
            _ => return fail(USAGE, 64),
        }
    }
    match run(source, pg_bin, data_dir).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{error}\n"), 1),
    }
}

async fn run(
    source: Source,
    pg_bin: Option<PathBuf>,
    data_dir: Option<PathBuf>,
) -> Result<(), Error> {
    let interrupt = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::debug!(%error, "Ctrl-C cannot be waited for");
            std::future::pending::<()>().await;
        }
    };
    tokio::pin!(interrupt);
    let start = async {
        let binaries = locate(source, pg_bin.as_deref(), &|_| ()).await?;
        match data_dir {
            Some(data_dir) => Cluster::start(&binaries, Settings::new(data_dir), &|_| ()).await,
            None => Cluster::throwaway(&binaries).await,
        }
    };
    let cluster = tokio::select! {
        biased; // Ctrl-C is listened for before anything starts
        () = &mut interrupt => return Ok(()),
        cluster = start => cluster?,
    };
    // Whoever closed our output does not need it.
    let _ = writeln!(stdout(), "{} {}", cluster.pid(), cluster.url("postgres", SUPERUSER));
    tokio::select! {
        error = cluster.exited() => return Err(error),
        () = &mut interrupt => {}
    }
    cluster.stop().await
}

fn fail(text: &str, code: u8) -> ExitCode {
    let _ = write!(std::io::stderr(), "{text}");
    ExitCode::from(code)
}
