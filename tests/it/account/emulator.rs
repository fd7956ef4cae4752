//! The whole way on the testbed's emulator, for what it implements: DynamoDB, S3, SNS, SQS and roles. It accepts replication
//! in a template and drops it: so these tests ask the services, and not the stacks.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::workbench::{Printed, Workbench, ended};

const STORES: [&str; 5] = ["--regions", "eu,us", "--stores", "dynamo,s3,sns", "--yes"];

const REGIONS: [&str; 2] = ["eu-central-1", "us-east-1"];

/// A testbed of the test's own, used as an account.
struct Account {
    bench: Workbench,
    endpoints: Value,
}

impl Drop for Account {
    fn drop(&mut self) {
        let ended = self.bench.matrix(&["testbed", "down"]);
        if !std::thread::panicking() {
            ended.code(0);
        }
    }
}

impl Account {
    fn new() -> Self {
        let mut bench = Workbench::new();
        bench.set("XDG_STATE_HOME", bench.path("state"));
        bench.matrix(&["testbed", "up"]).code(0);
        let endpoints: Value = serde_json::from_str(&bench.read("state/matrix/testbed/endpoints.json")).unwrap();
        for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            bench.set(name, endpoints[name.to_lowercase()].as_str().unwrap());
        }
        bench.set("AWS_EC2_METADATA_DISABLED", "true");
        Self { bench, endpoints }
    }

    fn text(&self, pointer: &str) -> &str {
        self.endpoints.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn set_up(&self) -> Printed {
        self.bench.matrix(&[&["aws", "setup"], &STORES[..]].concat())
    }

    fn clean(&self) -> Printed {
        self.bench.matrix(&["aws", "clean", "--yes"])
    }

    /// What the doctor finds; it ends with 3 if and only if there is a problem.
    fn examined(&self) -> String {
        let printed = self.bench.matrix(&["aws", "doctor"]);
        let is_ill = printed.out.lines().any(|line| line.starts_with("problem"));
        printed.code(if is_ill { 3 } else { 0 }).out
    }

    /// Asks a service directly: status and body.
    fn ask(&self, region: &str, service: &str, head: &str, target: &str, body: &str) -> (u16, String) {
        let host = self.text("/aws_endpoint_url").trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        let kind = if target.is_empty() { "application/x-www-form-urlencoded" } else { "application/x-amz-json-1.0" };
        write!(
            stream,
            "{head} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: {kind}\r\nX-Amz-Target: {target}\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/{region}/{service}/aws4_request, \
             SignedHeaders=host, Signature=0\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn dynamo(&self, region: &str, operation: &str, body: &Value) -> Value {
        let target = format!("DynamoDB_20120810.{operation}");
        let (_, answer) = self.ask(region, "dynamodb", "POST /", &target, &body.to_string());
        let start = answer.find('{').unwrap();
        serde_json::from_str(&answer[start..=answer.rfind('}').unwrap()]).unwrap()
    }

    /// Everything that the services list, in each region.
    fn inventory(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut add = |of: &str, answer: &str, tag: &str| {
            for part in answer.split(&format!("<{tag}>")).skip(1) {
                found.insert(format!("{of} {}", part.split('<').next().unwrap()));
            }
        };
        for region in REGIONS {
            let query = |service: &str, action: &str| {
                let (status, answer) = self.ask(region, service, "POST /", "", &format!("Action={action}"));
                assert_eq!(status, 200, "{action}: {answer}");
                answer
            };
            add("bucket", &self.ask(region, "s3", "GET /", "", "").1, "Name");
            add(&format!("topic {region}"), &query("sns", "ListTopics&Version=2010-03-31"), "TopicArn");
            add("role", &query("iam", "ListRoles&Version=2010-05-08"), "RoleName");
            let queues = self.ask(region, "sqs", "POST /", "AmazonSQS.ListQueues", "{}").1;
            found_in_json(&queues, "QueueUrls").into_iter().for_each(|url| add("queue", &format!("<u>{url}<"), "u"));
            for table in self.dynamo(region, "ListTables", &json!({}))["TableNames"].as_array().unwrap() {
                add(&format!("table {region}"), &format!("<t>{}<", table.as_str().unwrap()), "t");
            }
        }
        found
    }
}

/// The problems in a doctor's findings, quotas apart: the testbed's are what the machine can do.
fn problems(findings: &str) -> Vec<&str> {
    findings.lines().filter(|line| line.starts_with("problem") && !line.contains(" quota of ")).collect()
}

fn found_in_json(answer: &str, list: &str) -> Vec<String> {
    let Some(start) = answer.find('{') else { return Vec::new() };
    let value: Value = serde_json::from_str(&answer[start..=answer.rfind('}').unwrap()]).unwrap();
    value[list].as_array().into_iter().flatten().map(|url| url.as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_account_is_set_up_examined_and_empty_again_whatever_interrupts_that() {
    let account = Account::new();
    let before = account.inventory();

    // Killed and interrupted as soon as more and more things have come or gone; what was begun goes on at AWS.
    let interrupted = |args: &[&str]| {
        let at_first = account.inventory().len();
        for (number, signal) in ["KILL", "INT", "KILL", "INT"].into_iter().enumerate() {
            let mut child = account.bench.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            while account.inventory().len().abs_diff(at_first) < 2 * number && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(10));
            }
            Command::new("kill").args(["-s", signal, &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
            let code = child.wait().unwrap().code();
            assert!(matches!(code, None | Some(0 | 130)), "{signal}: {code:?}");
        }
    };
    let set_up = [&["aws", "setup"], &STORES[..]].concat();
    interrupted(&set_up);
    account.set_up().code(0);
    let made = account.inventory();
    assert!(made.is_superset(&before) && made.len() > before.len() + 8, "{made:#?}");

    // The second changes nothing.
    let info = account.bench.read("connection_info.yaml");
    account.set_up().code(0).err_has("nothing had to be changed");
    assert_eq!((account.inventory(), account.bench.read("connection_info.yaml")), (made.clone(), info.clone()));

    // One that asks for less takes nothing away.
    let less = account.bench.matrix(&["aws", "setup", "--regions", "eu,us", "--stores", "sns", "--yes"]).code(0);
    less.err_has("has dynamo, s3 as well");
    less.err_has("nothing had to be changed");
    assert_eq!((account.inventory(), account.bench.read("connection_info.yaml")), (made, info));

    // What the emulator drops in silence is on.
    let (status, rules) =
        account.ask(REGIONS[0], "s3", "GET /matrix-posts-eu-central-1-000000000000?replication", "", "");
    assert!(status == 200 && rules.contains("arn:aws:s3:::matrix-posts-us-east-1-000000000000"), "{status} {rules}");
    for table in ["matrix-posts", "matrix-notifications"] {
        let described = account.dynamo(REGIONS[1], "DescribeTable", &json!({ "TableName": table }));
        assert!(described["Table"]["LatestStreamArn"].is_string(), "{described}");
    }
    let examined = account.examined();
    assert_eq!(problems(&examined), Vec::<&str>::new(), "{examined}");
    for line in ["ok           S3 replicates", "ok           DynamoDB replicates matrix-notifications"] {
        assert!(examined.contains(line), "{examined}");
    }
    assert_eq!(examined.matches(" quota of concurrent executions in ").count(), 2, "{examined}");

    // Somebody turns replication off: that is seen, and fixed by the same command.
    let path = "DELETE /matrix-posts-eu-central-1-000000000000?replication";
    account.ask(REGIONS[0], "s3", path, "", "");
    let examined = account.examined();
    assert!(matches!(problems(&examined)[..], [line] if line.contains(" S3 replicates ")), "{examined}");
    account.set_up().code(0).err_has("1 replications set");
    assert_eq!(problems(&account.examined()), Vec::<&str>::new());

    // So with what replication needs: versions at both ends, and the replica's stream.
    for (region, bucket) in [(REGIONS[0], "matrix-posts-eu-central-1"), (REGIONS[1], "matrix-posts-us-east-1")] {
        let body = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
        let (status, answer) = account.ask(region, "s3", &format!("PUT /{bucket}-000000000000?versioning"), "", body);
        assert_eq!(status, 200, "{answer}");
    }
    let off = json!({ "TableName": "matrix-notifications", "StreamSpecification": { "StreamEnabled": false } });
    account.dynamo(REGIONS[1], "UpdateTable", &off);
    let examined = account.examined();
    let found = problems(&examined);
    assert_eq!(found.len(), 3, "{examined}");
    assert!(found.iter().filter(|line| line.contains("versions of S3 bucket")).count() == 2, "{examined}");
    assert!(examined.contains("no active replica whose stream is on"), "{examined}");
    account.set_up().code(0).err_has("3 replications set");
    assert_eq!(problems(&account.examined()), Vec::<&str>::new());

    // What is deleted by hand is named, and not waited for.
    account.dynamo(REGIONS[0], "DeleteTable", &json!({ "TableName": "matrix-posts" }));
    account.dynamo(REGIONS[1], "DeleteTable", &json!({ "TableName": "matrix-posts" }));
    account.set_up().code(3).err_has("table matrix-posts in eu-central-1").err_has("matrix aws clean");
    let queues = account.ask(REGIONS[1], "sqs", "POST /", "AmazonSQS.ListQueues", "{}").1;
    let url = found_in_json(&queues, "QueueUrls").remove(0);
    account.ask(REGIONS[1], "sqs", "POST /", "AmazonSQS.DeleteQueue", &json!({ "QueueUrl": url }).to_string());
    let topic = "arn:aws:sns:eu-central-1:000000000000:matrix-notifications";
    account.ask(REGIONS[0], "sns", "POST /", "", &format!("Action=DeleteTopic&Version=2010-03-31&TopicArn={topic}"));
    account.ask(REGIONS[0], "s3", "DELETE /matrix-code-eu-central-1-000000000000", "", "");
    let examined = account.examined();
    let found = problems(&examined);
    for what in ["queue of evaluations ", "SNS topic ", "code bucket ", "DynamoDB replicates matrix-posts "] {
        assert!(found.iter().any(|line| line.contains(what)), "{what}: {examined}");
    }
    assert_eq!(found.len(), 4, "{examined}");

    // Buckets that are not empty go, with versions and delete markers.
    let bucket = "/matrix-posts-eu-central-1-000000000000/post";
    for head in ["PUT", "PUT", "DELETE", "PUT"] {
        let (status, answer) = account.ask(REGIONS[0], "s3", &format!("{head} {bucket}"), "", "content");
        assert!(status < 300, "{answer}");
    }
    interrupted(&["aws", "clean", "--yes"]);
    account.clean().code(0).out_has("nothing");
    assert_eq!(account.inventory(), before);
    account.clean().code(0);
}

#[test]
fn stacks_of_somebody_else_are_left_alone() {
    let account = Account::new();
    let template = r#"{"Resources":{"Customers":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":"customers"}}}}"#;
    let encoded: String = template.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let body = format!("Action=CreateStack&Version=2010-05-15&StackName=prod-base&TemplateBody={encoded}");
    let (status, answer) = account.ask(REGIONS[0], "cloudformation", "POST /", "", &body);
    assert_eq!(status, 200, "{answer}");
    let topic = |account: &Account| account.inventory().iter().any(|thing| thing.contains("customers"));
    let began = std::time::Instant::now();
    while !topic(&account) {
        assert!(began.elapsed() < Duration::from_secs(60), "the stack is not made");
        std::thread::sleep(Duration::from_millis(50));
    }
    let before = account.inventory();
    for last in ["--plan", "--yes"] {
        let args = ["aws", "setup", "--name", "prod", "--regions", "eu,us", "--stores", "sns", last];
        let refused = account.bench.matrix(&args).code(2);
        let said = refused.err.replace(['\n', '|'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("prod-base in eu-central-1") && said.contains("--name"), "{refused:?}");
    }
    account.bench.matrix(&["aws", "clean", "--name", "prod", "--yes"]).code(0);
    assert_eq!(account.inventory(), before);
}

#[test]
fn a_set_up_is_found_in_regions_that_nobody_names() {
    let account = Account::new();
    let before = account.inventory();
    let experiment = "schema = 1\nname = \"far\"\nplatform = \"aws\"\nrequests = 1\n[regions]\njp = \"ap-northeast-1\"\n[[matrix]]\nname = \"m\"\n\
                      post_storage = [\"dynamo\"]\nnotification_storage = [\"sns\"]\nregions = [\"eu->jp\"]\ndelay_ms = [0]\nantipode = [true]\n";
    account.bench.write("far.toml", experiment);
    // What a person wrote is kept beside what is written.
    let by_hand = "# by hand\naws_credentials_profile:\nsqs_eval:\n  name: mine\n  url__us-east-1: https://sqs.us-east-1.amazonaws.com/000000000000/mine\n";
    account.bench.write("connection_info.yaml", by_hand);
    let set_up = account.bench.matrix(&["aws", "setup", "far.toml", "--yes"]).code(0);
    set_up.err_has("kept in connection_info.yaml.before-setup");
    assert_eq!(account.bench.read("connection_info.yaml.before-setup"), by_hand);
    assert!(account.bench.read("connection_info.yaml").contains("url__us-east-1"));
    std::fs::remove_file(account.bench.path("connection_info.yaml")).unwrap();
    account.clean().code(0).err_has("in ap-northeast-1: removed").out_has("nothing");
    assert_eq!(account.inventory(), before);
    // A place that cannot hold the file is refused before anything is made.
    let nowhere =
        account.bench.matrix(&["aws", "setup", "far.toml", "--yes", "--connection-info", "far.toml/c.yaml"]).code(2);
    nowhere.err_has("far.toml/c.yaml");
    assert_eq!(account.inventory(), before);
}

#[test]
fn the_doctor_reaches_servers_and_has_brokers_hand_on_a_message() {
    let account = Account::new();
    let of = |region: &str, name: &str| account.endpoints["regions"][region][name].to_string().replace('"', "");
    let file = |us: &str| {
        format!(
            "lambda:\n  s3_buckets:\n    eu-central-1: code-eu\n    us-east-1: code-us\ndatastores:\n  cache:\n    vpc_required: false\n    \
             port: {}\n    host__eu-central-1__writer: {}\n    host__us-east-1__reader: {}\n  mq:\n    vpc_required: false\n    \
             user: {}\n    password: ${{BROKERS}}\n    notification_queue: n\n    stomp_port: {}\n    ca_file: {}\n    \
             host__eu-central-1: {}\n    host__us-east-1: {us}\n",
            of("eu", "redis_port"),
            of("eu", "host"),
            of("us", "host"),
            account.text("/mq/user"),
            of("eu", "stomp_ssl_port"),
            account.text("/mq/ca_file"),
            of("eu", "host"),
        )
    };
    let doctor = || {
        let mut command = account.bench.command(&["aws", "doctor"]);
        ended(command.env("BROKERS", account.text("/mq/password")))
    };
    let place =
        "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
    for (region, bucket, body) in [(REGIONS[0], "code-eu", place), (REGIONS[1], "code-us", "")] {
        let (status, answer) = account.ask(region, "s3", &format!("PUT /{bucket}"), "", body);
        assert_eq!(status, 200, "{answer}");
    }
    account.bench.write("connection_info.yaml", &file(&of("us", "host")));
    let well = doctor().out;
    assert_eq!(problems(&well), Vec::<&str>::new(), "{well}");
    assert!(well.contains("ok           redis at") && well.contains("a message was carried"), "{well}");
    assert!(!well.contains(account.text("/mq/password")), "no secret is printed");
    assert!(well.contains("ok           password of amq"), "{well}");
    // Without the variable nobody gets in: that is the file's entry, not only the brokers'.
    let ill = account.bench.matrix(&["aws", "doctor"]).code(3);
    ill.out_has("problem      password of amq").out_has("variable BROKERS");
    // Nobody listens there.
    account.bench.write("connection_info.yaml", &file("127.99.99.99"));
    doctor().code(3).out_has("problem      amq at").out_has("problem      brokers of");
}
