//! Taking tasks out and in: what one account exports another imports.

mod afterwards;
mod bad_files;
mod leftovers;
mod others;
mod round_trips;
mod sending;
mod storing;

use futures_util::TryStreamExt as _;
use proto::task::v1::{
    ExportTasksRequest, ImportTasksRequest, ImportTasksResponse, TransferFormat,
    transfer_service_client::TransferServiceClient,
};
use tonic::{Request, Response, Status};

use crate::app::{TestApp, User};

/// The most that a piece of a file has.
const PIECE_BYTES: usize = 64 * 1024;

/// A request to import this, and nothing else said.
fn importing(format: TransferFormat, data: impl Into<Vec<u8>>) -> ImportTasksRequest {
    ImportTasksRequest { format: format.into(), data: data.into(), ..Default::default() }
}

/// Calls ImportTasks.
async fn try_import(
    app: &TestApp,
    user: &User,
    request: ImportTasksRequest,
) -> Result<Response<ImportTasksResponse>, Status> {
    let mut client =
        TransferServiceClient::new(app.channel.clone()).max_encoding_message_size(8 * 1024 * 1024);
    client.import_tasks(authorized(app, user, request)).await
}

/// Imports a file, and tells what became of it.
async fn import(
    app: &TestApp,
    user: &User,
    format: TransferFormat,
    data: impl Into<Vec<u8>>,
) -> ImportTasksResponse {
    let answer = try_import(app, user, importing(format, data)).await;
    answer.expect("the file is imported").into_inner()
}

/// Calls ExportTasks and receives the file.
async fn try_export(
    app: &TestApp,
    user: &User,
    request: ExportTasksRequest,
) -> Result<String, Status> {
    let mut client = TransferServiceClient::new(app.channel.clone());
    let stream = client.export_tasks(authorized(app, user, request)).await?.into_inner();
    let pieces: Vec<_> = stream.try_collect().await?;
    assert!(pieces.iter().all(|piece| (1..=PIECE_BYTES).contains(&piece.data.len())));
    let file = pieces.into_iter().flat_map(|piece| piece.data).collect();
    Ok(String::from_utf8(file).expect("files are in UTF-8"))
}

/// Everything that a user has, as a file.
async fn export(app: &TestApp, user: &User, format: TransferFormat) -> String {
    let request = ExportTasksRequest { parent: String::new(), format: format.into() };
    try_export(app, user, request).await.expect("the file is exported")
}

fn authorized<T>(app: &TestApp, user: &User, message: T) -> Request<T> {
    with_token(&app.token(user.id), message)
}

fn with_token<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}");
    request.metadata_mut().insert("authorization", bearer.parse().expect("a token is ASCII"));
    request
}

/// The notes as line, field and reason.
fn notes(answer: &ImportTasksResponse) -> Vec<(i32, &str, &str)> {
    answer.notes.iter().map(|note| (note.line, note.field.as_str(), note.reason.as_str())).collect()
}

/// Line and field of the notes.
fn places(answer: &ImportTasksResponse) -> Vec<(i32, &str)> {
    notes(answer).into_iter().map(|(line, field, _)| (line, field)).collect()
}

/// The lines of the tasks of a JSON file, without ids and times of creation.
async fn tasks(app: &TestApp, user: &User) -> Vec<String> {
    let file = export(app, user, TransferFormat::Json).await;
    let lines = file.lines().skip_while(|line| *line != "\"tasks\":[").skip(1);
    let lines = lines.take_while(|line| *line != "]}");
    lines
        .map(|line| {
            let end = line.find(",\"create_time\"").expect("every task has one");
            line[1..end].to_owned()
        })
        .collect()
}
