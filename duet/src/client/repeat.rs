//! How a user writes that a task comes back: a word for what is common, else a
//! rule of RFC 5545. Whether a rule can be kept is for the service to say.

const COMMON: [(&str, &str); 5] = [
    ("daily", "FREQ=DAILY"),
    ("weekdays", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
    ("weekly", "FREQ=WEEKLY"),
    ("monthly", "FREQ=MONTHLY"),
    ("yearly", "FREQ=YEARLY"),
];

/// Reads a word or a rule, as an RRULE without the name.
///
/// # Errors
/// In words for the user.
pub(crate) fn rule(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_uppercase();
    let common = COMMON.iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
    if let Some((_, rule)) = common {
        return Ok((*rule).to_owned());
    }
    let rule = text.strip_prefix("RRULE:").unwrap_or(&text);
    if rule.split(';').any(|part| part.starts_with("FREQ=")) {
        return Ok(rule.to_owned());
    }
    Err("write daily, weekdays, weekly, monthly, yearly, or a rule as FREQ=WEEKLY;BYDAY=MO,TH"
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_rules_are_read() {
        assert_eq!(rule("daily").unwrap(), "FREQ=DAILY");
        assert_eq!(rule("Weekdays").unwrap(), "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR");
        assert_eq!(rule("RRULE:freq=weekly;byday=mo").unwrap(), "FREQ=WEEKLY;BYDAY=MO");
        assert_eq!(rule("INTERVAL=2;FREQ=DAILY").unwrap(), "INTERVAL=2;FREQ=DAILY");
        for text in ["", "sometimes", "every day", "INTERVAL=2", "XFREQ=DAILY"] {
            assert!(rule(text).is_err(), "{text}");
        }
    }
}
