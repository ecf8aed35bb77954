//! A verifier that moves from replica to replica, whenever it likes and whenever
//! one is killed, and remembers what it was told. Whom it is told to erase it
//! erases, or not at once: it is told again.

use proto::auth::v1::{
    WatchTrustRequest, WatchTrustResponse,
    trust_service_client::TrustServiceClient,
    watch_trust_request::{Erased, Kind, Start},
    watch_trust_response::{Event, revocation::Subject},
};
use shared::testing::{Chance, eventually};
use tokio::sync::{mpsc, watch};
use tonic::{Request, Status, Streaming, service::Interceptor as _, transport::Endpoint};

use super::{
    fleet::{Fleet, is_lost},
    plan::REPLICAS,
};
use crate::harness::Bearer;

/// What was revoked, in the order of commits, once nothing happens any more.
pub(super) type Expected = watch::Receiver<Option<Vec<String>>>;

pub(super) struct Verifier {
    chance: Chance,
    bearer: Bearer,
    /// Goes on from here.
    token: String,
    /// The sessions and users of whom it was told that their tokens are good no more.
    told: Vec<String>,
    /// Heartbeats since then and since nothing happens any more.
    heartbeats: usize,
}

impl Verifier {
    pub(super) async fn new(fleet: &Fleet, chance: Chance) -> Self {
        let bearer = Bearer(fleet.service_token().await);
        Self { chance, bearer, token: String::new(), told: Vec::new(), heartbeats: 0 }
    }

    /// Watches until it was told everything, once and in order.
    pub(super) async fn watch(mut self, fleet: &Fleet, mut expected: Expected) -> Self {
        loop {
            if let Err(status) = self.follow(fleet, &mut expected).await {
                assert!(is_lost(&status), "{status:?}");
            }
            if expected.borrow().as_ref() == Some(&self.told) {
                return self;
            }
        }
    }

    /// Erases, when nothing happens any more, everybody who is left to be erased.
    pub(super) async fn erase_all(&mut self, fleet: &Fleet) {
        let endpoint = &fleet.replica(0).await.endpoint;
        let (said, mut stream) = self.open(endpoint).await.expect("a stream");
        loop {
            let message = stream.message().await.expect("a message").expect("a message");
            match message.event.expect("an event") {
                Event::Erase(erase) => say(&said, Kind::Erased(Erased { user: erase.user })),
                Event::Current(_) => break,
                _ => {}
            }
        }
        let erased = "select not exists (select from data.erasures where erased_at is null)";
        eventually("everybody is erased", async || {
            sqlx::query_scalar(erased).fetch_one(&fleet.rows).await.expect("it is asked")
        })
        .await;
    }

    /// Takes in some events and hangs up; once nothing happens any more, all.
    async fn follow(&mut self, fleet: &Fleet, expected: &mut Expected) -> Result<(), Status> {
        let mut events = 1 + self.chance.below(12);
        let replica = fleet.replica(self.chance.below(REPLICAS)).await;
        let (said, mut stream) = self.open(&replica.endpoint).await?;
        loop {
            let all = expected.borrow_and_update().clone();
            if all.as_ref().map_or(events == 0, |all| all.len() <= self.told.len()) {
                assert!(all.is_none_or(|all| all == self.told), "told: {:#?}", self.told);
                return Ok(());
            }
            tokio::select! {
                message = stream.message() => {
                    let message = message?.ok_or_else(|| Status::unavailable("it ended"))?;
                    let began = self.token.is_empty();
                    self.take(message.event.expect("an event"), began, &said);
                    self.token = message.resume_token;
                    events = events.saturating_sub(1);
                    if all.is_none() {
                        self.heartbeats = 0;
                    }
                    // One may have been on its way before the last event was.
                    assert!(self.heartbeats < 2, "{all:#?}, but told: {:#?}", self.told);
                }
                Ok(()) = expected.changed() => {}
            }
        }
    }

    /// Begins to watch from where it is; what it says goes along with that.
    async fn open(
        &mut self,
        endpoint: &Endpoint,
    ) -> Result<(mpsc::UnboundedSender<WatchTrustRequest>, Streaming<WatchTrustResponse>), Status>
    {
        let connected = endpoint.connect().await;
        let channel = connected.map_err(|error| Status::unavailable(error.to_string()))?;
        let (said, mut saying) = mpsc::unbounded_channel();
        say(&said, Kind::Start(Start { resume_token: self.token.clone() }));
        let saying = futures_util::stream::poll_fn(move |cx| saying.poll_recv(cx));
        let (metadata, extensions, ()) = self.bearer.call(Request::new(()))?.into_parts();
        let request = Request::from_parts(metadata, extensions, saying);
        let stream = TrustServiceClient::new(channel).watch_trust(request).await?.into_inner();
        Ok((said, stream))
    }

    fn take(&mut self, event: Event, began: bool, said: &mpsc::UnboundedSender<WatchTrustRequest>) {
        if let Event::Revocation(_) = event {
            self.heartbeats = 0;
        }
        match event {
            Event::Reset(_) => assert!(began, "nothing that was told was lost"),
            Event::Revocation(revocation) => match revocation.subject.expect("a subject") {
                Subject::Session(name) | Subject::User(name) => self.told.push(name),
                other => panic!("no service lost anything: {other:?}"),
            },
            Event::Keys(keys) => assert!(!keys.keys.is_empty()),
            Event::Heartbeat(_) => self.heartbeats += 1,
            Event::Current(_) => {}
            Event::Erase(erase) => {
                if self.chance.one_in(2) {
                    say(said, Kind::Erased(Erased { user: erase.user }));
                }
            }
        }
    }
}

/// Nobody hears it if the stream is over.
fn say(said: &mpsc::UnboundedSender<WatchTrustRequest>, kind: Kind) {
    drop(said.send(WatchTrustRequest { kind: Some(kind) }));
}
