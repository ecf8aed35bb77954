//! A verifier that moves from replica to replica, whenever it likes and whenever
//! one is killed, and remembers what it was told.

use proto::auth::v1::{
    WatchTrustRequest,
    trust_service_client::TrustServiceClient,
    watch_trust_request::{Kind, Start},
    watch_trust_response::{Event, revocation::Subject},
};
use shared::testing::Chance;
use tokio::sync::watch;
use tonic::{Request, Status, service::Interceptor as _};

use super::{
    fleet::{Fleet, is_lost},
    plan::REPLICAS,
};
use crate::harness::Bearer;

/// The sessions that ended, in the order of commits, once nothing happens any
/// more.
pub(super) type Expected = watch::Receiver<Option<Vec<String>>>;

pub(super) struct Verifier {
    chance: Chance,
    bearer: Bearer,
    /// Goes on from here.
    token: String,
    /// The sessions that it was told are over.
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
    pub(super) async fn watch(mut self, fleet: &Fleet, mut expected: Expected) {
        loop {
            if let Err(status) = self.follow(fleet, &mut expected).await {
                assert!(is_lost(&status), "{status:?}");
            }
            if expected.borrow().as_ref() == Some(&self.told) {
                return;
            }
        }
    }

    /// Takes in some events and hangs up; once nothing happens any more, all.
    async fn follow(&mut self, fleet: &Fleet, expected: &mut Expected) -> Result<(), Status> {
        let mut events = 1 + self.chance.below(12);
        let replica = fleet.replica(self.chance.below(REPLICAS)).await;
        let connected = replica.endpoint.connect().await;
        let channel = connected.map_err(|error| Status::unavailable(error.to_string()))?;
        let start = Kind::Start(Start { resume_token: self.token.clone() });
        let said = futures_util::StreamExt::chain(
            futures_util::stream::iter([WatchTrustRequest { kind: Some(start) }]),
            futures_util::stream::pending(),
        );
        let (metadata, extensions, ()) = self.bearer.call(Request::new(()))?.into_parts();
        let request = Request::from_parts(metadata, extensions, said);
        let mut stream = TrustServiceClient::new(channel).watch_trust(request).await?.into_inner();
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
                    self.take(message.event.expect("an event"), began);
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

    fn take(&mut self, event: Event, began: bool) {
        if let Event::Revocation(_) = event {
            self.heartbeats = 0;
        }
        match event {
            Event::Reset(_) => assert!(began, "nothing that was told was lost"),
            Event::Revocation(revocation) => match revocation.subject.expect("a subject") {
                Subject::Session(name) => self.told.push(name),
                other => panic!("nobody was suspended: {other:?}"),
            },
            Event::Keys(keys) => assert!(!keys.keys.is_empty()),
            Event::Heartbeat(_) => self.heartbeats += 1,
            Event::Current(_) => {}
            Event::Erase(_) => panic!("nobody was deleted"),
        }
    }
}
