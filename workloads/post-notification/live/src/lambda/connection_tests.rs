//! Passwords that are not where the file says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::io::{Read, Write};
use std::net::TcpListener;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use super::*;

/// In no environment.
const UNSET: &str = "MATRIX_A_PASSWORD_THAT_NOBODY_SETS";

const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:m-AbCdEf";

/// A file with MySQL and brokers whose passwords are at the given place.
fn file(password: &str) -> ConnectionInfo {
    let text = format!(
        "datastores:\n  mysql:\n    vpc_required: false\n    port: 3306\n    user: u\n    password: \"{password}\"\n    db: d\n    \
         post_table_name: p\n    antipode_table_name: a\n  mq:\n    vpc_required: false\n    user: u\n    \
         password: \"{password}\"\n    notification_queue: n\n    stomp_port: 61614\n"
    );
    ConnectionInfo::parse(&text).unwrap()
}

/// A configuration whose services are at an address.
fn aws(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("key", "secret", None, None, "test");
    matrix_lambdas::aws::config(Some(endpoint), SharedCredentialsProvider::new(credentials))
}

/// What becomes of the database's and the brokers' servers, where these datastores are needed.
fn servers(info: &ConnectionInfo, endpoint: &str, needed: &[Datastore]) -> [Result<bool, LambdaError>; 2] {
    let (regions, aws) = (Regions::built_in(), aws(endpoint));
    let needed: BTreeSet<Datastore> = needed.iter().copied().collect();
    let places = KnownRegions(&regions);
    let locked = Locked { info, needed: &needed, places: &places, secrets: Secrets { aws: &aws } };
    [locked.mysql().map(|servers| servers.is_some()), locked.brokers().map(|brokers| brokers.is_some())]
}

/// The entry that an error names, and where to read about it.
fn entry(found: &Result<bool, LambdaError>) -> (&str, &'static str) {
    match found {
        Err(LambdaError::Entry(problem)) => (problem.entry.as_str(), problem.guide.link()),
        other => panic!("{other:?}"),
    }
}

/// A service that gives everybody the same answer.
fn service(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut bytes = [0; 4096];
            // The body, which begins after an empty line, is an object.
            while !(request.windows(4).any(|end| end == b"\r\n\r\n") && request.ends_with(b"}")) {
                match stream.read(&mut bytes) {
                    Ok(length) if length > 0 => request.extend_from_slice(&bytes[..length]),
                    _ => break,
                }
            }
            let length = body.len();
            let head = "content-type: application/x-amz-json-1.1\r\nconnection: close";
            let _ = write!(stream, "HTTP/1.1 {status}\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}");
        }
    });
    url
}

#[test]
fn a_variable_that_is_not_set_is_a_fault_of_its_entry() {
    let info = file(&format!("${{{UNSET}}}"));
    let [mysql, brokers] = servers(&info, "http://127.0.0.1:1", &[Datastore::Mysql, Datastore::Amq]);
    assert_eq!(entry(&mysql), ("datastores.mysql.password", "docs/aws.md#mysql"));
    assert_eq!(entry(&brokers), ("datastores.mq.password", "docs/aws.md#activemq"));
    let told = mysql.unwrap_err().to_string();
    assert!(told.starts_with("connection_info.yaml: datastores.mysql.password ") && told.contains(UNSET), "{told}");
}

#[test]
fn only_passwords_that_are_needed_are_looked_up() {
    // Nobody listens at port 1, and nothing is set: whoever asked would fail.
    for password in [SECRET, &format!("${{{UNSET}}}")] {
        let info = file(password);
        let others = [Datastore::Redis, Datastore::Sns];
        assert!(matches!(servers(&info, "http://127.0.0.1:1", &others), [Ok(false), Ok(false)]));
    }
    let [mysql, brokers] = servers(&file("plain"), "http://127.0.0.1:1", &[Datastore::Amq]);
    assert!(matches!((mysql, brokers), (Ok(false), Ok(true))));
}

#[test]
fn a_secret_that_cannot_be_looked_up_is_a_fault_of_its_entry() {
    let missing = r#"{"__type":"ResourceNotFoundException","message":"Secrets Manager can't find it."}"#;
    for (status, body, why) in [
        ("400 Bad Request", missing, "ResourceNotFoundException: Secrets Manager can't find it."),
        ("200 OK", r#"{"SecretString":"{\"user\":\"u\"}"}"#, "no member `password`"),
    ] {
        let [mysql, brokers] = servers(&file(SECRET), &service(status, body), &[Datastore::Mysql, Datastore::Amq]);
        assert_eq!(entry(&mysql).0, "datastores.mysql.password");
        assert_eq!(entry(&brokers).0, "datastores.mq.password");
        let told = mysql.unwrap_err().to_string();
        assert!(told.contains(why) && !told.contains("123456789012"), "{told}");
    }
    let found = service("200 OK", r#"{"SecretString":"{\"password\":\"hidden\"}"}"#);
    assert!(matches!(servers(&file(SECRET), &found, &[Datastore::Mysql]), [Ok(true), Ok(false)]));
}

#[test]
fn expired_credentials_are_no_fault_of_the_file() {
    let expired =
        r#"{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}"#;
    let [mysql, _] = servers(&file(SECRET), &service("400 Bad Request", expired), &[Datastore::Mysql]);
    assert!(matches!(&mysql, Err(LambdaError::Aws { why, .. }) if why.contains("ExpiredToken")), "{mysql:?}");
}
