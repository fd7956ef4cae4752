//! `on = "server"`: services on another host, by ssh. The other host is this one, behind an sshd of the test's own.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use super::leftovers::{LIMIT, QUICK, SERVER, lives};
use super::{BENCH, EXPERIMENT, executable, executions, with};
use crate::workbench::{Workbench, signal, until};

/// An sshd that takes one key, and nothing of the machine's own configuration.
pub(crate) struct Sshd {
    child: Child,
    pub(crate) port: u16,
}

impl Sshd {
    /// Starts one whose files lie in the folder, and writes `ssh_config` for who wants in.
    fn start(bench: &Workbench) -> Self {
        for key in ["host_key", "user_key"] {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(bench.path(key));
            assert!(keygen.status().unwrap().success());
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = |name: &str| bench.path(name).display().to_string();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n",
            path("host_key"),
            path("user_key.pub"),
        );
        bench.write("sshd_config", &config);
        bench.write(
            "ssh_config",
            &format!(
                "Host *\nIdentityFile {}\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile {}\n\
                 StrictHostKeyChecking accept-new\nLogLevel ERROR\n",
                path("user_key"),
                path("known_hosts"),
            ),
        );
        // Root's sshd wants an empty folder, which the system makes at its start.
        let _ = std::fs::create_dir("/run/sshd");
        let mut sshd = Command::new("/usr/sbin/sshd");
        sshd.args(["-D", "-e", "-f"]).arg(bench.path("sshd_config")).stderr(Stdio::null());
        let child = sshd.spawn().expect("sshd: scripts/install-test-needs installs it");
        until("sshd listens", LIMIT, || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { child, port }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// An experiment with a service on the host `server`.
pub(crate) fn bench(experiment: &str, service: &str, program: &str) -> (Workbench, Sshd) {
    let bench = with("", program);
    let sshd = Sshd::start(&bench);
    let site = format!("[site]\nhosts = {{ server = [\"127.0.0.1:{}\"] }}\nssh_config = \"ssh_config\"\n", sshd.port);
    bench.write("kv.toml", &experiment.replace("[columns]", &format!("{site}{service}\n[columns]")));
    (bench, sshd)
}

const WEB: &str = r#"
[[command.service]]
name = "db"
on = "server"
run = ["python3", "-m", "http.server", "--bind", "{addr:db}", "--directory", "{scratch}", "{port:db}"]
env = { MARK = "it's $HOME" }
ready = "http://{addr:db}:{port:db}/"
"#;

#[test]
fn a_service_on_another_host_has_a_folder_and_an_address_there_and_leaves_nothing() {
    let program = format!("{BENCH}\ntest \"$(curl -s -o /dev/null -w '%{{http_code}}' \"$4\")\" = 200\n");
    let text = EXPERIMENT.replace("\"{out}/rows.csv\"]", "\"{out}/rows.csv\", \"http://{addr:db}:{port:db}/\"]");
    let (bench, sshd) = bench(&text, WEB, &program);
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    assert_eq!(executions(&bench), 2);
    let plan = |bench: &Workbench| bench.json(&["plan", "kv.toml"]);
    let before = plan(&bench);
    let done = before["cells"].as_array().unwrap().iter().find(|cell| cell["state"] == "done").unwrap();
    let key = done["key"].as_str().unwrap();
    bench.matrix(&["show", key, "--left", "service/db/stderr"]).code(0).out_has("\"GET / HTTP/1");
    bench.matrix(&["show", key]).code(0).out_has("the host server").out_has("server: ");
    let attempt = &bench.json(&["show", key])["records"][0];
    assert!(attempt["costs"]["service.db.wall_us"].is_u64() && attempt["costs"]["service.db.user_us"].is_null());
    assert_eq!(scratch_folders(&bench), Vec::<String>::new());

    // Where a host is makes no cell new; which host it is does.
    let moved = bench.read("kv.toml").replace(&sshd.port.to_string(), "1");
    bench.write("kv.toml", &moved);
    assert_eq!(plan(&bench)["cells"], before["cells"]);
    bench.write("kv.toml", &moved.replace("server", "other"));
    assert_ne!(plan(&bench)["cells"][0]["key"], before["cells"][0]["key"]);
}

/// Folders of services of this experiment's cells that were not removed.
fn scratch_folders(bench: &Workbench) -> Vec<String> {
    let plan = bench.json(&["plan", "kv.toml"]);
    let keys: Vec<String> =
        plan["cells"].as_array().unwrap().iter().map(|cell| cell["key"].as_str().unwrap()[..12].to_owned()).collect();
    let names =
        std::fs::read_dir("/tmp").unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".db") && keys.iter().any(|key| name.contains(key.as_str()))).collect()
}

#[test]
fn a_host_that_cannot_be_reached_or_is_not_named_is_told_before_anything_runs() {
    let (bench, sshd) = bench(EXPERIMENT, WEB, BENCH);
    let here = bench.read("kv.toml");
    bench.write("kv.toml", &here.replace(&format!("127.0.0.1:{}", sshd.port), "127.0.0.1:1"));
    let refused = bench.matrix(&["run", "kv.toml"]).code(2);
    refused.err_has("the host `server` (127.0.0.1 port 1) cannot be used: it ended with exit code 255");
    refused.err_has("Connection refused");
    // In a file of the site alone.
    bench.write("kv.toml", &here.replace(&format!("[\"127.0.0.1:{}\"]", sshd.port), "[]"));
    bench.matrix(&["run", "kv.toml"]).code(2).err_has("nothing says where the host `server` is");
    assert_eq!(executions(&bench), 0);
    bench.write("site.toml", &format!("hosts = {{ server = \"127.0.0.1:{}\" }}\n", sshd.port));
    bench.matrix(&["run", "kv.toml", "--subset", "small", "--site", "site.toml"]).code(0);
    assert_eq!(executions(&bench), 2);

    bench.matrix(&["bundle", "create", "--filter", "threads = 1 and round = 1", "-o", "kv.tar.zst"]).code(0);
    let asked = bench.matrix(&["bundle", "replay", "kv.tar.zst"]).code(2);
    asked.err_has("  runs the service db by ssh on the host server: where --site says\n");
}

#[test]
fn what_is_said_of_hosts_and_cannot_be_is_an_error_with_its_place() {
    let told = |from: &str, to: &str| {
        let site = "[site]\nhosts = { server = [\"me@10.0.0.2\"] }\n";
        let text = EXPERIMENT.replace("[columns]", &format!("{site}{WEB}\n[columns]")).replace(from, to);
        let bench = with(&text, BENCH);
        let err = bench.matrix(&["plan", "kv.toml"]).code(2).err;
        // The place, without the frame around it.
        err.lines().filter(|line| !line.trim().is_empty()).map(str::trim_end).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(
        [
            told("on = \"server\"", "on = \"sever\""),
            told("me@10.0.0.2", "-oProxyCommand=true"),
            told("[\"me@10.0.0.2\"]", "[\"a\", \"b\"]"),
            told("is = \"mean(latency_us)\"", "is = \"service.db.user_s\""),
        ]
        .join("\n")
    );
}

#[test]
fn killed_interrupted_and_timed_out_nothing_is_left_on_the_other_host() {
    let text = EXPERIMENT.replace("COUNT = \"{experiment}/count\"", "PIDS = \"{experiment}/pids\"");
    let text = text.replace("threads = { from = 1, to = 4, factor = 2 }", "threads = [1, 2]");
    let server = SERVER.replace("name = \"db\"", "name = \"db\"\non = \"server\"").replace("\n[columns]", "");
    let (bench, _sshd) = bench(&text, &server, QUICK);
    std::fs::create_dir_all(bench.path("pids/late")).unwrap();
    let none_left = || {
        let all = std::fs::read_to_string(bench.path("pids/all")).unwrap_or_default();
        until("nothing is left", LIMIT, || all.split_whitespace().all(|pid| !lives(&bench, pid)));
    };
    let started =
        |least: usize| std::fs::read_to_string(bench.path("pids/all")).is_ok_and(|all| all.lines().count() >= least);
    for name in ["-INT", "-KILL", "-TERM"] {
        executable(&bench, "bench", &QUICK.replace("[ \"$2\" = slow ] && sleep 0.1", "sleep 600"));
        let before = std::fs::read_to_string(bench.path("pids/all")).map_or(0, |all| all.lines().count());
        let mut run = bench.command(&["run", "kv.toml"]);
        let mut child = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The server and its child, and the program and its child.
        until("all run", LIMIT, || started(before + 4));
        signal(child.id(), name);
        child.wait().unwrap();
        none_left();
    }
    // A time-out of the program ends the service as well.
    let late = ["run", "kv.toml", "--subset", "small", "--fail-fast", "--set", "command.timeout_s=2"];
    bench.matrix(&late).code(3);
    none_left();
    executable(&bench, "bench", QUICK);
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    none_left();
    until("folders are removed", LIMIT, || scratch_folders(&bench).is_empty());
}
