//! Platform `aws` against the emulator, with the real MariaDB, Redis and ActiveMQ beside it: a matrix on things that are
//! there already, what is left of it, credentials that expire in the middle, throttled calls, and a stack that cannot be made.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::services::on_services;
use crate::workbench::{Printed, Workbench, ended, signal, until};

/// The emulator is slow.
const LONG: Duration = Duration::from_secs(600);

/// Four deployments that use every datastore. All share the queue of evaluations; two share a topic.
const MATRICES: [(&str, &str, &str); 3] =
    [("topic", r#"["mysql", "s3"]"#, "sns"), ("stream", r#"["dynamo"]"#, "dynamo"), ("broker", r#"["redis"]"#, "amq")];

/// An emulator with things in it, and a proxy before it that can break what passes.
struct Cloud {
    bench: Workbench,
    proxy: Child,
    url: String,
    password: String,
}

impl Cloud {
    fn up() -> Self {
        Self::up_for(&MATRICES)
    }

    fn up_for(matrices: &[(&str, &str, &str)]) -> Self {
        let bench = Workbench::with_testbed(&on_services("given", "aws", matrices));
        bench.matrix(&["testbed", "up", "small.toml"]).code(0);
        let endpoints: Value = serde_json::from_slice(&std::fs::read(bench.path(ENDPOINTS)).unwrap()).unwrap();
        let password = endpoints["mq"]["password"].as_str().unwrap().to_owned();
        bench.write("faults.json", "{}");
        let mut proxy = python(&bench, &["proxy", ENDPOINTS, "faults.json"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(proxy.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
        let this = Self { bench, proxy, url: url.trim().to_owned(), password };
        let made = this.script("make");
        this.bench.write("connection_info.yaml", &made);
        this.keys("AKIDFIRST");
        this
    }

    fn script(&self, what: &str) -> String {
        ended(&mut python(&self.bench, &[what, ENDPOINTS])).code(0).out
    }

    fn inventory(&self) -> Value {
        serde_json::from_str(&self.script("inventory")).unwrap()
    }

    /// Puts keys into the profile.
    fn keys(&self, id: &str) {
        let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = hidden-secret\n");
        let beside = self.bench.path("credentials.new");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(beside, self.bench.path("credentials")).unwrap();
    }

    fn faults(&self, faults: &Value) {
        let beside = self.bench.path("faults.new");
        std::fs::write(&beside, faults.to_string()).unwrap();
        std::fs::rename(beside, self.bench.path("faults.json")).unwrap();
    }

    /// How often the proxy broke something in this way.
    fn broken(&self, how: &str) -> u64 {
        let told = std::fs::read_to_string(self.bench.path("faults.json.told")).unwrap_or_default();
        serde_json::from_str::<Value>(&told).map_or(0, |told| told[how].as_u64().unwrap())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bench.command(args);
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"] {
            command.env_remove(name);
        }
        command
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", self.bench.path("none"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.bench.path("credentials"))
            .env("GIVEN_MQ_PASSWORD", &self.password);
        command
    }

    fn matrix(&self, args: &[&str]) -> Printed {
        ended(&mut self.command(args))
    }

    /// Starts a command whose standard error goes into a file.
    fn start(&self, args: &[&str], stderr: &str) -> Child {
        let file = File::create(self.bench.path(stderr)).unwrap();
        self.command(args).stdout(Stdio::null()).stderr(file).spawn().unwrap()
    }

    fn cells_done(&self) -> usize {
        self.bench.results().keys().filter(|path| path.starts_with("cells")).count()
    }

    fn attempts(&self) -> String {
        let files = self.bench.files("results");
        files.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
        let down = self.bench.matrix(&["testbed", "down"]);
        if !std::thread::panicking() {
            down.code(0);
        }
    }
}

const ENDPOINTS: &str = "state/matrix/testbed/endpoints.json";

/// A script, in the environment that the emulator is installed in.
fn python(bench: &Workbench, args: &[&str]) -> Command {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".local/share"));
    let environments = std::fs::read_dir(data.join("matrix")).unwrap().map(|entry| entry.unwrap().path());
    let environment = environments.max().expect("`matrix testbed install` installs the emulator");
    let script = crate::workbench::here().join("tests/it/aws/emulator.py");
    let mut command = Command::new(environment.join("bin/python3"));
    command.arg(script).args(args).current_dir(bench.path(".")).stdin(Stdio::null());
    command
}

#[test]
fn a_matrix_on_given_things_leaves_them_as_they_were() {
    let cloud = Cloud::up();
    let before = cloud.inventory();

    // By hand, and what is left by a run. Control-plane calls are throttled, every third of them.
    cloud.faults(&json!({ "throttle_every": 3 }));
    let live = |phase: &str, more: &[&str]| {
        let args: Vec<&str> = ["live", phase, "small.toml"].iter().chain(more).copied().collect();
        cloud.matrix(&args)
    };
    live("build", &[]).code(0);
    assert!(!live("build", &[]).code(0).out.contains(" built"), "what is built stays as it is");
    live("run", &["--only", "redis"]).code(0);
    live("gather", &["--only", "redis"]).code(0).out_has(": 0 lost, 0 failed");
    assert_eq!(cloud.cells_done(), 2);
    cloud.matrix(&["run", "small.toml"]).code(0);
    assert!(cloud.broken("throttled") > 20, "{}", cloud.broken("throttled"));
    cloud.faults(&json!({}));
    let status = cloud.matrix(&["status", "--format", "json"]).code(0).json();
    assert_eq!(status["experiment"]["tally"]["done"], 8, "{status}");
    cloud.matrix(&["check"]).code(0).out_has("1 held");

    // Nothing of an account, a password or a host is kept.
    let kept = cloud.attempts();
    assert!(kept.contains("emulated"), "{kept}");
    for secret in ["000000000000", "AKIDFIRST", "hidden-secret", cloud.password.as_str(), "127.0.0."] {
        assert!(!kept.contains(secret), "{secret} is kept");
    }

    let built = cloud.inventory();
    for region in ["eu-central-1", "us-east-1"] {
        assert_eq!(built[region]["functions"].as_array().unwrap().len(), 4, "{built}");
    }
    assert_eq!(built["us-east-1"]["tables"], before["us-east-1"]["tables"], "tables are used, not made: {built}");
    assert_eq!(built["eu-central-1"]["topics"], before["eu-central-1"]["topics"]);
    assert_eq!(built["roles"], before["roles"], "roles are used, not made");
    live("clean", &[]).code(0);
    let clean = cloud.inventory();
    assert_eq!(clean["buckets"]["given-posts-us"], json!([]));
    assert_eq!(clean["us-east-1"]["queues"]["given-evaluations"], 0);
    for _ in 0..2 {
        live("clean", &["--strong"]).code(0);
    }
    assert_eq!(cloud.inventory(), before);

    // What cannot be made says why: the reader's code is in another region than its function.
    let info = cloud.bench.read("connection_info.yaml");
    let swapped = info.replace("us-east-1: given-code-us", "us-east-1: given-code-eu");
    cloud.bench.write("connection_info.yaml", &swapped);
    let failed = live("build", &["--only", "s3"]).code(3);
    let said = failed.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("code in given-code-eu: the bucket is in region eu-central-1"), "{}", failed.err);
    assert!(!said.contains("Response {"), "{}", failed.err);
    cloud.bench.write("connection_info.yaml", &info);
    live("clean", &["--strong"]).code(0);
    assert_eq!(cloud.inventory(), before);
}

#[test]
fn a_queue_that_is_gone_is_named_and_not_waited_for_and_hinders_no_removal() {
    let cloud = Cloud::up();
    let live = |phase: &str, more: &[&str]| {
        let args: Vec<&str> = ["live", phase, "small.toml", "--only", "redis"].iter().chain(more).copied().collect();
        cloud.matrix(&args)
    };
    let mut before = cloud.inventory();
    live("build", &[]).code(0);
    live("run", &[]).code(0);
    cloud.script("unqueue");
    before["us-east-1"]["queues"].as_object_mut().unwrap().remove("given-evaluations");
    let named = |printed: Printed| {
        let said = printed.code(3).err.replace(['\n', '|', '│'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
        for part in ["the queue of evaluations in us-east-1 is not there", "`sqs_eval.url__us-east-1`"] {
            assert!(said.contains(part), "{said}");
        }
    };
    // After requests were sent, before any are, and when stores are emptied.
    named(live("gather", &[]));
    named(cloud.matrix(&["run", "small.toml", "--filter", "post_storage = redis"]));
    named(live("clean", &[]));
    let examined = cloud.matrix(&["aws", "doctor"]).code(3).out;
    let found: Vec<&str> =
        examined.lines().filter(|line| line.starts_with("problem") && !line.contains(" quota of ")).collect();
    assert!(matches!(found[..], [line] if line.contains("queue of evaluations given-evaluations")), "{examined}");
    live("clean", &["--strong"]).code(0);
    assert_eq!(cloud.inventory(), before);
}

#[test]
fn a_given_bucket_that_keeps_no_versions_is_refused_by_name() {
    let cloud = Cloud::up();
    cloud.script("unversion");
    let before = cloud.inventory();
    let live = |phase: &[&str]| cloud.matrix(&[&["live"], phase, &["small.toml", "--only", "s3"]].concat());
    let said = live(&["build"]).code(2).err.replace(['\n', '|', '│'], " ");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("bucket given-posts-us of connection_info.yaml keeps no versions"), "{said}");
    live(&["clean", "--strong"]).code(0);
    assert_eq!(cloud.inventory(), before);
}

#[test]
fn credentials_that_expire_pause_the_run() {
    // Two deployments: enough to be in the middle of.
    let cloud = Cloud::up_for(&[("topic", r#"["mysql"]"#, "sns"), MATRICES[2]]);
    let mut running = cloud.start(&["run", "small.toml"], "first.err");
    until("a cell", LONG, || cloud.cells_done() > 0 || running.try_wait().unwrap().is_some());
    cloud.faults(&json!({ "refused": ["AKIDFIRST"] }));
    until("the note", LONG, || cloud.bench.read("first.err").contains("credentials have expired"));
    assert!(running.try_wait().unwrap().is_none(), "it does not die of it");
    let done = cloud.cells_done();
    // It tries again and again, and is refused.
    let refused = cloud.broken("refused");
    until("two more refusals", LONG, || cloud.broken("refused") > refused + 1);
    assert_eq!(cloud.cells_done(), done, "nothing goes on without credentials");
    cloud.keys("AKIDSECOND");
    assert!(running.wait().unwrap().success(), "{}", cloud.bench.read("first.err"));
    assert!(cloud.bench.read("first.err").contains("credentials are renewed"), "{}", cloud.bench.read("first.err"));
    let status = cloud.matrix(&["status", "--format", "json"]).code(0).json();
    assert_eq!(status["experiment"]["tally"]["done"], 4, "{status}");
    cloud.matrix(&["verify"]).code(0);
    assert!(cloud.matrix(&["check"]).code(0).out.contains("1 held"));
    assert!(cloud.attempts().contains("credentials_renewed") && cloud.broken("refused") > 0);

    // Interrupted in a pause, it is taken up later.
    let mut running = cloud.start(&["run", "small.toml", "--fresh"], "second.err");
    let objects = cloud.bench.files("results/attempts").len();
    until("another cell", LONG, || {
        cloud.bench.files("results/attempts").len() > objects || running.try_wait().unwrap().is_some()
    });
    cloud.faults(&json!({ "refused": ["AKIDFIRST", "AKIDSECOND"] }));
    until("the note", LONG, || cloud.bench.read("second.err").contains("credentials have expired"));
    signal(running.id(), "-INT");
    assert_eq!(running.wait().unwrap().code(), Some(130), "{}", cloud.bench.read("second.err"));
    cloud.matrix(&["resume"]).code(2).err_has("aws sso login");
    cloud.keys("AKIDTHIRD");
    cloud.matrix(&["resume"]).code(0);
    let status = cloud.matrix(&["status", "--format", "json"]).code(0).json();
    assert_eq!(status["experiment"]["tally"]["done"], 4, "{status}");
    cloud.matrix(&["live", "clean", "small.toml", "--strong"]).code(0);
}
