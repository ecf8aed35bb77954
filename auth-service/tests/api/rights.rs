//! What the service's role can reach in the database: the functions that are
//! listed here, and no table.

use auth_service::SCHEMA;
use shared::testing::{database, isolation_faults, shard_faults};

use crate::harness::TestApp;

/// The functions that the service may call, and nothing else.
const CALLABLE: &[&str] = &[
    "api.add_signing_key",
    "api.admit_service_by_assertion",
    "api.admit_service_by_secret",
    "api.begin_export",
    "api.begin_reset",
    "api.begin_sign_in",
    "api.begin_totp",
    "api.change_password",
    "api.close_erasure",
    "api.complete_sign_in",
    "api.confirm_erasure",
    "api.confirm_passkey",
    "api.confirm_totp",
    "api.delete_factor",
    "api.delete_service_account",
    "api.delete_user",
    "api.deletion",
    "api.drop_factors_of",
    "api.end_session",
    "api.exchange_token",
    "api.export_sessions",
    "api.forget_user",
    "api.get_user",
    "api.import_users",
    "api.lease_mail",
    "api.list_activity",
    "api.list_audit_events",
    "api.list_factors",
    "api.list_service_accounts",
    "api.list_sessions",
    "api.list_users",
    "api.mail_failed",
    "api.mail_sent",
    "api.make_operator",
    "api.make_recovery_codes",
    "api.note_trust_replica",
    "api.open_erasures",
    "api.open_session",
    "api.operators_service_accounts",
    "api.own_factors",
    "api.own_password",
    "api.pending_erasures",
    "api.put_service_account",
    "api.reauthenticate",
    "api.refresh_session",
    "api.refuse_password",
    "api.reinstate_user",
    "api.remove_signing_keys",
    "api.request_email_change",
    "api.request_email_verification",
    "api.request_password_reset",
    "api.request_sign_up",
    "api.reseal_factor",
    "api.reset_password",
    "api.revoke_operator",
    "api.revoke_other_sessions",
    "api.revoke_session",
    "api.revoke_signing_key",
    "api.rotate_signing_key",
    "api.sealed_factors",
    "api.service_keys",
    "api.service_secret_lives",
    "api.session_lives",
    "api.sign_up",
    "api.signing_keys",
    "api.suspend_user",
    "api.sweep_deletions",
    "api.sweep_mail",
    "api.sweep_mail_tokens",
    "api.sweep_sessions",
    "api.sweep_throttles",
    "api.sweep_trust_events",
    "api.take_turn",
    "api.token_lives",
    "api.trust_events",
    "api.unforgotten_users",
    "api.update_user",
    "api.verify_audit_events",
    "api.verify_audit_heads",
    "api.verify_email",
];

/// FR-022: neither the service's role nor its owner sees a table's rows, and
/// the schema could be sharded by user: what belongs to no single user is named.
#[tokio::test]
async fn the_database_isolates_by_itself() {
    let app = TestApp::start().await;
    app.signed_up("ada").await;
    assert_eq!(isolation_faults(&app.database, CALLABLE).await, Vec::<String>::new());
    let exempt = [
        "data.user_emails has the index",
        "data.outbox has the index data.outbox_by_attempt",
        "data.signing_keys",
        // Whatever is counted, known or not, is counted alike.
        "data.throttles",
        "api.begin_sign_in(",
        "api.sweep_throttles(",
        "api.take_turn(",
        // What verifiers are told is told in one order, whoever it is about.
        "data.trust_head",
        "data.trust_events",
        "data.trust_replicas",
        "api.trust_events(",
        "api.sweep_trust_events(",
        "api.note_trust_replica(",
        "api.rotate_signing_key(",
        "api.revoke_signing_key(",
        "api.signing_keys(",
        "api.add_signing_key(",
        "api.remove_signing_keys(",
        "api.sealed_factors(",
        "api.lease_mail(",
        "api.request_password_reset(",
        "api.signing_keys(",
        "api.add_signing_key(",
        "api.remove_signing_keys(",
        "api.sweep_mail(",
        "api.sweep_mail_tokens(",
        "api.sweep_sessions(",
        // Services have to learn whom to erase, and what is over is looked for.
        "api.pending_erasures(",
        "api.open_erasures(",
        "api.sweep_deletions(",
        "api.unforgotten_users(",
        // Operators look at all accounts and at the chains of all users.
        "data.users has the index data.users_by_creation",
        "api.import_users(",
        "api.list_users(",
        "api.operators_service_accounts(",
        "api.revoke_operator(",
        "api.drop_factors_of(",
        // Machines belong to the service itself.
        "data.service_accounts",
        "data.service_secrets",
        "data.service_keys",
        "data.used_assertions",
        "api.admit_service_by_assertion(",
        "api.admit_service_by_secret(",
        "api.delete_service_account(",
        "api.list_service_accounts(",
        "api.put_service_account(",
        "api.service_keys(",
        "api.service_secret_lives(",
    ];
    assert_eq!(shard_faults(&app.database, &exempt).await, Vec::<String>::new());
}

/// A service that could do more than it needs does not start.
#[tokio::test]
async fn a_service_with_too_many_rights_does_not_start() {
    let database = database(&SCHEMA).await;
    for (role, fault) in
        [(&database.superuser, "superuser"), (&database.owner, "owns this database")]
    {
        let pool = shared::database::Database::new(role.clone(), 1);
        let refused = pool.ready(std::time::Duration::from_secs(1)).await.unwrap_err();
        assert!(refused.to_string().contains(fault), "{refused}");
    }
}
