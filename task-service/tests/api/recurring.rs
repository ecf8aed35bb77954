//! Tasks that come back.

use proto::task::v1::{self as pb, TaskStatus};
use tonic::Code;

use crate::app::{TestApp, at_once, date, due_on, fields, reason, refused, repeating};

/// Completing one occurrence makes the next, once, in its place and with its
/// steps open; the completed one stays. Reopening takes the next back.
#[tokio::test]
async fn completing_makes_the_next_occurrence() {
    let app = TestApp::start().await;
    let ada = app.user();
    ada.create("last").await;
    let task = repeating("Water plants", date(2099, 1, 31), "FREQ=MONTHLY");
    let task = ada.create_with(task, "").await.unwrap().into_inner();
    let step = ada.step("Kitchen", &task.name).await;
    ada.complete(&step.name).await.unwrap();
    ada.create("first").await;
    assert_eq!(task.recurrence.as_ref().unwrap().series, task.name.rsplit('/').next().unwrap());

    let request = pb::CompleteTaskRequest { name: task.name.clone(), ..Default::default() };
    let answer = ada.client.clone().complete_task(request.clone()).await.unwrap().into_inner();
    let (done, next) = (answer.task.unwrap(), answer.next.expect("the next one"));
    assert_eq!(done.status(), TaskStatus::Done);
    assert_eq!((next.title.as_str(), next.status()), ("Water plants", TaskStatus::Open));
    assert_eq!(next.due, Some(due_on(date(2099, 2, 28))), "a short month's last day");
    assert_eq!(next.recurrence, task.recurrence);
    assert_ne!(next.name, task.name);
    let order: Vec<_> = ada.in_order().await.into_iter().map(|task| task.name).collect();
    let place = order.iter().position(|name| *name == next.name).unwrap();
    let titles: Vec<_> = ada.in_order().await.into_iter().map(|task| task.title).collect();
    let rest: Vec<_> = titles.iter().enumerate().filter(|&(n, _)| n > place).collect();
    assert!(rest.iter().any(|(_, title)| *title == "last"), "{titles:?}");
    let steps = ada.children(&next.name).await;
    assert_eq!(steps.len(), 1);
    assert_eq!((steps[0].title.as_str(), steps[0].status()), ("Kitchen", TaskStatus::Open));

    let again = ada.client.clone().complete_task(request.clone()).await.unwrap().into_inner();
    assert_eq!(again.next, None, "it is closed already");
    ada.reopen(&task.name).await.unwrap();
    assert!(ada.get(&next.name).await.unwrap().delete_time.is_some());
    let once_more = ada.client.clone().complete_task(request).await.unwrap().into_inner();
    assert_eq!(once_more.next.unwrap().name, next.name, "the task before and the day say which");

    app.clock.advance(std::time::Duration::from_secs(1));
    // One that somebody touched stays when its forerunner is opened again.
    let touched = pb::Task { name: next.name.clone(), notes: "!".to_owned(), ..Default::default() };
    ada.update(touched, &["notes"]).await.unwrap();
    ada.reopen(&task.name).await.unwrap();
    assert!(ada.get(&next.name).await.unwrap().delete_time.is_none());
}

/// Twenty who complete at once make one occurrence.
#[tokio::test]
async fn twenty_completions_make_one_occurrence() {
    let app = TestApp::start().await;
    let ada = app.user();
    let task = repeating("Daily", date(2099, 3, 1), "FREQ=DAILY");
    let task = ada.create_with(task, "").await.unwrap().into_inner();
    let calls = (0..20).map(|_| {
        let (ada, name) = (ada.clone(), task.name.clone());
        async move { ada.complete(&name).await.expect("it is done") }
    });
    at_once(calls).await;
    let all = ada.in_order().await;
    assert_eq!(all.len(), 2);
    assert_eq!(ada.usage().await.tasks, 2);
    assert_eq!(app.head(&ada).await, 3, "made, followed, closed");
}

/// Completing late leaves out what is past; completing by completion counts
/// from there; the last occurrence has none after it.
#[tokio::test]
async fn what_comes_next_depends_on_the_day() {
    let app = TestApp::start().await;
    let ada = app.user();
    let today = shared::clock::Clock::now(&app.clock).date_naive();
    let ago = |days: u64| today.checked_sub_days(chrono::Days::new(days)).unwrap();
    let complete = async |task: pb::Task| {
        let name = ada.create_with(task, "").await.unwrap().into_inner().name;
        let request = pb::CompleteTaskRequest { name, ..Default::default() };
        let next = ada.client.clone().complete_task(request).await.unwrap().into_inner().next;
        next.map(|next| next.due.unwrap())
    };
    let late = complete(repeating("Late", ago(10), "FREQ=DAILY;INTERVAL=3")).await;
    assert_eq!(late, Some(due_on(ago(10).checked_add_days(chrono::Days::new(12)).unwrap())));
    let mut after = repeating("After", ago(10), "FREQ=WEEKLY");
    after.recurrence.as_mut().unwrap().anchor = pb::RecurrenceAnchor::Completion.into();
    let next = complete(after).await;
    assert_eq!(next, Some(due_on(today.checked_add_days(chrono::Days::new(7)).unwrap())));
    let mut twice = repeating("Twice", date(2099, 1, 1), "FREQ=DAILY;COUNT=2");
    twice.due.as_mut().unwrap().minute_of_day = Some(540);
    let made = ada.create_with(twice, "").await.unwrap().into_inner();
    let request = pb::CompleteTaskRequest { name: made.name, ..Default::default() };
    let second = ada.client.clone().complete_task(request).await.unwrap().into_inner().next;
    let second = second.expect("the second");
    assert_eq!(second.due.as_ref().unwrap().minute_of_day, Some(540));
    let request = pb::CompleteTaskRequest { name: second.name, ..Default::default() };
    let third = ada.client.clone().complete_task(request).await.unwrap().into_inner().next;
    assert_eq!(third, None);
}

/// An occurrence that was done before its day, or put on another one, is
/// followed by one even where that falls on the very day this one was made for.
#[tokio::test]
async fn an_occurrence_that_was_brought_forward_is_followed_all_the_same() {
    let app = TestApp::start().await;
    let ada = app.user();
    let complete = async |name: String| {
        let request = pb::CompleteTaskRequest { name, ..Default::default() };
        ada.client.clone().complete_task(request).await.unwrap().into_inner().next
    };
    let weekly = repeating("Weekly", date(2099, 1, 5), "FREQ=WEEKLY");
    let first = ada.create_with(weekly, "").await.unwrap().into_inner();
    let second = complete(first.name).await.expect("the second");
    assert_eq!(second.due, Some(due_on(date(2099, 1, 12))));
    let earlier = due_on(date(2099, 1, 10));
    let task = pb::Task { name: second.name.clone(), due: Some(earlier), ..Default::default() };
    ada.update(task, &["due"]).await.unwrap();
    let third = complete(second.name.clone()).await.expect("the third");
    assert_eq!(third.due, Some(due_on(date(2099, 1, 12))));
    assert_ne!(third.name, second.name);

    let mut daily = repeating("After", date(2099, 1, 5), "FREQ=DAILY");
    daily.recurrence.as_mut().unwrap().anchor = pb::RecurrenceAnchor::Completion.into();
    let first = ada.create_with(daily, "").await.unwrap().into_inner();
    // Both on one day, so the second comes a day later both times.
    let second = complete(first.name).await.expect("the second");
    let third = complete(second.name.clone()).await.expect("the third");
    assert_eq!(third.due, second.due);
    assert_ne!(third.name, second.name);
}

/// A rule needs a due date and has to be one that can be kept.
#[tokio::test]
async fn a_rule_that_cannot_be_kept_is_refused() {
    let app = TestApp::start().await;
    let ada = app.user();
    let day = date(2099, 1, 1);
    for bad in [
        "",
        "FREQ=HOURLY",
        "FREQ=DAILY;INTERVAL=0",
        "INTERVAL=2",
        "FREQ=DAILY;COUNT=2;UNTIL=20990202",
    ] {
        let status = refused(
            ada.create_with(repeating("Bad", day, bad), "").await,
            Code::InvalidArgument,
            "RRULE_INVALID",
        );
        assert_eq!(fields(&status), ["task.recurrence.rrule"], "{bad}");
    }
    let undue = pb::Task { due: None, ..repeating("No day", day, "FREQ=DAILY") };
    let status = refused(ada.create_with(undue, "").await, Code::InvalidArgument, "RRULE_INVALID");
    assert_eq!(fields(&status), ["task.recurrence"]);

    let plain = ada.create("Plain").await;
    let ruled = pb::Task { name: plain.name.clone(), ..repeating("", day, "FREQ=DAILY") };
    let status = ada.update(ruled.clone(), &["recurrence"]).await.unwrap_err();
    assert_eq!(reason(&status), "RRULE_INVALID");
    assert_eq!(fields(&status), ["task.recurrence"]);
    let both = ada.update(ruled, &["recurrence", "due"]).await.unwrap();
    assert_eq!(both.recurrence.as_ref().unwrap().rrule, "FREQ=DAILY");
    let undue = pb::Task { name: plain.name.clone(), ..Default::default() };
    let status = ada.update(undue.clone(), &["due"]).await.unwrap_err();
    assert_eq!(reason(&status), "RRULE_INVALID");
    let neither = ada.update(undue, &["due", "recurrence"]).await.unwrap();
    assert_eq!((neither.due, neither.recurrence), (None, None));
}

/// A rule may end before today, where the task is due before that.
#[tokio::test]
async fn an_overdue_task_takes_a_rule_that_is_over() {
    let app = TestApp::start().await;
    let ada = app.user();
    let due = pb::Task {
        title: "Pay".to_owned(),
        due: Some(due_on(date(2001, 1, 1))),
        ..pb::Task::default()
    };
    let task = ada.create_with(due, "").await.unwrap().into_inner();
    let rule = |rrule: &str| pb::Task {
        name: task.name.clone(),
        recurrence: Some(pb::Recurrence { rrule: rrule.to_owned(), ..Default::default() }),
        ..pb::Task::default()
    };
    let monthly = ada.update(rule("FREQ=MONTHLY;UNTIL=20010301"), &["recurrence"]).await.unwrap();
    assert_eq!(monthly.recurrence.unwrap().rrule, "FREQ=MONTHLY;UNTIL=20010301");
    // What never comes is still refused, and so is an end before the day that is said.
    let never = ada.update(rule("FREQ=YEARLY;BYMONTH=1;BYYEARDAY=366"), &["recurrence"]).await;
    refused(never, Code::InvalidArgument, "RRULE_INVALID");
    let both = pb::Task { due: task.due.clone(), ..rule("FREQ=DAILY;UNTIL=20001231") };
    let over = ada.update(both, &["recurrence", "due"]).await;
    refused(over, Code::InvalidArgument, "RRULE_INVALID");
}
