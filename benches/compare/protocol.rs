//! The protocols in which the workloads are sent.

use clap::ValueEnum;

/// The protocol of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    /// The API that Rollbook serves, and a mock of it.
    Ordercloud,
    /// The API that json-server derives from a file.
    JsonServer,
    /// LDAP, which slapd serves.
    Ldap,
}
