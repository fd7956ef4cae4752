//! Addresses, ports and passwords of a testbed.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use matrix_plan::{Region, RegionPair};

use crate::testbed::{LocalConfig, TestbedError};

/// A region of the testbed.
#[derive(Clone, Debug)]
pub(super) struct RegionServers {
    pub(super) region: Region,
    pub(super) aws_name: &'static str,
    /// The loopback address that stands for it. Loopback is all of 127.0.0.0/8 on Linux.
    pub(super) host: Ipv4Addr,
    /// Number of the servers here, different in every region.
    pub(super) number: u8,
}

/// Ports. A server has the same one in every region.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) mysql: u16,
    pub(super) redis: u16,
    pub(super) stomp: u16,
    pub(super) stomp_ssl: u16,
    pub(super) openwire: u16,
    pub(super) ministack: u16,
}

/// Passwords, made anew with every start.
#[derive(Clone)]
pub(super) struct Passwords {
    pub(super) supervisor: String,
    pub(super) replication: String,
    pub(super) mysql: String,
    pub(super) mq: String,
    pub(super) mq_network: String,
    pub(super) keystore: String,
}

/// Where everything is.
#[derive(Clone)]
pub(super) struct Layout {
    pub(super) instance: String,
    /// The writer's region first.
    pub(super) places: Vec<RegionServers>,
    pub(super) ports: Ports,
    pub(super) passwords: Passwords,
}

/// The emulator is in no region: it stands for all.
pub(super) const MINISTACK_HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

impl Layout {
    pub(super) fn new(config: &LocalConfig) -> Result<Self, TestbedError> {
        let places: Vec<_> = (1_u8..)
            .zip(config.regions()?)
            .map(|(number, (region, aws_name))| RegionServers {
                region,
                aws_name,
                host: Ipv4Addr::new(127, 0, 0, number + 1),
                number,
            })
            .collect();
        let hosts: Vec<_> = places.iter().map(|place| place.host).collect();
        let mut taken = Vec::new();
        let mut regional = || free_port(&hosts, &mut taken);
        let ports = Ports {
            mysql: regional()?,
            redis: regional()?,
            stomp: regional()?,
            stomp_ssl: regional()?,
            openwire: regional()?,
            ministack: free_port(&[MINISTACK_HOST], &mut taken)?,
        };
        let passwords = Passwords {
            supervisor: secret()?,
            replication: secret()?,
            mysql: secret()?,
            mq: secret()?,
            mq_network: secret()?,
            keystore: secret()?,
        };
        Ok(Self { instance: secret()?[..12].to_owned(), places, ports, passwords })
    }

    pub(super) fn writer(&self) -> &RegionServers {
        &self.places[0]
    }

    pub(super) fn readers(&self) -> &[RegionServers] {
        &self.places[1..]
    }

    /// The link from the writer to a reader.
    pub(super) fn link(&self, reader: &RegionServers) -> RegionPair {
        RegionPair { writer: self.writer().region.clone(), reader: reader.region.clone() }
    }

    pub(super) fn place(&self, region: &str) -> Option<&RegionServers> {
        self.places.iter().find(|place| place.region.as_str() == region)
    }

    pub(super) fn ministack(&self) -> SocketAddr {
        (MINISTACK_HOST, self.ports.ministack).into()
    }
}

/// A port that is free at all of `hosts`. It lies below the ports that systems hand out to clients (Linux: from 32768),
/// so that no client's connection takes it before its server does.
fn free_port(hosts: &[Ipv4Addr], taken: &mut Vec<u16>) -> Result<u16, TestbedError> {
    for _ in 0..1000 {
        let port = fastrand::u16(20_000..32_000);
        let free = !taken.contains(&port) && hosts.iter().all(|host| TcpListener::bind((*host, port)).is_ok());
        if free {
            taken.push(port);
            return Ok(port);
        }
    }
    Err(TestbedError::Refused("no free port from 20000 to 31999 on loopback".into()))
}

/// 128 random bits in hexadecimal: nothing that SQL, XML or STOMP would have to escape.
fn secret() -> Result<String, TestbedError> {
    let mut bits = [0_u8; 16];
    getrandom::fill(&mut bits).map_err(|error| TestbedError::Refused(format!("no randomness: {error}")))?;
    Ok(bits.iter().map(|byte| format!("{byte:02x}")).collect())
}
