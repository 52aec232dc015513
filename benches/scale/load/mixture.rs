//! Mixtures of requests, and the kinds of request in them.

use clap::ValueEnum;

/// The mixture of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mixture {
    /// Mostly groups by their ID, some lists, some writes, some deletions.
    Every,
    /// Groups by their ID alone.
    Reads,
    /// Lists that cost as much as a list may, no two of them equal.
    Heavy,
    /// Expensive lists, and writes.
    Work,
}

/// A kind of request, in the order of [`Tick::kinds`](super::mix::Tick::kinds).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A point read.
    Read,
    /// A list.
    List,
    /// A write that is no deletion.
    Write,
    /// A deletion.
    Delete,
}

/// The names of the kinds, in the order of [`Kind`].
pub(crate) const KINDS: [&str; 4] = ["read", "list", "write", "delete"];
