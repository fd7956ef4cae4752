//! A stub of the Invoke and SQS APIs: one thread, plain HTTP on loopback. An invocation is answered as the writer would, and
//! its evaluation is in the queue at once.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use matrix_app::wire::reply_to;
use matrix_app::{Event, Micros};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::measure::STUB;

/// A running stub. It serves until the process ends.
pub(crate) struct Stub(SocketAddr);

type Queue = Rc<RefCell<VecDeque<String>>>;

impl Stub {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        std::thread::Builder::new().name(STUB.into()).spawn(move || serve(listener)).unwrap();
        Self(address)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0)
    }
}

fn serve(listener: std::net::TcpListener) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let listener = TcpListener::from_std(listener).unwrap();
        let queue = Queue::default();
        while let Ok((connection, _)) = listener.accept().await {
            tokio::task::spawn_local(connected(connection, Rc::clone(&queue)));
        }
    });
}

async fn connected(mut connection: TcpStream, queue: Queue) -> Option<()> {
    connection.set_nodelay(true).ok()?;
    let (mut input, mut output) = (Vec::with_capacity(4096), Vec::with_capacity(4096));
    loop {
        let head = loop {
            if let Some(end) = input.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            if connection.read_buf(&mut input).await.ok()? == 0 {
                return None;
            }
        };
        let text = String::from_utf8_lossy(&input[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(0, |text| text.trim().parse().unwrap());
        while input.len() < head + length {
            if connection.read_buf(&mut input).await.ok()? == 0 {
                return None;
            }
        }
        let body = answer(&text, &input[head..head + length], &queue).await;
        input.drain(..head + length);
        output.clear();
        output.extend_from_slice(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ");
        output.extend_from_slice(body.len().to_string().as_bytes());
        output.extend_from_slice(b"\r\n\r\n");
        output.extend_from_slice(&body);
        connection.write_all(&output).await.ok()?;
    }
}

async fn answer(head: &str, body: &[u8], queue: &Queue) -> Vec<u8> {
    if head.contains("amazonsqs.receivemessage") {
        if queue.borrow().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut queue = queue.borrow_mut();
        let count = queue.len().min(10);
        let messages: Vec<_> = queue
            .drain(..count)
            .map(|body| serde_json::json!({ "MessageId": "m", "ReceiptHandle": "r", "Body": body }))
            .collect();
        return serde_json::json!({ "Messages": messages }).to_string().into_bytes();
    }
    if head.contains("amazonsqs.deletemessagebatch") {
        return br#"{"Successful":[],"Failed":[]}"#.to_vec();
    }
    let mut event = Event::from_json(body).expect("an event");
    let (i, attempt) = (event.i, event.attempt.clone().unwrap_or_default());
    queue.borrow_mut().push_back(format!(
        r#"{{"i":{i},"client_sent_at":1.5,"reader_received_at":2.5,"consistent_read":1,"attempt":"{attempt}"}}"#
    ));
    event.writer_start_at = Some(Micros(1_500_000));
    let event = Event { context: Some("{}".into()), ..event };
    reply_to(&event).expect("a reply")
}
