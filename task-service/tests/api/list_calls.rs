//! What a user does with lists.

use prost_types::FieldMask;
use proto::task::v1::{self as pb, update_list_request::Place};
use tonic::{Response, Status};

use crate::app::User;

pub(crate) async fn make(user: &User, title: &str) -> pb::List {
    let request = creating(title, "", "");
    create(user, request).await.expect("a list is made").into_inner()
}

pub(crate) fn creating(title: &str, list_id: &str, request_id: &str) -> pb::CreateListRequest {
    pb::CreateListRequest {
        parent: String::new(),
        list: Some(pb::List { title: title.to_owned(), ..pb::List::default() }),
        request_id: request_id.to_owned(),
        list_id: list_id.to_owned(),
    }
}

pub(crate) async fn create(
    user: &User,
    request: pb::CreateListRequest,
) -> Result<Response<pb::List>, Status> {
    let answer = user.lists.clone().create_list(request).await?;
    Ok(answer.map(|answer| answer.list.expect("a list")))
}

pub(crate) async fn get(user: &User, name: &str) -> Result<pb::List, Status> {
    let request = pb::GetListRequest { name: name.to_owned() };
    let answer = user.lists.clone().get_list(request).await?.into_inner();
    Ok(answer.list.expect("a list"))
}

/// The lists in their order, the inbox first, by pages of this size.
pub(crate) async fn all_by(user: &User, page_size: i32) -> Vec<pb::List> {
    let mut request = pb::ListListsRequest { page_size, ..Default::default() };
    let mut lists = Vec::new();
    loop {
        let page = user.lists.clone().list_lists(request.clone()).await.expect("a page");
        let page = page.into_inner();
        let most = if page_size == 0 { 50 } else { page_size };
        assert!(
            !page.lists.is_empty() && page.lists.len() <= usize::try_from(most).expect("a size")
        );
        lists.extend(page.lists);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return lists;
        }
    }
}

/// The titles in their order, without the inbox; no two places are the same,
/// and they sort by their bytes.
pub(crate) async fn titles(user: &User) -> Vec<String> {
    let lists = all_by(user, 500).await;
    assert!(lists.is_sorted_by(|a, b| a.position.as_bytes() < b.position.as_bytes()), "{lists:?}");
    assert_eq!(lists[0].title, "Inbox");
    lists.into_iter().skip(1).map(|list| list.title).collect()
}

pub(crate) async fn update(
    user: &User,
    list: pb::List,
    paths: &[&str],
) -> Result<pb::List, Status> {
    let paths = paths.iter().map(|&path| path.to_owned()).collect();
    let update_mask = Some(FieldMask { paths });
    let request = pb::UpdateListRequest { list: Some(list), update_mask, ..Default::default() };
    Ok(update_with(user, request).await?.into_inner())
}

pub(crate) async fn update_with(
    user: &User,
    request: pb::UpdateListRequest,
) -> Result<Response<pb::List>, Status> {
    let answer = user.lists.clone().update_list(request).await?;
    Ok(answer.map(|answer| answer.list.expect("a list")))
}

pub(crate) async fn after(user: &User, name: &str, other: &str) -> Result<pb::List, Status> {
    place(user, name, Place::After(other.to_owned())).await
}

pub(crate) async fn before(user: &User, name: &str, other: &str) -> Result<pb::List, Status> {
    place(user, name, Place::Before(other.to_owned())).await
}

async fn place(user: &User, name: &str, place: Place) -> Result<pb::List, Status> {
    let list = pb::List { name: name.to_owned(), ..pb::List::default() };
    let request =
        pb::UpdateListRequest { list: Some(list), place: Some(place), ..Default::default() };
    Ok(update_with(user, request).await?.into_inner())
}

pub(crate) async fn delete(user: &User, name: &str, force: bool) -> Result<(), Status> {
    let request = pb::DeleteListRequest { name: name.to_owned(), force, ..Default::default() };
    delete_with(user, request).await.map(drop)
}

pub(crate) async fn delete_with(
    user: &User,
    request: pb::DeleteListRequest,
) -> Result<Response<pb::DeleteListResponse>, Status> {
    user.lists.clone().delete_list(request).await
}
