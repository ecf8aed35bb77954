//! Walking through long lists.

use std::{collections::HashSet, time::Duration};

use proto::task::v1::{ListTasksRequest, TaskStatus};
use tonic::Code;

use crate::{
    app::{TestApp, User, refused},
    rows::{self, Row, day},
};

/// Every page of a list: the names on each.
async fn pages(user: &User, page_size: i32, status: TaskStatus) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut page_token = String::new();
    loop {
        let filter = filter(status);
        let request = ListTasksRequest { page_size, page_token, filter, ..Default::default() };
        let page = user.list(request).await.expect("a page");
        pages.push(page.tasks.into_iter().map(|task| task.name).collect());
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return pages;
        }
    }
}

/// A walk through 1,000 tasks meets each once, newest first, and none of those
/// made on the way.
#[tokio::test]
async fn a_walk_through_a_thousand_tasks_meets_each_once() {
    let app = TestApp::start().await;
    let ada = app.user();
    let mut made = Vec::new();
    for n in 0..1000 {
        app.clock.advance(Duration::from_micros(50));
        made.push(ada.create(&n.to_string()).await.name);
    }
    made.reverse();

    let mut met = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListTasksRequest { page_size: 37, page_token, ..Default::default() };
        let page = ada.list(request).await.unwrap();
        met.extend(page.tasks.into_iter().map(|task| task.name));
        app.clock.advance(Duration::from_micros(50));
        ada.create("In between").await;
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(met, made);

    let sizes: Vec<usize> =
        pages(&ada, 0, TaskStatus::Unspecified).await.iter().map(Vec::len).collect();
    assert_eq!(sizes[0], 50);
    assert_eq!(sizes.iter().sum::<usize>(), 1028);
    let request = ListTasksRequest { page_size: i32::MAX, ..Default::default() };
    assert_eq!(ada.list(request).await.unwrap().tasks.len(), 500);
}

/// A page of long texts ends earlier, so that every client can receive it, in any
/// order; a walk still meets each task once.
#[tokio::test]
async fn a_page_of_long_texts_has_fewer_tasks() {
    let app = TestApp::start().await;
    let ada = app.user();
    // The last ten have no due date: they are read apart.
    let rows: Vec<Row> = (1..=260)
        .map(|rev| Row {
            notes: "ä".repeat(20_000),
            due_date: (rev <= 250).then(|| day(rev)),
            ..Row::new("Long", rev)
        })
        .collect();
    rows::insert(&app.database, ada.id, &rows).await;
    for (filter, order_by) in [("", ""), ("status = OPEN", ""), ("", "due"), ("", "position desc")]
    {
        let mut request = ListTasksRequest {
            page_size: 500,
            filter: filter.to_owned(),
            order_by: order_by.to_owned(),
            ..Default::default()
        };
        let (mut sizes, mut met) = (Vec::new(), HashSet::new());
        loop {
            let page = ada.list(request.clone()).await.expect("the client can receive it");
            sizes.push(page.tasks.len());
            met.extend(page.tasks.into_iter().map(|task| task.name));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        // The 27th task is the first before which there is not less than 1 MiB.
        let expected = [[27; 9].as_slice(), &[17]].concat();
        assert_eq!((sizes, met.len()), (expected, 260), "{filter} {order_by}");
    }
}

/// A filter by status holds for every page, and a full last page has no next.
#[tokio::test]
async fn a_filter_holds_for_every_page() {
    let app = TestApp::start().await;
    let ada = app.user();
    let (mut open, mut done) = (Vec::new(), Vec::new());
    for n in 0..30 {
        app.clock.advance(Duration::from_millis(1));
        let task = ada.create(&n.to_string()).await;
        match n % 3 {
            0 => done.push(ada.complete(&task.name).await.unwrap().name),
            1 => open.push(task.name),
            _ => ada.delete(&task.name).await.unwrap(),
        }
    }
    let all: HashSet<String> = open.iter().chain(&done).cloned().collect();
    open.reverse();
    done.reverse();
    let walked = pages(&ada, 5, TaskStatus::Open).await;
    assert_eq!(walked.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5]);
    assert_eq!(walked.concat(), open);
    assert_eq!(pages(&ada, 3, TaskStatus::Done).await.concat(), done);
    let both = pages(&ada, 7, TaskStatus::Unspecified).await.concat();
    assert_eq!(both.len(), all.len());
    assert_eq!(both.into_iter().collect::<HashSet<_>>(), all);
}

/// A page token is good for the list it came from and no other: not for another
/// user, not with another filter, not with a bit changed.
#[tokio::test]
async fn a_page_token_is_good_for_its_own_list_only() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    for user in [&ada, &ben] {
        user.create("One").await;
        user.create("Two").await;
    }
    let ask = |page_token: &str, status: TaskStatus| ListTasksRequest {
        page_size: 1,
        page_token: page_token.to_owned(),
        filter: filter(status),
        ..Default::default()
    };
    let any = TaskStatus::Unspecified;
    let token = ada.list(ask("", any)).await.unwrap().next_page_token;
    assert!(!token.is_empty());
    let second = ada.list(ask(&token, any)).await.unwrap();
    assert_eq!((second.tasks.len(), second.next_page_token.as_str()), (1, ""));
    let larger = ListTasksRequest { page_size: 10, ..ask(&token, any) };
    ada.list(larger).await.expect("the page size may change");

    let mut flipped = token.clone().into_bytes();
    flipped[20] = if flipped[20] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    let longer = format!("{token}AAAA");
    for (user, page_token, status) in [
        (&ben, &token, any),
        (&ada, &token, TaskStatus::Open),
        (&ada, &token, TaskStatus::Done),
        (&ada, &flipped, any),
        (&ada, &longer, any),
    ] {
        let refusal = user.list(ask(page_token, status)).await;
        refused(refusal, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    }
}

fn filter(status: TaskStatus) -> String {
    match status {
        TaskStatus::Unspecified => String::new(),
        status => format!("status = {}", status.as_str_name().trim_start_matches("TASK_STATUS_")),
    }
}
