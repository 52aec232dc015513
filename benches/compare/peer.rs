//! Somebody who is asked.

use std::net::SocketAddr;

use super::load::Speech;
use super::mocks::PRISM;
use super::process::Process;
use super::question::Question;
use super::rollbook;

/// A server that runs until this is dropped.
pub struct Peer {
    pub name: &'static str,
    /// Version and settings.
    pub about: String,
    pub speech: Speech,
    pub address: SocketAddr,
    /// The token or password.
    pub secret: String,
    /// How many groups it was filled with.
    pub groups: usize,
    pub process: Process,
}

impl Peer {
    /// Whether it is asked this: a mock finds nothing, and one fixed answer is ceiling enough.
    pub fn answers(&self, question: Question) -> bool {
        match question {
            Question::Fixed => self.name == rollbook::ON_SQLITE,
            Question::Find => self.name != PRISM,
            _ => true,
        }
    }
}
