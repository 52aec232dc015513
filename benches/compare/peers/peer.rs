//! A server that is measured.

use std::net::SocketAddr;

use super::names::{ON_SQLITE, PRISM};
use super::process::Process;
use crate::protocol::Protocol;
use crate::workload::Workload;

/// A running server; it is stopped when this is dropped.
pub(crate) struct Peer {
    /// The name in tables.
    pub name: &'static str,
    /// Version and settings.
    pub about: String,
    /// The protocol of its clients.
    pub protocol: Protocol,
    /// The address on which it listens.
    pub address: SocketAddr,
    /// The token or password.
    pub secret: String,
    /// How many groups the peer was filled with.
    pub groups: usize,
    /// The running server.
    pub process: Process,
}

impl Peer {
    /// Whether the peer runs this workload: a mock matches nothing, and one fixed response is enough as a ceiling.
    pub(crate) fn supports(&self, workload: Workload) -> bool {
        match workload {
            Workload::Fixed => self.name == ON_SQLITE,
            Workload::Find => self.name != PRISM,
            _ => true,
        }
    }
}
