//! The client side of `/readyz`: what a service's own `health` command asks, so
//! that a container needs no other tool.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;

/// Asks the admin port of a service on this machine whether it is ready.
///
/// # Errors
/// In words for the operator, if it is not or does not answer.
pub async fn ready(admin: SocketAddr) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).no_proxy().build()?;
    let answer = client
        .get(format!("http://{admin}/readyz"))
        .send()
        .await
        .with_context(|| format!("nothing answers at {admin}"))?;
    anyhow::ensure!(answer.status().is_success(), "not ready: {}", answer.text().await?.trim());
    Ok(())
}
