//! Where a value may go.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Digest, Inject};

/// The kinds of ways out. One permit is for one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SinkKind {
    /// Variables of a child process.
    Environment,
    /// A file.
    File,
    /// An inherited descriptor of a child process.
    Descriptor,
    /// The standard input of a child process.
    Stdin,
    /// The user's terminal or standard output.
    Console,
    /// A header, query or path of a request to a pinned host.
    HttpInjection,
    /// A local process that is handed the value: read, export, helpers, applications.
    Client,
    /// A signature leaves, the key stays.
    Signature,
    /// A client key held for the life of one connection.
    Connection,
    /// A filter that text is looked through with; no value comes out of it.
    Filter,
}

impl SinkKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Environment,
        Self::File,
        Self::Descriptor,
        Self::Stdin,
        Self::Console,
        Self::HttpInjection,
        Self::Client,
        Self::Signature,
        Self::Connection,
        Self::Filter,
    ];

    /// The stable name that records and messages use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::File => "file",
            Self::Descriptor => "descriptor",
            Self::Stdin => "stdin",
            Self::Console => "console",
            Self::HttpInjection => "http_injection",
            Self::Client => "client",
            Self::Signature => "signature",
            Self::Connection => "connection",
            Self::Filter => "filter",
        }
    }
}

impl fmt::Display for SinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One concrete way out. A permit holds one, a sink says its own, and a release demands that they
/// are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Destination {
    /// A child process that is about to be started.
    Process {
        /// The file that is executed, resolved.
        executable: PathBuf,
        /// The whole argument vector, the name included.
        arguments: Vec<OsString>,
        /// Its working directory.
        directory: PathBuf,
        /// How the values reach it.
        inject: Inject,
    },
    /// A file that is written.
    File {
        /// The path as it will be opened.
        path: PathBuf,
    },
    /// The user's terminal or standard output.
    Console,
    /// One request to one host.
    Http {
        /// `https` unless an operator wrote otherwise.
        scheme: String,
        /// The host that is dialled.
        host: String,
        /// The port that is dialled.
        port: u16,
        /// The method of the request.
        method: String,
        /// The canonical path and query.
        target: String,
    },
    /// A local process that is handed the value.
    Client {
        /// What it does with it: `read`, `export`, `backup`.
        purpose: String,
    },
    /// A signature over one message.
    Signature {
        /// The algorithm's name.
        algorithm: String,
        /// Digest of what is signed.
        message: Digest,
    },
    /// A connection that a client key authenticates.
    Connection {
        /// The host that is dialled.
        host: String,
        /// The port that is dialled.
        port: u16,
    },
    /// A filter that text is looked through with.
    Filter {
        /// What it is for: `redact`, `scan`.
        purpose: String,
    },
}

impl Destination {
    /// Whether a permit of `kind` may point here.
    #[must_use]
    pub fn fits(&self, kind: SinkKind) -> bool {
        match self {
            Self::Process { .. } => matches!(
                kind,
                SinkKind::Environment | SinkKind::Stdin | SinkKind::Descriptor | SinkKind::File
            ),
            Self::File { .. } => kind == SinkKind::File,
            Self::Console => kind == SinkKind::Console,
            Self::Http { .. } => kind == SinkKind::HttpInjection,
            Self::Client { .. } => kind == SinkKind::Client,
            Self::Signature { .. } => kind == SinkKind::Signature,
            Self::Connection { .. } => kind == SinkKind::Connection,
            Self::Filter { .. } => kind == SinkKind::Filter,
        }
    }
}

impl fmt::Display for Destination {
    /// For records and messages: names the place, shows no arguments (they may hold anything).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { executable, .. } => write!(f, "process {}", executable.display()),
            Self::File { path } => write!(f, "file {}", path.display()),
            Self::Console => f.write_str("console"),
            Self::Http {
                scheme,
                host,
                port,
                method,
                ..
            } => {
                write!(f, "{method} {scheme}://{host}:{port}")
            }
            Self::Client { purpose } => write!(f, "client {purpose}"),
            Self::Signature { algorithm, .. } => write!(f, "signature {algorithm}"),
            Self::Connection { host, port } => write!(f, "connection {host}:{port}"),
            Self::Filter { purpose } => write!(f, "filter {purpose}"),
        }
    }
}
