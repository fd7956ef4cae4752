//! A client of a broker.

use std::collections::VecDeque;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::StompError;
use super::frames::{Frame, Parsed, parse};
use super::transport::{Duplex, open};
use crate::config::{BrokerEndpoint, Secret};
use crate::failure::{CALL_TIMEOUT, CONNECT_TIMEOUT};

/// A user and its password.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// User.
    pub user: String,
    /// Password.
    pub password: Secret,
}

/// How a subscription treats a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Messages are taken; each counts as taken once it is sent.
    Take,
    /// Messages are taken one at a time, each when the one before was acknowledged ([`Client::acknowledge`]). What is
    /// not acknowledged is delivered again, here or to another.
    OneByOne,
    /// Messages are looked at and stay. After the last one [`Client::message`] gives `None`. A broker shows at most a page
    /// of them (ActiveMQ: 400, if not configured).
    Browse,
}

/// A message from a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The broker's name for it.
    pub id: String,
    /// The body.
    pub body: Vec<u8>,
    /// What acknowledges it, where acknowledgement was asked for.
    ack: Option<String>,
}

/// A connection to a broker. Every exchange has a time limit; a call that fails or is dropped half-way leaves the
/// connection useless.
pub struct Client {
    stream: Box<dyn Duplex>,
    received: Vec<u8>,
    messages: VecDeque<Frame>,
    receipts: u64,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("receipts", &self.receipts).finish_non_exhaustive()
    }
}

impl Client {
    /// Connects and logs in.
    ///
    /// # Errors
    /// When the broker cannot be reached, is not trusted or refuses.
    pub async fn connect(
        endpoint: &BrokerEndpoint,
        credentials: &Credentials,
        ca_file: Option<&Path>,
    ) -> Result<Self, StompError> {
        let connecting = async {
            let stream = open(endpoint, ca_file).await?;
            let mut client = Self { stream, received: Vec::new(), messages: VecDeque::new(), receipts: 0 };
            let connect = Frame::new("CONNECT")
                .with("accept-version", "1.2")
                .with("host", &endpoint.at.host)
                .with("login", &credentials.user)
                .with("passcode", credentials.password.reveal())
                .with("heart-beat", "0,0");
            client.write(&connect).await?;
            let answer = client.frame().await?;
            match (answer.command.as_str(), answer.header("version")) {
                ("CONNECTED", Some("1.2")) => Ok(client),
                _ => Err(unexpected(&answer)),
            }
        };
        within(CONNECT_TIMEOUT, connecting).await
    }

    /// Sends a text to a queue; returns when the broker has it.
    ///
    /// # Errors
    /// When the broker did not confirm it.
    pub async fn send(&mut self, queue: &str, text: &str) -> Result<(), StompError> {
        let frame = Frame::new("SEND")
            .with("destination", destination(queue))
            .with("persistent", "true")
            // A text message although its length is stated: ActiveMQ takes bytes for bytes otherwise.
            .with("amq-msg-type", "text")
            .with_body(text);
        self.confirmed(frame).await
    }

    /// Subscribes to a queue. One subscription to a connection.
    ///
    /// # Errors
    /// When the broker did not confirm it.
    pub async fn subscribe(&mut self, queue: &str, mode: Mode) -> Result<(), StompError> {
        let frame = Frame::new("SUBSCRIBE").with("id", "0").with("destination", destination(queue));
        self.confirmed(match mode {
            Mode::Take => frame.with("ack", "auto"),
            Mode::OneByOne => frame.with("ack", "client-individual").with("activemq.prefetchSize", "1"),
            Mode::Browse => frame.with("ack", "auto").with("browser", "true"),
        })
        .await
    }

    /// Waits, without a limit, for the next message; `None` when all was browsed. It may be dropped and asked again.
    ///
    /// # Errors
    /// When the connection broke.
    pub async fn message(&mut self) -> Result<Option<Message>, StompError> {
        let frame = match self.messages.pop_front() {
            Some(frame) => frame,
            None => self.frame().await?,
        };
        if frame.command != "MESSAGE" {
            return Err(unexpected(&frame));
        }
        if frame.header("browser") == Some("end") {
            return Ok(None);
        }
        let id = frame.header("message-id").ok_or_else(|| unexpected(&frame))?.to_owned();
        Ok(Some(Message { id, ack: frame.header("ack").map(str::to_owned), body: frame.body }))
    }

    /// Acknowledges a message of a subscription in [`Mode::OneByOne`]; returns when the broker knows.
    ///
    /// # Errors
    /// When the message was not to be acknowledged, or the broker did not confirm it.
    pub async fn acknowledge(&mut self, message: &Message) -> Result<(), StompError> {
        let Some(ack) = &message.ack else {
            return Err(StompError::Unexpected("message that cannot be acknowledged".to_owned()));
        };
        self.confirmed(Frame::new("ACK").with("id", ack)).await
    }

    /// Takes leave, so that the broker does not log a broken connection.
    ///
    /// # Errors
    /// When the broker did not confirm it.
    pub async fn disconnect(mut self) -> Result<(), StompError> {
        self.confirmed(Frame::new("DISCONNECT")).await
    }

    /// Writes a frame and waits for its receipt. Messages that come meanwhile are kept.
    async fn confirmed(&mut self, frame: Frame) -> Result<(), StompError> {
        self.receipts += 1;
        let receipt = self.receipts.to_string();
        let frame = frame.with("receipt", &receipt);
        let exchange = async {
            self.write(&frame).await?;
            loop {
                let answer = self.frame().await?;
                match answer.command.as_str() {
                    "RECEIPT" if answer.header("receipt-id") == Some(&receipt) => return Ok(()),
                    "MESSAGE" => self.messages.push_back(answer),
                    _ => return Err(unexpected(&answer)),
                }
            }
        };
        within(CALL_TIMEOUT, exchange).await
    }

    async fn write(&mut self, frame: &Frame) -> Result<(), StompError> {
        self.stream.write_all(&frame.encode()).await?;
        Ok(self.stream.flush().await?)
    }

    /// The next frame. It may be dropped: what was read is kept.
    async fn frame(&mut self) -> Result<Frame, StompError> {
        loop {
            match parse(&self.received)? {
                Parsed::Frame(frame, used) => {
                    self.received.drain(..used);
                    return Ok(frame);
                }
                Parsed::Incomplete(beats) => drop(self.received.drain(..beats)),
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(StompError::Closed);
            }
        }
    }
}

fn destination(queue: &str) -> String {
    format!("/queue/{queue}")
}

fn unexpected(frame: &Frame) -> StompError {
    if frame.command == "ERROR" {
        let short = || String::from_utf8_lossy(&frame.body).chars().take(200).collect();
        StompError::Refused(frame.header("message").map_or_else(short, str::to_owned))
    } else {
        StompError::Unexpected(format!("{} frame", frame.command))
    }
}

async fn within<T>(limit: Duration, exchange: impl Future<Output = Result<T, StompError>>) -> Result<T, StompError> {
    tokio::time::timeout(limit, exchange).await.unwrap_or(Err(StompError::Timeout))
}
