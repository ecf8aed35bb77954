//! Which tasks and lists a user means, and reading all there are of them to
//! know it.
//!
//! A list is meant by its title first: titles are what people see of lists.

use prost_types::FieldMask;
use proto::task::v1::{
    List, ListListsRequest, ListTasksRequest, Task, list_service_client::ListServiceClient,
    task_service_client::TaskServiceClient,
};
use tonic::Code;

use super::{
    connection::LARGEST_ANSWER,
    failure::Failure,
    id::{self, Named},
    session::Session,
};

/// The most a page can have.
const PAGE_SIZE: u32 = 500;
const INBOX: &str = "users/me/lists/inbox";

/// Where tasks are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    /// Those outside the bin.
    Live,
    /// Those in the bin.
    Binned,
    /// Everywhere.
    All,
}

/// What is in the bin, and nothing else, as a request.
pub(crate) fn binned() -> ListTasksRequest {
    ListTasksRequest {
        filter: "delete_time:*".to_owned(),
        show_deleted: true,
        order_by: "update_time desc".to_owned(),
        ..ListTasksRequest::default()
    }
}

/// The tasks that a request asks for, over all its pages.
pub(crate) async fn list(
    session: &mut Session,
    mut request: ListTasksRequest,
    limit: Option<u32>,
) -> Result<Vec<Task>, Failure> {
    let limit = limit.map_or(usize::MAX, |limit| limit as usize);
    request.page_size = i32::try_from(limit.min(PAGE_SIZE as usize)).unwrap_or_default();
    let mut tasks = Vec::new();
    loop {
        let page = session
            .tasks(request.clone(), async |channel, request| {
                let client = TaskServiceClient::new(channel);
                client.max_decoding_message_size(LARGEST_ANSWER).list_tasks(request).await
            })
            .await?;
        tasks.extend(page.tasks);
        if page.next_page_token.is_empty() || tasks.len() >= limit {
            tasks.truncate(limit);
            return Ok(tasks);
        }
        request.page_token = page.next_page_token;
    }
}

/// The names of the tasks that the user named, all of them before anything is
/// done to one.
pub(crate) async fn tasks(
    session: &mut Session,
    texts: &[String],
    among: Among,
) -> Result<Vec<String>, Failure> {
    let named: Vec<Named> =
        texts.iter().map(|text| Named::parse(text, "tasks")).collect::<Result<_, _>>()?;
    let tasks = if named.iter().any(|named| matches!(named, Named::Partly(_))) {
        let request = match among {
            Among::Live => ListTasksRequest::default(),
            Among::Binned => binned(),
            Among::All => ListTasksRequest { show_deleted: true, ..Default::default() },
        };
        let paths = ["name", "title"].map(str::to_owned).to_vec();
        let request = ListTasksRequest { read_mask: Some(FieldMask { paths }), ..request };
        list(session, request, None).await?
    } else {
        Vec::new()
    };
    named
        .into_iter()
        .map(|named| {
            named.among(tasks.iter().map(|task| (task.name.as_str(), task.title.as_str())))
        })
        .collect()
}

/// The name of the task that the user named.
pub(crate) async fn task(
    session: &mut Session,
    text: &str,
    among: Among,
) -> Result<String, Failure> {
    Ok(tasks(session, &[text.to_owned()], among).await?.swap_remove(0))
}

/// The name of a task that the user may have named.
pub(crate) async fn optional_task(
    session: &mut Session,
    text: Option<&str>,
) -> Result<Option<String>, Failure> {
    match text {
        Some(text) => task(session, text, Among::Live).await.map(Some),
        None => Ok(None),
    }
}

/// All lists in their order, the inbox first.
pub(crate) async fn all_lists(session: &mut Session) -> Result<Vec<List>, Failure> {
    let mut lists = Vec::new();
    let page_size = i32::try_from(PAGE_SIZE).unwrap_or_default();
    let mut request = ListListsRequest { page_size, ..ListListsRequest::default() };
    loop {
        let page = session
            .tasks(request.clone(), async |channel, request| {
                ListServiceClient::new(channel).list_lists(request).await
            })
            .await?;
        lists.extend(page.lists);
        if page.next_page_token.is_empty() {
            return Ok(lists);
        }
        request.page_token = page.next_page_token;
    }
}

/// The names of the lists that the user named, all of them before anything is
/// done to one.
pub(crate) async fn lists(session: &mut Session, texts: &[String]) -> Result<Vec<String>, Failure> {
    let lists = match texts.iter().all(|text| is_name(text)) {
        true => Vec::new(),
        false => all_lists(session).await?,
    };
    texts.iter().map(|text| list_among(&lists, text)).collect()
}

/// The name of the list that the user named.
pub(crate) async fn one_list(session: &mut Session, text: &str) -> Result<String, Failure> {
    Ok(lists(session, &[text.to_owned()]).await?.swap_remove(0))
}

/// The name of a list that the user may have named.
pub(crate) async fn optional_list(
    session: &mut Session,
    text: Option<&str>,
) -> Result<Option<String>, Failure> {
    match text {
        Some(text) => one_list(session, text).await.map(Some),
        None => Ok(None),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with("users/") || text.eq_ignore_ascii_case("inbox")
}

fn list_among(lists: &[List], text: &str) -> Result<String, Failure> {
    if text.eq_ignore_ascii_case("inbox") {
        return Ok(INBOX.to_owned());
    }
    let wanted = text.trim().to_lowercase();
    let meant: Vec<&List> =
        lists.iter().filter(|list| list.title.to_lowercase() == wanted).collect();
    match meant[..] {
        [list] => return Ok(list.name.clone()),
        [] => {}
        _ => {
            let message = format!("{} lists are called “{text}”; name one by its id:", meant.len());
            let candidates = meant
                .iter()
                .map(|list| (id::last(&list.name).to_owned(), list.title.clone()))
                .collect();
            return Err(Failure::new(Code::InvalidArgument, message).candidates(candidates));
        }
    }
    match Named::parse(text, "lists") {
        Ok(named) => {
            named.among(lists.iter().map(|list| (list.name.as_str(), list.title.as_str())))
        }
        Err(_) => {
            let message = format!("There is no list “{text}”; `duet lists` shows those there are.");
            Err(Failure::new(Code::NotFound, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Result<String, u8> {
        let lists = [
            ("inbox", "Inbox"),
            (HOME, "Home"),
            (CAFE, "cafe"),
            (OTHER, "Twice"),
            ("0197a2b4-1111-7aaa-8aaa-00001a2bffff", "twice"),
        ]
        .map(|(id, title)| List {
            name: format!("users/u/lists/{id}"),
            title: title.to_owned(),
            ..List::default()
        });
        list_among(&lists, text)
            .map(|name| id::last(&name).to_owned())
            .map_err(|failure| failure.exit())
    }

    const HOME: &str = "0197a2b4-1111-7aaa-8aaa-00001a2bcafe";
    const CAFE: &str = "0197a2b4-1111-7aaa-8aaa-00001a2b0001";
    const OTHER: &str = "0197a2b4-1111-7aaa-8aaa-00001a2b0002";

    #[test]
    fn a_list_is_meant_by_its_title_and_then_by_its_id() {
        assert_eq!(found("home").as_deref(), Ok(HOME));
        assert_eq!(found("Inbox").as_deref(), Ok("inbox"));
        assert_eq!(found("2bcafe").as_deref(), Ok(HOME));
        // A title that looks like an id is a title.
        assert_eq!(found("cafe").as_deref(), Ok(CAFE));
        assert_eq!(found(OTHER).as_deref(), Ok(OTHER));
        assert_eq!(found(&format!("users/u/lists/{OTHER}")).as_deref(), Ok(OTHER));
    }

    #[test]
    fn a_list_that_is_not_there_or_is_not_one_alone_is_refused() {
        assert_eq!(found("Garden"), Err(5));
        assert_eq!(found("ffff0000"), Err(5));
        assert_eq!(found("TWICE"), Err(3));
        assert_eq!(found("0197a2b4"), Err(3));
    }
}
