//! What lies under a call that never got an answer, as the transport tells it.
//!
//! Invariant: nobody has got a call that was refused.

use std::{error::Error, io, iter};

use tonic::Status;

/// The causes of a status, from the outside in.
pub(super) fn causes(status: &Status) -> impl Iterator<Item = &(dyn Error + 'static)> {
    iter::successors(status.source(), |cause| (*cause).source())
}

/// Whether nobody listens there.
pub(in super::super) fn is_refused(status: &Status) -> bool {
    causes(status)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
