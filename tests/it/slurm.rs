//! An experiment given to Slurm: a real one, of one node, that belongs to the test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::workbench::{SMALL, Workbench, until};

/// Most time until Slurm does something.
const LONG: Duration = Duration::from_secs(120);

/// Slurm's daemons, as plain processes in a folder of their own.
struct Slurm {
    folder: tempfile::TempDir,
    daemons: Vec<Child>,
}

impl Slurm {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut slurm = Self { folder, daemons: Vec::new() };
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
        let node = node_name();
        let user = output("id", &["-un"]).trim().to_owned();
        let [controller, daemon] = free_ports();
        let top = slurm.folder.path().display();
        let conf = format!(
            "ClusterName=test\nSlurmctldHost={node}(127.0.0.1)\nAuthType=auth/munge\nAuthInfo=socket={top}/munge/socket\nCredType=cred/munge\n\
             SlurmUser={user}\nSlurmdUser={user}\nSlurmctldPort={controller}\nSlurmdPort={daemon}\n\
             StateSaveLocation={top}/state\nSlurmdSpoolDir={top}/spool\nSlurmctldPidFile={top}/controller.pid\nSlurmdPidFile={top}/daemon.pid\n\
             SlurmctldLogFile={top}/controller.log\nSlurmdLogFile={top}/daemon.log\n\
             ProctrackType=proctrack/pgid\nTaskPlugin=task/none\nSelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nSwitchType=switch/none\nMpiDefault=none\n\
             SchedulerParameters=batch_sched_delay=0,sched_interval=1\nSlurmdParameters=config_overrides\nReturnToService=2\nKillWait=2\n\
             JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n\
             NodeName={node} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN\nPartitionName=test Nodes={node} Default=YES MaxTime=INFINITE State=UP\n",
        );
        let paths = [at("munge/socket"), at("slurm.conf")];
        std::fs::write(&paths[1], conf).unwrap();
        slurm.daemon("munged", &munge);
        until("munged answers", LONG, || Path::new(&paths[0]).exists());
        slurm.daemon("slurmctld", &["-D".to_owned(), "-c".to_owned()]);
        slurm.node_daemon();
        until("the node is idle", LONG, || slurm.node() == "idle");
        slurm
    }

    /// Starts the daemon of the node.
    fn node_daemon(&mut self) {
        self.daemon("slurmd", &["-D".to_owned(), "-N".to_owned(), node_name()]);
    }

    /// Kills the daemon of the node, which is the last one that was started, and starts it again.
    fn restart_node_daemon(&mut self) {
        let mut killed = self.daemons.pop().unwrap();
        killed.kill().unwrap();
        killed.wait().unwrap();
        self.node_daemon();
        let is_up = |state: &str| ["idle", "mixed", "allocated"].contains(&state);
        until("the node is there again", LONG, || is_up(&self.node()));
    }

    /// The state of the node.
    fn node(&self) -> String {
        self.tries("sinfo", &["-h", "-o", "%T"]).trim().to_owned()
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

/// The name of this machine, as Slurm takes it.
fn node_name() -> String {
    output("uname", &["-n"]).split('.').next().unwrap().trim().to_owned()
}

fn free_ports() -> [u16; 2] {
    let listening = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    listening.map(|listener| listener.local_addr().unwrap().port())
}

/// The small experiment, with many more cells.
fn long() -> String {
    SMALL.replace("rounds = 1", "rounds = 25").replace("requests = 40", "requests = 2000")
}

#[test]
fn an_array_job_whose_tasks_and_daemon_are_killed_does_what_one_run_does() {
    let alone = Workbench::with(&long());
    alone.matrix(&["run", "small.toml"]).code(0);

    let mut slurm = Slurm::start();
    let bench = Workbench::with(&long());
    let mut submit =
        bench.command(&["submit", "slurm", "small.toml", "-n", "4", "--jobs", "1", "--", "--job-name=by-hand"]);
    let submitted = Workbench::printed(submit.env("SLURM_CONF", slurm.conf()).output().unwrap()).code(0);
    let job = submitted.out.split(['b', ':']).find_map(|word| word.trim().parse::<u32>().ok()).unwrap().to_string();
    assert!(submitted.out.contains(&format!("submitted job {job}: 4 runners of small")), "{}", submitted.out);
    assert!(slurm.runs("squeue", &["-h", "-t", "all", "-j", &job, "-o", "%j"]).contains("by-hand"));

    until("a cell is done", LONG, || {
        bench.path("results/cells").read_dir().is_ok_and(|mut cells| cells.next().is_some())
    });
    let status = bench.matrix(&["status", "small.toml", "--format", "json"]).code(0).json();
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
        // Slurm waits two minutes before it starts a task again. Within a second it would refuse: it takes the task for the one that was ended.
        slurm.runs("scontrol", &["update", &format!("JobId={task}"), "StartTime=now+5"]);
    }
    until("every task is done", LONG, || {
        slurm.states(&job).iter().all(|state| state != "RUNNING" && state != "PENDING" && state != "COMPLETING")
    });
    let prints = || bench.files("").into_iter().filter(|(path, _)| path.extension().is_some_and(|ends| ends == "out"));
    let prints: Vec<_> = prints().map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect();
    let shown = slurm.runs("scontrol", &["show", "job", &job]);
    assert_eq!(slurm.states(&job), ["COMPLETED"; 4], "{prints:#?}\n{shown}");
    assert!(bench.results() == alone.results(), "not the same objects and records");
    bench.matrix(&["verify", "results"]).code(0);
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
    let refused = bench.matrix(&["submit", "slurm", "wrong.toml", "-n", "8", "--print"]).code(2);
    assert!(refused.err.contains("rounds"), "{}", refused.err);
    let mut nowhere = bench.command(&["submit", "slurm", "small.toml", "-n", "8"]);
    let nowhere = Workbench::printed(nowhere.env("PATH", bench.path("")).output().unwrap()).code(2);
    assert!(nowhere.err.contains("sbatch cannot be run") && nowhere.err.contains("--print"), "{}", nowhere.err);
    let slurm = Slurm::start();
    let mut submit = bench.command(&["submit", "slurm", "small.toml", "-n", "8", "--", "--partition=nowhere"]);
    let refused = Workbench::printed(submit.env("SLURM_CONF", slurm.conf()).output().unwrap()).code(2);
    assert!(refused.err.contains("sbatch refused the job") && refused.err.contains("partition"), "{}", refused.err);
}
