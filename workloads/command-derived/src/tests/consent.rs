//! What an experiment would run.

use matrix_command::Experiment;

use super::fixture::EXPERIMENT;
use crate::consent::wants;

#[test]
fn each_program_download_host_and_right_is_listed_once() {
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let more = format!(
        r#"
as = "root"
setup = [["sh", "-c", "rm -rf {{scratch}}"], ["/usr/bin/python3", "load.py", "{{prepared:corpus}}"]]

[[command.service]]
name = "db"
run = ["./{{engine}}-server"]
stop = ["./stop"]
on = "server"

[site]
hosts = {{ server = ["user@10.0.0.2"] }}

[[prepare]]
name = "corpus"
fetch = {{ url = "https://example.org/corpus.tar", sha256 = "{digest}" }}

[columns]"#
    );
    let experiment = Experiment::parse(&EXPERIMENT.replace("\n[columns]", &more)).unwrap();
    let mut found = wants(&experiment);
    found.sort();
    let download = format!("downloads https://example.org/corpus.tar (SHA-256 {digest})");
    assert_eq!(
        found,
        [
            download.as_str(),
            "runs ./bench",
            "runs ./fast-server",
            "runs ./slow-server",
            "runs ./stop",
            "runs /usr/bin/python3",
            "runs its program, set-up and teardown as root",
            "runs sh -c rm -rf {scratch}",
            "runs the service db by ssh on the host server: user@10.0.0.2",
        ]
    );
}
