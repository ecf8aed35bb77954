//! The users of the benchmark: signed up through auth-service, each with more
//! than a page of tasks made through task-service. No row is written past them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use proto::{
    auth::v1::{SignUpRequest, auth_service_client::AuthServiceClient},
    task::v1::{ListTasksRequest, task_service_client::TaskServiceClient},
};
use tokio::task::JoinSet;
use tonic::{Code, Request, metadata::MetadataValue, transport::Channel};

use crate::callers::{PAGE, User, new_task};

/// How many; every number of callers divides it.
pub(crate) const USERS: usize = 256;
/// Tasks that each has at the start.
pub(crate) const TASKS: usize = PAGE + 10;

/// Users that are made at the same time.
const AT_ONCE: usize = 16;
/// A header that no key has signed.
const FORGED: &str = "Bearer a.b.c";
/// How long task-service may take to fetch the signing keys.
const PATIENCE: Duration = Duration::from_secs(10);

/// Signs the users up and gives them tasks.
pub(crate) async fn make(auth: Channel, tasks: Channel) -> anyhow::Result<Arc<[User]>> {
    let (mut making, mut users) = (JoinSet::new(), Vec::with_capacity(USERS));
    for number in 0..USERS {
        if making.len() >= AT_ONCE {
            users.extend(making.join_next().await.transpose()?.transpose()?);
        }
        let (auth, tasks) = (auth.clone(), tasks.clone());
        making.spawn(async move {
            let mut user = sign_up(auth, number).await?;
            user.tasks = furnish(tasks, &user).await?;
            anyhow::Ok(user)
        });
    }
    while let Some(user) = making.join_next().await {
        users.push(user??);
    }
    Ok(users.into())
}

async fn sign_up(auth: Channel, number: usize) -> anyhow::Result<User> {
    let email = format!("user-{number}@example.org");
    let password = "walnut-Trombone-91".to_owned();
    let request = SignUpRequest {
        email: email.clone(),
        password: password.clone(),
        display_name: format!("User {number}"),
        ..SignUpRequest::default()
    };
    let answer = AuthServiceClient::new(auth).sign_up(request).await.context("cannot sign up")?;
    let credentials = answer.into_inner().credentials.context("no credentials")?;
    let access_token = credentials.access_token;
    Ok(User {
        email,
        password,
        bearer: format!("Bearer {access_token}").parse()?,
        access_token,
        refresh: Mutex::new(credentials.refresh_token),
        tasks: Vec::new(),
    })
}

async fn furnish(tasks: Channel, user: &User) -> anyhow::Result<Vec<String>> {
    let mut client = TaskServiceClient::new(tasks);
    let mut names = Vec::with_capacity(TASKS);
    for _ in 0..TASKS {
        let answer = client.create_task(user.request(new_task())).await;
        let task = answer.context("cannot make tasks")?.into_inner().task;
        names.push(task.context("no task")?.name);
    }
    Ok(names)
}

/// Waits until task-service has fetched the keys. Before that it cannot even
/// tell that a token is forged.
pub(crate) async fn wait_for_keys(tasks: Channel) -> anyhow::Result<()> {
    let mut client = TaskServiceClient::new(tasks);
    let wait = async {
        let mut look = tokio::time::interval(Duration::from_millis(10));
        loop {
            look.tick().await;
            let mut request = Request::new(ListTasksRequest::default());
            request.metadata_mut().insert("authorization", MetadataValue::from_static(FORGED));
            match client.list_tasks(request).await {
                Err(status) if status.code() == Code::Unauthenticated => return,
                _ => {}
            }
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.context("task-service did not fetch the signing keys")
}
