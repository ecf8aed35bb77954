//! The demo user of a fresh data folder: an account to try things with, its
//! password random, both kept in a file for its owner's eyes.

use std::{fmt::Write as _, net::SocketAddr, time::Duration};

use anyhow::Context as _;
use proto::auth::v1::{SignUpRequest, auth_service_client::AuthServiceClient};
use shared::rng;
use tonic::{Code, transport::Endpoint};

use super::{Home, home::write_once, postgres::Postgres, settings::reachable};

const EMAIL: &str = "demo@duet.example";

/// The demo user.
pub(super) struct Demo {
    pub(super) email: String,
    pub(super) password: String,
}

/// Makes sure that there is a demo user. None in a database that is not ours.
pub(super) async fn account(
    home: &Home,
    postgres: &Postgres,
    auth: SocketAddr,
) -> anyhow::Result<Option<Demo>> {
    if matches!(postgres, Postgres::External) {
        return Ok(None);
    }
    let file = home.demo_user();
    // The file comes first: a demo user whose password nobody knows is no use.
    write_once(&file, || format!("{EMAIL}\n{}\n", password()))
        .with_context(|| format!("cannot write {}", file.display()))?;
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let mut lines = text.lines();
    let (Some(email), Some(password)) = (lines.next(), lines.next()) else {
        anyhow::bail!("{} is damaged; remove it to have another demo user", file.display());
    };
    let demo = Demo { email: email.to_owned(), password: password.to_owned() };

    let endpoint = Endpoint::from_shared(format!("http://{}", reachable(auth)))?
        .timeout(Duration::from_secs(10));
    let request = SignUpRequest {
        email: demo.email.clone(),
        password: demo.password.clone(),
        display_name: "Demo".to_owned(),
        ..SignUpRequest::default()
    };
    match AuthServiceClient::new(endpoint.connect_lazy()).sign_up(request).await {
        Ok(_) => Ok(Some(demo)),
        Err(status) if status.code() == Code::AlreadyExists => Ok(Some(demo)),
        Err(status) => Err(status).context("the demo user cannot be made"),
    }
}

/// 80 random bits in groups that can be typed.
fn password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567899";
    let mut password = String::new();
    for (n, byte) in rng::bytes::<16>().iter().enumerate() {
        if n > 0 && n % 4 == 0 {
            password.push('-');
        }
        let _ = write!(password, "{}", char::from(LETTERS[usize::from(byte & 31)]));
    }
    password
}
