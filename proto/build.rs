//! Compiles the `.proto` files without protoc. Their comments stay in the
//! descriptors, so that reflection can show them.

#![expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts like this")]

const FILES: [&str; 10] = [
    "auth/v1/account_service.proto",
    "auth/v1/admin_service.proto",
    "auth/v1/auth_service.proto",
    "auth/v1/error_reason.proto",
    "auth/v1/token_service.proto",
    "auth/v1/trust_service.proto",
    "task/v1/error_reason.proto",
    "task/v1/list_service.proto",
    "task/v1/task_service.proto",
    "task/v1/transfer_service.proto",
];

/// Messages that hold a password or a token: see `redacted!` in `lib.rs`.
const SECRET: [&str; 32] = [
    "auth.v1.BeginTotpEnrollmentResponse",
    "auth.v1.ChangePasswordRequest",
    "auth.v1.ChangePasswordResponse",
    "auth.v1.Challenge",
    "auth.v1.CompleteSignInRequest",
    "auth.v1.ConfirmPasskeyEnrollmentRequest",
    "auth.v1.ConfirmPasskeyEnrollmentResponse",
    "auth.v1.ConfirmTotpEnrollmentRequest",
    "auth.v1.ConfirmTotpEnrollmentResponse",
    "auth.v1.CreateServiceAccountResponse",
    "auth.v1.Credentials",
    "auth.v1.DeleteUserResponse",
    "auth.v1.ExchangeTokenRequest",
    "auth.v1.ExchangeTokenResponse",
    "auth.v1.GetDeletionReceiptRequest",
    "auth.v1.ImportUsersRequest.ImportedUser",
    "auth.v1.IssueServiceTokenRequest",
    "auth.v1.IssueServiceTokenResponse",
    "auth.v1.ReauthenticateRequest",
    "auth.v1.ReauthenticateResponse",
    "auth.v1.RefreshSessionRequest",
    "auth.v1.RegenerateRecoveryCodesResponse",
    "auth.v1.ResetPasswordRequest",
    "auth.v1.ResetPasswordResponse",
    "auth.v1.SignInRequest",
    "auth.v1.SignOutRequest",
    "auth.v1.SignUpRequest",
    "auth.v1.VerifyEmailRequest",
    "auth.v1.VerifyTokenRequest",
    "auth.v1.CompleteSignInRequest.code",
    "auth.v1.IssueServiceTokenRequest.credential",
    "auth.v1.ReauthenticateRequest.code",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=auth");
    println!("cargo:rerun-if-changed=task");
    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_source_info(true).include_imports(true).open_files(FILES)?;

    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        .build_transport(false)
        .skip_debug(SECRET)
        .type_attribute(
            ".task.v1.Change.resource",
            "#[expect(clippy::large_enum_variant, reason = \"nearly all of them are tasks\")]",
        )
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
