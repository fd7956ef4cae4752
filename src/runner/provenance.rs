//! With what a cell is executed: versions and machine, no names of users, hosts or paths.

use std::collections::BTreeMap;

use matrix_store::{Digest, Provenance};

/// The provenance of attempts of this process, on services of these versions.
pub(crate) fn provenance(services: BTreeMap<String, String>) -> Provenance {
    let system = |name: &str| Some(std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).ok()?.trim().to_owned());
    let kernel = system("ostype").zip(system("osrelease")).map(|(name, release)| format!("{name} {release}"));
    Provenance {
        commit: option_env!("MATRIX_COMMIT").map(str::to_owned),
        cpu_model: cpu_model(),
        cpus: std::thread::available_parallelism().ok().and_then(|cpus| u32::try_from(cpus.get()).ok()),
        dirty: option_env!("MATRIX_DIRTY").map(|dirty| dirty == "1"),
        kernel,
        lock_file: Some(Digest::of(include_bytes!("../../Cargo.lock"))),
        matrix: env!("CARGO_PKG_VERSION").to_owned(),
        services,
        target: option_env!("MATRIX_TARGET").map(str::to_owned),
        toolchain: option_env!("MATRIX_TOOLCHAIN").map(str::to_owned),
    }
}

fn cpu_model() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_names_no_user_host_or_path() {
        let text = format!("{:?}", provenance(BTreeMap::new()));
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let [here, home] = ["CARGO_MANIFEST_DIR", "HOME"].map(|name| std::env::var(name).unwrap_or_default());
        for secret in [host.trim(), &here, &home] {
            assert!(secret.len() < 4 || !text.contains(secret), "`{secret}` is in {text}");
        }
        assert!(text.contains(env!("CARGO_PKG_VERSION")));
    }
}
