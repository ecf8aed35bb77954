//! In what pieces the kernel gives memory. The allocator asks for huge pages for
//! all it has, which a service fills to a few percent: 12 MiB of nothing. What is
//! walked through in no order, as a hash of a password does, is faster in huge ones.

use std::sync::{Mutex, PoisonError};

#[cfg(target_os = "linux")]
use rustix::thread::{disable_transparent_huge_pages, transparent_huge_pages_are_disabled};

/// Takes memory in small pages from now on, as do children of this process. The
/// first thing a service does: what is there in huge pages stays so.
pub fn small_pages() {
    set_small(true);
}

/// Does work that touches memory for the first time, in huge pages if there are
/// any; what others touch meanwhile may come in huge ones, too.
pub fn in_huge_pages<T>(touch: impl FnOnce() -> T) -> T {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let were_small = are_small();
    set_small(false);
    let touched = touch();
    set_small(were_small);
    touched
}

#[cfg(target_os = "linux")]
fn are_small() -> bool {
    transparent_huge_pages_are_disabled().unwrap_or(false)
}

#[cfg(target_os = "linux")]
fn set_small(small: bool) {
    // An old kernel goes by its own settings.
    let _ = disable_transparent_huge_pages(small);
}

#[cfg(not(target_os = "linux"))]
fn are_small() -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn set_small(_: bool) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// The setting is the process's, so this is one test.
    #[test]
    fn pages_are_small_but_for_what_wants_huge_ones() {
        let before = are_small();
        set_small(false);
        assert!(!in_huge_pages(are_small));
        assert!(!are_small());
        small_pages();
        assert!(are_small());
        assert!(!in_huge_pages(are_small));
        assert!(are_small());
        set_small(before);
    }
}
