//! Up, found, kept, down; and every way to lose its owner.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use matrix_live::testbed::{Lease, LocalConfig, StateDir, Testbed, TestbedError, down, status, survivors, up};

use crate::bed::{Bed, config, eventually, left_of, program, runtime, state_in, supervisor};
use crate::emulator::deploy_sleeper;

/// A process that brings a testbed up, tells which, and holds it.
fn owner(state: &StateDir) -> Child {
    let config = serde_json::to_string(&config()).unwrap();
    let mut command = Command::new(program());
    command.arg("hold").arg(state.path()).arg(config).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// A process that has brought a testbed up and holds it.
fn holder(state: &StateDir) -> (Child, String) {
    let mut child = owner(state);
    let mut instance = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut instance).unwrap();
    (child, instance.trim().to_owned())
}

fn find(state: &StateDir) -> (Testbed, Lease) {
    up(state, &config(), &supervisor()).unwrap()
}

/// Waits until the supervisor has seen that a lease ended: it hears of it by the end of a connection.
fn until_leases(testbed: &Testbed, left: usize) {
    let enough = async || (testbed.status().unwrap().leases == left).then_some(());
    runtime().block_on(eventually("the end of a lease", enough));
}

#[test]
fn a_second_up_finds_the_first_and_the_last_lease_ends_it() {
    let mut bed = Bed::up();
    let (endpoints, now) = status(&bed.state).unwrap();
    assert!(now.is_healthy(), "{now}");
    assert_eq!(&endpoints, bed.testbed.endpoints());
    assert_eq!(now.parts.len(), 10, "{now}");
    assert_eq!(endpoints.versions.len(), 4, "{:?}", endpoints.versions);

    let (second, lease) = find(&bed.state);
    assert_eq!(second.endpoints(), bed.testbed.endpoints());
    let other = LocalConfig { writer: "us".into(), ..config() };
    let refused = up(&bed.state, &other, &supervisor());
    assert!(matches!(&refused, Err(TestbedError::OtherConfig(differences)) if !differences.is_empty()), "{refused:?}");
    // The same settings, with what is a default spelled out: half a round trip, and no jitter.
    let mut spelled = config();
    let link = serde_json::from_value(serde_json::json!({ "delay_ms": 106.0, "jitter_ms": 0.0 })).unwrap();
    spelled.links.insert("us->sg".parse().unwrap(), link);
    drop(up(&bed.state, &spelled, &supervisor()).unwrap());

    bed.lease = None;
    until_leases(&second, 1);
    drop(lease);
    assert_eq!(left_of(&bed.state), []);
    assert!(matches!(status(&bed.state), Err(TestbedError::NotRunning)));
    assert_eq!(down(&bed.state).unwrap().killed, 0);
}

#[test]
fn whoever_comes_while_a_testbed_ends_gets_one_that_lives() {
    let mut bed = Bed::up();
    let first = bed.testbed.endpoints().instance.clone();
    // At once: the supervisor may not have heard of the end yet, and then goes on.
    bed.lease = None;
    let (second, lease) = find(&bed.state);
    assert!(second.status().unwrap().is_healthy());
    // When it is ending nobody joins it.
    drop(lease);
    let refuses = async || match second.status() {
        Err(TestbedError::Ending) => Some(true),
        Err(_) => Some(false),
        Ok(_) => None,
    };
    let seen = runtime().block_on(eventually("the end", refuses));
    let (third, _lease) = find(&bed.state);
    assert_ne!(third.endpoints().instance, first);
    // Whatever the second one still does, it does before its supervisor is gone.
    let supervisor = format!("/proc/{}/cmdline", second.endpoints().supervisor);
    // Empty where the process has ended and this one, which started it, has not asked how.
    let gone = async || std::fs::read(&supervisor).unwrap_or_default().is_empty().then_some(());
    runtime().block_on(eventually("the end of the second", gone));
    assert!(third.status().unwrap().is_healthy(), "it lives on");
    assert!(seen, "the test came too late to see it ending");
}

#[test]
fn status_tells_of_a_testbed_that_starts_and_down_spares_the_one_that_comes_next() {
    let directory = tempfile::tempdir().unwrap();
    let state = state_in(&directory);
    let mut starting = 0;
    let (first, lease) = std::thread::scope(|scope| {
        let begun = scope.spawn(|| find(&state));
        while !begun.is_finished() {
            match status(&state) {
                Err(TestbedError::Starting) => starting += 1,
                Ok(_) | Err(TestbedError::NotRunning) => {}
                Err(other) => panic!("{other}"),
            }
        }
        begun.join().unwrap()
    });
    assert!(starting > 0);
    first.keep().unwrap();
    drop(lease);
    let (second, lease) = std::thread::scope(|scope| {
        let ended = scope.spawn(|| down(&state));
        let refuses = async || match status(&state) {
            Ok(_) => None,
            Err(TestbedError::Ending | TestbedError::NotRunning) => Some(()),
            Err(other) => panic!("{other}"),
        };
        runtime().block_on(eventually("the end", refuses));
        let next = find(&state);
        assert!(ended.join().unwrap().unwrap().was_running);
        next
    });
    assert_ne!(second.endpoints().instance, first.endpoints().instance);
    second.check().unwrap();
    assert!(matches!(first.check(), Err(TestbedError::Gone)));
    drop(lease);
    down(&state).unwrap();
    assert_eq!(survivors(&state), []);
}

#[test]
fn up_starts_servers_again_that_were_killed_but_not_the_emulator() {
    let mut bed = Bed::up();
    bed.testbed.keep().unwrap();
    bed.lease = None;
    let kill = |name: &str| {
        let parts = bed.testbed.status().unwrap().parts;
        let pid = parts.iter().find(|part| part.name == name).unwrap().pid.unwrap().to_string();
        assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
        runtime().block_on(eventually("its end", async || bed.testbed.check().is_err().then_some(())));
    };
    kill("redis-us");
    kill("mariadb-sg");
    let (found, _lease) = find(&bed.state);
    assert_eq!(found.endpoints(), bed.testbed.endpoints());
    assert!(found.status().unwrap().is_healthy());
    found.check().unwrap();
    kill("ministack");
    let refused = up(&bed.state, &config(), &supervisor()).unwrap_err().to_string();
    assert!(refused.contains("ministack ended by itself") && refused.contains("matrix testbed down"), "{refused}");
}

#[test]
fn a_kept_testbed_stays_until_down_and_every_port_is_on_loopback() {
    let mut bed = Bed::up();
    bed.testbed.keep().unwrap();
    bed.lease = None;
    let (state, testbed) = (&bed.state, &bed.testbed);
    until_leases(testbed, 0);
    let now = testbed.status().unwrap();
    assert!(now.kept && now.leases == 0 && now.is_healthy(), "{now}");
    assert_eq!(listeners_beyond_loopback(state), Vec::<String>::new());
    assert!(down(state).unwrap().was_running);
    assert_eq!(survivors(state), []);
    assert!(!state.path().join("data").exists(), "data are left");
    assert!(state.logs().join("mariadb-eu.log").exists(), "logs are kept");
}

#[test]
fn kill_9_of_the_owner_or_of_the_supervisor_leaves_no_process() {
    let directory = tempfile::tempdir().unwrap();
    let state = state_in(&directory);

    let (mut owner, _) = holder(&state);
    // A function that is at work: a grandchild of the supervisor.
    let (testbed, lease) = find(&state);
    runtime().block_on(deploy_sleeper(&testbed));
    drop(lease);
    let before = survivors(&state);
    assert!(before.iter().any(|it| it.command.contains("ministack-provided-code")), "{before:?}");
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert_eq!(left_of(&state), []);

    let (mut owner, instance) = holder(&state);
    let (testbed, _lease) = find(&state);
    assert_eq!(testbed.endpoints().instance, instance);
    runtime().block_on(deploy_sleeper(&testbed));
    let before = survivors(&state);
    assert!(before.iter().any(|it| it.command.contains("ministack-provided-code")), "{before:?}");
    let supervisor = testbed.endpoints().supervisor.to_string();
    assert!(Command::new("kill").args(["-9", &supervisor]).status().unwrap().success());
    assert_eq!(left_of(&state), []);
    owner.kill().unwrap();
    owner.wait().unwrap();
}

#[test]
fn a_testbed_whose_owner_is_killed_while_it_starts_does_not_come_up() {
    let directory = tempfile::tempdir().unwrap();
    let state = state_in(&directory);
    let mut owner = owner(&state);
    // Servers are there, and it waits for them.
    let begun = async || survivors(&state).iter().any(|it| it.command.contains("redis-server")).then_some(());
    runtime().block_on(eventually("a server", begun));
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert_eq!(left_of(&state), []);
    let log = std::fs::read_to_string(state.logs().join("supervisor.log")).unwrap();
    assert!(log.contains("ending as told, or with its last lease") && !log.contains("up after"), "{log}");
}

/// Sockets that processes of the testbed listen on, other than on 127.0.0.0/8.
fn listeners_beyond_loopback(state: &StateDir) -> Vec<String> {
    let pids: Vec<_> = survivors(state).into_iter().map(|it| it.pid).collect();
    assert!(pids.len() >= 11, "{pids:?}");
    let mut inodes = Vec::new();
    for pid in pids {
        for fd in std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
            let target = std::fs::read_link(fd.path()).map(|it| it.display().to_string()).unwrap_or_default();
            inodes.extend(target.strip_prefix("socket:[").and_then(|it| it.strip_suffix(']')).map(str::to_owned));
        }
    }
    let (mut beyond, mut seen) = (Vec::new(), 0);
    for (table, loopback) in [("tcp", "7F"), ("tcp6", "00000000000000000000000001000000")] {
        for line in std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default().lines().skip(1) {
            let fields: Vec<_> = line.split_whitespace().collect();
            let (address, listens, inode) = (fields[1], fields[3] == "0A", fields[9].to_owned());
            if listens && inodes.contains(&inode) {
                seen += 1;
                // The bytes of an address stand in reverse: 127.x.y.z ends with 7F.
                let (host, _) = address.split_once(':').unwrap();
                let mapped = host.starts_with("0000000000000000FFFF0000") && host.ends_with("7F");
                if !host.ends_with(loopback) && !mapped {
                    beyond.push(address.to_owned());
                }
            }
        }
    }
    assert!(seen > 15, "only {seen} listeners found");
    beyond
}
