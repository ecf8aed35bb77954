//! `duet export` and `duet import`: the files themselves are the service's
//! business; here they are written, read and told apart.
//!
//! Invariants: a file is written as a whole or not at all, and never in the
//! place of another one unless that was asked for. Only its owner can read it.

mod format;

use std::{
    fs::File,
    io::{self, Read, Write as _},
    path::Path,
    time::Duration,
};

use comfy_table::Row;
use proto::auth::v1::ExportUserResponse;
use proto::task::v1::{
    ExportTasksRequest, ExportTasksResponse, ImportTasksRequest, ImportTasksResponse,
    TransferFormat, transfer_service_client::TransferServiceClient as Client,
};
use serde_json::json;
use tempfile::NamedTempFile;
use tonic::{Code, Streaming};

use super::{
    failure::Failure,
    find, json,
    output::{self, Output},
    owner,
    prompt::Answers,
    session::{Session, request_id},
};
use crate::cli::transfer::{Export, Import};

/// The largest file that is taken.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The next piece of a file has to come within this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// `duet export`
pub(crate) async fn export(
    session: &mut Session,
    args: &Export,
    answers: &mut Answers<'_>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let path = args.output.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(path) = path.filter(|path| !args.force && path.symlink_metadata().is_ok()) {
        return Err(taken(path));
    }
    let pieces = match args.account {
        true => Pieces::Account(owner::export(session, &args.proof, answers).await?),
        false => Pieces::Tasks(tasks(session, args, path).await?),
    };
    match path {
        Some(path) => {
            let bytes = to_file(session, pieces, path, args.force).await?;
            let text = format!("Written to {}.", output::line(&path.display().to_string()));
            Ok(output.show(&json!({ "file": path, "bytes": bytes.to_string() }), || text)?)
        }
        None if output.is_terminal() => to_terminal(session, pieces, output).await,
        None => to_output(session, pieces, output).await,
    }
}

/// A file on its way, from whichever service writes it.
enum Pieces {
    Tasks(Streaming<ExportTasksResponse>),
    Account(Streaming<ExportUserResponse>),
}

impl Pieces {
    async fn next(&mut self, session: &Session) -> Result<Option<Vec<u8>>, Failure> {
        Ok(match self {
            Self::Tasks(stream) => session.next(stream, PATIENCE).await?.map(|piece| piece.data),
            Self::Account(stream) => {
                session.auth_next(stream, PATIENCE).await?.map(|piece| piece.data)
            }
        })
    }
}

async fn tasks(
    session: &mut Session,
    args: &Export,
    path: Option<&Path>,
) -> Result<Streaming<ExportTasksResponse>, Failure> {
    let format = args.format.map_or_else(|| format::to_write(path), Ok)?;
    let request = ExportTasksRequest {
        format: format::of_export(format).into(),
        ..ExportTasksRequest::default()
    };
    session
        .stream(request, async |channel, request| Client::new(channel).export_tasks(request).await)
        .await
}

async fn to_file(
    session: &Session,
    mut pieces: Pieces,
    path: &Path,
    force: bool,
) -> Result<u64, Failure> {
    let failed = |error: &io::Error| Failure::file(path, error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(folder.unwrap_or_else(|| Path::new(".")))
        .map_err(|error| failed(&error))?;
    let mut bytes = 0;
    while let Some(piece) = pieces.next(session).await? {
        file.write_all(&piece).map_err(|error| failed(&error))?;
        bytes += piece.len() as u64;
    }
    file.as_file().sync_all().map_err(|error| failed(&error))?;
    if force {
        file.persist(path).map_err(|error| failed(&error.error))?;
        return Ok(bytes);
    }
    match file.persist_noclobber(path) {
        Ok(_) => Ok(bytes),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(taken(path)),
        Err(error) => Err(failed(&error.error)),
    }
}

/// A file must not be replaced.
pub(crate) fn taken(path: &Path) -> Failure {
    let message = format!("{} is there already; --force replaces it.", path.display());
    Failure::usage(message)
}

async fn to_output(
    session: &Session,
    mut pieces: Pieces,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    while let Some(piece) = pieces.next(session).await? {
        output.raw(&piece)?;
    }
    Ok(())
}

/// Text of others reaches a terminal only where it cannot steer it.
async fn to_terminal(
    session: &Session,
    mut pieces: Pieces,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut rest = Vec::new();
    while let Some(piece) = pieces.next(session).await? {
        rest.extend(piece);
        // A line is whole, and so are its characters.
        if let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') {
            let lines = rest.drain(..=end).collect::<Vec<_>>();
            output.raw(output::lines(&String::from_utf8_lossy(&lines)).as_bytes())?;
        }
    }
    Ok(output.raw(output::lines(&String::from_utf8_lossy(&rest)).as_bytes())?)
}

/// `duet import`
pub(crate) async fn import(
    session: &mut Session,
    args: &Import,
    input: &mut dyn Read,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let Import { file, format: wanted, list, dry_run } = args;
    let data = read(file, input)?;
    let format = match wanted {
        Some(format) => format::of_import(*format),
        None => format::seen(&data, file)?,
    };
    let list = find::optional_list(session, list.as_deref()).await?;
    let request = ImportTasksRequest {
        format: format.into(),
        data,
        list: list.unwrap_or_default(),
        dry_run: *dry_run,
        request_id: request_id(),
        ..ImportTasksRequest::default()
    };
    let answer = session
        .tasks(request, async |channel, request| Client::new(channel).import_tasks(request).await)
        .await?;
    let text = report(&answer, format, *dry_run);
    Ok(output.show(&json::Import::from(answer), || text)?)
}

fn read(file: &Path, input: &mut dyn Read) -> Result<Vec<u8>, Failure> {
    let mut data = Vec::new();
    let read = if file == Path::new("-") {
        input.take(LARGEST + 1).read_to_end(&mut data)
    } else {
        File::open(file).and_then(|open| open.take(LARGEST + 1).read_to_end(&mut data))
    };
    let read = read.map_err(|error| Failure::file(file, &error))?;
    if read as u64 > LARGEST {
        let message = format!("{} is larger than 4 MiB, the most that is taken.", file.display());
        return Err(Failure::new(Code::InvalidArgument, message));
    }
    Ok(data)
}

fn report(answer: &ImportTasksResponse, format: TransferFormat, dry_run: bool) -> String {
    let ImportTasksResponse { tasks, lists, notes } = answer;
    let count = |count: i32, one: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {one}s"),
    };
    let (tasks, lists) = (count(*tasks, "task"), count(*lists, "list"));
    let what = format::words(format);
    let mut text = match dry_run {
        true => format!("Read as {what}, it would make {tasks} and {lists}. Nothing was made."),
        false => format!("Read as {what}: made {tasks} and {lists}."),
    };
    if !notes.is_empty() {
        let rows = notes.iter().map(|note| {
            let line = if note.line > 0 { note.line.to_string() } else { String::new() };
            Row::from([line, output::line(&note.field), output::line(&note.reason)])
        });
        let table = output::table_breaking(2, &["Line", "Field", "Why"], rows);
        text += &format!("\n\nNot carried over:\n{table}");
    }
    text
}
