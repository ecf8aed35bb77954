//! A file that is being written, in pieces of the size that is sent.
//!
//! Invariant: no piece is larger than 64 KiB, and none is empty. A piece may end
//! within a character; the pieces together are UTF-8.

/// The size of all pieces but the last.
const PIECE_BYTES: usize = 64 * 1024;

/// A file in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    full: Vec<Vec<u8>>,
    last: Vec<u8>,
}

impl Pieces {
    /// Adds to the end of the file.
    pub(super) fn push(&mut self, text: &str) {
        let mut bytes = text.as_bytes();
        while !bytes.is_empty() {
            let room = PIECE_BYTES - self.last.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.last.extend_from_slice(now);
            bytes = later;
            if self.last.len() == PIECE_BYTES {
                self.full.push(std::mem::take(&mut self.last));
            }
        }
    }

    /// How many pieces there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.full.len() + usize::from(!self.last.is_empty())
    }
}

impl IntoIterator for Pieces {
    type Item = Vec<u8>;
    type IntoIter = std::iter::Chain<std::vec::IntoIter<Vec<u8>>, std::option::IntoIter<Vec<u8>>>;

    fn into_iter(self) -> Self::IntoIter {
        let last = Some(self.last).filter(|last| !last.is_empty());
        self.full.into_iter().chain(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_its_pieces_put_together() {
        for (text, pieces) in [("", 0), ("a", 1), ("é€𝄞", 1), (&"é€𝄞".repeat(40_000), 6)]
        {
            let mut file = Pieces::default();
            // In odd parts and as a whole.
            let mut rest = text;
            while let Some(c) = rest.chars().next().filter(|_| rest.len() > 300_000) {
                file.push(&rest[..c.len_utf8()]);
                rest = &rest[c.len_utf8()..];
            }
            file.push(rest);
            assert_eq!(file.count(), pieces);
            assert_eq!(file.clone().into_iter().count(), pieces);
            assert!(file.clone().into_iter().all(|piece| (1..=PIECE_BYTES).contains(&piece.len())));
            assert_eq!(file.into_iter().flatten().collect::<Vec<_>>(), text.as_bytes());
        }
    }
}
