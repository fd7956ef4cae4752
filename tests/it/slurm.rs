//! An experiment given to Slurm: a real one that belongs to the test, whose nodes are all this machine.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::{BENCH, EXPERIMENT, executions, remote};
use crate::workbench::{SMALL, Workbench, ended, until};

/// Most time until Slurm does something.
const LONG: Duration = Duration::from_secs(120);

/// Slurm's daemons, as plain processes in a folder of their own.
struct Slurm {
    folder: tempfile::TempDir,
    /// `munged`, `slurmctld` and a `slurmd` for each node, in their order.
    daemons: Vec<Child>,
    nodes: Vec<&'static str>,
}

impl Slurm {
    /// Starts one with these nodes, each of so many processors.
    fn start(nodes: &[&'static str], processors: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut slurm = Self { folder, daemons: Vec::new(), nodes: nodes.to_vec() };
        let at = |name: &str| slurm.folder.path().join(name).display().to_string();
        let key: Vec<u8> = (0..=255).cycle().take(1024).collect();
        std::fs::write(at("key"), key).unwrap();
        Command::new("chmod").args(["400", &at("key")]).status().unwrap();
        for name in ["munge", "state", "spool"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        let munge = [
            "--force".to_owned(),
            "--foreground".to_owned(),
            format!("--key-file={}", at("key")),
            format!("--socket={}", at("munge/socket")),
            format!("--pid-file={}", at("munge/pid")),
            format!("--seed-file={}", at("munge/seed")),
        ];
        // The name of this machine, as Slurm takes it.
        let name = output("uname", &["-n"]);
        let node = name.split('.').next().unwrap().trim();
        let user = output("id", &["-un"]).trim().to_owned();
        let mut ports = free_ports(1 + nodes.len());
        let controller = ports.pop().unwrap();
        let lines = nodes.iter().zip(ports).map(|(name, port)| {
            format!(
                "NodeName={name} NodeHostname={node} NodeAddr=127.0.0.1 Port={port} CPUs={processors} State=UNKNOWN\n"
            )
        });
        let lines: String = lines.collect();
        let top = slurm.folder.path().display();
        let conf = format!(
            "ClusterName=test\nSlurmctldHost={node}(127.0.0.1)\nAuthType=auth/munge\nAuthInfo=socket={top}/munge/socket\nCredType=cred/munge\n\
             SlurmUser={user}\nSlurmdUser={user}\nSlurmctldPort={controller}\nSlurmdTimeout=5\n\
             StateSaveLocation={top}/state\nSlurmdSpoolDir={top}/spool/%n\nSlurmctldPidFile={top}/controller.pid\nSlurmdPidFile={top}/%n.pid\n\
             SlurmctldLogFile={top}/controller.log\nSlurmdLogFile={top}/%n.log\n\
             ProctrackType=proctrack/pgid\nTaskPlugin=task/none\nSelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nSwitchType=switch/none\nMpiDefault=none\n\
             SchedulerParameters=batch_sched_delay=0,sched_interval=1\nSlurmdParameters=config_overrides\nReturnToService=2\nKillWait=2\n\
             JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n\
             PreemptType=preempt/partition_prio\nPreemptMode=REQUEUE\n\
             {lines}PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE PriorityTier=1 State=UP\n\
             PartitionName=urgent Nodes=ALL MaxTime=INFINITE PriorityTier=2 State=UP\n",
        );
        let paths = [at("munge/socket"), at("slurm.conf")];
        std::fs::write(&paths[1], conf).unwrap();
        slurm.daemon("munged", &munge);
        until("munged answers", LONG, || Path::new(&paths[0]).exists());
        slurm.daemon("slurmctld", &["-D".to_owned(), "-c".to_owned()]);
        for node in nodes {
            slurm.node_daemon(node);
        }
        until("every node is idle", LONG, || nodes.iter().all(|node| slurm.node(node) == "idle"));
        slurm
    }

    /// Starts the daemon of a node.
    fn node_daemon(&mut self, node: &str) {
        self.daemon("slurmd", &["-D".to_owned(), "-N".to_owned(), node.to_owned()]);
    }

    /// Kills the daemon of the last node.
    fn kill_node_daemon(&mut self) {
        let mut killed = self.daemons.pop().unwrap();
        killed.kill().unwrap();
        killed.wait().unwrap();
    }

    /// Kills the daemon of the last node, and starts it again.
    fn restart_node_daemon(&mut self) {
        self.kill_node_daemon();
        let node = *self.nodes.last().unwrap();
        self.node_daemon(node);
        let is_up = |state: &str| ["idle", "mixed", "allocated"].contains(&state);
        until("the node is there again", LONG, || is_up(&self.node(node)));
    }

    /// The state of a node.
    fn node(&self, name: &str) -> String {
        self.tries("sinfo", &["-h", "-N", "-p", "test", "-n", name, "-o", "%T"]).trim().to_owned()
    }

    /// Kills the last node: its daemon and every process of its tasks.
    fn kill_node(&mut self) {
        self.kill_node_daemon();
        let of_node = format!("SLURMD_NODENAME={}\0", self.nodes.last().unwrap());
        let conf = format!("SLURM_CONF={}\0", self.conf().display());
        let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|process| process.path());
        for process in processes {
            let environment = std::fs::read(process.join("environ")).unwrap_or_default();
            let has = |words: &str| environment.windows(words.len()).any(|found| found == words.as_bytes());
            if has(&of_node) && has(&conf) {
                // The one that started it is Slurm's, and would tell of its end.
                let status = std::fs::read_to_string(process.join("status")).unwrap_or_default();
                let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).map(|id| id.trim().to_owned());
                let id = process.file_name().unwrap().to_string_lossy().into_owned();
                let parent = parent.filter(|id| {
                    std::fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.starts_with("slurmstepd"))
                });
                Command::new("kill").arg("-KILL").args(parent).arg(id).stderr(Stdio::null()).status().unwrap();
            }
        }
    }

    /// Submits an experiment, and returns the job's number.
    fn submit(&self, bench: &Workbench, arguments: &[&str]) -> String {
        let mut submit = bench.command(&["submit", "slurm"]);
        let submitted = ended(submit.args(arguments).env("SLURM_CONF", self.conf())).code(0);
        let mut words = submitted.out.split(['b', ':']);
        let job = words.find_map(|word| word.trim().parse::<u32>().ok()).unwrap().to_string();
        submitted.out_has(&format!("submitted job {job}: "));
        job
    }

    /// Waits until no task of a job runs or waits, all of which must have succeeded then.
    fn finish(&self, bench: &Workbench, job: &str, tasks: usize) {
        let goes_on = |state: &String| ["RUNNING", "PENDING", "COMPLETING"].contains(&state.as_str());
        let begun = Instant::now();
        while self.states(job).iter().any(goes_on) && begun.elapsed() < LONG {
            std::thread::sleep(Duration::from_millis(50));
        }
        let prints = bench.files("").into_iter().filter(|(path, _)| path.extension().is_some_and(|ends| ends == "out"));
        let prints: Vec<_> = prints.map(|(path, bytes)| (path, String::from_utf8_lossy(&bytes).into_owned())).collect();
        let shown = self.runs("scontrol", &["show", "job", job]);
        assert_eq!(self.states(job), vec!["COMPLETED"; tasks], "{prints:#?}\n{shown}");
    }

    /// Lets a task that was queued again start. Slurm waits two minutes before that. Within a second it would refuse: it
    /// takes the task for the one that has ended.
    fn start_soon(&self, task: &str) {
        self.runs("scontrol", &["update", &format!("JobId={task}"), "StartTime=now+5"]);
    }

    /// Starts one of the daemons, which are where ordinary users' paths do not lead.
    fn daemon(&mut self, name: &str, arguments: &[String]) {
        let program = ["/usr/sbin", "/usr/bin", "/usr/local/sbin"].map(|folder| Path::new(folder).join(name));
        let program = program.into_iter().find(|path| path.exists());
        let program = program.unwrap_or_else(|| panic!("{name} is missing: run scripts/install-test-needs"));
        let log = std::fs::File::create(self.folder.path().join(format!("{name}.out"))).unwrap();
        let mut command = Command::new(program);
        command.args(arguments).env("SLURM_CONF", self.conf()).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.daemons.push(child);
    }

    fn conf(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    /// What one of Slurm's commands printed.
    fn tries(&self, command: &str, arguments: &[&str]) -> String {
        let done = Command::new(command).args(arguments).env("SLURM_CONF", self.conf()).output();
        String::from_utf8(done.unwrap().stdout).unwrap()
    }

    /// The same of a command that must succeed.
    fn runs(&self, command: &str, arguments: &[&str]) -> String {
        let done = Command::new(command).args(arguments).env("SLURM_CONF", self.conf()).output().unwrap();
        assert!(done.status.success(), "{command} {arguments:?}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// States of a job's tasks.
    fn states(&self, job: &str) -> Vec<String> {
        self.runs("squeue", &["-h", "-r", "-t", "all", "-j", job, "-o", "%T"]).lines().map(str::to_owned).collect()
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        let _ = Command::new("scancel")
            .args(["--user", output("id", &["-un"]).trim()])
            .env("SLURM_CONF", self.conf())
            .status();
        let begun = Instant::now();
        while !self.tries("squeue", &["-h"]).trim().is_empty() && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(50));
        }
        for daemon in self.daemons.iter_mut().rev() {
            let _ = Command::new("kill").arg(daemon.id().to_string()).status();
            let _ = daemon.wait();
        }
    }
}

fn output(command: &str, arguments: &[&str]) -> String {
    String::from_utf8(Command::new(command).args(arguments).output().unwrap().stdout).unwrap()
}

fn free_ports(count: usize) -> Vec<u16> {
    let listening: Vec<_> = (0..count).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listening.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

/// The small experiment, with many more cells.
fn long() -> String {
    SMALL.replace("rounds = 1", "rounds = 25").replace("requests = 40", "requests = 2000")
}

#[test]
fn an_array_job_whose_tasks_and_daemon_are_killed_does_what_one_run_does() {
    let alone = Workbench::with(&long());
    alone.matrix(&["run", "small.toml"]).code(0);

    let mut slurm = Slurm::start(&["n1"], 4);
    let bench = Workbench::with(&long());
    let job = slurm.submit(&bench, &["small.toml", "-n", "4", "--jobs", "1", "--", "--job-name=by-hand"]);
    assert!(slurm.runs("squeue", &["-h", "-t", "all", "-j", &job, "-o", "%j"]).contains("by-hand"));

    until("a cell is done", LONG, || {
        bench.path("results/cells").read_dir().is_ok_and(|mut cells| cells.next().is_some())
    });
    let status = bench.json(&["status", "small.toml"]);
    assert_eq!(
        (&status["runs"][0]["state"], &status["experiment"]["tally"]["planned"]),
        (&"running".into(), &300.into()),
        "{status}"
    );
    // Tasks go on without the daemon that started them.
    slurm.restart_node_daemon();
    // One is killed, as for want of memory: it stays ended until somebody queues it again. One is queued again while it runs.
    let [killed, requeued] = [format!("{job}_1"), format!("{job}_2")];
    slurm.runs("scancel", &["--signal=KILL", "--full", &killed]);
    until("the killed task has ended", LONG, || {
        ["CANCELLED", "FAILED"].contains(&slurm.states(&killed).join(" ").as_str())
    });
    for task in [killed, requeued] {
        slurm.runs("scontrol", &["requeue", &task]);
        slurm.start_soon(&task);
    }
    slurm.finish(&bench, &job, 4);
    assert!(bench.results() == alone.results(), "not the same objects and records");
    bench.matrix(&["verify", "results"]).code(0);
}

#[test]
fn a_node_that_dies_with_its_task_costs_nothing_but_time() {
    let alone = Workbench::with(&long());
    alone.matrix(&["run", "small.toml"]).code(0);

    let mut slurm = Slurm::start(&["n1", "n2"], 1);
    let bench = Workbench::with(&long());
    let job = slurm.submit(&bench, &["small.toml", "-n", "2", "--jobs", "1"]);
    let place =
        |task: u32| slurm.runs("squeue", &["-h", "-j", &format!("{job}_{task}"), "-o", "%T %N"]).trim().to_owned();
    until("both tasks run", LONG, || (0..2).all(|task| place(task).starts_with("RUNNING")));
    let task = (0..2).find(|task| place(*task) == "RUNNING n2").unwrap();
    until("both have claimed cells", LONG, || {
        bench.path("results/runners").read_dir().is_ok_and(|runners| runners.count() == 2)
    });
    slurm.kill_node();
    let task = format!("{job}_{task}");
    until("the node is missed", LONG, || slurm.node("n2").starts_with("down"));
    until("its task is queued again", LONG, || slurm.states(&task) == ["PENDING"]);
    slurm.start_soon(&task);
    slurm.finish(&bench, &job, 2);
    assert!(bench.results() == alone.results(), "not the same objects and records");
    bench.matrix(&["verify", "results"]).code(0);
}

#[test]
fn a_task_that_is_preempted_comes_back_and_finishes() {
    let alone = Workbench::with(&long());
    alone.matrix(&["run", "small.toml"]).code(0);

    let slurm = Slurm::start(&["n1"], 1);
    let bench = Workbench::with(&long());
    let job = slurm.submit(&bench, &["small.toml", "-n", "1", "--jobs", "1"]);
    let task = format!("{job}_0");
    until("a cell is done", LONG, || {
        bench.path("results/cells").read_dir().is_ok_and(|mut cells| cells.next().is_some())
    });
    let free = bench.path("free");
    let wait = format!("while [ ! -e '{}' ]; do sleep 0.1; done", free.display());
    let urgent = ["--parsable", "--partition=urgent", "--output=/dev/null", "--wrap", &wait];
    let urgent = slurm.runs("sbatch", &urgent).trim().to_owned();
    until("the task has made room", LONG, || {
        slurm.states(&urgent) == ["RUNNING"] && slurm.states(&task) == ["PENDING"]
    });
    slurm.start_soon(&task);
    std::fs::write(free, "").unwrap();
    slurm.finish(&bench, &job, 1);
    let shown = slurm.runs("scontrol", &["show", "job", &task]);
    assert!(shown.contains("Restarts=1"), "{shown}");
    assert!(bench.results() == alone.results(), "not the same objects and records");
    bench.matrix(&["verify", "results"]).code(0);
}

#[test]
fn a_service_runs_on_a_node_of_its_tasks_own() {
    const SERVICE: &str = r#"
[[command.service]]
name = "db"
on = "server"
run = ["python3", "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", "{scratch}", "{port:db}"]
ready = "line:Serving HTTP"
"#;
    let (bench, sshd) = remote::bench(EXPERIMENT, SERVICE, BENCH);
    let submit = |options: &[&str]| bench.matrix(&[&["submit", "slurm", "kv.toml", "--print"], options].concat());
    submit(&["-n", "2"]).code(2).err_has("on the host `server` at the same time").err_has("hosts = { server = [] }");
    submit(&["-n", "1"]).code(0);
    let unplaced = bench.read("kv.toml").replace(&format!("[\"127.0.0.1:{}\"]", sshd.port), "[]");
    bench.write("kv.toml", &unplaced);
    let nodes = format!("{}Host n1 n2\nHostName 127.0.0.1\nPort {}\n", bench.read("ssh_config"), sshd.port);
    bench.write("ssh_config", &nodes);
    submit(&["-n", "2"]).code(0).out_has("\n#SBATCH --nodes=2\n");
    submit(&["-n", "2", "--filter", "threads = 99"]).code(2).err_has("matches nothing");

    let slurm = Slurm::start(&["n1", "n2"], 1);
    let job = slurm.submit(&bench, &["kv.toml", "-n", "2"]);
    slurm.finish(&bench, &job, 2);
    let plan = bench.json(&["plan", "kv.toml"]);
    let cells = plan["cells"].as_array().unwrap();
    assert!(cells.iter().all(|cell| cell["state"] == "done"), "{plan}");
    assert_eq!(executions(&bench), cells.len());
    bench.matrix(&["show", cells[0]["key"].as_str().unwrap()]).code(0).out_has("the host server").out_has("server: ");

    // A job of too few nodes, and a task of none.
    let mut few = bench.command(&["run", "kv.toml", "--fresh"]);
    few.env("SLURM_CONF", slurm.conf()).env("SLURM_JOB_NODELIST", "n1").env("SLURMD_NODENAME", "n1");
    ended(&mut few).code(2).err_has("and the job has 0 (`sbatch --nodes=2`");
}

#[test]
fn what_several_runners_cannot_divide_is_not_submitted() {
    let bench = Workbench::with(include_str!("../../experiments/aws.toml"));
    let several = bench.matrix(&["submit", "slurm", "small.toml", "-n", "2", "--print"]).code(2);
    several.err_has("(platform = \"aws\") need the store alone").err_has("--shard auto/N");
    bench.matrix(&["submit", "slurm", "small.toml", "-n", "1", "--print"]).code(0);
}

#[test]
fn a_script_is_printed_and_what_slurm_or_matrix_refuses_is_not_submitted() {
    let bench = Workbench::with(SMALL);
    let printed =
        bench.matrix(&["submit", "slurm", "small.toml", "-n", "8", "--print", "--results", "on the cluster"]).code(0);
    let program = env!("CARGO_BIN_EXE_matrix");
    let expected = format!(
        "#!/bin/sh\n#SBATCH --job-name=matrix-small\n#SBATCH --array=0-7\n#SBATCH --requeue\n#SBATCH --signal=B:TERM@60\n\
         #SBATCH --open-mode=append\nexec {program} run small.toml --results 'on the cluster'\n"
    );
    assert_eq!(printed.out, expected);
    bench.write("wrong.toml", &SMALL.replace("rounds = 1", "rounds = -1"));
    bench.matrix(&["submit", "slurm", "wrong.toml", "-n", "8", "--print"]).code(2).err_has("rounds");
    let nowhere =
        ended(bench.command(&["submit", "slurm", "small.toml", "-n", "8"]).env("PATH", bench.path(""))).code(2);
    nowhere.err_has("sbatch cannot be run").err_has("--print");
    let slurm = Slurm::start(&["n1"], 4);
    let refused = ended(
        bench
            .command(&["submit", "slurm", "small.toml", "-n", "8", "--", "--partition=nowhere"])
            .env("SLURM_CONF", slurm.conf()),
    )
    .code(2);
    refused.err_has("sbatch refused the job").err_has("partition");
}
