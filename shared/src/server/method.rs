//! The methods that a server answers: what the descriptors and the limits say
//! about each, and where its calls go. Built once, read on every call.
//!
//! Invariant: names in metrics come from here and never from a caller, so
//! their number is bounded.

use std::{collections::HashMap, pin::Pin, sync::Arc, time::Duration};

use anyhow::Context as _;
use http::{Request, Response};
use prost::Message as _;
use prost_types::{FileDescriptorSet, MethodDescriptorProto};
use tonic::body::Body;

use super::{Limits, record::Meters};
use crate::error;

const UNKNOWN: &str = "unknown";

/// The answer to one call, being made.
pub(super) type Answering = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// Where the calls of a service go.
pub(super) type Handler = Arc<dyn Fn(Request<Body>) -> Answering + Send + Sync>;

/// A service as it was mounted.
pub(super) struct Mounted {
    /// `task.v1.TaskService`.
    pub(super) name: &'static str,
    pub(super) handler: Handler,
    /// Belongs to the server itself: answers even when calls are shed, and its
    /// streams end as soon as the server drains.
    pub(super) built_in: bool,
}

/// What is known about one method.
pub(super) struct Method {
    /// None where nothing is mounted.
    pub(super) handler: Option<Handler>,
    /// In the descriptors; else only its service is known, or not even that.
    pub(super) known: bool,
    pub(super) built_in: bool,
    /// The error domain.
    pub(super) domain: &'static str,
    /// How long the handler may take. None if the client sends a stream, which
    /// takes as long as it takes.
    pub(super) deadline: Option<Duration>,
    /// Whether the server sends a stream.
    pub(super) streams: bool,
    pub(super) max_message_bytes: usize,
    pub(super) meters: Meters,
}

/// All methods, by path.
pub(super) struct Methods {
    by_path: HashMap<String, Arc<Method>>,
    /// Methods that no descriptor mentions, by service.
    by_service: HashMap<&'static str, Arc<Method>>,
    unknown: Arc<Method>,
}

impl Methods {
    pub(super) fn new(
        mounted: Vec<Mounted>,
        descriptors: &[&'static [u8]],
        limits: &Limits,
        message_limits: &HashMap<&'static str, usize>,
    ) -> anyhow::Result<Self> {
        let described = describe(descriptors)?;
        let mut methods = Self {
            by_path: HashMap::new(),
            by_service: HashMap::new(),
            unknown: Arc::new(Method {
                handler: None,
                known: false,
                built_in: false,
                domain: error::domain(UNKNOWN),
                deadline: Some(limits.unary_deadline),
                streams: false,
                max_message_bytes: 0,
                meters: Meters::new(UNKNOWN, UNKNOWN),
            }),
        };
        for service in mounted {
            let name = service.name;
            let max_message_bytes =
                message_limits.get(name).copied().unwrap_or(limits.max_message_bytes);
            let method = |name, deadline, streams| Method {
                handler: Some(service.handler.clone()),
                known: name != UNKNOWN,
                built_in: service.built_in,
                domain: error::domain(service.name),
                deadline,
                streams,
                max_message_bytes,
                meters: Meters::new(service.name, name),
            };
            for described in described.get(name).into_iter().flatten() {
                let path = format!("/{name}/{}", described.name());
                let slow = limits.slow_methods.contains(&path.as_str());
                let most = if slow { limits.slow_deadline } else { limits.unary_deadline };
                let deadline = (!described.client_streaming()).then_some(most);
                let method = method(described.name(), deadline, described.server_streaming());
                methods.by_path.insert(path, Arc::new(method));
            }
            let rest = method(UNKNOWN, Some(limits.unary_deadline), false);
            let before = methods.by_service.insert(name, Arc::new(rest));
            anyhow::ensure!(before.is_none(), "the service {name} is mounted twice");
        }
        for slow in limits.slow_methods {
            let named = methods.by_path.contains_key(*slow);
            anyhow::ensure!(named, "{slow} has a deadline of its own and is not mounted");
        }
        Ok(methods)
    }

    /// What answers at `path`.
    pub(super) fn find(&self, path: &str) -> &Arc<Method> {
        self.by_path.get(path).unwrap_or_else(|| {
            let service = path.strip_prefix('/').and_then(|path| path.split('/').next());
            service.and_then(|name| self.by_service.get(name)).unwrap_or(&self.unknown)
        })
    }
}

/// The methods of every service in the descriptors, by the service's name.
fn describe(
    descriptors: &[&'static [u8]],
) -> anyhow::Result<HashMap<String, Vec<MethodDescriptorProto>>> {
    let mut services = HashMap::new();
    for encoded in descriptors {
        let set = FileDescriptorSet::decode(*encoded).context("descriptors that cannot be read")?;
        for file in set.file {
            let package = file.package().to_owned();
            for service in file.service {
                services.insert(format!("{package}.{}", service.name()), service.method);
            }
        }
    }
    Ok(services)
}
