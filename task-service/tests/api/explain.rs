//! What a call really does in the database: the plans of the statements inside
//! of functions, by auto_explain, which sends them to the client as notices.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use shared::testing::TestDatabase;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// A session of the service's role in which everything is explained.
pub(crate) struct Explained {
    role: PgConnection,
    notices: Notices,
}

/// A statement as it was executed.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) text: String,
    root: Value,
}

impl Explained {
    pub(crate) async fn open(database: &TestDatabase) -> Self {
        let mut superuser = database.superuser.connect().await.expect("a connection");
        for setting in [
            "session_preload_libraries = 'auto_explain'",
            "auto_explain.log_min_duration = 0",
            "auto_explain.log_nested_statements = on",
            "auto_explain.log_analyze = on",
            "auto_explain.log_buffers = on",
            "auto_explain.log_verbose = on",
            "auto_explain.log_timing = off",
            "auto_explain.log_format = json",
            "auto_explain.log_level = notice",
        ] {
            let statement = format!("alter database {} set {setting}", database.name);
            let set = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut superuser).await;
            set.expect("Postgres has auto_explain");
        }
        let role = database.app.connect().await.expect("a connection");
        Self { role, notices: Notices::default() }
    }

    /// The plans of the statements that a call makes inside of its function, as
    /// it makes them when it was made often: its plans are settled by then, and
    /// what the session remembers is there.
    pub(crate) async fn plans(&mut self, call: &str) -> Vec<Plan> {
        for _ in 0..7 {
            self.notices.take();
            let _here = tracing::subscriber::set_default(self.notices.clone());
            let statement = AssertSqlSafe(call.to_owned());
            sqlx::query(statement).fetch_all(&mut self.role).await.expect("the call is answered");
        }
        let mut plans = self.notices.take();
        // The call itself ends last.
        let own = plans.pop().expect("the call is explained");
        assert!(own.text.contains("api."), "{own:?}");
        plans
    }
}

impl Plan {
    /// Pages read, from memory or from the disk.
    pub(crate) fn buffers(&self) -> u64 {
        let read = |key| self.root[key].as_u64().expect("buffers are counted");
        read("Shared Hit Blocks") + read("Shared Read Blocks")
    }

    /// What must not be in a plan: a table of the users read as a whole, or a
    /// statement that does not say whose rows it is about.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut nodes = vec![&self.root];
        while let Some(node) = nodes.pop() {
            let table = &node["Relation Name"];
            if node["Schema"] == "data" && node["Node Type"] == "Seq Scan" {
                faults.push(format!("all of {table} is read"));
            }
            if node["Schema"] == "data" && table.is_string() && !self.text.contains("user_id") {
                faults.push(format!("{table} is read for nobody in particular"));
            }
            nodes.extend(node["Plans"].as_array().into_iter().flatten());
        }
        faults
    }
}

/// Checks the plans of a call, and returns how many pages they read together.
#[track_caller]
pub(crate) fn guarded(call: &str, plans: &[Plan]) -> u64 {
    assert!(!plans.is_empty(), "{call} makes a statement");
    for plan in plans {
        assert_eq!(plan.faults(), [""; 0], "{call}: {}\n{:#}", plan.text, plan.root);
    }
    plans.iter().map(Plan::buffers).sum()
}

/// The notices of this thread's connections.
#[derive(Clone, Default)]
struct Notices(Arc<Mutex<Vec<String>>>);

impl Notices {
    fn take(&self) -> Vec<Plan> {
        let notices = std::mem::take(&mut *self.0.lock().expect("nobody panicked"));
        notices.iter().filter_map(|notice| plan(notice)).collect()
    }
}

fn plan(notice: &str) -> Option<Plan> {
    let (_, json) = notice.split_once("plan:\n")?;
    let mut explained: Value = serde_json::from_str(json).expect("a plan in JSON");
    let text = explained["Query Text"].as_str().expect("a plan has its statement").to_owned();
    Some(Plan { text, root: explained["Plan"].take() })
}

impl Subscriber for Notices {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::postgres::notice"
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut &*self);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl Visit for &Notices {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.0.lock().expect("nobody panicked").push(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
