//! A server of HTTP/1.1 on loopback, a thread for each connection.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// A signed request.
pub(super) struct Request {
    pub(super) path: String,
    pub(super) service: String,
    pub(super) region: String,
    /// Header `x-amz-target`: the operation, in protocols of JSON.
    pub(super) target: String,
    pub(super) body: String,
}

impl Request {
    /// The fields of the query protocol.
    pub(super) fn form(&self) -> BTreeMap<String, String> {
        let pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
    }
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [a, b, tail @ ..]) => {
                let digits = [*a, *b];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
                rest = tail;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// An answer; `None` closes the connection without one.
pub(super) type Answer = Option<(u16, String)>;

/// Serves until the process ends. Gives the URL.
pub(super) fn serve(answer: Arc<dyn Fn(&Request) -> Answer + Send + Sync>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || connection(stream, &*answer));
        }
    });
    url
}

fn connection(mut stream: TcpStream, answer: &dyn Fn(&Request) -> Answer) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = read(&mut reader) {
        let Some((status, body)) = answer(&request) else { return };
        let kind = if body.starts_with('{') { "application/x-amz-json-1.1" } else { "text/xml" };
        // Clients take what a service of another time denies for a fault of the clock.
        let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
        let head = format!(
            "HTTP/1.1 {status} .\r\ncontent-type: {kind}\r\ncontent-length: {}\r\ndate: {date}\r\n\r\n",
            body.len()
        );
        // The other side may have been killed.
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let scope = headers.get("authorization")?.split_once("Credential=")?.1.split_once(',')?.0.to_owned();
    let mut scope = scope.split('/').skip(2).map(str::to_owned);
    Some(Request {
        path,
        region: scope.next()?,
        service: scope.next()?,
        target: headers.get("x-amz-target").cloned().unwrap_or_default(),
        body: String::from_utf8(body).ok()?,
    })
}
