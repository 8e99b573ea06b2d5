//! The network as an argument.

use std::io;
use std::net::SocketAddr;

/// A host name and a port, as a rule or a capability names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    /// The host name in lower case, without a trailing dot, or an IP literal.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A connected byte stream.
pub trait NetStream: io::Read + io::Write + Send {}

impl<T: io::Read + io::Write + Send> NetStream for T {}

/// Who resolves and dials; rooms that speak to the network are handed one.
pub trait Connector: Send + Sync {
    /// All addresses of a host, for the caller to check before it dials one.
    ///
    /// # Errors
    /// Whatever name resolution gave.
    fn resolve(&self, target: &HostPort) -> io::Result<Vec<SocketAddr>>;

    /// Dials exactly this address.
    ///
    /// # Errors
    /// Whatever the dial gave.
    fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn NetStream>>;
}
