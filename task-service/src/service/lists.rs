//! `task.v1.ListService`.

use proto::task::v1 as pb;
use shared::{
    error::{Failure, Reason},
    interceptor::Identity,
};

use super::{Answer, Service, later::later};

later! {
    create_one CreateListRequest CreateListResponse
    get_one GetListRequest GetListResponse
    list_all ListListsRequest ListListsResponse
    update_one UpdateListRequest UpdateListResponse
    delete_one DeleteListRequest DeleteListResponse
}
