//! Whether this process, and each service in it, takes calls: the state behind
//! `grpc.health.v1` and `/readyz`.
//!
//! Invariant: a process that drains never says SERVING again. What readiness
//! depends on is known to the service, which reports it here.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::watch;
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server,
};

/// Failures in a row after which the process is not ready any more.
const FAILURES: u32 = 2;

/// Handle on the health of a server. Clones share it.
#[derive(Clone)]
pub struct Health(Arc<Mutex<State>>);

struct State {
    ready: bool,
    draining: bool,
    failures: u32,
    /// By name; the empty name is the process.
    services: HashMap<String, Service>,
}

struct Service {
    serving: bool,
    status: watch::Sender<ServingStatus>,
}

impl Health {
    /// A process that is ready and has no services yet.
    #[must_use]
    pub fn new() -> Self {
        let state =
            State { ready: true, draining: false, failures: 0, services: HashMap::default() };
        let health = Self(Arc::new(Mutex::new(state)));
        health.set_serving("", true);
        health
    }

    /// Whether the process takes calls.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let state = self.state();
        state.ready && !state.draining
    }

    /// Sets the readiness of the process, without hysteresis.
    pub fn set_ready(&self, ready: bool) {
        let mut state = self.state();
        state.failures = if ready { 0 } else { FAILURES };
        state.ready = ready;
        state.publish();
    }

    /// Takes in the outcome of one check. Two failures in a row make the
    /// process not ready, so that one slow answer does not; one success makes
    /// it ready again.
    pub fn observe(&self, healthy: bool) {
        let mut state = self.state();
        state.failures = if healthy { 0 } else { state.failures.saturating_add(1) };
        let ready = state.failures < FAILURES;
        if ready != state.ready {
            if ready {
                tracing::info!("The service is ready.");
            } else {
                tracing::warn!("The service is not ready.");
            }
            state.ready = ready;
            state.publish();
        }
    }

    /// Observes `check` every `interval`, for ever. A check that takes longer
    /// than the interval has failed.
    pub async fn watch<F: Future<Output = bool>>(&self, interval: Duration, check: impl Fn() -> F) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.observe(tokio::time::timeout(interval, check()).await.unwrap_or(false));
        }
    }

    /// Sets whether one service takes calls, provided that the process does.
    pub fn set_serving(&self, service: &str, serving: bool) {
        let mut state = self.state();
        state
            .services
            .entry(service.to_owned())
            .or_insert_with(|| Service {
                serving,
                status: watch::Sender::new(ServingStatus::NotServing),
            })
            .serving = serving;
        state.publish();
    }

    /// Says NOT_SERVING for everything from now on.
    pub(super) fn drain(&self) {
        let mut state = self.state();
        state.draining = true;
        state.publish();
    }

    fn status(&self, service: &str) -> Option<watch::Receiver<ServingStatus>> {
        self.state().services.get(service).map(|service| service.status.subscribe())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn publish(&self) {
        for service in self.services.values() {
            let serving = self.ready && !self.draining && service.serving;
            let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
            service.status.send_if_modified(|was| std::mem::replace(was, status) != status);
        }
    }
}

type Answers = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let status = self
            .status(&request.get_ref().service)
            .ok_or_else(|| Status::not_found("There is no such service here."))?;
        let status = *status.borrow();
        Ok(Response::new(answer(status)))
    }

    type WatchStream = Answers;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Answers>, Status> {
        let Some(mut status) = self.status(&request.get_ref().service) else {
            // health.proto: the stream stays open, for the service may yet appear.
            let unknown = stream::iter([Ok(answer(ServingStatus::ServiceUnknown))]);
            return Ok(Response::new(Box::pin(unknown.chain(stream::pending()))));
        };
        status.mark_changed();
        let changes = stream::unfold(status, |mut status| async move {
            status.changed().await.ok()?;
            let now = *status.borrow_and_update();
            Some((Ok(answer(now)), status))
        });
        Ok(Response::new(Box::pin(changes)))
    }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_is_not_enough_to_turn_traffic_away() {
        let health = Health::new();
        health.observe(false);
        assert!(health.is_ready());
        health.observe(false);
        assert!(!health.is_ready());
        health.observe(true);
        assert!(health.is_ready());
        health.set_ready(false);
        health.observe(false);
        assert!(!health.is_ready());
    }

    #[test]
    fn a_draining_process_stays_down() {
        let health = Health::new();
        health.drain();
        health.set_ready(true);
        health.observe(true);
        assert!(!health.is_ready());
        assert_eq!(*health.status("").unwrap().borrow(), ServingStatus::NotServing);
    }
}
