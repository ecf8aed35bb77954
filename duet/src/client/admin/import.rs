//! `admin import`: accounts of another system, a JSON object in each line.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use comfy_table::Row;
use proto::auth::v1::{
    ImportUsersRequest, admin_service_client::AdminServiceClient as Client,
    import_users_request::ImportedUser,
};
use serde::{Deserialize, Serialize};

use crate::client::{
    failure::Failure,
    output::{self, Output},
    prompt::Answers,
    proof::{Given, proven},
    session::Session,
};

/// What the service takes at once: accounts, and bytes of them with room for
/// what is around them.
const MOST: usize = 500;
const MOST_BYTES: usize = 384 * 1024;
/// The longest line, in bytes.
const LONGEST: u64 = 16 * 1024;

/// An account as it stands in the file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    email: String,
    password_hash: String,
    #[serde(default)]
    email_verified: bool,
    #[serde(default)]
    display_name: String,
}

/// What became of the file.
#[derive(Default, Serialize)]
struct Report {
    made: usize,
    refused: Vec<Refused>,
}

#[derive(Serialize)]
struct Refused {
    line: usize,
    email: String,
    field: String,
    description: String,
}

/// `duet admin import`
pub(super) async fn import(
    session: &mut Session,
    file: &Path,
    given: &Given,
    answers: &mut Answers<'_>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let accounts = if file == Path::new("-") {
        read(file, &mut BufReader::new(&mut *answers.input))?
    } else {
        let open = File::open(file).map_err(|error| Failure::file(file, &error))?;
        read(file, &mut BufReader::new(open))?
    };
    let mut report = Report::default();
    let mut result = Ok(());
    for batch in batches(accounts) {
        let users = batch.iter().map(|(_, user)| user.clone()).collect();
        let request = ImportUsersRequest { users };
        // What is made twice seems taken: a batch is sent again only if it was
        // refused as a whole.
        let answer = proven(session, given, answers, async |session| {
            session
                .auth_once(request.clone(), async |channel, request| {
                    Client::new(channel).import_users(request).await
                })
                .await
        });
        let answer = match answer.await {
            Ok(answer) => answer,
            Err(failure) => {
                result = Err(failure);
                break;
            }
        };
        for ((line, user), result) in batch.into_iter().zip(answer.results) {
            if result.field.is_empty() {
                report.made += 1;
            } else {
                let (email, field, description) = (user.email, result.field, result.description);
                report.refused.push(Refused { line, email, field, description });
            }
        }
    }
    // What was made until then is told even if the rest failed.
    if result.is_ok() || report.made + report.refused.len() > 0 {
        output.show(&report, || text(&report))?;
    }
    result
}

/// The accounts with their lines; nothing is sent if one cannot be read.
fn read(file: &Path, from: &mut dyn BufRead) -> Result<Vec<(usize, ImportedUser)>, Failure> {
    let mut accounts = Vec::new();
    for number in 1.. {
        let mut bytes = Vec::new();
        let read = Read::take(&mut *from, LONGEST).read_until(b'\n', &mut bytes);
        if read.map_err(|error| Failure::file(file, &error))? == 0 {
            break;
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        // What stands in the line is not told: it has a hash in it.
        let Line { email, password_hash, email_verified, display_name } =
            serde_json::from_slice(&bytes).map_err(|error| {
                let column = error.column();
                Failure::usage(format!(
                    "Line {number} of {} is not an account, at character {column}: a JSON object \
                     with email and passwordHash, and if wanted emailVerified and displayName.",
                    file.display()
                ))
            })?;
        accounts
            .push((number, ImportedUser { email, email_verified, display_name, password_hash }));
    }
    Ok(accounts)
}

/// The accounts in parts that the service takes.
fn batches(accounts: Vec<(usize, ImportedUser)>) -> Vec<Vec<(usize, ImportedUser)>> {
    let mut batches = Vec::<Vec<_>>::new();
    let mut room = 0;
    for (line, user) in accounts {
        let ImportedUser { email, display_name, password_hash, .. } = &user;
        let bytes = email.len() + display_name.len() + password_hash.len() + 32;
        match batches.last_mut() {
            Some(batch) if batch.len() < MOST && bytes <= room => batch.push((line, user)),
            _ => {
                room = MOST_BYTES;
                batches.push(vec![(line, user)]);
            }
        }
        room = room.saturating_sub(bytes);
    }
    batches
}

fn text(report: &Report) -> String {
    let Report { made, refused } = report;
    let mut text = match made {
        1 => "1 account was made.".to_owned(),
        _ => format!("{made} accounts were made."),
    };
    if !refused.is_empty() {
        let rows = refused.iter().map(|refused| {
            Row::from([
                refused.line.to_string(),
                output::line(&refused.email),
                output::line(&refused.field),
                output::line(&refused.description),
            ])
        });
        let table = output::table_breaking(3, &["Line", "E-mail", "Field", "Why"], rows);
        text += &format!("\n\nNot made:\n{table}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_the_line_is_named() {
        let good = b"{\"email\":\"a@example.org\",\"passwordHash\":\"$2b$\"}\n\n \
            {\"email\":\"b@example.org\",\"passwordHash\":\"x\",\"emailVerified\":true,\
            \"displayName\":\"B\"}";
        let accounts = read(Path::new("-"), &mut good.as_slice()).unwrap();
        let lines: Vec<_> =
            accounts.iter().map(|(line, user)| (*line, user.email_verified)).collect();
        assert_eq!(lines, [(1, false), (3, true)]);
        for bad in [
            "{\"email\":\"a@example.org\"}",
            "{\"email\":\"a\",\"passwordHash\":\"secret\",\"password\":\"secret\"}",
            "secret",
            "[]",
            "{\"email\":1,\"passwordHash\":\"secret\"}",
        ] {
            let file = format!("{{\"email\":\"a\",\"passwordHash\":\"b\"}}\n{bad}\n");
            let refused = read(Path::new("-"), &mut file.as_bytes()).unwrap_err();
            let told = refused.to_string();
            assert!(told.starts_with("Line 2 of - ") && !told.contains("secret"), "{told}");
            assert_eq!(refused.exit(), 64);
        }
        let long = format!("{{\"email\":\"{}\"}}", "x".repeat(20_000));
        assert!(read(Path::new("-"), &mut long.as_bytes()).is_err());
    }

    #[test]
    fn batches_are_as_large_as_the_service_takes() {
        let account = |hash: usize| ImportedUser {
            email: "a@example.org".to_owned(),
            password_hash: "x".repeat(hash),
            ..ImportedUser::default()
        };
        let sizes = |hash: usize, count: usize| {
            let accounts = (0..count).map(|line| (line, account(hash))).collect();
            batches(accounts).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(60, 0), [0_usize; 0]);
        assert_eq!(sizes(60, 1001), [500, 500, 1]);
        let large = sizes(4000, 300);
        assert!(large.len() > 2 && large.iter().sum::<usize>() == 300, "{large:?}");
        assert!(large.iter().all(|count| count * 4100 < 512 * 1024), "{large:?}");
    }
}
