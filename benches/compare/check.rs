//! Whether answers are what they should be: a figure of wrong answers is no figure.

use anyhow::{Context as _, ensure};

use super::load::{Line, Speech};
use super::mocks::PRISM;
use super::peer::Peer;
use super::question::{PAGE, Question, pair, text};
use super::support::generate;

/// The number of the group that is looked at: no special one.
const NUMBER: usize = 117;
/// The number that these writes are about, far from those of the load.
const WRITTEN: usize = 50_000_000;

/// Asks a peer everything once. Fails where an answer is not that of the groups which it was filled with.
pub async fn check(peer: &Peer) -> anyhow::Result<()> {
    let mut line = Line::open(peer.address, peer.speech, &peer.secret).await?;
    for question in Question::ALL.into_iter().filter(|question| peer.answers(*question)) {
        let number = if question.is_writing() { WRITTEN } else { NUMBER };
        line.prepare(question, number, peer.groups);
        let answer = line.ask().await.with_context(|| format!("{question:?}"))?;
        let answer = String::from_utf8_lossy(answer);
        is_right(peer, question, &answer).with_context(|| {
            let beginning: String = answer.chars().take(300).collect();
            format!("{question:?} was answered: {beginning}")
        })?;
    }
    Ok(())
}

fn is_right(peer: &Peer, question: Question, answer: &str) -> anyhow::Result<()> {
    let of = peer.groups;
    match question {
        Question::Read | Question::List if peer.name == PRISM => holds(answer, "\"ID\":\"support\""),
        Question::Read => {
            let generate::Made { name, description, xp } = generate::group(NUMBER, of);
            let xp = xp["Project"].to_string();
            [&generate::id(NUMBER), &name, &description, xp.trim_matches('"')]
                .iter()
                .try_for_each(|part| holds(answer, part))
        }
        Question::Find => counts(peer, answer, &text(NUMBER, of), matches(&text(NUMBER, of), of).min(PAGE)),
        Question::List => counts(peer, answer, "", PAGE),
        Question::Create if peer.speech != Speech::Ldap && peer.name != PRISM => {
            holds(answer, &generate::group(of + WRITTEN, of).name)
        }
        Question::Join if peer.speech == Speech::JsonServer => holds(answer, &pair(WRITTEN, of).0),
        // That it was done is all that is said.
        Question::Fixed | Question::Create | Question::Join => Ok(()),
    }
}

fn holds(answer: &str, part: &str) -> anyhow::Result<()> {
    ensure!(answer.contains(part), "{part} is missing");
    Ok(())
}

/// Whether so many groups are in the answer, with the text in the name of each.
fn counts(peer: &Peer, answer: &str, text: &str, expected: usize) -> anyhow::Result<()> {
    let mark = if peer.speech == Speech::Ldap { "groupOfNames" } else { "\"Description\":" };
    let found = answer.matches(mark).count();
    ensure!(found == expected, "{found} groups were found instead of {expected}");
    ensure!(answer.matches(text).count() >= expected, "not all names hold {text}");
    Ok(())
}

fn matches(text: &str, of: usize) -> usize {
    (0..of).filter(|number| generate::group(*number, of).name.contains(text)).count()
}
