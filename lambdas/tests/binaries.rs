//! The executables, as the Lambda service runs them: with an environment and a runtime API, and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail the test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// A runtime API for one function instance: it hands out invocations and takes answers.
struct RuntimeApi {
    listener: TcpListener,
    function: Child,
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.function.kill().unwrap();
        self.function.wait().unwrap();
    }
}

/// One request of the function: its line, and its body.
fn request(stream: &TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    if first.is_empty() {
        return None;
    }
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Some((first.trim_end().to_owned(), String::from_utf8(body).unwrap()))
}

/// Nothing listens on port 1 of loopback.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("POST_STORAGE", "redis"),
    ("NOTIFICATION_STORAGE", "amq"),
    ("WRITER_REGION", "eu-central-1"),
    ("READER_REGION", "us-east-1"),
    ("CACHE_HOST__EU_CENTRAL_1__WRITER", "127.0.0.1:1"),
    ("CACHE_HOST__US_EAST_1__READER", "127.0.0.1:1"),
    ("MQ_HOST__EU_CENTRAL_1", "stomp://127.0.0.1:1"),
    ("MQ_HOST__US_EAST_1", "stomp://127.0.0.1:1"),
    ("MQ_USER", "user"),
    ("MQ_PASSWORD", "hidden"),
    ("MQ_NOTIFICATION_QUEUE", "notifications"),
    ("SQS_EVAL_URL__US_EAST_1", "http://127.0.0.1:1/000000000000/evaluations"),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ("AWS_LAMBDA_FUNCTION_NAME", "function"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
];

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(ENVIRONMENT.iter().copied()).stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

impl RuntimeApi {
    fn start(program: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let api = listener.local_addr().unwrap().to_string();
        let function = command(program).env("AWS_LAMBDA_RUNTIME_API", api).spawn().unwrap();
        Self { listener, function }
    }

    /// Has the function serve the payloads, each in its turn; gives the path and body of each answer.
    fn serve(&self, payloads: &[&str]) -> Vec<(String, String)> {
        let mut waiting = payloads.iter();
        let mut answers = Vec::new();
        while answers.len() < payloads.len() {
            let (mut stream, _) = self.listener.accept().unwrap();
            while let Some((line, body)) = request(&stream) {
                let path = line.split(' ').nth(1).unwrap();
                let answer = if path.ends_with("/invocation/next") {
                    let Some(payload) = waiting.next() else { break };
                    format!(
                        "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: r1\r\nLambda-Runtime-Deadline-Ms: \
                         4000000000000\r\nLambda-Runtime-Invoked-Function-Arn: arn\r\nContent-Length: {}\r\n\r\n{payload}",
                        payload.len()
                    )
                } else {
                    answers.push((path.rsplit('/').next().unwrap().to_owned(), body));
                    "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned()
                };
                stream.write_all(answer.as_bytes()).unwrap();
                if answers.len() == payloads.len() {
                    break;
                }
            }
        }
        answers
    }
}

#[test]
fn a_writer_whose_storage_is_away_fails_the_invocation_and_serves_the_next() {
    let api = RuntimeApi::start(env!("CARGO_BIN_EXE_writer"));
    let request = r#"{"i": 1, "key": "1AX4ZD0PAB", "client_sent_at": 1634119203.5}"#;
    let answers = api.serve(&[request, "{}", r#"{"-#STATS#-": 1}"#]);
    for (path, body) in &answers {
        assert_eq!(path, "error");
        assert!(!body.contains("hidden"), "{body}");
    }
    assert!(answers[0].1.contains(r#""errorType":"Writer""#), "{}", answers[0].1);
    assert!(answers[0].1.contains("redis: unreachable"), "{}", answers[0].1);
    assert!(answers[1].1.contains("bad request"), "{}", answers[1].1);
    assert!(answers[2].1.contains(r#""errorType":"Storage""#), "{}", answers[2].1);
}

#[test]
fn a_reader_takes_what_it_will_never_understand() {
    let api = RuntimeApi::start(env!("CARGO_BIN_EXE_reader"));
    let removed = r#"{"Records": [{"eventName": "REMOVE", "dynamodb": {}}]}"#;
    let answers = api.serve(&[removed, r#"{"messages": [{"data": "%"}]}"#]);
    assert_eq!(answers[0], ("response".to_owned(), r#"{"statusCode":422,"body":"not an insertion"}"#.to_owned()));
    assert_eq!(answers[1].0, "response");
    assert!(answers[1].1.starts_with(r#"{"statusCode":400"#), "{}", answers[1].1);
}

#[test]
fn an_incomplete_environment_is_named() {
    for program in [env!("CARGO_BIN_EXE_writer"), env!("CARGO_BIN_EXE_reader")] {
        let output = command(program).env_remove("CACHE_HOST__US_EAST_1__READER").output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert!(text.contains("CACHE_HOST__US_EAST_1__READER"), "{text}");
    }
}
