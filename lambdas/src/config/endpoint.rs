//! Where a server listens.

use std::fmt;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Name or address. An IPv6 address stands without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Endpoint {
    /// Reads `host`, `host:port`, `[address]` or `[address]:port`; `None` if it is none of them, or has no port and there
    /// is no default.
    #[must_use]
    pub fn parse(text: &str, default_port: Option<u16>) -> Option<Self> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        } else {
            match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            }
        };
        let port = match port {
            Some(port) => port.parse().ok()?,
            None => default_port?,
        };
        let named = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '@'));
        (named && port != 0).then(|| Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Where a broker listens for STOMP: `stomp+ssl://host:port`, `stomp://host:port`, or the bare host, which means TLS as
/// on AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerEndpoint {
    /// Host and port.
    pub at: Endpoint,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

impl BrokerEndpoint {
    /// Reads the text of a setting.
    #[must_use]
    pub fn parse(text: &str, default_port: Option<u16>) -> Option<Self> {
        let (tls, rest) = if let Some(rest) = text.strip_prefix("stomp+ssl://") {
            (true, rest)
        } else if let Some(rest) = text.strip_prefix("stomp://") {
            (false, rest)
        } else {
            (true, text)
        };
        Some(Self { at: Endpoint::parse(rest, default_port)?, tls })
    }
}

impl fmt::Display for BrokerEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "stomp+ssl" } else { "stomp" }, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_as_they_are_written() {
        for text in ["db.example:3306", "127.0.0.2:1", "[::1]:61613"] {
            assert_eq!(Endpoint::parse(text, None).unwrap().to_string(), text);
        }
        assert_eq!(Endpoint::parse("db", Some(3306)).unwrap().to_string(), "db:3306");
        assert_eq!(Endpoint::parse("[::1]", Some(5)).unwrap().to_string(), "[::1]:5");
        for bad in ["", ":1", "db", "db:", "db:0", "db:70000", "a b:1", "u@h:1", "[::1", "[x]:1", "[::1]1", "::1"] {
            assert_eq!(Endpoint::parse(bad, None), None, "{bad}");
        }
    }

    #[test]
    fn a_bare_broker_is_encrypted() {
        let tls = |text| BrokerEndpoint::parse(text, Some(61614)).map(|broker| broker.to_string());
        assert_eq!(tls("b-1.mq.example").as_deref(), Some("stomp+ssl://b-1.mq.example:61614"));
        assert_eq!(tls("stomp://b:61613").as_deref(), Some("stomp://b:61613"));
        assert_eq!(tls("tcp://b:61616"), None);
    }
}
