//! Open files: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// What the process opens besides: the database, its log, standard streams, listeners.
const BESIDES: u64 = 256;

/// Sees to it that so many connections can be open, as far as the system lets this process; says so where it does not.
pub fn make_room(connections: usize) {
    let wanted = connections as u64 + BESIDES;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let allowed = current.unwrap_or(u64::MAX);
    if allowed >= wanted {
        return;
    }
    let raised = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let set = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum });
    let allowed = if set.is_ok() { raised } else { allowed };
    if allowed < wanted {
        let room = allowed.saturating_sub(BESIDES);
        warn!(room, "the system allows fewer open files than --max-connections needs: raise LimitNOFILE or ulimit -n");
    }
}
