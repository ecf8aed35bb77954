//! How a verifier erases users when the feed says so: what is confirmed was
//! erased, and what was not is done when it is told again.

use std::{
    collections::VecDeque,
    future::{Future, pending},
    pin::Pin,
    sync::{Arc, Mutex},
};

use proto::auth::v1::watch_trust_response::{Current, Erase as Told, Event};
use shared::{name, rng, testing::eventually, trust::Erase};
use tonic::Status;
use uuid::Uuid;

use crate::feed::{Feed, watching_with};

/// How an attempt to erase ends.
#[derive(Clone, Copy)]
enum Attempt {
    Works,
    Fails,
    /// Not before it is given up.
    Hangs,
}

use Attempt::{Fails, Hangs, Works};

/// A service that erases as the test says, and well when that has said nothing.
#[derive(Default)]
struct Service {
    attempts: Mutex<VecDeque<Attempt>>,
    asked: Mutex<Vec<Uuid>>,
}

impl Service {
    fn attempting(attempts: impl IntoIterator<Item = Attempt>) -> Arc<Self> {
        let attempts = Mutex::new(attempts.into_iter().collect());
        Arc::new(Self { attempts, ..Self::default() })
    }

    async fn asked(&self, users: &[Uuid]) {
        eventually("it is asked to erase", async || *self.asked.lock().unwrap() == users).await;
    }
}

impl Erase for Service {
    fn erase(&self, user: Uuid) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + '_>> {
        self.asked.lock().unwrap().push(user);
        let attempt = self.attempts.lock().unwrap().pop_front().unwrap_or(Works);
        Box::pin(async move {
            match attempt {
                Works => Ok(()),
                Fails => anyhow::bail!("the database is away"),
                Hangs => pending().await,
            }
        })
    }
}

fn erase(user: Uuid) -> Event {
    Event::Erase(Told { user: name::of_user(user) })
}

/// Waits until these were confirmed, in this order and no others.
async fn confirmed(feed: &Feed, users: &[Uuid]) {
    let users: Vec<_> = users.iter().map(|user| name::of_user(*user)).collect();
    eventually("they are confirmed", async || feed.erased() == users).await;
}

/// Ends the stream, and waits for the next.
async fn cut(feed: &Feed, streams: usize) {
    feed.end(Status::unavailable("draining"));
    feed.opened(streams).await;
}

#[tokio::test]
async fn what_could_not_be_erased_is_not_confirmed_until_it_was() {
    let service = Service::attempting([Fails, Works, Fails]);
    let (_setup, feed) = watching_with(Some(service.clone())).await;
    let (ada, bob) = (rng::uuid_v4(), rng::uuid_v4());
    feed.tell(erase(ada));
    feed.tell(erase(bob));
    service.asked(&[ada, bob]).await;
    // A failure holds up nobody else, and does not end the stream.
    confirmed(&feed, &[bob]).await;
    feed.acknowledged(&feed.tell(Event::Current(Current {}))).await;

    cut(&feed, 2).await;
    feed.tell(erase(ada));
    service.asked(&[ada, bob, ada]).await;
    cut(&feed, 3).await;
    feed.tell(erase(ada));
    confirmed(&feed, &[bob, ada]).await;
    // Once more is no fault: the confirmation may have been lost.
    cut(&feed, 4).await;
    feed.tell(erase(ada));
    confirmed(&feed, &[bob, ada, ada]).await;
}

/// What takes long keeps nobody from hearing the rest; if the stream ends before
/// it is done, it is done when it is told again.
#[tokio::test]
async fn what_was_broken_off_is_begun_anew() {
    let service = Service::attempting([Hangs]);
    let (_setup, feed) = watching_with(Some(service.clone())).await;
    let (ada, bob) = (rng::uuid_v4(), rng::uuid_v4());
    feed.tell(erase(ada));
    feed.tell(erase(bob));
    service.asked(&[ada]).await;
    feed.acknowledged(&feed.tell(Event::Current(Current {}))).await;
    assert_eq!(feed.erased(), Vec::<String>::new());

    cut(&feed, 2).await;
    feed.tell(erase(ada));
    feed.tell(erase(bob));
    confirmed(&feed, &[ada, bob]).await;
    service.asked(&[ada, ada, bob]).await;
}
