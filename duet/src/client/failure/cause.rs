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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proto::task::v1::{GetUsageRequest, task_service_client::TaskServiceClient};
    use tokio::net::TcpListener;
    use tonic::transport::Endpoint;

    use super::*;

    async fn called(address: std::net::SocketAddr) -> Status {
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
        TaskServiceClient::new(channel).get_usage(GetUsageRequest::default()).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_call_that_somebody_took_may_be_done() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let hangs_up = async { drop(listener.accept().await.unwrap()) };
        let (status, ()) = tokio::join!(called(address), hangs_up);
        assert!(causes(&status).count() > 0 && !is_refused(&status), "{status:?}");
        drop(listener);
        let status = called(address).await;
        assert!(is_refused(&status), "{status:?}");
    }
}
