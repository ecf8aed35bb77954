//! `duet watch`: what there is and then what changes, on a terminal as a list
//! that is drawn anew, elsewhere as JSON with one object in each line.
//!
//! Two halves run side by side: `source` keeps a stream of the service going,
//! this one shows what it brings. Between them is a short channel, so a slow
//! terminal slows the stream down instead of filling the memory.

mod feed;
mod screen;
mod source;

use std::{future::pending, io::Write};

use chrono::SecondsFormat;
use proto::task::v1::{WatchTasksRequest, watch_tasks_response::Event};
use serde::Serialize;
use serde_json::json;
use shared::clock::{Clock as _, SystemClock};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

use self::{
    feed::{Feed, News, What},
    screen::Screen,
    source::{Source, Told},
};
use super::{failure::Failure, find, json, output::Output, query, session::Session, zone};
use crate::cli::{Options, tasks::Watch};

/// Messages of the service that may wait to be shown.
const WAITING: usize = 4;

const RECONNECTING: &str = "Reconnecting…";

/// `duet watch`
pub(crate) async fn watch(
    mut session: Session,
    options: &Options,
    Watch { which }: &Watch,
    output: &mut Output<'_>,
    errors: &mut dyn Write,
) -> Result<(), Failure> {
    let list = find::optional_list(&mut session, which.list.as_deref()).await?;
    let request = WatchTasksRequest {
        filter: query::filter(which, None, list.as_deref()),
        time_zone: zone::name(options),
        ..WatchTasksRequest::default()
    };
    // A filter says itself whether it is about closed ones.
    let filtered = which.filter.is_some();
    let (tell, told) = mpsc::channel(WAITING);
    let mut source = Box::pin(Source::new(session, request).run(tell));
    let mut show = Box::pin(Show { filtered, json: options.json, output, errors }.run(told));
    tokio::select! {
        shown = &mut show => shown,
        // What was told before the end is still shown.
        ended = &mut source => show.await.and(ended),
        () = interrupted() => {
            drop(show);
            Ok(())
        }
    }
}

/// Ends when the user or the system wants the program to.
async fn interrupted() {
    let mut signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
        .map(|kind| signal(kind).ok());
    let [interrupt, terminate, hangup] = &mut signals;
    tokio::select! {
        () = received(interrupt) => {}
        () = received(terminate) => {}
        () = received(hangup) => {}
    }
}

async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => pending().await,
    }
}

/// The half that shows.
struct Show<'a, 'o> {
    filtered: bool,
    json: bool,
    output: &'a mut Output<'o>,
    errors: &'a mut dyn Write,
}

impl Show<'_, '_> {
    async fn run(self, told: mpsc::Receiver<Told>) -> Result<(), Failure> {
        if self.output.is_json() { self.lines(told).await } else { self.redraw(told).await }
    }

    /// One object in each line, for programs.
    async fn lines(mut self, mut told: mpsc::Receiver<Told>) -> Result<(), Failure> {
        let mut feed = Feed::default();
        while let Some(told) = told.recv().await {
            match told {
                // It comes regularly, so that an end is noticed in a quiet time too.
                Told::Event(Event::Bookmark(_)) if !self.output.is_read() => return Ok(()),
                Told::Event(event) => {
                    for news in feed.take(event) {
                        self.output.json_line(&Line::from(news))?;
                    }
                }
                Told::Restart => feed.restart(),
                Told::Lost => self.say(false),
                Told::Back => self.say(true),
            }
        }
        Ok(())
    }

    /// A list that is drawn anew, for people.
    async fn redraw(self, mut told: mpsc::Receiver<Told>) -> Result<(), Failure> {
        let mut feed = Feed::default();
        let mut screen = Screen::open(self.output, self.filtered)?;
        let mut resized = signal(SignalKind::window_change()).ok();
        let mut lost = false;
        loop {
            let is_news = tokio::select! {
                () = received(&mut resized) => true,
                told = told.recv() => match told {
                    Some(Told::Event(event)) => {
                        let news = feed.take(event);
                        screen.note(&news);
                        !news.is_empty()
                    }
                    Some(Told::Restart) => {
                        feed.restart();
                        false
                    }
                    Some(now @ (Told::Lost | Told::Back)) => {
                        lost = matches!(now, Told::Lost);
                        true
                    }
                    None => return Ok(()),
                },
            };
            // What is there is drawn when all of it is known.
            if is_news && feed.is_current() {
                screen.draw(&feed)?;
            }
            // Below the list, until the list is drawn again.
            if is_news && lost {
                drop(writeln!(self.errors, "{RECONNECTING}"));
            }
        }
    }

    /// Tells on standard error whether there is a connection.
    fn say(&mut self, connected: bool) {
        let words = match (self.json, connected) {
            (true, _) => json!({ "connected": connected }).to_string(),
            (false, true) => "Connected again.".to_owned(),
            (false, false) => RECONNECTING.to_owned(),
        };
        // If nobody listens, there is nobody to tell.
        drop(writeln!(self.errors, "{words}"));
    }
}

/// What is told to programs.
#[derive(Serialize)]
struct Line {
    event: &'static str,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<json::Task>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<json::List>,
}

impl From<News> for Line {
    fn from(News { kind, what }: News) -> Self {
        let (task, list) = match what {
            What::Task(task) => (Some(json::Task::from(*task)), None),
            What::List(list) => (None, Some(json::List::from(list))),
            What::Everything => (None, None),
        };
        let time = SystemClock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
        Self { event: kind.word(), time, task, list }
    }
}
