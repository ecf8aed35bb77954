//! Orders and pages: every order both ways, with ties and with tasks that lack
//! its field, page by page, while others are made and deleted.

use std::cmp::Ordering;

use chrono::TimeDelta;
use proto::task::v1::ListTasksRequest;
use shared::rng;
use sqlx::{ConnectOptions as _, PgConnection};
use tonic::Code;
use uuid::Uuid;

use crate::{
    app::{TestApp, User, refused},
    rows::{Dice, Row, day, insert, insert_by, noon},
};

type Holds<'a> = dyn Fn(&Row) -> bool + 'a;

const KEYS: [&str; 5] = ["create_time", "update_time", "due", "priority", "position"];

/// How two tasks are ordered, those without the field apart.
fn compare(key: &str, a: &Row, b: &Row) -> Ordering {
    let due = |row: &Row| (row.due_date, row.due_minute.unwrap_or(-1));
    match key {
        "create_time" => a.created_at.cmp(&b.created_at).then(a.id.cmp(&b.id)),
        "update_time" => a.rev.cmp(&b.rev),
        "due" => due(a).cmp(&due(b)).then(a.id.cmp(&b.id)),
        "priority" => a.priority.cmp(&b.priority).then(a.id.cmp(&b.id)),
        _ => (a.list_id, a.place, a.id).cmp(&(b.list_id, b.place, b.id)),
    }
}

/// The titles in an order.
fn sorted(key: &str, descending: bool, rows: &[Row]) -> Vec<String> {
    let has = |row: &&Row| match key {
        "due" => row.due_date.is_some(),
        "priority" => row.priority > 0,
        _ => true,
    };
    let (mut set, mut unset): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(has);
    set.sort_by(|a, b| {
        let order = compare(key, a, b);
        if descending { order.reverse() } else { order }
    });
    unset.sort_by(|a, b| compare("create_time", b, a));
    set.into_iter().chain(unset).map(|row| row.title.clone()).collect()
}

/// Rows with few values, so that many are equal.
fn rows(dice: &mut Dice, count: i64) -> Vec<Row> {
    let lists = [Uuid::nil(), rng::uuid_v4(), rng::uuid_v4()];
    let row = |rev: i64| {
        let due_date = (dice.below(3) > 0).then(|| day(dice.number(3)));
        let completed_at = (dice.below(2) == 0).then(noon);
        Row {
            created_at: noon() + TimeDelta::minutes(dice.number(5)),
            due_date,
            due_minute: due_date.and((dice.below(2) == 0).then(|| dice.number(2))),
            priority: dice.number(4),
            list_id: dice.one_of(&lists),
            place: (dice.number(4), dice.number(4)),
            completed_at,
            cancelled: completed_at.is_some() && dice.below(4) == 0,
            deleted_at: (dice.below(5) == 0).then(noon),
            ..Row::new(&rev.to_string(), rev)
        }
    };
    (1..=count).map(row).collect()
}

/// All pages of a list, one after the other; between them something happens.
async fn walk(
    user: &User,
    request: &ListTasksRequest,
    mut between: impl AsyncFnMut(),
) -> Vec<String> {
    let (mut titles, mut sync_tokens) = (Vec::new(), Vec::new());
    let mut request = request.clone();
    loop {
        let page = user.list(request.clone()).await.expect("a page");
        let full = usize::try_from(request.page_size).expect("a size");
        assert!(page.tasks.len() == full || page.next_page_token.is_empty(), "{request:?}");
        titles.extend(page.tasks.into_iter().map(|task| task.title));
        sync_tokens.push(page.sync_token);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            sync_tokens.dedup();
            assert_eq!(sync_tokens.len(), 1, "a walk has one sync token");
            return titles;
        }
        between().await;
    }
}

/// Every order, both ways, whatever the size of the pages, of all tasks, of some,
/// and with the bin.
#[tokio::test]
async fn every_order_is_walked_as_it_is() {
    let app = TestApp::start().await;
    let ada = app.user();
    let rows = rows(&mut Dice(7), 60);
    insert(&app.database, ada.id, &rows).await;
    let list = rows[0].list_id;
    let live = |row: &Row| row.deleted_at.is_none();
    let is_open = |row: &Row| row.completed_at.is_none();
    let is_done = |row: &Row| row.completed_at.is_some() && !row.cancelled;
    let filters: [(String, &Holds<'_>); 8] = [
        (String::new(), &|_| true),
        ("status = OPEN".to_owned(), &is_open),
        ("status = DONE".to_owned(), &is_done),
        ("complete_time:*".to_owned(), &|row| row.completed_at.is_some()),
        ("due = days(1) status = OPEN".to_owned(), &|row| {
            is_open(row) && row.due_date == Some(day(1))
        }),
        (format!("list = {list}"), &|row| row.list_id == list),
        (format!("list != {list} status = DONE"), &|row| is_done(row) && row.list_id != list),
        ("delete_time:* NOT status = OPEN".to_owned(), &|row| !live(row) && !is_open(row)),
    ];
    for key in KEYS {
        for (descending, show_deleted) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            for (filter, holds) in &filters {
                let is_shown = |row: &&Row| holds(row) && (show_deleted || live(row));
                let shown: Vec<Row> = rows.iter().filter(is_shown).cloned().collect();
                let expected = sorted(key, descending, &shown);
                let order_by = format!("{key}{}", if descending { " desc" } else { "" });
                for page_size in [7, 60] {
                    let request = ListTasksRequest {
                        page_size,
                        filter: filter.clone(),
                        order_by: order_by.clone(),
                        show_deleted,
                        ..Default::default()
                    };
                    let walked = walk(&ada, &request, async || {}).await;
                    assert_eq!(walked, expected, "{request:?}");
                }
            }
        }
    }
}

/// Others are made and deleted on the way: what was there throughout is met
/// once, in every order.
#[tokio::test]
async fn what_was_there_throughout_is_met_once() {
    let app = TestApp::start().await;
    let mut superuser = app.database.superuser.connect().await.unwrap();
    let mut dice = Dice(11);
    for key in KEYS {
        for direction in ["", " desc"] {
            let ada = app.user();
            let mut there = rows(&mut dice, 80);
            there.retain(|row| row.deleted_at.is_none());
            insert_by(&mut superuser, ada.id, &there).await;
            let mut rev = 1000;
            let mut going: Vec<Uuid> = there.iter().step_by(3).map(|row| row.id).collect();
            let staying: Vec<String> = {
                let stays = |row: &&Row| !going.contains(&row.id);
                there.iter().filter(stays).map(|row| row.title.clone()).collect()
            };
            let order_by = format!("{key}{direction}");
            let request = ListTasksRequest { page_size: 5, order_by, ..Default::default() };
            let walked = walk(&ada, &request, async || {
                if let Some(id) = going.pop() {
                    bin(&mut superuser, ada.id, id).await;
                }
                rev += 1;
                let [new] = &rows(&mut dice, 1)[..] else { panic!("one row") };
                let new = Row { title: format!("new {rev}"), rev, deleted_at: None, ..new.clone() };
                insert_by(&mut superuser, ada.id, &[new]).await;
            })
            .await;
            let met = |title: &String| walked.iter().filter(|met| *met == title).count();
            for title in &staying {
                assert_eq!(met(title), 1, "{key}{direction}: {title} in {walked:?}");
            }
            assert!(walked.iter().all(|title| met(title) == 1), "{key}{direction}: {walked:?}");
        }
    }
}

async fn bin(superuser: &mut PgConnection, user: Uuid, id: Uuid) {
    sqlx::query("update data.tasks set deleted_at = now() where user_id = $1 and id = $2")
        .bind(user)
        .bind(id)
        .execute(superuser)
        .await
        .expect("a task is deleted");
}

/// A page token is good with the request it came from, and refused with another
/// user, filter, order, zone, or without the bin.
#[tokio::test]
async fn a_page_token_is_bound_to_its_request() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    for user in [&ada, &ben] {
        insert(&app.database, user.id, &rows(&mut Dice(3), 9)).await;
    }
    let request = ListTasksRequest {
        page_size: 2,
        filter: "create_time:*".to_owned(),
        order_by: "due desc".to_owned(),
        show_deleted: true,
        time_zone: "Europe/Paris".to_owned(),
        ..Default::default()
    };
    let page_token = ada.list(request.clone()).await.unwrap().next_page_token;
    let request = ListTasksRequest { page_token, ..request };
    for good in [
        request.clone(),
        ListTasksRequest { page_size: 3, parent: ada.name(), ..request.clone() },
        ListTasksRequest { order_by: " due  desc".to_owned(), ..request.clone() },
    ] {
        ada.list(good).await.expect("the same list");
    }
    for other in [
        ListTasksRequest { filter: String::new(), ..request.clone() },
        ListTasksRequest { filter: "update_time:*".to_owned(), ..request.clone() },
        ListTasksRequest { order_by: "due".to_owned(), ..request.clone() },
        ListTasksRequest { order_by: String::new(), ..request.clone() },
        ListTasksRequest { show_deleted: false, ..request.clone() },
        ListTasksRequest { time_zone: String::new(), ..request.clone() },
        ListTasksRequest { page_token: "A".to_owned(), ..request.clone() },
    ] {
        let refusal = refused(ada.list(other).await, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
        assert!(refusal.message().contains("start again without one"), "{refusal:?}");
    }
    refused(ben.list(request.clone()).await, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    let sync_token = ada.list(ListTasksRequest::default()).await.unwrap().sync_token;
    let request = ListTasksRequest { page_token: sync_token, ..Default::default() };
    refused(ada.list(request).await, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
}

/// Midnight in the middle of a walk does not change what its filter means.
#[tokio::test]
async fn a_walk_is_of_the_day_it_began() {
    let app = TestApp::start().await;
    let ada = app.user();
    let rows: Vec<Row> = (1..=20)
        .map(|rev| Row { due_date: Some(day(rev % 2)), ..Row::new(&rev.to_string(), rev) })
        .collect();
    insert(&app.database, ada.id, &rows).await;
    let request =
        ListTasksRequest { page_size: 3, filter: "due = today()".to_owned(), ..Default::default() };
    let first = ada.list(request.clone()).await.unwrap();
    app.clock.advance(std::time::Duration::from_secs(24 * 60 * 60));
    let ada = app.with_token(ada.id, &app.token(ada.id));
    let request = ListTasksRequest { page_token: first.next_page_token, page_size: 60, ..request };
    let rest = ada.list(request).await.unwrap();
    let titles = first.tasks.into_iter().chain(rest.tasks).map(|task| task.title);
    assert_eq!(titles.collect::<Vec<_>>().join(" "), "20 18 16 14 12 10 8 6 4 2");
}
