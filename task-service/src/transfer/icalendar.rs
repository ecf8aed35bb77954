//! iCalendar (RFC 5545): one VTODO a task.
//!
//! The crates that read iCalendar forget on which line something stood, which is
//! half of what the report is for; a content line is read in few lines here.

mod line;
mod read;
mod write;

pub(super) use self::{read::read, write::Writer};

/// What the RFC has no property for: the title of the list, the place in the
/// manual order, when a task was cancelled, and how a series goes on.
const LIST: &str = "X-DUET-LIST";
const ORDER: &str = "X-DUET-ORDER";
const CANCELLED: &str = "X-DUET-CANCELLED";
const ANCHOR: &str = "X-DUET-ANCHOR";
const NUMBER: &str = "X-DUET-NUMBER";
const SERIES: &str = "X-DUET-SERIES";
