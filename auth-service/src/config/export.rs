//! The settings of what other services have of a user: what goes into an export,
//! and who has to erase it when the account is deleted.

use clap::Args;
use tonic::transport::Uri;

use crate::{export::tasks::Tasks, service_accounts::AccountName};

/// Where what belongs to an account is, besides here.
#[derive(Clone, Debug, Args)]
pub struct Export {
    /// Where task-service is, whose part of an export this service fetches;
    /// without it the export says that the tasks are missing.
    #[arg(long, env = "AUTH_TASK_URL")]
    pub task_url: Option<String>,
    /// The name of task-service in the `aud` of tokens.
    #[arg(long, env = "AUTH_TASK_AUDIENCE", default_value = "task-service")]
    pub task_audience: String,
    /// Services that have something of users, by the names of their accounts: each
    /// has to confirm that it erased what it has of a deleted user, and until then
    /// there is no receipt. Empty for none.
    #[arg(
        long,
        env = "AUTH_ERASING_SERVICES",
        default_value = "task-service",
        value_delimiter = ','
    )]
    pub erasing_services: Vec<String>,
}

impl Export {
    /// Everything that is wrong with the settings. `audience` is whom tokens are
    /// for.
    #[must_use]
    pub fn faults(&self, audience: &[String]) -> Vec<String> {
        let mut faults = Vec::new();
        for fault in self.erasing().filter_map(|name| name.parse::<AccountName>().err()) {
            faults.push(format!("AUTH_ERASING_SERVICES: a name {fault}"));
        }
        let Some(url) = &self.task_url else { return faults };
        let http = |url: Uri| matches!(url.scheme_str(), Some("http" | "https"));
        let good = url.parse().is_ok_and(http);
        if !good {
            let fault = "AUTH_TASK_URL must be a URL that begins with http:// or https://";
            faults.push(fault.to_owned());
        }
        if !audience.contains(&self.task_audience) {
            faults.push("AUTH_TASK_AUDIENCE must be one of AUTH_AUDIENCE".to_owned());
        }
        faults
    }

    /// Where the tasks are, if that was said; needs a runtime.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn tasks(&self) -> anyhow::Result<Option<Tasks>> {
        let url = self.task_url.as_deref();
        url.map(|url| Tasks::at(url, self.task_audience.clone())).transpose()
    }

    /// Who has to erase what it has of a deleted user.
    #[must_use]
    pub fn erasing_services(&self) -> Vec<String> {
        self.erasing().map(str::to_owned).collect()
    }

    fn erasing(&self) -> impl Iterator<Item = &str> {
        self.erasing_services.iter().map(|name| name.trim()).filter(|name| !name.is_empty())
    }
}
