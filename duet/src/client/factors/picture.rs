//! A QR code of half blocks, two modules in each character.
//!
//! Invariant: it is dark on light whatever the colours of the terminal are, for
//! not every authenticator reads it the other way round.

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

use super::super::output;

/// Black on white, of the colours that no theme changes.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

/// The text as a picture; none if it is too long or the terminal too narrow.
pub(super) fn of(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let picture = code.render::<Dense1x2>().module_dimensions(1, 1).build();
    let width = picture.lines().next()?.chars().count();
    if output::width().is_some_and(|there| usize::from(there) < width) {
        return None;
    }
    let lines: Vec<_> =
        picture.lines().map(|line| format!("{BLACK_ON_WHITE}{line}{RESET}")).collect();
    Some(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use qrcode::Color;

    use super::*;

    #[test]
    fn every_module_is_drawn_with_white_around() {
        let text = "otpauth://totp/Duet:ada?secret=JBSWY3DPEHPK3PXP";
        let code = QrCode::with_error_correction_level(text, EcLevel::L).unwrap();
        let side = code.width() + 8;
        let mut dark = 0;
        let picture = of(text).unwrap();
        for line in picture.lines() {
            let line = line.strip_prefix(BLACK_ON_WHITE).unwrap().strip_suffix(RESET).unwrap();
            assert_eq!(line.chars().count(), side);
            dark += line.chars().fold(0, |sum, c| match c {
                '\u{2588}' => sum + 2,
                '\u{2580}' | '\u{2584}' => sum + 1,
                c => {
                    assert_eq!(c, ' ');
                    sum
                }
            });
        }
        assert_eq!(picture.lines().count(), side.div_ceil(2));
        assert_eq!(dark, code.to_colors().iter().filter(|color| **color == Color::Dark).count());
        assert!(of(&"x".repeat(5000)).is_none());
    }
}
