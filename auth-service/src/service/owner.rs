//! What an owner may know and do about the whole of an account: its activity,
//! its export, its end.

use std::{pin::Pin, time::Duration};

use futures_util::{Stream, stream};
use proto::auth::v1::{
    Activity, DeleteUserRequest, DeleteUserResponse, ExportUserRequest, ExportUserResponse,
    GetDeletionReceiptRequest, GetDeletionReceiptResponse, ListActivityRequest,
    ListActivityResponse, get_deletion_receipt_response,
};
use shared::{
    call::{self, Call},
    error::{Failure, Fields, Reason},
    interceptor::Identity,
    name, page, rng,
};
use tokio::{sync::mpsc, task::JoinHandle};
use tonic::{Request, Status};
use uuid::Uuid;

use super::{Service, to_timestamp};
use crate::{
    activity,
    deletion::{
        self, Deletion, Erasure, Wish,
        receipt::{self, ReceiptToken},
    },
    email::Email,
    error::DOMAIN,
    export::{self, Stopped, pieces::Pieces, tasks, turns::Turns},
    mail::Mail,
};

/// How many exports may be sent at once; each holds a few pieces in memory.
static EXPORTS: Turns = Turns::new(16);
/// The longest that one waits for others.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest that a client may take to receive a piece of one.
const STALL: Duration = Duration::from_secs(30);
/// The longest that a client may take to receive all of it.
const RECEIVE: Duration = Duration::from_secs(300);
/// An export, in pieces.
pub(super) type Export = Pin<Box<dyn Stream<Item = Result<ExportUserResponse, Status>> + Send>>;

impl Service {
    pub(super) async fn do_list_activity(
        &self,
        request: Request<ListActivityRequest>,
    ) -> Result<ListActivityResponse, Failure> {
        let identity = Identity::of(&request)?;
        let ListActivityRequest { parent, page_size, page_token } = request.into_inner();
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &parent, &identity)?;
        let size = fields.read("page_size", page::size(page_size));
        let context = [b"activity/", identity.subject().as_bytes().as_slice()].concat();
        let before = self.read_place(&context, &page_token);
        let before = fields.read_as(Reason::PageTokenInvalid, "page_token", before);
        let (user, size, before) = fields.all((user, size, before))?;

        let caller = self.caller(&identity)?;
        let mut page = activity::list(&self.0.database, &caller, before, size + 1).await?;
        let more = page.len() > usize::from(size);
        page.truncate(usize::from(size));
        let last = page.last().filter(|_| more).map(|activity| activity.sequence.to_be_bytes());
        Ok(ListActivityResponse {
            activities: page.into_iter().map(|activity| to_activity(activity, user)).collect(),
            next_page_token: last
                .map(|place| self.0.pages.seal(&context, &place))
                .unwrap_or_default(),
        })
    }

    pub(super) async fn do_delete_user(
        &self,
        request: Request<DeleteUserRequest>,
    ) -> Result<DeleteUserResponse, Failure> {
        let identity = Identity::of(&request)?;
        let DeleteUserRequest { name, email, request_id } = request.into_inner();
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "name", &name, &identity)?;
        let email = fields.read("email", Email::parse(&email));
        let request = fields.read("request_id", request_id_of(&request_id));
        let (user, email, request) = fields.all((user, email, request))?;
        self.recent(&identity)?;

        let receipt = ReceiptToken::of(&self.0.sealer, user, request, &email);
        let receipt_token = receipt.seal();
        let caller = self.caller(&identity)?;
        let outbox = &self.0.outbox;
        let secret = receipt_token.expose().as_bytes();
        let mail = outbox.with_secret(caller.now, secret, |token| Mail::DeletionReceipt { token });
        let services = self.0.erasing_services.clone();
        let wish = Wish { email, request, receipt, services, mail: Some(mail.json()) };
        deletion::delete(&self.0.database, &caller, &wish).await?;
        outbox.filled();
        self.0.trust.changed();
        let receipt_token = receipt_token.expose().to_owned();
        Ok(DeleteUserResponse { receipt_token })
    }

    pub(super) async fn do_get_deletion_receipt(
        &self,
        request: Request<GetDeletionReceiptRequest>,
    ) -> Result<GetDeletionReceiptResponse, Failure> {
        let GetDeletionReceiptRequest { receipt_token } = request.into_inner();
        let mut fields = Fields::new();
        let receipt = fields.read("receipt_token", ReceiptToken::read(&receipt_token));
        let (receipt,) = fields.all((receipt,))?;
        let now = self.0.clock.now();
        let deletion = deletion::read(&self.0.database, &receipt, now).await?;
        let key = self.0.keys.active();
        let signed = key
            .and_then(|key| receipt::statement(&deletion, &self.0.issuing.issuer, &key, now))
            .map_err(|error| Failure::internal(format!("{error:#}")))?;
        let Deletion { user: _, requested_at, erasures } = deletion;
        let erasures = erasures.into_iter().map(|Erasure { service, erased_at, closed_at }| {
            get_deletion_receipt_response::Erasure {
                service,
                erase_time: erased_at.map(to_timestamp),
                close_time: closed_at.map(to_timestamp),
            }
        });
        Ok(GetDeletionReceiptResponse {
            delete_time: Some(to_timestamp(requested_at)),
            erasures: erasures.collect(),
            receipt: signed.unwrap_or_default(),
        })
    }

    pub(super) async fn do_export_user(
        &self,
        request: Request<ExportUserRequest>,
    ) -> Result<Export, Failure> {
        let identity = Identity::of(&request)?;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "name", &request.get_ref().name, &identity)?;
        let (user,) = fields.all((user,))?;
        self.recent(&identity)?;
        let turn = EXPORTS.take(user, call::time_left(PATIENCE)).await?;

        let caller = self.caller(&identity)?;
        let tasks = self.0.tasks.clone();
        let tasks = tasks.map(|tasks| {
            let key = self.0.keys.active().map_err(Failure::internal)?;
            let (claims, service) = (identity.user()?, tasks.audience());
            let token =
                self.0.issuing.act_for(&key, claims, service, &[tasks::SCOPE], caller.now)?;
            Ok::<_, Failure>((tasks, token))
        });
        let tasks = tasks.transpose()?;
        let account = export::begin(&self.0.database, &caller).await?;
        let database = self.0.database.clone();
        let (mut file, pieces) = Pieces::new(STALL);
        let writing = async move {
            let _turn = turn;
            let written = export::write(&database, &caller, account, tasks, &mut file);
            tokio::time::timeout(RECEIVE, written).await.unwrap_or_else(|_| {
                let late = "The export took too long to receive.";
                Err(Stopped::Failed(Failure::new(Reason::DeadlineExceeded, late)))
            })
        };
        Ok(send(pieces, tokio::spawn(for_longer(writing))))
    }

    fn read_place(&self, context: &[u8], token: &str) -> Result<Option<i64>, &'static str> {
        if token.is_empty() {
            return Ok(None);
        }
        let place = self.0.pages.open(context, token)?;
        let place = place.try_into().map(i64::from_be_bytes);
        place.map(Some).map_err(|_| "This page token is not one of ours.")
    }
}

/// Runs `work` as a part of the present call that goes on after its answer has
/// begun.
fn for_longer<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let call = call::current().map(|call| Call { deadline: call.deadline + RECEIVE, ..call });
    async move {
        match call {
            Some(call) => call::scope(call, work).await,
            None => work.await,
        }
    }
}

/// Sends the pieces of a document, and then how its writing ended: a stream that
/// ends well has brought all of it.
fn send(pieces: mpsc::Receiver<Vec<u8>>, writing: JoinHandle<Result<(), Stopped>>) -> Export {
    Box::pin(stream::unfold(Some((pieces, writing)), |left| async {
        let (mut pieces, writing) = left?;
        if let Some(data) = pieces.recv().await {
            return Some((Ok(ExportUserResponse { data }), Some((pieces, writing))));
        }
        let failure = match writing.await {
            Ok(Ok(())) => return None,
            Ok(Err(Stopped::Failed(failure))) => failure,
            Ok(Err(Stopped::Gone)) => Failure::internal("an export that nobody received"),
            Err(error) => Failure::internal(error),
        };
        Some((Err(failure.into_status(DOMAIN)), None))
    }))
}

/// What the client calls the request; something of our own if it does not.
fn request_id_of(text: &str) -> Result<Uuid, &'static str> {
    match text {
        "" => Ok(rng::uuid_v4()),
        _ => Uuid::try_parse(text).map_err(|_| "A request id is a UUID."),
    }
}

fn to_activity(activity: activity::Activity, user: Uuid) -> Activity {
    let activity::Activity { kind, created_at, address_prefix, device_label, session, .. } =
        activity;
    Activity {
        kind,
        create_time: Some(to_timestamp(created_at)),
        address_prefix,
        device_label,
        session: session.map(|id| name::of_member(user, "sessions", id)).unwrap_or_default(),
    }
}
