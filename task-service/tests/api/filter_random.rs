//! Filters made at random: each finds the rows for which it is true by a reading
//! of it that shares nothing with the service's. A failure names its seed.

use chrono::{DateTime, TimeDelta, Utc};
use shared::rng;
use uuid::Uuid;

use crate::{
    app::TestApp,
    filter::found,
    rows::{Dice, Row, day, insert, noon},
};

const ROWS: i64 = 60;
const FILTERS: u64 = 400;
const WORDS: [&str; 5] = ["milk", "Bread", "o'clock", "50%", "ünï"];
const LABELS: [&str; 4] = ["home", "Home", "at work", "*"];

type Holds = dyn Fn(&Row) -> Option<bool>;
type At = fn(&Row) -> Option<DateTime<Utc>>;

/// A filter: true, false or, where a field is not set, neither.
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Leaf { text: String, holds: Box<Holds> },
}

impl Node {
    fn holds(&self, row: &Row) -> Option<bool> {
        let all = |parts: &[Self]| -> Vec<_> { parts.iter().map(|part| part.holds(row)).collect() };
        match self {
            Self::And(parts) => {
                let parts = all(parts);
                if parts.contains(&Some(false)) {
                    return Some(false);
                }
                (!parts.contains(&None)).then_some(true)
            }
            Self::Or(parts) => {
                let parts = all(parts);
                if parts.contains(&Some(true)) {
                    return Some(true);
                }
                (!parts.contains(&None)).then_some(false)
            }
            Self::Not(part) => part.holds(row).map(|holds| !holds),
            Self::Leaf { holds, .. } => holds(row),
        }
    }

    fn text(&self, dice: &mut Dice) -> String {
        match self {
            Self::And(parts) => {
                let mut text = String::new();
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        text += dice.one_of(&[" ", " AND "]);
                    }
                    text += &part.within(dice, matches!(part, Self::And(_)));
                }
                text
            }
            Self::Or(parts) => {
                let inside = |part: &Self| matches!(part, Self::And(_) | Self::Or(_));
                let parts = parts.iter().map(|part| part.within(dice, inside(part)));
                parts.collect::<Vec<_>>().join(" OR ")
            }
            Self::Not(part) => {
                let text = part.within(dice, !matches!(**part, Self::Leaf { .. }));
                format!("{}{text}", dice.one_of(&["-", "NOT "]))
            }
            Self::Leaf { text, .. } => text.clone(),
        }
    }

    fn within(&self, dice: &mut Dice, parentheses: bool) -> String {
        let text = self.text(dice);
        if parentheses || dice.below(6) == 0 { format!("({text})") } else { text }
    }
}

fn node(dice: &mut Dice, depth: usize, rows: &[Row]) -> Node {
    match dice.below(if depth == 0 { 1 } else { 5 }) {
        1 => Node::And((0..dice.below(2) + 2).map(|_| node(dice, depth - 1, rows)).collect()),
        2 => Node::Or((0..dice.below(2) + 2).map(|_| node(dice, depth - 1, rows)).collect()),
        3 => Node::Not(Box::new(node(dice, depth - 1, rows))),
        _ => leaf(dice, rows),
    }
}

fn leaf(dice: &mut Dice, rows: &[Row]) -> Node {
    match dice.below(8) {
        0 => status(dice),
        1 => presence(dice),
        2 => due(dice),
        3 => time(dice),
        4 => words(dice),
        5 => {
            let label = dice.one_of(&LABELS);
            leaf_of(format!("labels:\"{label}\""), move |row| {
                Some(row.labels.iter().any(|has| has == label))
            })
        }
        6 => {
            let (priority, name) = dice.one_of(&[(1, "LOW"), (2, "MEDIUM"), (3, "HIGH")]);
            let (sign, compares) = comparison(dice);
            leaf_of(format!("priority {sign} {name}"), move |row| {
                (row.priority > 0).then(|| compares(row.priority.cmp(&priority)))
            })
        }
        _ => reference(dice, rows),
    }
}

fn leaf_of(text: String, holds: impl Fn(&Row) -> Option<bool> + 'static) -> Node {
    Node::Leaf { text, holds: Box::new(holds) }
}

fn comparison(dice: &mut Dice) -> (&'static str, fn(std::cmp::Ordering) -> bool) {
    dice.one_of(&[
        ("=", std::cmp::Ordering::is_eq as fn(_) -> _),
        ("!=", std::cmp::Ordering::is_ne),
        ("<", std::cmp::Ordering::is_lt),
        ("<=", std::cmp::Ordering::is_le),
        (">", std::cmp::Ordering::is_gt),
        (">=", std::cmp::Ordering::is_ge),
    ])
}

fn status(dice: &mut Dice) -> Node {
    let name = dice.one_of(&["OPEN", "DONE", "CANCELLED"]);
    let (sign, equal) = dice.one_of(&[("=", true), ("!=", false), (":", true)]);
    leaf_of(format!("status{sign}{name}"), move |row| {
        let own = match (row.completed_at, row.cancelled) {
            (None, _) => "OPEN",
            (_, false) => "DONE",
            (_, true) => "CANCELLED",
        };
        Some((own == name) == equal)
    })
}

fn presence(dice: &mut Dice) -> Node {
    let (field, has): (_, fn(&Row) -> bool) = dice.one_of(&[
        ("due", (|row| row.due_date.is_some()) as fn(&Row) -> bool),
        ("priority", |row| row.priority > 0),
        ("labels", |row| !row.labels.is_empty()),
        ("parent_task", |row| row.parent_id.is_some()),
        ("complete_time", |row| row.completed_at.is_some()),
        ("delete_time", |row| row.deleted_at.is_some()),
        ("notes", |row| !row.notes.is_empty()),
        ("recurrence", |row| row.rrule.is_some()),
    ]);
    leaf_of(format!("{field}:*"), move |row| Some(has(row)))
}

fn due(dice: &mut Dice) -> Node {
    let days = dice.number(9) - 4;
    let (sign, compares) = comparison(dice);
    let written = match dice.below(3) {
        0 => format!("days({days})"),
        1 if days == 0 => "today()".to_owned(),
        _ => day(days).to_string(),
    };
    leaf_of(format!("due{sign}{written}"), move |row| {
        row.due_date.map(|own| compares(own.cmp(&day(days))))
    })
}

fn time(dice: &mut Dice) -> Node {
    let (field, of): (_, At) = dice.one_of(&[
        ("create_time", (|row| Some(row.created_at)) as At),
        ("update_time", |row| Some(row.updated_at)),
        ("complete_time", |row| row.completed_at),
        ("delete_time", |row| row.deleted_at),
    ]);
    let at = noon() + TimeDelta::minutes(dice.number(70));
    let (sign, compares) = comparison(dice);
    leaf_of(format!("{field} {sign} {}", at.format("%FT%TZ")), move |row| {
        of(row).map(|own| compares(own.cmp(&at)))
    })
}

fn words(dice: &mut Dice) -> Node {
    let word = dice.one_of(&WORDS);
    let has = move |text: &str| text.to_lowercase().contains(&word.to_lowercase());
    let upper = word.to_uppercase();
    match dice.below(5) {
        0 => leaf_of(word.to_owned(), move |row| Some(has(&row.title) || has(&row.notes))),
        1 => leaf_of(format!("\"{upper}\""), move |row| Some(has(&row.title) || has(&row.notes))),
        2 => leaf_of(format!("title:{upper}"), move |row| Some(has(&row.title))),
        3 => leaf_of(format!("notes:\"{word}\""), move |row| Some(has(&row.notes))),
        _ => leaf_of(format!("notes != \"{word}\""), move |row| Some(row.notes != word)),
    }
}

fn reference(dice: &mut Dice, rows: &[Row]) -> Node {
    let (sign, equal) = dice.one_of(&[("=", true), ("!=", false)]);
    let row = dice.one_of(rows);
    if dice.below(2) == 0 {
        let list = row.list_id;
        let name = if list.is_nil() { "inbox".to_owned() } else { list.to_string() };
        return leaf_of(format!("list {sign} users/me/lists/{name}"), move |row| {
            Some((row.list_id == list) == equal)
        });
    }
    let parent = row.parent_id.unwrap_or(row.id);
    leaf_of(format!("parent_task{sign}{parent}"), move |row| {
        row.parent_id.map(|own| (own == parent) == equal)
    })
}

/// Rows of which each has some fields and not others.
fn rows(dice: &mut Dice) -> Vec<Row> {
    let lists = [Uuid::nil(), rng::uuid_v4(), rng::uuid_v4()];
    let mut rows: Vec<Row> = Vec::new();
    for rev in 1..=ROWS {
        let new = Row::new("", rev);
        let maybe_at = |dice: &mut Dice| {
            let minutes = TimeDelta::minutes(dice.number(70));
            (dice.below(2) == 0).then(|| noon() + minutes)
        };
        let completed_at = maybe_at(dice);
        let words = |dice: &mut Dice| {
            let words = (0..dice.below(3)).map(|_| dice.one_of(&WORDS));
            words.collect::<Vec<_>>().join(" ")
        };
        let labels = LABELS.map(|label| (dice.below(3) == 0).then(|| label.to_owned()));
        let due_date = (dice.below(3) > 0).then(|| day(dice.number(9) - 4));
        rows.push(Row {
            title: format!("{rev:02} {}", words(dice)),
            notes: words(dice),
            completed_at,
            cancelled: completed_at.is_some() && dice.below(2) == 0,
            due_date,
            due_minute: due_date.and_then(|_| (dice.below(2) == 0).then_some(600)),
            list_id: dice.one_of(&lists),
            parent_id: rows.get(dice.below(2 * rows.len() + 1)).map(|row| row.id),
            priority: dice.number(4),
            labels: labels.into_iter().flatten().collect(),
            rrule: due_date.and_then(|_| (dice.below(3) == 0).then_some("FREQ=DAILY")),
            deleted_at: maybe_at(dice).filter(|_| dice.below(2) == 0),
            ..new
        });
    }
    rows
}

/// Whatever a filter says, it finds the rows for which that is true, all of
/// them, and no others.
#[tokio::test]
async fn a_filter_finds_the_rows_for_which_it_is_true() {
    let app = TestApp::start().await;
    let ada = app.user();
    let rows = rows(&mut Dice(1));
    insert(&app.database, ada.id, &rows).await;
    let (mut some, mut most) = (0, 0);
    for seed in 0..FILTERS {
        let mut dice = Dice(seed);
        let filter = node(&mut dice, 3, &rows);
        let text = filter.text(&mut dice);
        if text.len() > 1024 {
            continue;
        }
        let titles = found(&ada, &text).await.unwrap_or_else(|status| panic!("{seed}: {status:?}"));
        let expected = rows.iter().filter(|row| filter.holds(row) == Some(true));
        let expected: Vec<String> = expected.map(|row| row.title.clone()).collect();
        assert_eq!(titles, expected, "seed {seed}: {text}");
        some += usize::from(!titles.is_empty() && titles.len() < rows.len());
        most = most.max(text.len());
    }
    assert!(some > 200, "{some} filters told some rows from others");
    assert!(most > 300, "the longest was {most} long");
}
