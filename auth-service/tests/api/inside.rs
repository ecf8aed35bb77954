//! What a test has of a service that no caller does: its key, and all that it keeps.

use std::{sync::Arc, time::Duration};

use auth_service::{
    SCHEMA,
    sealing::Sealer,
    signing::{KeyRing, Rotation, SigningKey},
};
use chrono::TimeDelta;
use jsonwebtoken::Algorithm;
use shared::{
    database::Database,
    program,
    secret::Key,
    telemetry,
    testing::{ManualClock, database},
    trust::Trust,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::harness::TestApp;

/// A service, and the key that it signs with.
pub(crate) async fn keyed() -> (TestApp, Arc<SigningKey>) {
    program::install_cryptography();
    let (clock, key) = (ManualClock::new(), Key::random());
    let app = TestApp::start_on(database(&SCHEMA).await, clock, &key.to_base64(), &[]).await;
    let rotation = Rotation {
        algorithm: Algorithm::EdDSA,
        period: TimeDelta::days(30),
        lead: TimeDelta::minutes(5),
        token_lifetime: TimeDelta::minutes(5),
        refresh: TimeDelta::minutes(1),
    };
    let keys = KeyRing::open(
        rotation,
        Database::new(app.database.app.clone(), 1),
        Arc::new(Sealer::new(&key, None)),
        app.clock.shared(),
        Trust::new(Duration::MAX),
    );
    let key = keys.await.unwrap().active().unwrap();
    (app, key)
}

/// Every row of every table, and the log.
pub(crate) async fn everything(app: &TestApp) -> String {
    let mut connection = app.database.superuser.connect().await.unwrap();
    let tables = "select format('%I.%I', schemaname, tablename) from pg_tables
        where schemaname = 'data' order by 1";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
    let mut dump = telemetry::capture().text();
    for table in tables {
        let rows = AssertSqlSafe(format!("select row::text from {table} row"));
        let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(&mut connection).await.unwrap();
        dump.push_str(&rows.join("\n"));
    }
    dump
}

/// As the bytes of a column are shown.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
