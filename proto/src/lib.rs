//! The contract of the pair, generated from the `.proto` files beside it: the
//! packages `auth.v1` and `task.v1` and their descriptors. Nothing else.
//!
//! Invariant: a message that carries a secret cannot be printed.

/// Accounts, sessions and keys.
pub mod auth {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("auth.v1");
    }
}

/// Tasks.
pub mod task {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("task.v1");
    }
}

/// Every file of the contract and what it imports, comments included: an
/// encoded `google.protobuf.FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

macro_rules! redacted {
    ($($($message:ident)::+),* $(,)?) => {$(
        impl std::fmt::Debug for auth::v1::$($message)::+ {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($($message)::+)).finish_non_exhaustive()
            }
        }
    )*};
}

redacted!(
    BeginTotpEnrollmentResponse,
    ChangePasswordRequest,
    ChangePasswordResponse,
    Challenge,
    CompleteSignInRequest,
    ConfirmPasskeyEnrollmentRequest,
    ConfirmPasskeyEnrollmentResponse,
    ConfirmTotpEnrollmentRequest,
    ConfirmTotpEnrollmentResponse,
    CreateServiceAccountResponse,
    Credentials,
    DeleteUserResponse,
    ExchangeTokenRequest,
    ExchangeTokenResponse,
    GetDeletionReceiptRequest,
    import_users_request::ImportedUser,
    IssueServiceTokenRequest,
    IssueServiceTokenResponse,
    ReauthenticateRequest,
    ReauthenticateResponse,
    RefreshSessionRequest,
    RegenerateRecoveryCodesResponse,
    ResetPasswordRequest,
    ResetPasswordResponse,
    SignInRequest,
    SignOutRequest,
    SignUpRequest,
    VerifyEmailRequest,
    VerifyTokenRequest,
    complete_sign_in_request::Code,
    issue_service_token_request::Credential,
    reauthenticate_request::Code,
);
