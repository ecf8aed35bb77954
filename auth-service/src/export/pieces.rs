//! A document on its way out, in pieces of the size that is sent.
//!
//! Invariant: no piece is larger than 64 KiB and none is empty; one is being
//! filled while one waits, and whoever fills waits for whoever receives, but not
//! for ever.

use std::time::Duration;

use tokio::{sync::mpsc, time::timeout};

/// The size of all pieces but the last.
const PIECE_BYTES: usize = 64 * 1024;

/// Where a document is written to.
#[derive(Debug)]
pub struct Pieces {
    piece: Vec<u8>,
    sender: mpsc::Sender<Vec<u8>>,
    patience: Duration,
}

/// Why a piece was not received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreceived {
    /// Nobody is there any more.
    Gone,
    /// Somebody is, and takes none.
    Stalled,
}

impl Pieces {
    /// A document, and where its pieces come out: each has to be taken within
    /// `patience`.
    #[must_use]
    pub fn new(patience: Duration) -> (Self, mpsc::Receiver<Vec<u8>>) {
        let (sender, receiver) = mpsc::channel(1);
        (Self { piece: Vec::with_capacity(PIECE_BYTES), sender, patience }, receiver)
    }

    /// Adds to the end of the document.
    ///
    /// # Errors
    /// See `Unreceived`.
    pub async fn push(&mut self, text: impl AsRef<[u8]>) -> Result<(), Unreceived> {
        let mut bytes = text.as_ref();
        while !bytes.is_empty() {
            let room = PIECE_BYTES - self.piece.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() == PIECE_BYTES {
                self.end().await?;
            }
        }
        Ok(())
    }

    /// Sends what was added last.
    ///
    /// # Errors
    /// See `Unreceived`.
    pub async fn end(&mut self) -> Result<(), Unreceived> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES));
        match timeout(self.patience, self.sender.send(piece)).await {
            Ok(sent) => sent.map_err(|_| Unreceived::Gone),
            Err(_) => Err(Unreceived::Stalled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_document_is_its_pieces_put_together() {
        for (text, count) in [("", 0), ("a", 1), ("é€𝄞", 1), (&"é€𝄞".repeat(40_000), 6)]
        {
            let (mut file, mut receiver) = Pieces::new(Duration::MAX);
            let writing = async {
                for part in text.as_bytes().chunks(30_001) {
                    file.push(part).await.unwrap();
                }
                file.end().await.unwrap();
                drop(file);
            };
            let receiving = async {
                let mut pieces = Vec::new();
                while let Some(piece) = receiver.recv().await {
                    assert!((1..=PIECE_BYTES).contains(&piece.len()));
                    pieces.push(piece);
                }
                pieces
            };
            let ((), pieces) = tokio::join!(writing, receiving);
            assert_eq!((pieces.len(), pieces.concat()), (count, text.as_bytes().to_vec()));
        }
    }

    #[tokio::test]
    async fn whoever_writes_for_nobody_stops() {
        let (mut file, receiver) = Pieces::new(Duration::MAX);
        drop(receiver);
        assert_eq!(file.push(vec![0; PIECE_BYTES]).await, Err(Unreceived::Gone));
    }

    #[tokio::test]
    async fn whoever_takes_no_piece_is_not_waited_for() {
        let (mut file, mut receiver) = Pieces::new(Duration::ZERO);
        file.push(vec![1; PIECE_BYTES]).await.unwrap();
        assert_eq!(file.push(vec![2; PIECE_BYTES]).await, Err(Unreceived::Stalled));
        assert_eq!(receiver.recv().await.unwrap()[0], 1);
        assert!(receiver.try_recv().is_err());
    }
}
