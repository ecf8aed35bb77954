//! The commands about tasks: what they ask for, and what they show.

use proto::task::v1::{
    BatchMutateTasksRequest, CompleteTaskRequest, CreateTaskRequest, DeleteTaskRequest,
    GetTaskRequest, ListTasksRequest, MoveTaskRequest, Priority, Recurrence, RecurrenceAnchor,
    ReopenTaskRequest, Task, UndeleteTaskRequest, UpdateTaskRequest, move_task_request::Place,
    task_operation::Operation,
};

use super::{
    House,
    store::{list_name, name},
};

fn task(title: &str) -> Task {
    Task { title: title.to_owned(), list: "users/u/lists/inbox".to_owned(), ..Task::default() }
}

/// Somebody with a list Home, tasks 0 and 1, and task 2 as a step of task 0.
async fn house() -> House {
    let house = House::signed_in().await;
    house.asked(|script| {
        script.store.add_list("Home");
        script.store.add(task("Cake"));
        script.store.add(task("Tea"));
        script.store.add(Task { parent_task: name(0), ..task("Eggs") });
    });
    house
}

#[tokio::test]
async fn a_task_is_added_with_all_it_can_have() {
    let house = house().await;
    let line = "add Water the flowers --due 2026-12-24 --list home --parent 00000000 \
                --priority high --label green --label home --repeat weekly --after-completion";
    let shown = house.sees(line).await;
    assert!(shown.contains("Water the flowers") && shown.contains("high"), "{shown}");
    assert!(shown.contains("Home") && shown.contains("green, home"), "{shown}");
    assert!(shown.contains("Every week, after completion"), "{shown}");

    let request: CreateTaskRequest = house.last();
    assert!(!request.request_id.is_empty());
    let task = request.task.unwrap();
    assert_eq!((task.list, task.parent_task), (list_name(0), name(0)));
    assert_eq!(task.priority, i32::from(Priority::High));
    assert_eq!(task.labels, ["green", "home"]);
    let recurrence = task.recurrence.unwrap();
    assert_eq!(recurrence.rrule, "FREQ=WEEKLY");
    assert_eq!(recurrence.anchor(), RecurrenceAnchor::Completion);

    house.gets("add Plain").await;
    let task = house.last::<CreateTaskRequest>().task.unwrap();
    assert_eq!(task, Task { title: "Plain".to_owned(), ..Task::default() });
}

#[tokio::test]
async fn a_list_of_tasks_is_asked_for_and_shown_as_a_tree() {
    let house = house().await;
    let table = house.sees("ls --list Home --due today --search milk --sort due").await;
    let lines: Vec<&str> = table.lines().map(str::trim).collect();
    assert!(lines[1].starts_with("☐  Cake") && lines[2].starts_with("☐  · Eggs"), "{table}");
    let request: ListTasksRequest = house.last();
    let id = list_name(0).replace("users/u/lists/", "");
    let filter = format!("status = OPEN AND list = \"{id}\" AND due = today() AND \"milk\"");
    assert_eq!((request.filter, request.order_by), (filter, "due".to_owned()));
    assert_eq!(request.time_zone, "Asia/Tokyo");

    let json = house.gets("ls").await;
    let titles: Vec<_> = json["tasks"].as_array().unwrap().iter().map(|it| &it["title"]).collect();
    assert_eq!(titles, ["Cake", "Tea", "Eggs"]);
    assert_eq!(json["tasks"][2]["parentTask"], name(0));
}

#[tokio::test]
async fn nothing_is_told_in_a_sentence() {
    let house = House::signed_in().await;
    for (line, said) in [
        ("ls", "There is nothing to do.\n"),
        ("ls --all", "There are no tasks.\n"),
        ("ls --label x", "There are no such tasks.\n"),
        ("bin", "The bin is empty.\n"),
    ] {
        assert_eq!(house.sees(line).await, said);
    }
}

#[tokio::test]
async fn a_task_is_found_by_its_title_and_name_alone() {
    let house = house().await;
    let shown = house.sees("show 00000002").await;
    assert!(shown.starts_with("☐ Eggs") && shown.contains("Step of  00000000"), "{shown}");
    let request: ListTasksRequest = house.last();
    assert_eq!(request.read_mask.unwrap().paths, ["name", "title"]);
    assert!(request.show_deleted);
    assert_eq!(house.last::<GetTaskRequest>().name, name(2));
}

#[tokio::test]
async fn an_edit_and_a_move_are_one_change() {
    let house = house().await;
    house.gets("edit 00000001 --title Coffee --label hot --priority low").await;
    let request: UpdateTaskRequest = house.last();
    assert_eq!(request.update_mask.unwrap().paths, ["title", "priority", "labels"]);
    assert!(!request.request_id.is_empty());

    house.gets("edit 00000001 --no-labels --list Home").await;
    let request: BatchMutateTasksRequest = house.last();
    assert_eq!(request.operations.len(), 2);
    assert!(!request.request_id.is_empty());
    let task = house.asked(|script| script.store.tasks[1].clone());
    assert_eq!((task.list, task.labels), (list_name(0), Vec::<String>::new()));

    house.gets("edit 00000002 --top").await;
    let request: MoveTaskRequest = house.last();
    assert_eq!((request.parent_task, request.list), (Some(String::new()), None));
}

#[tokio::test]
async fn a_task_is_moved_to_a_place() {
    let house = house().await;
    let end = |number: usize| format!("{number:08}");
    for (place, list, parent, at) in [
        (format!("--after {}", end(1)), None, None, Some(Place::After(name(1)))),
        (format!("--before {}", end(2)), None, None, Some(Place::Before(name(2)))),
        ("--first".to_owned(), None, None, None),
        ("--list HOME".to_owned(), Some(list_name(0)), None, None),
        ("--top".to_owned(), None, Some(String::new()), None),
        (
            format!("--list inbox --parent {} --after {}", end(0), end(2)),
            Some("users/me/lists/inbox".to_owned()),
            Some(name(0)),
            Some(Place::After(name(2))),
        ),
    ] {
        house.gets(&format!("mv {} {place}", end(1))).await;
        let request: MoveTaskRequest = house.last();
        assert!(!request.request_id.is_empty());
        assert_eq!(request.name, name(1));
        assert_eq!((request.list, request.parent_task, request.place), (list, parent, at));
    }
}

/// The last changes that were asked for, by one call that may be repeated.
fn changes(house: &House) -> Vec<Operation> {
    let request: BatchMutateTasksRequest = house.last();
    assert!(!request.request_id.is_empty());
    request.operations.into_iter().map(|it| it.operation.unwrap()).collect()
}

fn completion(house: &House) -> CompleteTaskRequest {
    match changes(house).as_slice() {
        [Operation::Complete(request)] => request.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_parent_is_closed_with_its_steps_only_if_forced() {
    let house = house().await;
    let ran = house.duet("done 00000000", true).await;
    assert_eq!(ran.exit, 9);
    assert_eq!(ran.errors, "Not now. With --force they are closed too.\n");
    house.gets("done 00000000 --force --at 2026-11-20T18:00").await;
    let request = completion(&house);
    assert!(request.force && !request.cancel);
    assert_eq!(request.time_zone, "Asia/Tokyo");
    assert_eq!(request.complete_time.unwrap().to_string(), "2026-11-20T09:00:00Z");

    let shown = house.sees("done 00000001 --cancel").await;
    assert!(shown.starts_with("☒  Tea"), "{shown}");
    let request = completion(&house);
    assert!(request.cancel && request.complete_time.is_none());
    house.gets("reopen 00000001").await;
    let reopened = Operation::Reopen(ReopenTaskRequest { name: name(1), ..Default::default() });
    assert_eq!(changes(&house), [reopened]);
}

#[tokio::test]
async fn the_next_occurrence_is_shown() {
    let house = house().await;
    house.asked(|script| {
        script.store.tasks[1].recurrence =
            Some(Recurrence { rrule: "FREQ=DAILY".to_owned(), ..Recurrence::default() });
    });
    let shown = house.sees("done 00000001").await;
    assert!(shown.contains("☑  Tea") && shown.contains("☐  Tea"), "{shown}");
    assert!(shown.contains("Every day"), "{shown}");
    // Of all occurrences those that were made just now.
    let json = house.gets("done 00000001 00000003").await;
    assert_eq!(json["tasks"][0]["status"], "TASK_STATUS_DONE");
    let next: Vec<_> = json["next"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(next, [&name(4), &name(5)]);
}

#[tokio::test]
async fn what_is_deleted_lies_in_the_bin_and_comes_back() {
    let house = house().await;
    house.gets("rm 00000001").await;
    let deleted = Operation::Delete(DeleteTaskRequest { name: name(1), ..Default::default() });
    assert_eq!(changes(&house), [deleted]);
    let bin = house.sees("bin").await;
    assert!(bin.contains("Tea") && !bin.contains("Cake"), "{bin}");
    let request: ListTasksRequest = house.last();
    assert_eq!((request.filter.as_str(), request.show_deleted), ("delete_time:*", true));

    // Only what is in the bin is looked for.
    assert_eq!(house.duet("restore 00000000", true).await.exit, 5);
    let shown = house.sees("restore 00000001").await;
    assert!(shown.starts_with("☐  Tea"), "{shown}");
    let back = Operation::Undelete(UndeleteTaskRequest { name: name(1), ..Default::default() });
    assert_eq!(changes(&house), [back]);
    assert_eq!(house.duet(&format!("restore {}", name(1)), true).await.exit, 6);
}

#[tokio::test]
async fn several_tasks_are_changed_at_once_or_not_at_all() {
    let house = house().await;
    let ran = house.duet("done 00000001 00000000", true).await;
    assert_eq!((ran.exit, ran.output.as_str()), (9, ""));
    assert_eq!(ran.errors, "00000000: Not now. With --force they are closed too.\n");
    let shown = house.sees("done 00000001 00000000 00000001 --force").await;
    assert!(shown.contains("☑  Tea") && shown.contains("☑  Cake"), "{shown}");
    assert_eq!(changes(&house).len(), 2, "what is named twice is changed once");
    let json = house.gets("rm 00000001 00000000").await;
    assert_eq!(json["deleted"], serde_json::json!([name(1), name(0)]));
    // Nothing is done if one of them is not there.
    assert_eq!(house.duet("rm 00000002 ffffffff", true).await.exit, 5);
    assert_eq!(house.asked(|script| script.all::<BatchMutateTasksRequest>()).len(), 3);
}

#[tokio::test]
async fn more_than_a_batch_takes_are_several_batches() {
    let house = house().await;
    house.asked(|script| (0..600).for_each(|_| script.store.add(task("One of many"))));
    let names: Vec<_> = (3..603).map(name).collect();
    let line = format!("rm {}", names.join(" "));
    let json = house.gets(&line).await;
    assert_eq!(json["deleted"].as_array().unwrap().len(), 600);
    // What was done before a failure is told.
    let line = format!("restore {} {} {}", names.join(" "), name(603), name(2));
    let ran = house.duet(&line, false).await;
    assert_eq!((ran.exit, ran.errors.as_str()), (5, "00000603: Not now.\n"));
    let json: serde_json::Value = serde_json::from_str(&ran.output).unwrap();
    assert_eq!(json["tasks"].as_array().unwrap().len(), 500);
}
