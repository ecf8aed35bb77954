//! `task.v1.TransferService`.

use std::{pin::Pin, time::Duration};

use futures_util::stream;
use proto::task::v1 as pb;
use shared::{
    call,
    error::{Failure, Fields, Reason},
    interceptor::Identity,
    name,
};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tonic::Status;

use super::{Answer, Service, names, status};
use crate::{
    error::Error,
    request::{Payload, RequestId},
    task::INBOX,
    transfer::{self, Fault, Format, Import, Imported, Note, Pieces},
};

/// Reading a large file keeps a core busy for a tenth of a second, at worst for
/// half of one; other calls must not wait for several of them.
static READING: Semaphore = Semaphore::const_new(1);
/// How many exports may gather their file at once.
static EXPORTS: Semaphore = Semaphore::const_new(2);
/// The longest that an export gathers its file, within its deadline; an account
/// that is full, with long notes, is more than a call reads otherwise.
pub(super) const GATHER: Duration = Duration::from_secs(8);
/// The connections of exports: as many may be gathering their file, and as many
/// be in doubt because their clients left.
pub(super) const CONNECTIONS: u32 = 4;
/// How many large files may be in memory for clients that are slow to receive
/// them. Those who wait for small ones do not wait for these.
static LARGE: Semaphore = Semaphore::const_new(2);
/// The longest that an export, or an import, waits for others.
const PATIENCE: Duration = Duration::from_secs(2);
/// Up to so many pieces (4 MiB) a file is not large.
const SMALL: usize = 64;
/// The longest that a client may take to receive a file.
const RECEIVE: Duration = Duration::from_secs(60);

/// A stream of ExportTasks.
pub(super) type Export =
    Pin<Box<dyn futures_util::Stream<Item = Result<pb::ExportTasksResponse, Status>> + Send>>;

impl Service {
    pub(super) async fn export(
        &self,
        caller: Identity,
        request: pb::ExportTasksRequest,
    ) -> Result<Export, Failure> {
        let pb::ExportTasksRequest { parent, format } = request;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &parent, &caller)?;
        let format = Format::parse(format).and_then(|format| match format.is_written() {
            true => Ok(format),
            false => Err("This format is only read; JSON, ICALENDAR and CSV are written."),
        });
        let format = fields.read("format", format);
        let (user, format) = fields.all((user, format))?;

        let turn = turn(&EXPORTS).await?;
        let file = transfer::export(&self.exports, user, format).await?;
        let held = match file.count() {
            ..=SMALL => None,
            _ => Some(LARGE.try_acquire().map_err(|_| busy())?),
        };
        drop(turn);
        Ok(send(file, held))
    }

    pub(super) async fn import(
        &self,
        caller: Identity,
        request: pb::ImportTasksRequest,
    ) -> Result<Answer<pb::ImportTasksResponse>, Failure> {
        let pb::ImportTasksRequest { parent, format, data, list, dry_run, request_id } = request;
        let now = self.clock.now();
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &parent, &caller)?;
        let list = match list.as_str() {
            "" => Some(INBOX),
            name => names::list(&mut fields, "list", name, &caller)?.map(|(owner, list)| {
                if user.is_some_and(|user| user != owner) {
                    fields.refuse("list", "The list belongs to the user who is named by parent.");
                }
                list
            }),
        };
        let request = fields.read("request_id", RequestId::parse(&request_id));
        let format = fields.read("format", Format::parse(format));
        let read = match format {
            Some(format) => {
                let _turn = turn(&READING).await?;
                file(&mut fields, transfer::read(format, &data, now, self.quotas))?
            }
            None => None,
        };
        let (user, list, request, format, (bundle, report)) =
            fields.all((user, list, request, format, read))?;

        let payload = Payload::of("ImportTasks")
            .part(format.name().as_bytes())
            .part(list.as_bytes())
            .part(&data);
        let write = self.write(user, request, payload);
        let import = Import { write, list, list_quota: self.quotas.lists, dry_run };
        let imported = transfer::import(&self.database, import, &bundle).await?;
        if let Imported::Now { head } = imported {
            self.feed.changed(user, head);
        }
        let body = pb::ImportTasksResponse {
            tasks: count(bundle.tasks()),
            lists: count(bundle.lists()),
            notes: report.notes().into_iter().map(note).collect(),
        };
        Ok(Answer { body, replay: imported == Imported::Earlier })
    }
}

/// Waits for one of the turns that there are.
async fn turn(turns: &'static Semaphore) -> Result<SemaphorePermit<'static>, Failure> {
    match tokio::time::timeout(call::time_left(PATIENCE), turns.acquire()).await {
        Ok(Ok(turn)) => Ok(turn),
        _ => Err(busy()),
    }
}

fn busy() -> Failure {
    let busy = "Others import or export at the moment; please try again shortly.";
    Failure::new(Reason::Overloaded, busy).retry_after(PATIENCE)
}

/// Sends a file. What it holds is let go when it is sent, or when its client
/// takes too long to receive it.
fn send(file: Pieces, held: Option<SemaphorePermit<'static>>) -> Export {
    let left = file.count();
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let pieces = async {
            for piece in file {
                if sender.send(piece).await.is_err() {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(RECEIVE, pieces).await;
        drop(held);
    });
    Box::pin(stream::unfold((receiver, left), |(mut receiver, left)| async move {
        let rest = left.checked_sub(1)?;
        let Some(data) = receiver.recv().await else {
            let late = Failure::new(Reason::DeadlineExceeded, "The file took too long to send.");
            return Some((Err(status(late)), (receiver, 0)));
        };
        Some((Ok(pb::ExportTasksResponse { data }), (receiver, rest)))
    }))
}

/// What was read of a file. One that cannot be read is a bad field.
fn file<T>(fields: &mut Fields, read: Result<T, Fault>) -> Result<Option<T>, Failure> {
    let read = match read {
        Ok(read) => Ok(read),
        Err(Fault::Unreadable { line: 0, reason }) => Err(reason.into_owned()),
        Err(Fault::Unreadable { line, reason }) => Err(format!("Line {line}: {reason}")),
        Err(Fault::TooManyTasks) => return Err(Error::TaskQuota.into()),
        Err(Fault::TooManyLists) => return Err(Error::ListQuota.into()),
    };
    Ok(fields.read("data", read))
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn note(note: Note) -> pb::ImportNote {
    let Note { line, field, reason } = note;
    pb::ImportNote { line: count(line), field, reason: reason.into_owned() }
}
