//! A mail server on loopback: speaks as much of RFC 5321 as a client needs,
//! with STARTTLS or TLS from the first byte if it is given a certificate, keeps
//! what it is given, and fails on demand.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use shared::{server::tls, testing::eventually};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};
use tokio_rustls::TlsAcceptor;

/// How the server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Takes every mail.
    Takes,
    /// Reads a mail, and says that it cannot take it at the moment.
    IsBusy,
    /// Says that there is no such mailbox.
    KnowsNobody,
    /// Says that it takes nothing from here, as servers do whose list is wrong.
    Distrusts,
    /// Takes a mail and never says so.
    FallsSilent,
}

/// A mail as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// The recipients of the envelope.
    pub(crate) to: Vec<String>,
    /// Headers and body.
    pub(crate) raw: String,
    /// Whether it came over TLS, and what the client signed in with.
    pub(crate) over_tls: bool,
    pub(crate) credentials: Option<String>,
}

/// The server. It ends when it is dropped.
pub(crate) struct MailServer {
    port: u16,
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    mood: Mutex<Mood>,
    mails: Mutex<Vec<Received>>,
    /// Every mail that was offered, taken or not.
    offered: Mutex<usize>,
    acceptor: Option<TlsAcceptor>,
    /// Speaks TLS from the first byte.
    wrapped: bool,
}

impl MailServer {
    /// A server that speaks in clear.
    pub(crate) async fn start() -> Self {
        Self::start_with(None, false).await
    }

    /// A server that offers STARTTLS, for `localhost`.
    pub(crate) async fn start_with_tls() -> Self {
        Self::start_with(Some(acceptor()), false).await
    }

    /// A server that speaks nothing but TLS (RFC 8314), for `localhost`.
    pub(crate) async fn start_wrapped() -> Self {
        Self::start_with(Some(acceptor()), true).await
    }

    async fn start_with(acceptor: Option<TlsAcceptor>, wrapped: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Takes),
            mails: Mutex::default(),
            offered: Mutex::default(),
            acceptor,
            wrapped,
        });
        let serving = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = serving.clone();
                // A client may go at any time.
                tokio::spawn(async move { drop(shared.welcome(stream).await) });
            }
        });
        Self { port, shared, task: task.abort_handle() }
    }

    /// The flags with which a service sends its mail here.
    pub(crate) fn flags(&self) -> Vec<String> {
        let url = format!("--smtp-url=smtp://127.0.0.1:{}?tls=none", self.port);
        [url.as_str(), FROM, PAGE].map(str::to_owned).into()
    }

    /// The same, over TLS and signed in.
    pub(crate) fn flags_with_tls(&self) -> Vec<String> {
        let scheme = if self.shared.wrapped { "smtps" } else { "smtp" };
        let url = format!("--smtp-url={scheme}://duet:p%40ss@localhost:{}", self.port);
        let authority = format!("--smtp-ca-file={}", certificate().display());
        [url.as_str(), &authority, FROM, PAGE].map(str::to_owned).into()
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// How many mails were offered until now, taken or not.
    pub(crate) fn offered(&self) -> usize {
        *self.shared.offered.lock().unwrap()
    }

    /// What arrived, taken over by the server or not, and was not taken out.
    pub(crate) fn mails(&self) -> Vec<Received> {
        self.shared.mails.lock().unwrap().clone()
    }

    /// Waits for a mail to `recipient` with this subject, and takes it out.
    pub(crate) async fn take(&self, recipient: &str, subject: &str) -> Received {
        let line = format!("Subject: {subject}\r\n");
        let fits = |mail: &Received| mail.to == [recipient.to_owned()] && mail.raw.contains(&line);
        eventually(&format!("{recipient} gets a mail: {subject}"), async || {
            self.mails().iter().any(fits)
        })
        .await;
        let mut mails = self.shared.mails.lock().unwrap();
        let at = mails.iter().position(fits).unwrap();
        mails.remove(at)
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Received {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let (headers, _) = self.raw.split_once("\r\n\r\n").unwrap();
        let headers = headers.replace("\r\n ", " ");
        let value = headers.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))?;
        Some(value.to_owned())
    }

    /// The part for readers without HTML.
    pub(crate) fn text(&self) -> String {
        self.part("text/plain")
    }

    /// The part with HTML.
    pub(crate) fn html(&self) -> String {
        self.part("text/html")
    }

    /// The token in the link of the text.
    pub(crate) fn token(&self) -> String {
        let text = self.text();
        let (_, token) = text.split_once("#token=").expect("a link with a token");
        token.lines().next().unwrap().trim().to_owned()
    }

    fn part(&self, kind: &str) -> String {
        let (_, boundary) = self.raw.split_once("boundary=\"").unwrap();
        let (boundary, _) = boundary.split_once('"').unwrap();
        let part = self
            .raw
            .split(&format!("--{boundary}"))
            .skip(1)
            .find(|part| part.contains(&format!("Content-Type: {kind}")))
            .unwrap();
        let (headers, body) = part.split_once("\r\n\r\n").unwrap();
        let body = body.replace("\r\n", "\n");
        if !headers.contains("quoted-printable") {
            assert!(headers.contains("7bit"), "{headers}");
            return body;
        }
        let mut pieces = body.split('=');
        let mut decoded = pieces.next().unwrap().as_bytes().to_vec();
        for piece in pieces {
            if let Some(rest) = piece.strip_prefix('\n') {
                decoded.extend_from_slice(rest.as_bytes());
            } else {
                decoded.push(u8::from_str_radix(&piece[..2], 16).unwrap());
                decoded.extend_from_slice(&piece.as_bytes()[2..]);
            }
        }
        String::from_utf8(decoded).unwrap()
    }
}

const FROM: &str = "--mail-from=Duet <duet@mail.test>";
const PAGE: &str = "--public-url=https://page.test/";

fn pem(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/tests/server/tls").join(name)
}

fn certificate() -> PathBuf {
    pem("certificate.pem")
}

fn acceptor() -> TlsAcceptor {
    TlsAcceptor::from(tls::load(&certificate(), &pem("key.pem")).unwrap())
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Shared {
    async fn welcome(&self, stream: TcpStream) -> std::io::Result<()> {
        match self.acceptor.as_ref().filter(|_| self.wrapped) {
            Some(acceptor) => self.serve(acceptor.accept(stream).await?, true).await,
            None => self.serve(stream, false).await,
        }
    }

    async fn serve(
        &self,
        stream: impl Stream + 'static,
        mut over_tls: bool,
    ) -> std::io::Result<()> {
        let mut stream: BufReader<Box<dyn Stream>> = BufReader::new(Box::new(stream));
        let (mut credentials, mut to) = (None, Vec::new());
        stream.write_all(b"220 mail.test\r\n").await?;
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let said = line.trim_end();
            let mood = *self.mood.lock().unwrap();
            let answer = match said.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" if self.acceptor.is_some() && !over_tls => {
                    "250-mail.test\r\n250 STARTTLS\r\n"
                }
                "EHLO" => "250-mail.test\r\n250-SMTPUTF8\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n",
                "STARTTLS" => {
                    stream.write_all(b"220 go ahead\r\n").await?;
                    let acceptor = self.acceptor.as_ref().unwrap();
                    let secured = acceptor.accept(stream.into_inner()).await?;
                    stream = BufReader::new(Box::new(secured));
                    over_tls = true;
                    continue;
                }
                "AUTH" => {
                    credentials = said.strip_prefix("AUTH PLAIN ").map(str::to_owned);
                    "235 welcome\r\n"
                }
                "MAIL" => "250 ok\r\n",
                "RCPT" => {
                    *self.offered.lock().unwrap() += 1;
                    match mood {
                        Mood::KnowsNobody => "550 5.1.1 no such mailbox\r\n",
                        Mood::Distrusts => "550 5.7.1 not from you\r\n",
                        Mood::Takes | Mood::IsBusy | Mood::FallsSilent => {
                            to.push(address_in(said));
                            "250 ok\r\n"
                        }
                    }
                }
                "DATA" => {
                    stream.write_all(b"354 go ahead\r\n").await?;
                    let raw = read_data(&mut stream).await?;
                    let to = std::mem::take(&mut to);
                    let credentials = credentials.clone();
                    self.mails.lock().unwrap().push(Received { to, raw, over_tls, credentials });
                    match mood {
                        Mood::FallsSilent => std::future::pending().await,
                        Mood::IsBusy => "451 try again later\r\n",
                        Mood::Takes | Mood::KnowsNobody | Mood::Distrusts => "250 taken\r\n",
                    }
                }
                "QUIT" => {
                    stream.write_all(b"221 bye\r\n").await?;
                    return Ok(());
                }
                _ => "500 what?\r\n",
            };
            stream.write_all(answer.as_bytes()).await?;
        }
    }
}

/// The address between the angle brackets of a command.
fn address_in(command: &str) -> String {
    let (_, address) = command.split_once('<').unwrap();
    address.split_once('>').unwrap().0.to_owned()
}

async fn read_data(stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<String> {
    let mut raw = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            // Whoever goes in the middle of a mail has sent none.
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(raw);
        }
        // A dot at the beginning of a line was doubled (RFC 5321, 4.5.2).
        raw.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
