//! Log lines, where a test needs the process's own log.

use std::fmt;

use shared::telemetry;

/// A value that logs something while it is written spoils neither line.
#[test]
fn a_value_may_log_while_it_is_formatted() {
    struct Talker;
    impl fmt::Display for Talker {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            tracing::info!(long = "x".repeat(1000), "Said in between.");
            f.write_str("the talker")
        }
    }
    let log = telemetry::capture();
    tracing::info!(before = 1, value = %Talker, "Said in the end.");
    let find = |message: &str| -> serde_json::Value {
        let text = log.text();
        serde_json::from_str(text.lines().find(|line| line.contains(message)).unwrap()).unwrap()
    };
    assert_eq!(find("Said in between.")["long"], "x".repeat(1000));
    let outer = find("Said in the end.");
    assert_eq!((&outer["before"], &outer["value"]), (&1.into(), &"the talker".into()));
}
