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

/// A call as it was answered.
pub(crate) struct Call {
    text: String,
    /// How many rows it was answered with.
    pub(crate) rows: usize,
    plans: Vec<Plan>,
}

/// A statement as it was executed.
#[derive(Debug)]
struct Plan {
    text: String,
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

    /// The statements that a call makes inside of its function, as it makes them
    /// when it was made often: its plans are settled by then, and what the session
    /// remembers is there.
    pub(crate) async fn settled(&mut self, call: &str) -> Call {
        for _ in 0..6 {
            self.call(call).await;
        }
        self.call(call).await
    }

    /// The statements that a call makes inside of its function.
    pub(crate) async fn call(&mut self, call: &str) -> Call {
        self.notices.take();
        let _here = tracing::subscriber::set_default(self.notices.clone());
        let statement = AssertSqlSafe(call.to_owned());
        let answer = sqlx::query(statement).fetch_all(&mut self.role).await;
        let rows = answer.unwrap_or_else(|error| panic!("{call}: {error}")).len();
        let mut plans = self.notices.take();
        // The call itself ends last.
        let own = plans.pop().expect("the call is explained");
        assert!(own.text.contains("api."), "{own:?}");
        Call { text: call.to_owned(), rows, plans }
    }
}

impl Call {
    /// Checks what it does, and returns how many pages it reads.
    #[track_caller]
    pub(crate) fn guarded(&self) -> u64 {
        assert!(!self.plans.is_empty(), "{} makes a statement", self.text);
        for plan in &self.plans {
            assert_eq!(plan.faults(), [""; 0], "{}: {}\n{:#}", self.text, plan.text, plan.root);
        }
        self.plans.iter().map(Plan::buffers).sum()
    }
}

impl Plan {
    /// Pages read, from memory or from the disk.
    fn buffers(&self) -> u64 {
        let read = |key| self.root[key].as_u64().expect("buffers are counted");
        read("Shared Hit Blocks") + read("Shared Read Blocks")
    }

    /// What must not be in it: a table of the users read as a whole, or by an index
    /// that is not searched for the user, or a statement that does not name one.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut nodes = vec![&self.root];
        while let Some(node) = nodes.pop() {
            nodes.extend(node["Plans"].as_array().into_iter().flatten());
            let (kind, table) = (&node["Node Type"], &node["Relation Name"]);
            if node["Schema"] != "data" || !table.is_string() {
                continue;
            }
            if !self.text.contains("user_id") {
                faults.push(format!("{table} is asked for nobody in particular"));
            }
            let condition = ["Index Cond", "Recheck Cond"].map(|key| node[key].as_str());
            let searched = condition.iter().flatten().any(|text| text.contains("user_id"));
            if kind != "ModifyTable" && !searched {
                faults.push(format!("{table} is read by a {kind} for nobody in particular"));
            }
        }
        faults
    }
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
