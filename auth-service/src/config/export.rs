//! The settings of what a user takes out of the account.

use clap::Args;
use tonic::transport::Uri;

use crate::export::tasks::Tasks;

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
}

impl Export {
    /// Everything that is wrong with the settings. `audience` is whom tokens are
    /// for.
    #[must_use]
    pub fn faults(&self, audience: &[String]) -> Vec<String> {
        let Some(url) = &self.task_url else { return Vec::new() };
        let http = |url: Uri| matches!(url.scheme_str(), Some("http" | "https"));
        let good = url.parse().is_ok_and(http);
        let mut faults = Vec::new();
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
}
