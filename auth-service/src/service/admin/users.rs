//! Accounts in the hands of operators.

use proto::auth::v1::{
    ImportUsersRequest, ImportUsersResponse, ListUsersRequest, ListUsersResponse,
    ReinstateUserRequest, ReinstateUserResponse, SuspendUserRequest, SuspendUserResponse,
    UserAccount, import_users_request::ImportedUser, import_users_response::Result as Imported,
};
use shared::{
    error::{Failure, Fields, Reason},
    name, page, rng,
};
use tonic::Request;

use super::read_user;
use crate::{
    admin::{self, Account, Cursor, MAX_IMPORTED},
    email::{DisplayName, Email},
    hashing,
    service::{Service, to_timestamp},
};

/// What page tokens of ListUsers are good for.
const LISTED: &[u8] = b"admin/users";
/// The longest reason for a suspension, in characters.
const MAX_REASON: usize = 200;

impl Service {
    pub(super) async fn do_list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<ListUsersResponse, Failure> {
        let operator = self.operator(&request)?;
        let ListUsersRequest { page_size, page_token, email } = request.into_inner();
        let mut fields = Fields::new();
        let size = fields.read("page_size", page::size(page_size));
        let after = fields.read_as(
            Reason::PageTokenInvalid,
            "page_token",
            self.read_page(LISTED, &page_token, Cursor::from_bytes),
        );
        let email = (!email.is_empty()).then(|| Email::parse(&email)).transpose();
        let email = fields.read("email", email);
        let (size, after, email) = fields.all((size, after, email))?;

        let listed = admin::list(&self.0.database, &operator, email.as_ref(), after, size + 1);
        let mut page = listed.await?;
        let more = page.len() > usize::from(size);
        page.truncate(usize::from(size));
        let last = page.last().filter(|_| more).map(|last| Cursor::after(last).to_bytes());
        Ok(ListUsersResponse {
            users: page.into_iter().map(UserAccount::from).collect(),
            next_page_token: last.map(|last| self.0.pages.seal(LISTED, &last)).unwrap_or_default(),
        })
    }

    pub(super) async fn do_suspend_user(
        &self,
        request: Request<SuspendUserRequest>,
    ) -> Result<SuspendUserResponse, Failure> {
        let operator = self.operator(&request)?;
        let SuspendUserRequest { name, reason } = request.into_inner();
        let mut fields = Fields::new();
        let user = fields.read("name", read_user(&name));
        let reason = fields.read("reason", read_reason(&reason));
        if user.is_some() && user == operator.user {
            fields.refuse("name", "Nobody closes their own account like this.");
        }
        let (user, reason) = fields.all((user, reason))?;
        let account = admin::suspend(&self.0.database, &operator, user, reason).await?;
        self.0.trust.changed();
        Ok(SuspendUserResponse { user: Some(account.into()) })
    }

    pub(super) async fn do_reinstate_user(
        &self,
        request: Request<ReinstateUserRequest>,
    ) -> Result<ReinstateUserResponse, Failure> {
        let operator = self.operator(&request)?;
        let mut fields = Fields::new();
        let user = fields.read("name", read_user(&request.get_ref().name));
        let (user,) = fields.all((user,))?;
        let account = admin::reinstate(&self.0.database, &operator, user).await?;
        Ok(ReinstateUserResponse { user: Some(account.into()) })
    }

    pub(super) async fn do_import_users(
        &self,
        request: Request<ImportUsersRequest>,
    ) -> Result<ImportUsersResponse, Failure> {
        let operator = self.operator(&request)?;
        let ImportUsersRequest { users } = request.into_inner();
        if users.len() > MAX_IMPORTED {
            let why = format!("At most {MAX_IMPORTED} accounts are imported at once.");
            return Err(Failure::field(Reason::BatchTooLarge, "users", why));
        }
        let read: Vec<_> = users.into_iter().map(read_imported).collect();
        let good: Vec<_> = read.iter().filter_map(|one| one.as_ref().ok()).cloned().collect();
        let made = admin::import(&self.0.database, &operator, &good).await?;
        let result = |one: Result<admin::Imported, Imported>| match one {
            Ok(one) if made.contains(&one.user) => {
                Imported { user: name::of_user(one.user), ..Imported::default() }
            }
            Ok(_) => refused("email", "There is an account with this address."),
            Err(refused) => refused,
        };
        Ok(ImportUsersResponse { results: read.into_iter().map(result).collect() })
    }
}

/// Reads one account; of what is wrong with it, the first thing is told.
fn read_imported(imported: ImportedUser) -> Result<admin::Imported, Imported> {
    let ImportedUser { email, email_verified, display_name, password_hash } = imported;
    let email = Email::parse(&email).map_err(|why| refused("email", why))?;
    let display_name =
        DisplayName::parse(&display_name).map_err(|why| refused("display_name", why))?;
    hashing::check_imported(&password_hash).map_err(|why| refused("password_hash", &why))?;
    let (user, hash) = (rng::uuid_v4(), password_hash);
    Ok(admin::Imported { user, email, email_verified, display_name, hash })
}

fn refused(field: &str, description: &str) -> Imported {
    Imported { user: String::new(), field: field.to_owned(), description: description.to_owned() }
}

fn read_reason(reason: &str) -> Result<&str, &'static str> {
    let reason = reason.trim();
    if reason.chars().count() > MAX_REASON {
        return Err("A reason has at most 200 characters.");
    }
    if reason.chars().any(char::is_control) {
        return Err("A reason is one line without control characters.");
    }
    Ok(reason)
}

impl From<Account> for UserAccount {
    fn from(account: Account) -> Self {
        let Account { user, suspended_at, has_second_factor } = account;
        Self {
            admin: user.is_admin,
            user: Some(user.into()),
            suspend_time: suspended_at.map(to_timestamp),
            has_second_factor,
        }
    }
}
