//! The commands about lists: `lists` with all it can do, and `usage`.
//!
//! Invariant: every write carries a fresh `request_id`.

use comfy_table::{Cell, Color, Row};
use prost_types::FieldMask;
use proto::task::v1::{
    CreateListRequest, DeleteListRequest, GetUsageRequest, List, UpdateListRequest,
    list_service_client::ListServiceClient as Client, task_service_client::TaskServiceClient,
    update_list_request::Place,
};
use serde_json::json;

use super::{
    failure::Failure,
    find, id, json,
    output::{self, Output},
    session::{Session, request_id},
};
use crate::cli::lists::{ListPlace, Lists, MoveList};

const INBOX: &str = "users/me/lists/inbox";

/// `duet lists`
pub(crate) async fn run(
    session: &mut Session,
    command: Option<&Lists>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match command {
        None => ls(session, false, output).await,
        Some(Lists::Ls { all }) => ls(session, *all, output).await,
        Some(Lists::Add { title }) => add(session, title.join(" "), output).await,
        Some(Lists::Rename { list, title }) => {
            let name = find::one_list(session, list).await?;
            let list = List { name, title: title.join(" "), ..List::default() };
            let list = update(session, list, "title").await?;
            show(vec![list], true, output)
        }
        Some(Lists::Archive(names)) => archive(session, &names.lists, true, output).await,
        Some(Lists::Unarchive(names)) => archive(session, &names.lists, false, output).await,
        Some(Lists::Move(args)) => move_to(session, args, output).await,
        Some(Lists::Rm { list, force }) => rm(session, list, *force, output).await,
    }
}

/// `duet usage`
pub(crate) async fn usage(session: &mut Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let usage = session
        .tasks(GetUsageRequest::default(), async |channel, request| {
            TaskServiceClient::new(channel).get_usage(request).await
        })
        .await?;
    let row = |what: &str, used: i64, limit: i64, note: String| {
        Row::from([what.to_owned(), format!("{used} of {limit}"), note])
    };
    let open = format!("{} open", usage.open_tasks);
    let rows = [
        row("Tasks", usage.tasks, usage.tasks_limit, open),
        row("Lists", usage.lists, usage.lists_limit, String::new()),
    ];
    let text = output::table(&[], rows);
    Ok(output.show(&json::Usage::from(usage), || text)?)
}

async fn ls(session: &mut Session, all: bool, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut lists = find::all_lists(session).await?;
    lists.retain(|list| all || !list.archived);
    show(lists, false, output)
}

async fn add(session: &mut Session, title: String, output: &mut Output<'_>) -> Result<(), Failure> {
    let request = CreateListRequest {
        list: Some(List { title, ..List::default() }),
        request_id: request_id(),
        ..CreateListRequest::default()
    };
    let answer = session
        .tasks(request, async |channel, request| Client::new(channel).create_list(request).await)
        .await?;
    show(answer.list.into_iter().collect(), true, output)
}

async fn archive(
    session: &mut Session,
    texts: &[String],
    archived: bool,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut lists = Vec::new();
    let mut result = Ok(());
    for name in find::lists(session, texts).await? {
        let list = List { name, archived, ..List::default() };
        match update(session, list, "archived").await {
            Ok(list) => lists.push(list),
            Err(failure) => {
                result = Err(failure);
                break;
            }
        }
    }
    if !lists.is_empty() {
        show(lists, false, output)?;
    }
    result
}

async fn move_to(
    session: &mut Session,
    args: &MoveList,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let MoveList { list, to: ListPlace { after, before, first: _ } } = args;
    let neighbour = after.as_ref().or(before.as_ref()).cloned();
    let texts = [list.clone(), neighbour.unwrap_or_else(|| INBOX.to_owned())];
    let mut names = find::lists(session, &texts).await?;
    let neighbour = names.pop().unwrap_or_default();
    let place = if before.is_some() { Place::Before(neighbour) } else { Place::After(neighbour) };
    let list = List { name: names.pop().unwrap_or_default(), ..List::default() };
    let request = UpdateListRequest {
        list: Some(list),
        // No field is written; absent would mean those that are populated.
        update_mask: None,
        place: Some(place),
        request_id: request_id(),
    };
    let answer = session
        .tasks(request, async |channel, request| Client::new(channel).update_list(request).await)
        .await?;
    show(answer.list.into_iter().collect(), true, output)
}

async fn update(session: &mut Session, list: List, path: &str) -> Result<List, Failure> {
    let request = UpdateListRequest {
        list: Some(list),
        update_mask: Some(FieldMask { paths: vec![path.to_owned()] }),
        request_id: request_id(),
        ..UpdateListRequest::default()
    };
    let answer = session
        .tasks(request, async |channel, request| Client::new(channel).update_list(request).await)
        .await?;
    Ok(answer.list.unwrap_or_default())
}

async fn rm(
    session: &mut Session,
    text: &str,
    force: bool,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let name = find::one_list(session, text).await?;
    let request = DeleteListRequest {
        name: name.clone(),
        etag: String::new(),
        request_id: request_id(),
        force,
    };
    session
        .tasks(request, async |channel, request| Client::new(channel).delete_list(request).await)
        .await
        .map_err(|failure| {
            failure.hint("LIST_NOT_EMPTY", "With --force they go to the bin with it.")
        })?;
    let text = format!("Deleted {}.", output::line(text));
    Ok(output.show(&json!({ "deleted": [name] }), || text)?)
}

/// Shows lists, as JSON the one list itself or `lists`.
fn show(mut lists: Vec<List>, one: bool, output: &mut Output<'_>) -> Result<(), Failure> {
    let rows = lists.iter().map(|list| {
        let note = if list.archived { "put aside" } else { "" };
        let texts = [short(list), output::line(&list.title), note.to_owned()];
        Row::from(texts.map(|text| {
            let cell = Cell::new_owned(text);
            if list.archived { cell.fg(Color::DarkGrey) } else { cell }
        }))
    });
    let header: &[&str] = if one { &[] } else { &["ID", "Title", ""] };
    let text = output::table(header, rows);
    if one {
        return Ok(output.show(&json::List::from(lists.pop().unwrap_or_default()), || text)?);
    }
    let lists: Vec<_> = lists.into_iter().map(json::List::from).collect();
    Ok(output.show(&json!({ "lists": lists }), || text)?)
}

fn short(list: &List) -> String {
    match id::last(&list.name) {
        "inbox" => "inbox".to_owned(),
        _ => output::line(&id::short(&list.name)),
    }
}
