//! One refresh token in many hands: the tabs of one browser, which all stay
//! signed in, and a thief, who does not, whoever of the two is first.

use std::{collections::HashSet, time::Duration};

use futures_util::future::join_all;
use proto::auth::v1::{
    Credentials, GetUserRequest, RefreshSessionRequest, SignInRequest,
    account_service_client::AccountServiceClient, watch_trust_response::Event,
};
use shared::testing::{Chance, ManualClock};
use tonic::{Code, IntoRequest, Request, Status};

use crate::{
    abuse::{BEHIND, from},
    harness::{Bearer, PASSWORD, Told as _},
    replicas::{Replica, World},
};

const TABS: usize = 20;
const ROUNDS: usize = 200;
/// AUTH_REFRESH_GRACE
const GRACE: Duration = Duration::from_secs(10);

/// Two replicas behind a proxy, and a clock that the test moves.
async fn service() -> (World, ManualClock, [Replica; 2]) {
    let clock = ManualClock::new();
    let world = World::new(clock.shared()).await;
    let replica = || world.replica_with("127.0.0.1:0", &[BEHIND]);
    let replicas = [replica().await, replica().await];
    (world, clock, replicas)
}

async fn refresh(replica: &Replica, token: &str) -> Result<Credentials, Status> {
    refresh_with(replica, refreshing(token)).await
}

async fn refresh_with(
    replica: &Replica,
    request: impl IntoRequest<RefreshSessionRequest>,
) -> Result<Credentials, Status> {
    let answer = replica.auth().refresh_session(request).await?;
    Ok(answer.into_inner().credentials.expect("credentials"))
}

fn refreshing(token: &str) -> RefreshSessionRequest {
    RefreshSessionRequest { refresh_token: token.to_owned() }
}

/// Somebody with a refresh token.
#[derive(Clone, Copy)]
struct Who {
    name: &'static str,
    address: &'static str,
    agent: &'static str,
    /// What the log keeps of the address.
    prefix: &'static str,
}

const OWNER: Who = Who {
    name: "the owner",
    address: "203.0.113.7",
    agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    prefix: "203.0.113.0/24",
};
const THIEF: Who = Who {
    name: "the thief",
    address: "198.51.100.9",
    agent: "curl/8.14.1",
    prefix: "198.51.100.0/24",
};

impl Who {
    /// A request from where this one is.
    fn asks<T>(self, message: T) -> Request<T> {
        let mut request = from(self.address, message);
        request.metadata_mut().insert("user-agent", self.agent.parse().expect("a header"));
        request
    }

    async fn refresh(self, replica: &Replica, token: &str) -> Result<Credentials, Status> {
        refresh_with(replica, self.asks(refreshing(token))).await
    }

    async fn sign_in(self, replica: &Replica, name: &str) -> Credentials {
        let (email, password) = (format!("{name}@example.org"), PASSWORD.to_owned());
        let request = SignInRequest { email, password, ..SignInRequest::default() };
        let answer = replica.auth().sign_in(self.asks(request)).await.expect("a session");
        answer.into_inner().credentials.expect("credentials")
    }
}

/// Whether the account can be read with this access token.
async fn reads(replica: &Replica, token: &str) -> Result<(), Status> {
    let bearer = Bearer(token.to_owned());
    let mut account = AccountServiceClient::with_interceptor(replica.channel.clone(), bearer);
    account.get_user(GetUserRequest::default()).await.map(drop)
}

/// E1: 20 tabs refresh at once, 200 times, on both replicas, and every second time
/// some more as late as the grace allows: each time all get the same successor, and
/// nobody is ever signed out.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_tabs_refresh_two_hundred_times_and_stay_signed_in() {
    let (world, clock, replicas) = service().await;
    let mut newest = replicas[0].sign_up("ada").await;
    let mut chance = Chance::of(200, 20);
    for round in 0..ROUNDS {
        let before = newest.refresh_token.clone();
        let refresh_at_once = async |tabs: usize| {
            let tabs = (0..tabs).map(|tab| refresh(&replicas[(round + tab) % 2], &before));
            join_all(tabs).await
        };
        let late = if round % 2 == 0 { 0 } else { 1 + chance.below(TABS) };
        let mut answers = refresh_at_once(TABS).await;
        clock.advance(GRACE);
        answers.extend(refresh_at_once(late).await);
        let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("a token")).collect();
        let tokens: HashSet<_> = answers.iter().map(|answer| &answer.refresh_token).collect();
        assert_eq!((answers.len(), tokens.len()), (TABS + late, 1), "round {round}");
        newest = answers.into_iter().next().expect("twenty");
        assert_ne!(newest.refresh_token, before);
    }
    for replica in &replicas {
        reads(replica, &newest.access_token).await.expect("ada is signed in");
    }
    let generation = "select generation from data.sessions where ended_at is null and $1 = ''";
    assert_eq!(world.count(generation, "").await, i64::try_from(ROUNDS).expect("a number"));
    assert_eq!(world.count(AUDITED, "session.reused").await, 0);
}

const AUDITED: &str = "select count(*) from data.audit_events where kind = $1";
const REUSED_FROM: &str = "select count(*) from data.audit_events
    where kind = 'session.reused' and address_prefix = $1";

/// RFC 9700, section 4.14: somebody has stolen a refresh token. Whether the thief
/// or the owner uses it first, and however often that one has refreshed since: by
/// the second use, after the grace, both are out, on both replicas, and verifiers
/// are told, and the log says from where the second use came. What else the owner is
/// signed in on stays.
#[tokio::test]
async fn a_stolen_token_ends_the_family_whoever_is_first() {
    for (first, second) in [(OWNER, THIEF), (THIEF, OWNER)] {
        for refreshes in 1..=3 {
            let (world, clock, [here, there]) = service().await;
            let elsewhere = here.sign_up("ada").await;
            let stolen = OWNER.sign_in(&there, "ada").await;
            let mut feed = there.watch("").await;
            feed.until_current().await;

            let mut newest = stolen.clone();
            for n in 0..refreshes {
                let replica = if n % 2 == 0 { &here } else { &there };
                newest = first.refresh(replica, &newest.refresh_token).await.expect(first.name);
            }
            clock.advance(GRACE + Duration::from_millis(1));
            let reused = second.refresh(&there, &stolen.refresh_token).await;
            let reused = reused.expect_err(second.name);
            reused.is(Code::Unauthenticated, "REFRESH_TOKEN_REUSED");

            for replica in [&here, &there] {
                for (who, token) in [(second, &stolen), (first, &newest)] {
                    let over = who.refresh(replica, &token.refresh_token).await;
                    over.expect_err(who.name).is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
                }
                let over = reads(replica, &newest.access_token).await.expect_err("both are out");
                over.is(Code::Unauthenticated, "SESSION_REVOKED");
                reads(replica, &elsewhere.access_token).await.expect("another session of hers");
            }
            let told = loop {
                match feed.next().await.expect("the feed goes on") {
                    Event::Heartbeat(_) => {}
                    event => break event,
                }
            };
            assert!(matches!(told, Event::Revocation(_)), "{told:?}");
            assert_eq!(world.count(AUDITED, "session.reused").await, 1);
            assert_eq!(world.count(REUSED_FROM, second.prefix).await, 1, "{}", second.name);
        }
    }
}

/// Within the grace a thief is not told from a second tab. It is no way around:
/// both have the same successor then, and only one of them has the next.
#[tokio::test]
async fn who_steals_within_the_grace_is_found_at_the_next_refresh() {
    let (world, clock, [here, there]) = service().await;
    let stolen = here.sign_up("ada").await.refresh_token;
    let owners = refresh(&here, &stolen).await.expect("a successor");
    clock.advance(GRACE);
    let thiefs = refresh(&there, &stolen).await.expect("the same successor");
    assert_eq!(owners.refresh_token, thiefs.refresh_token);

    clock.advance(GRACE);
    let newest = refresh(&there, &thiefs.refresh_token).await.expect("the thief is first");
    clock.advance(GRACE + Duration::from_millis(1));
    let reused = refresh(&here, &owners.refresh_token).await.expect_err("the owner is second");
    reused.is(Code::Unauthenticated, "REFRESH_TOKEN_REUSED");
    let over = refresh(&here, &newest.refresh_token).await.expect_err("the thief is out");
    over.is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
    assert_eq!(world.count(AUDITED, "session.reused").await, 1);
}

/// An old token that comes from everywhere at once ends the session once: one
/// entry in the log, one event for verifiers.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_token_used_by_many_at_once_ends_the_session_once() {
    let (world, clock, replicas) = service().await;
    for n in 0..8 {
        let stolen = replicas[0].sign_up(&format!("ada{n}")).await.refresh_token;
        refresh(&replicas[1], &stolen).await.expect("a successor");
        clock.advance(GRACE + Duration::from_millis(1));
        let uses = (0..TABS).map(|use_| refresh(&replicas[use_ % 2], &stolen));
        for used in join_all(uses).await {
            let refused = used.expect_err("it is old");
            assert_eq!(refused.code(), Code::Unauthenticated);
            let reason = refused.reason();
            let reasons = ["REFRESH_TOKEN_REUSED", "REFRESH_TOKEN_INVALID"];
            assert!(reasons.contains(&reason.as_str()), "{reason}");
        }
        assert_eq!(world.count(AUDITED, "session.reused").await, n + 1);
        let told = "select count(*) from data.trust_events where kind = $1";
        assert_eq!(world.count(told, "session").await, n + 1);
    }
}
