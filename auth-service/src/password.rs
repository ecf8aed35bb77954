//! Passwords: which are good enough, how they are stored, how they are checked.
//!
//! The slow work runs on threads of its own, as many as there are processors,
//! niced, each with one block of memory that it uses again and again, behind a
//! bounded queue. It never runs on a thread that serves calls. A job whose
//! caller has gone is dropped. Memory is threads × a block: what waits has none.
//! A block is what one of our hashes takes, and 64 MiB for as long as one of
//! another system is checked.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use shared::{
    error::{Failure, Reason},
    secret::Secret,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::hashing::{Block, Hashing, StoredPassword};

/// What a new password must be like.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The fewest characters.
    pub min_characters: usize,
    /// The least zxcvbn score, 0 to 4; 0 asks for nothing.
    pub min_score: u8,
}

const MAX_CHARACTERS: usize = 128;
/// Longer passwords are not looked at.
pub const MAX_BYTES: usize = 1024;
/// What zxcvbn looks at; its time grows with the square of the length.
const ASSESSED_CHARACTERS: usize = 100;

impl Rules {
    /// Looks at a password's length.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn check_length(&self, password: &str) -> Result<(), String> {
        if password.len() > MAX_BYTES || password.chars().count() > MAX_CHARACTERS {
            return Err("A password has at most 128 characters.".to_owned());
        }
        if password.chars().count() < self.min_characters {
            let least = self.min_characters;
            return Err(format!("Password must be at least {least} characters"));
        }
        Ok(())
    }
}

/// The threads that hash. Dropping the last handle ends them.
pub struct Hasher {
    queue: Arc<Queue>,
    /// One for each job that runs or may wait.
    seats: Arc<Semaphore>,
    rules: Rules,
    hashing: Arc<Hashing>,
    /// What an unknown user's password is checked against.
    dummy: StoredPassword,
}

/// A seat in the queue: whoever has one is not refused any more.
pub struct Seat(OwnedSemaphorePermit);

struct Queue {
    jobs: Mutex<Option<VecDeque<Job>>>,
    filled: Condvar,
}

type Job = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

impl Hasher {
    /// Starts `threads` threads with room for `capacity` waiting jobs.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub fn start(
        hashing: Hashing,
        rules: Rules,
        threads: usize,
        capacity: usize,
    ) -> std::io::Result<Self> {
        let queue = Arc::new(Queue {
            jobs: Mutex::new(Some(VecDeque::with_capacity(capacity))),
            filled: Condvar::new(),
        });
        let threads = threads.max(1);
        let seats = Arc::new(Semaphore::new(threads + capacity));
        for n in 0..threads {
            let queue = queue.clone();
            std::thread::Builder::new().name(format!("hasher-{n}")).spawn(move || work(&queue))?;
        }
        let hashing = Arc::new(hashing);
        let dummy = hashing.nobodys();
        Ok(Self { queue, seats, rules, hashing, dummy })
    }

    /// How many hashes were computed.
    #[must_use]
    pub fn computed(&self) -> Arc<AtomicU64> {
        self.hashing.computed()
    }

    /// The rules for new passwords.
    #[must_use]
    pub const fn rules(&self) -> Rules {
        self.rules
    }

    /// Takes a seat in the queue, before something is done in vain if there is
    /// none.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED (HASH_CAPACITY).
    pub fn seat(&self) -> Result<Seat, Failure> {
        self.seats.clone().try_acquire_owned().map(Seat).map_err(|_| {
            Failure::new(
                Reason::HashCapacity,
                "Too many people are signing in right now. Please try again in a moment.",
            )
            .retry_after(Duration::from_secs(1))
        })
    }

    /// Why a password is too easy to guess, if it is. `context` is what an
    /// attacker knows: the e-mail, the name.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED (HASH_CAPACITY).
    pub async fn weakness(
        &self,
        password: &Secret,
        context: Vec<String>,
    ) -> Result<Option<String>, Failure> {
        let (password, least) = (password.clone(), self.rules.min_score);
        if least == 0 {
            return Ok(None);
        }
        self.run(self.seat()?, move |_| weakness(password.expose(), &context, least)).await
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED (HASH_CAPACITY).
    pub async fn hash(&self, password: &Secret) -> Result<StoredPassword, Failure> {
        let (hashing, password) = (self.hashing.clone(), password.clone());
        self.run(self.seat()?, move |memory| hashing.hash(password.expose(), memory)).await
    }

    /// Checks a password. Without a stored one (the user is unknown) it takes
    /// as long and is wrong.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED (HASH_CAPACITY).
    pub async fn verify(
        &self,
        password: &Secret,
        stored: Option<StoredPassword>,
    ) -> Result<bool, Failure> {
        self.verify_from(self.seat()?, password, stored).await
    }

    /// As `verify`, with a seat taken before.
    ///
    /// # Errors
    /// INTERNAL only.
    pub async fn verify_from(
        &self,
        seat: Seat,
        password: &Secret,
        stored: Option<StoredPassword>,
    ) -> Result<bool, Failure> {
        let (hashing, password) = (self.hashing.clone(), password.clone());
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.clone());
        let right =
            move |memory: &mut Vec<Block>| hashing.verify(password.expose(), &stored, memory);
        Ok(self.run(seat, right).await? && known)
    }

    /// Whether a stored password should be hashed anew when it is seen next.
    #[must_use]
    pub fn is_outdated(&self, stored: &StoredPassword) -> bool {
        self.hashing.is_outdated(stored)
    }

    async fn run<T: Send + 'static>(
        &self,
        seat: Seat,
        job: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |memory| {
            if !sender.is_closed() {
                // The caller may leave while we work.
                drop(sender.send(job(memory)));
            }
            drop(seat.0);
        });
        self.queue.push(job);
        receiver.await.map_err(|_| Failure::internal("a hashing thread is gone"))
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        *self.queue.lock() = None;
        self.queue.filled.notify_all();
    }
}

impl Queue {
    fn push(&self, job: Job) {
        if let Some(jobs) = self.lock().as_mut() {
            jobs.push_back(job);
        }
        self.filled.notify_one();
    }

    /// The next job; none once the hasher is gone.
    fn next(&self) -> Option<Job> {
        let mut jobs = self.lock();
        loop {
            if let Some(job) = jobs.as_mut()?.pop_front() {
                return Some(job);
            }
            jobs = self.filled.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<VecDeque<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn work(queue: &Queue) {
    // On Linux this is the niceness of the calling thread. Where it is refused,
    // hashing merely competes with the rest.
    let _ = rustix::process::setpriority_process(None, 10);
    let mut memory = Vec::new();
    while let Some(job) = queue.next() {
        job(&mut memory);
    }
}

fn weakness(password: &str, context: &[String], least: u8) -> Option<String> {
    let assessed: String = password.chars().take(ASSESSED_CHARACTERS).collect();
    let mut known: Vec<&str> = vec!["duet", "task", "tasks", "todo"];
    for text in context {
        known.push(text);
        known.extend(text.split(|c: char| !c.is_alphanumeric()).filter(|part| part.len() > 2));
    }
    let entropy = zxcvbn::zxcvbn(&assessed, &known);
    if u8::from(entropy.score()) >= least {
        return None;
    }
    let why = entropy.feedback().and_then(|feedback| feedback.warning());
    Some(match why {
        Some(warning) => format!("This password is too easy to guess. {warning}"),
        None => "This password is too easy to guess. Add another word or two.".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hashing::Parameters;

    fn hasher(threads: usize, capacity: usize) -> Hasher {
        let hashing = Hashing::new(Parameters::for_tests(), None).unwrap();
        Hasher::start(hashing, Rules { min_characters: 8, min_score: 2 }, threads, capacity)
            .unwrap()
    }

    #[tokio::test]
    async fn an_unknown_user_is_always_wrong() {
        let hasher = hasher(1, 4);
        let password = Secret::from("correct horse".to_owned());
        let stored = hasher.hash(&password).await.unwrap();
        assert!(hasher.verify(&password, Some(stored)).await.unwrap());
        assert!(!hasher.verify(&password, None).await.unwrap());
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_a_gone_caller_costs_nothing() {
        let hasher = hasher(1, 2);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (started, running) = oneshot::channel();
        let ran = Arc::new(Mutex::new(Vec::new()));
        let first = hasher.run(hasher.seat().unwrap(), move |_| {
            started.send(()).unwrap();
            held.recv().unwrap();
        });
        tokio::pin!(first);
        tokio::select! {
            _ = &mut first => unreachable!("it is held"),
            started = running => started.unwrap(),
        }
        let noted = |name: &'static str| {
            let ran = ran.clone();
            move |_: &mut Vec<Block>| ran.lock().unwrap().push(name)
        };
        // Polled once, a job is queued; dropped, its caller is gone.
        let mut gone = Box::pin(hasher.run(hasher.seat().unwrap(), noted("gone")));
        assert!(futures_poll(&mut gone).is_none());
        drop(gone);
        let mut stays = Box::pin(hasher.run(hasher.seat().unwrap(), noted("stays")));
        assert!(futures_poll(&mut stays).is_none());
        let refused = hasher.seat().err().unwrap();
        assert_eq!(refused.reason(), Reason::HashCapacity);
        release.send(()).unwrap();
        first.await.unwrap();
        stays.await.unwrap();
        assert_eq!(*ran.lock().unwrap(), ["stays"]);
    }

    fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::Pin::new(future).poll(&mut context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        }
    }

    #[test]
    fn s1_3_a_password_is_neither_short_nor_long_nor_easy() {
        let rules = Rules { min_characters: 8, min_score: 2 };
        assert!(rules.check_length("1234567").is_err());
        assert!(rules.check_length("12345678").is_ok());
        assert!(rules.check_length(&"ü".repeat(128)).is_ok());
        assert!(rules.check_length(&"ü".repeat(129)).is_err());
        assert!(rules.check_length(&"x".repeat(1025)).is_err());
        let context = ["lovelace@example.org".to_owned()];
        for easy in ["password", "12345678", "lovelace1", "duetduet", "qwertyuiop"] {
            assert!(weakness(easy, &context, 2).is_some(), "{easy}");
        }
        assert_eq!(weakness("walnut-Trombone-91", &context, 2), None);
        assert_eq!(weakness("password", &context, 0), None);
    }
}
