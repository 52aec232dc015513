//! Checks responses: figures of wrong responses are worthless.

use anyhow::{Context as _, ensure};

use super::load::Line;
use super::peers::names::PRISM;
use super::peers::peer::Peer;
use super::protocol::Protocol;
use super::support::generate;
use super::workload::{PAGE, Workload, pair, text};

/// The number of the group that is read: an ordinary one.
const NUMBER: usize = 117;
/// The number in these writes, outside of the range of the load.
const WRITTEN: usize = 50_000_000;

/// Sends every workload once to a peer. Fails if a response does not match the groups that the peer was filled with.
pub(crate) async fn check(peer: &Peer) -> anyhow::Result<()> {
    let mut line = Line::open(peer.address, peer.protocol, &peer.secret).await?;
    for workload in Workload::ALL.into_iter().filter(|workload| peer.supports(*workload)) {
        let number = if workload.is_writing() { WRITTEN } else { NUMBER };
        line.prepare(workload, number, peer.groups);
        let response = line.send().await.with_context(|| format!("{workload:?}"))?;
        let response = String::from_utf8_lossy(response);
        check_response(peer, workload, &response).with_context(|| {
            let beginning: String = response.chars().take(300).collect();
            format!("{workload:?} got the response: {beginning}")
        })?;
    }
    Ok(())
}

fn check_response(peer: &Peer, workload: Workload, response: &str) -> anyhow::Result<()> {
    let of = peer.groups;
    match workload {
        Workload::Read | Workload::List if peer.name == PRISM => ensure_contains(response, "\"ID\":\"support\""),
        Workload::Read => {
            let generate::GeneratedGroup { name, description, xp } = generate::group(NUMBER, of);
            let xp = xp["Project"].to_string();
            [&generate::id(NUMBER), &name, &description, xp.trim_matches('"')]
                .iter()
                .try_for_each(|part| ensure_contains(response, part))
        }
        Workload::Find => ensure_count(peer, response, &text(NUMBER, of), matches(&text(NUMBER, of), of).min(PAGE)),
        Workload::List => ensure_count(peer, response, "", PAGE),
        Workload::Create if peer.protocol != Protocol::Ldap && peer.name != PRISM => {
            ensure_contains(response, &generate::group(of + WRITTEN, of).name)
        }
        Workload::Join if peer.protocol == Protocol::JsonServer => ensure_contains(response, &pair(WRITTEN, of).0),
        // The response contains only that it succeeded.
        Workload::Fixed | Workload::Create | Workload::Join => Ok(()),
    }
}

fn ensure_contains(response: &str, part: &str) -> anyhow::Result<()> {
    ensure!(response.contains(part), "{part} is missing");
    Ok(())
}

/// Fails unless the response has this many groups, each with the text in its name.
fn ensure_count(peer: &Peer, response: &str, text: &str, expected: usize) -> anyhow::Result<()> {
    let mark = if peer.protocol == Protocol::Ldap { "groupOfNames" } else { "\"Description\":" };
    let matches = response.matches(mark).count();
    ensure!(matches == expected, "{matches} groups instead of {expected}");
    ensure!(response.matches(text).count() >= expected, "not all names contain {text}");
    Ok(())
}

fn matches(text: &str, of: usize) -> usize {
    (0..of).filter(|number| generate::group(*number, of).name.contains(text)).count()
}
