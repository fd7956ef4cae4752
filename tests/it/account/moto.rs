//! Set-up, doctor and clean on a second emulator, moto, whose answers differ from the testbed's: it knows no Cloud Control, and answers
//! some questions in forms that the services do not have.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::workbench::{Printed, Workbench, installed};

/// An emulator of the test's own, and a directory.
struct Account {
    bench: Workbench,
    server: Child,
}

impl Drop for Account {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Account {
    fn new() -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let mut bench = Workbench::new();
        bench.set("AWS_ENDPOINT_URL", format!("http://{free}"));
        for (name, value) in
            [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_EC2_METADATA_DISABLED", "true")]
        {
            bench.set(name, value);
        }
        let mut command = Command::new(installed("moto/bin/moto_server"));
        command.args(["--host", "127.0.0.1", "--port", &free.port().to_string()]).current_dir(bench.path("."));
        let server = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut account = Self { bench, server };
        account.wait_for(free);
        account
    }

    fn wait_for(&mut self, address: SocketAddr) {
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert_eq!(self.server.try_wait().unwrap(), None, "moto ended");
            assert!(began.elapsed() < Duration::from_secs(120), "moto does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn set_up(&self, stores: &str) -> Printed {
        self.bench.matrix(&["aws", "setup", "--regions", "eu,us", "--stores", stores, "--yes"])
    }

    /// Everything goes, and nothing is left.
    fn clean(&self) -> Printed {
        let cleaned = self.bench.matrix(&["aws", "clean", "--regions", "eu,us", "--yes"]).code(0);
        cleaned.out_has("nothing");
        cleaned
    }
}

#[test]
fn what_another_emulator_makes_is_set_up_examined_and_taken_away() {
    let account = Account::new();
    account.set_up("sns").code(0);
    let file = account.bench.path("connection_info.yaml");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    account.set_up("sns").code(0).err_has("nothing had to be changed");

    // It does not know the question for the account: that is no region that is not enabled. Nor does it know Cloud Control, which
    // is asked for long: what is known by then is shown, and an interruption loses none of it.
    let mut doctor =
        account.bench.command(&["aws", "doctor"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(doctor.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut findings = Vec::new();
    let of = |findings: &[String], about: &str| findings.iter().filter(|line| line.contains(about)).count();
    while (of(&findings, "  stack matrix-"), of(&findings, "  SNS topic"), of(&findings, "  region ")) != (4, 1, 2) {
        findings.push(lines.next().unwrap_or_else(|| panic!("{findings:#?}")));
    }
    Command::new("kill").args(["-s", "INT", &doctor.id().to_string()]).status().unwrap();
    findings.extend(lines);
    doctor.wait().unwrap();
    assert_eq!(of(&findings, "enable-region"), 0, "{findings:#?}");

    let cleaned = account.clean();
    assert!(cleaned.err.contains("named nothing else") && !file.exists(), "{cleaned:?}");

    // It answers the question for versions of a bucket with an element that S3 does not have.
    let s3 = account.set_up("s3").code(3);
    // Lines are broken where they are long.
    let said = s3.err.replace(['\n', '|'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("the answer cannot be read (status 200)"), "{s3:?}");
    account.clean();

    // It is asked what it offers as RDS is, and has no Aurora: refused before anything is made.
    let mysql = account.set_up("mysql").code(2);
    let said = mysql.err.replace(['\n', '|'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("not on offer: Aurora MySQL 8.0.mysql_aurora.3.04.3 on db.r6g.large"), "{mysql:?}");
    account.clean();
}

#[test]
fn a_service_that_keeps_failing_is_named_while_it_is_tried_again() {
    let account = Account::new();
    let redis = ["aws", "setup", "--regions", "eu,us", "--stores", "redis"];
    account.bench.matrix(&[&redis[..], &["--plan"]].concat()).code(0).err_has("offers Redis 6.2 could not be asked: ");

    // It fails with status 500 whenever the stack is asked for.
    let mut child = account
        .bench
        .command(&[&redis[..], &["--yes"]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let what = "fails with status 500 (3 times so far): it is tried again";
    let told = lines.into_iter().find(|line| line.ends_with(what));
    Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(told.is_some_and(|line| line.starts_with("cloudformation's CreateStack in ")));
}
