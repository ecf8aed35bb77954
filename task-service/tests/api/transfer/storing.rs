//! How what is imported is stored: all or none, once, by whom it belongs to.

use proto::task::v1::{
    ExportTasksRequest, ImportTasksRequest,
    TransferFormat::{Csv, GoogleTasksJson, Json, TodoistCsv, Unspecified},
};
use shared::{
    rng,
    testing::{self, StatementCounter},
};
use sqlx::{ConnectOptions as _, FromRow, postgres::PgRow};
use task_service::SCHEMA;
use tonic::Code;
use uuid::Uuid;

use super::{export, import, importing, notes, places, try_export, try_import};
use crate::app::{TestApp, at_once, is_replay, refused};

/// What a query about one user says.
pub(super) async fn rows<T>(app: &TestApp, query: &'static str, user: Uuid) -> Vec<T>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let mut superuser = app.database.superuser.connect().await.expect("a connection");
    sqlx::query_as(query).bind(user).fetch_all(&mut superuser).await.expect("rows")
}

/// head_rev, task_count, list_count, and the revisions that there are.
async fn counters(app: &TestApp, user: Uuid) -> (i64, i64, i64, Vec<i64>) {
    let query = "select s.head_rev, s.task_count, s.list_count,
                        array(select rev from data.tasks where user_id = $1
                              union all select rev from data.lists where user_id = $1
                              order by rev)
                 from data.user_state s where s.user_id = $1";
    rows(app, query, user).await.remove(0)
}

fn table(tasks: usize) -> String {
    let rows = (0..tasks).map(|n| format!("Task {n}\n"));
    std::iter::once("title\n".to_owned()).chain(rows).collect()
}

#[tokio::test]
async fn revisions_have_no_gaps_and_counts_are_kept() {
    let app = TestApp::start().await;
    let ada = app.user();
    let file = "title,list,status\na,One,\nb,Two,done\nc,,\n";
    let imports = (0..4).map(|_| {
        let (channel, token) = (app.channel.clone(), app.token(ada.id));
        let request = importing(Csv, file);
        async move {
            use proto::task::v1::transfer_service_client::TransferServiceClient;
            let mut request = tonic::Request::new(request);
            request
                .metadata_mut()
                .insert("authorization", format!("Bearer {token}").parse().unwrap());
            TransferServiceClient::new(channel).import_tasks(request).await.map(drop)
        }
    });
    assert!(at_once(imports).await.iter().all(Result::is_ok));
    let (head, tasks, lists, revisions) = counters(&app, ada.id).await;
    assert_eq!((head, tasks, lists), (20, 12, 8));
    assert_eq!(revisions, (1..=20).collect::<Vec<i64>>());
    let closed: Vec<(i64, i64)> = rows(
        &app,
        "select rev, completed_with from data.tasks
         where user_id = $1 and completed_at is not null",
        ada.id,
    )
    .await;
    assert_eq!(closed.len(), 4);
    assert!(closed.iter().all(|(rev, with)| rev == with));
}

/// As much as a user may have goes in and out in one call each.
#[tokio::test]
async fn ten_thousand_tasks_fit() {
    let app = TestApp::start().await;
    let ada = app.user();
    let task = |n: usize| {
        let parent = if n.is_multiple_of(10) {
            String::new()
        } else {
            format!("\"parent\":{},", n / 10 * 10)
        };
        format!(
            r#"{{"id":{n},{parent}"title":"Task {n} of very many","notes":"{}","due":{{"date":"2026-03-09"}},"priority":"low","labels":["a","b"]}}"#,
            "Some words about it. ".repeat(8)
        )
    };
    let tasks: Vec<String> = (0..10_000).map(task).collect();
    let file = format!(
        "{{\"format\":\"duet-tasks\",\"version\":1,\"tasks\":[\n{}\n]}}",
        tasks.join(",\n")
    );
    assert!(file.len() < 4 * 1024 * 1024, "{}", file.len());
    let answer = import(&app, &ada, Json, file).await;
    assert_eq!((answer.tasks, places(&answer)), (10_000, vec![]));
    let file = export(&app, &ada, Json).await;
    assert_eq!(file.lines().count(), 10_000 + 5);
    let (head, tasks, ..) = counters(&app, ada.id).await;
    assert_eq!((head, tasks), (10_000, 10_000));

    let before = app.stored(ada.id).await;
    let more = try_import(&app, &ada, importing(Csv, "title\none more\n")).await;
    refused(more, Code::ResourceExhausted, "TASK_QUOTA");
    let more = try_import(&app, &app.user(), importing(Csv, table(10_001))).await;
    refused(more, Code::ResourceExhausted, "TASK_QUOTA");
    let lists: String = (0..201).map(|n| format!("t,{n}\n")).collect();
    let more = try_import(&app, &app.user(), importing(Csv, format!("title,list\n{lists}"))).await;
    refused(more, Code::ResourceExhausted, "LIST_QUOTA");
    assert_eq!(app.stored(ada.id).await, before);
}

/// Quotas count what is there already, and hold for a dry run too.
#[tokio::test]
async fn a_quota_refuses_the_whole_file() {
    let app = TestApp::start().await;
    let ada = app.user();
    let lists = |names: std::ops::Range<usize>| -> String {
        std::iter::once("title,list\n".to_owned())
            .chain(names.map(|n| format!("t,{n}\n")))
            .collect()
    };
    import(&app, &ada, Csv, lists(0..150)).await;
    let before = app.stored(ada.id).await;
    for dry_run in [false, true] {
        let id = rng::uuid_v4().to_string();
        let request =
            ImportTasksRequest { dry_run, request_id: id.clone(), ..importing(Csv, lists(0..51)) };
        let more = try_import(&app, &ada, request).await;
        refused(more, Code::ResourceExhausted, "LIST_QUOTA");
        assert_eq!(app.stored(ada.id).await, before);
    }
    import(&app, &ada, Csv, lists(0..50)).await;
}

#[tokio::test]
async fn a_dry_run_reports_and_leaves_everything_as_it_was() {
    let app = TestApp::start().await;
    let ada = app.user();
    let file = "title,list,due_date\na,Work,soon\n,Work,\nb,,2026-03-09\n";
    let dry = ImportTasksRequest {
        dry_run: true,
        request_id: rng::uuid_v4().to_string(),
        ..importing(Csv, file)
    };
    for known in [false, true] {
        if known {
            import(&app, &ada, Csv, "title\nt\n").await;
        }
        let before = app.stored(ada.id).await;
        let told = try_import(&app, &ada, dry.clone()).await.unwrap();
        assert!(!is_replay(&told));
        assert_eq!(app.stored(ada.id).await, before);
        let told = told.into_inner();
        assert_eq!((told.tasks, told.lists), (2, 1));
        assert_eq!(places(&told), [(2, "due_date"), (3, "title")]);
    }
    // The request id of a dry run was not used up.
    let real = ImportTasksRequest { dry_run: false, ..dry.clone() };
    let told = try_import(&app, &ada, dry).await.unwrap().into_inner();
    let made = try_import(&app, &ada, real).await.unwrap();
    assert!(!is_replay(&made));
    assert_eq!(made.into_inner(), told);
}

#[tokio::test]
async fn a_repeated_import_makes_nothing_twice() {
    let app = TestApp::start().await;
    let ada = app.user();
    let id = rng::uuid_v4().to_string();
    let request = ImportTasksRequest {
        request_id: id.clone(),
        ..importing(Csv, "title,list,due_date\na,Work,soon\n")
    };
    let first = try_import(&app, &ada, request.clone()).await.unwrap();
    assert!(!is_replay(&first));
    let before = app.stored(ada.id).await;
    let again = try_import(&app, &ada, request.clone()).await.unwrap();
    assert!(is_replay(&again));
    assert_eq!(again.into_inner(), first.into_inner());
    assert_eq!(app.stored(ada.id).await, before);

    for other in [
        ImportTasksRequest { data: b"title\nb\n".to_vec(), ..request.clone() },
        ImportTasksRequest {
            format: TodoistCsv.into(),
            data: b"type,content\n".to_vec(),
            ..request
        },
    ] {
        let reused = try_import(&app, &ada, other).await;
        refused(reused, Code::FailedPrecondition, "REQUEST_ID_REUSED");
    }
}

/// What was refused may be sent again under the same id.
#[tokio::test]
async fn a_refused_import_gives_its_request_id_back() {
    let app = TestApp::start().await;
    let ada = app.user();
    let id = rng::uuid_v4().to_string();
    let request = ImportTasksRequest {
        list: format!("users/me/lists/{}", rng::uuid_v7(chrono::DateTime::UNIX_EPOCH)),
        request_id: id.clone(),
        ..importing(Csv, "title\na\n")
    };
    let missing = try_import(&app, &ada, request.clone()).await;
    refused(missing, Code::NotFound, "LIST_NOT_FOUND");
    let request = ImportTasksRequest { list: String::new(), ..request };
    assert!(!is_replay(&try_import(&app, &ada, request).await.unwrap()));
}

#[tokio::test]
async fn tasks_without_a_list_go_where_the_caller_says() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.user(), app.user());
    import(&app, &ada, Csv, "title,list\nold,Work\n").await;
    let lists: Vec<(Uuid,)> =
        rows(&app, "select id from data.lists where user_id = $1", ada.id).await;
    let work = format!("{}/lists/{}", ada.name(), lists[0].0);
    let request = ImportTasksRequest {
        parent: ada.name(),
        list: work.clone(),
        ..importing(Csv, "title,list\na,\nb,Home\n")
    };
    try_import(&app, &ada, request.clone()).await.unwrap();
    for inbox in ["", "users/me/lists/inbox", &format!("{}/lists/inbox", ada.name())] {
        let request =
            ImportTasksRequest { list: inbox.to_owned(), ..importing(Csv, "title\ninbox\n") };
        try_import(&app, &ada, request).await.unwrap();
    }
    let file = export(&app, &ada, Csv).await;
    let cells = file.lines().skip(1).map(|row| row.split(',').collect::<Vec<_>>());
    let listed: Vec<_> = cells.map(|cells| format!("{}/{}", cells[2], cells[3])).collect();
    assert_eq!(listed, ["/inbox", "/inbox", "/inbox", "Home/b", "Work/a", "Work/old"]);

    // Somebody else's list is refused by its name, in her own name it is not there.
    let theirs =
        try_import(&app, &eve, ImportTasksRequest { parent: String::new(), ..request.clone() });
    refused(theirs.await, Code::PermissionDenied, "NOT_YOURS");
    let parent = try_import(&app, &eve, ImportTasksRequest { list: String::new(), ..request });
    refused(parent.await, Code::PermissionDenied, "NOT_YOURS");
    for dry_run in [true, false] {
        let request = ImportTasksRequest {
            list: format!("users/me/lists/{}", lists[0].0),
            dry_run,
            ..importing(Csv, "title\na\n")
        };
        refused(try_import(&app, &eve, request).await, Code::NotFound, "LIST_NOT_FOUND");
    }
    let theirs = ExportTasksRequest { parent: ada.name(), format: Json.into() };
    refused(try_export(&app, &eve, theirs).await, Code::PermissionDenied, "NOT_YOURS");
    assert_eq!(export(&app, &eve, Csv).await.lines().count(), 1);
}

/// P6: an import is one statement, and so is an export.
#[tokio::test]
async fn each_method_is_one_statement() {
    let database = testing::database(&SCHEMA).await;
    let counter = StatementCounter::before(&database.app).unwrap();
    let through = counter.through(&database.app);
    let app = TestApp::start_on(database, through, 1).await;
    let ada = app.user();
    for warm in [false, true] {
        for dry_run in [true, false] {
            let _ = (counter.take(), counter.take_round_trips());
            let request = ImportTasksRequest {
                dry_run,
                request_id: rng::uuid_v4().to_string(),
                ..importing(Csv, table(100))
            };
            try_import(&app, &ada, request).await.unwrap();
            let counted = (counter.take(), counter.take_round_trips());
            assert!(!warm || counted == (1, 1), "{counted:?}");
        }
        let file = export(&app, &ada, Json).await;
        assert!(file.len() > 1000);
        let counted = (counter.take(), counter.take_round_trips());
        assert!(!warm || counted == (1, 1), "{counted:?}");
    }
}

/// Every fault of a request is told at once, the file's among them.
#[tokio::test]
async fn bad_requests() {
    let app = TestApp::start().await;
    let ada = app.user();
    let request = ImportTasksRequest {
        parent: "users/".to_owned(),
        list: "users/me/lists/1".to_owned(),
        request_id: "1".to_owned(),
        ..importing(Csv, "nothing\n")
    };
    let status = try_import(&app, &ada, request).await;
    let status = refused(status, Code::InvalidArgument, "FIELD_INVALID");
    let details = tonic_types::StatusExt::get_error_details(&status);
    let violations = &details.bad_request().unwrap().field_violations;
    let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["parent", "list", "request_id", "data"]);

    for format in [Unspecified as i32, 99] {
        let request = ImportTasksRequest { format, ..importing(Csv, "title\n") };
        let status = try_import(&app, &ada, request).await;
        refused(status, Code::InvalidArgument, "FIELD_INVALID");
    }
    for format in [Unspecified, TodoistCsv, GoogleTasksJson] {
        let request = ExportTasksRequest { parent: String::new(), format: format.into() };
        let status = try_export(&app, &ada, request).await;
        refused(status, Code::InvalidArgument, "FIELD_INVALID");
    }
}

/// A long report is cut, and says so.
#[tokio::test]
async fn a_report_has_at_most_1000_notes() {
    let app = TestApp::start().await;
    let rows: String = (0..1500).map(|_| "t,soon\n").collect();
    let answer = import(&app, &app.user(), Csv, format!("title,due_date\n{rows}")).await;
    let notes = notes(&answer);
    assert_eq!((answer.tasks, notes.len()), (1500, 1000));
    assert_eq!((notes[998].0, notes[999].0), (1000, 0));
    assert_eq!(notes[999].2, "501 more things were not carried over.");
}
