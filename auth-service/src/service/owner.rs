//! What an owner may know and do about the whole of an account: its activity, its export, its end.

use std::pin::Pin;

use futures_util::Stream;
use proto::auth::v1::{
    DeleteUserRequest, DeleteUserResponse, ExportUserRequest, ExportUserResponse,
    GetDeletionReceiptRequest, GetDeletionReceiptResponse, ListActivityRequest,
    ListActivityResponse,
};
use shared::error::Failure;
use tonic::{Request, Status};

use super::{Service, not_built};

/// An export, in pieces.
pub(super) type Export = Pin<Box<dyn Stream<Item = Result<ExportUserResponse, Status>> + Send>>;

impl Service {
    pub(super) async fn do_list_activity(
        &self,
        _: Request<ListActivityRequest>,
    ) -> Result<ListActivityResponse, Failure> {
        not_built()
    }

    pub(super) async fn do_delete_user(
        &self,
        _: Request<DeleteUserRequest>,
    ) -> Result<DeleteUserResponse, Failure> {
        not_built()
    }

    pub(super) async fn do_get_deletion_receipt(
        &self,
        _: Request<GetDeletionReceiptRequest>,
    ) -> Result<GetDeletionReceiptResponse, Failure> {
        not_built()
    }

    pub(super) async fn do_export_user(
        &self,
        _: Request<ExportUserRequest>,
    ) -> Result<Export, Failure> {
        not_built()
    }
}
