//! The limit of open file descriptors, of which each connection needs one.

use std::thread::available_parallelism;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// File descriptors reserved for databases being written, standard streams, listeners, metrics, and temporary use by
/// libraries.
const RESERVED: u64 = 256;
/// File descriptors reserved per processor: each thread that reads an embedded database opens it and its log.
const RESERVED_PER_PROCESSOR: u64 = 8;

/// Returns how many client connections the process can have open at a time, at most `wanted`, in addition to `database`
/// connections to PostgreSQL. Raises the soft limit of the process if necessary, and logs a warning if the hard limit
/// is too low.
pub(crate) fn connection_limit(wanted: usize, database: usize) -> usize {
    let processors = available_parallelism().map_or(1, |number| number.get() as u64);
    let reserved = RESERVED + RESERVED_PER_PROCESSOR * processors + database as u64;
    let allowed = raise_limit(wanted as u64 + reserved);
    let connections = available_connections(wanted, allowed, reserved);
    if connections < wanted {
        warn!(
            connections,
            allowed,
            "the server accepts fewer connections than --max-connections, because the limit of open files is too low: raise LimitNOFILE or ulimit -n"
        );
    }
    connections
}

/// Raises the soft limit of open files to `files` if possible, and returns the resulting limit.
fn raise_limit(files: u64) -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let allowed = current.unwrap_or(u64::MAX);
    if allowed >= files {
        return allowed;
    }
    let raised = maximum.map_or(files, |maximum| maximum.min(files));
    let set = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum });
    if set.is_ok() { raised } else { allowed }
}

/// Returns at least one: if the limit is that low, other parts of the program report more clearly what they cannot
/// open.
fn available_connections(wanted: usize, allowed: u64, reserved: u64) -> usize {
    let available = usize::try_from(allowed.saturating_sub(reserved)).unwrap_or(usize::MAX);
    available.clamp(1, wanted.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_descriptors_are_not_used_for_connections() {
        assert_eq!(available_connections(10_000, 20_000, 272), 10_000);
        assert_eq!(available_connections(10_000, 10_272, 272), 10_000);
        assert_eq!(available_connections(10_000, 1_024, 272), 752);
        assert_eq!(available_connections(10_000, 100, 272), 1);
    }
}
