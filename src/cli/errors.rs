//! Errors of commands: one sentence that says what to do.

use std::io;

use crate::domain::address;
use crate::domain::error::{Error, ResourceKind, Violation};
use crate::domain::undo::{UNDO_MAX, UndoOutcome};
use crate::domain::user::PASSWORD_CHARS;

use super::operator::format_time;

/// Replaces an error of a command with a sentence for the operator. A closed pipe is a success, because a reader that
/// stops early (`rollbook user list | head`) has all the output that it needs.
pub(super) fn explain(result: anyhow::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if is_closed_pipe(&error) => Ok(()),
        Err(error) => Err(match error.downcast_ref::<Error>() {
            Some(own) => anyhow::anyhow!(error_sentence(own)),
            None => error,
        }),
        Ok(()) => Ok(()),
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The error as a sentence for the operator. It contains details that HTTP responses leave out, because the operator
/// may see them.
pub(super) fn error_sentence(error: &Error) -> String {
    match error {
        Error::Invalid(violations) => violations.iter().map(violation_text).collect::<Vec<_>>().join("; "),
        Error::InsecurePassword => {
            let (least, most) = (PASSWORD_CHARS.start(), PASSWORD_CHARS.end());
            format!(
                "the password is too weak: take {least} to {most} characters with three of upper-case letters, \
                 lower-case letters, digits and others"
            )
        }
        Error::NoTarget(sentence) => sentence.clone(),
        Error::NotFound(kind, name) => match kind {
            ResourceKind::Client => {
                format!("there is no client '{name}'; `rollbook client list` prints all clients")
            }
            ResourceKind::LongLivedToken => {
                format!("there is no token '{name}'; `rollbook token list` prints all tokens")
            }
            ResourceKind::User => format!("there is no user '{name}'; `rollbook user list` prints all users"),
            ResourceKind::Group => format!("there is no group '{name}'; `rollbook group list` prints all groups"),
            ResourceKind::Operation => {
                format!("there is no operation '{name}'; `rollbook changes` prints the latest")
            }
            ResourceKind::Membership | ResourceKind::Certificate | ResourceKind::Session | ResourceKind::SetupPage => {
                error.to_string()
            }
        },
        Error::AlreadyExists(ResourceKind::Client, id) => format!("another client has the client_id '{id}'"),
        Error::AlreadyExists(ResourceKind::User, id) => format!("another user has the ID '{id}'; choose another --id"),
        Error::RestoredIdTaken { id, proposed, .. } => {
            format!("another one has the ID '{id}' now; add --id {proposed}")
        }
        Error::BeforeHorizon(horizon) => format!("moments before {} are no longer kept", format_time(*horizon)),
        Error::AlreadyErased => "the user is erased: nothing of them is left to be changed or restored".to_owned(),
        Error::NotDeleted => "nothing is to be restored: it is not deleted".to_owned(),
        Error::AlreadyExists(ResourceKind::Group, id) => {
            format!("another group has the ID '{id}'; choose another --id")
        }
        Error::AlreadyDeleted => "it is deleted".to_owned(),
        Error::HasUsers(members) => {
            format!("the group has members, {members} in all; remove them, or leave out --if-empty")
        }
        Error::UndoConflicts(outcome) => {
            let UndoOutcome { dry_run, undone, conflicts, .. } = &**outcome;
            let (nothing, others) = match dry_run {
                true => ("nothing would be undone", "would be"),
                false => ("nothing was undone", "are"),
            };
            format!("{nothing}, because {conflicts} of the changes cannot be; with --skip-conflicts {undone} {others}")
        }
        Error::UndoTooLarge => format!("these are more than {UNDO_MAX} changes; undo shorter spans of time"),
        Error::UnknownUsers(users) => {
            let addresses: Vec<_> = users.iter().map(address::of_user).collect();
            format!("there are no users {}; nothing was changed", addresses.join(", "))
        }
        Error::PublicClient(id) => {
            format!("the client {id} is public and gets no tokens of its own; create a client without --public")
        }
        Error::UsernameTaken => "another user has this username; choose another --username".to_owned(),
        Error::Unavailable(reason) => format!("the database is not available ({reason}); try again"),
        Error::Damaged(reason) => {
            format!("the database is damaged ({reason}): restore a backup (docs/operations.md, sections 6 and 7)")
        }
        Error::OutcomeUnknown(reason) => {
            format!("it is unknown whether the change was committed ({reason}); check before you try again")
        }
        Error::Internal(source) => format!("{source:#}"),
        other => other.to_string(),
    }
}

/// A violation as text: the field, then the rule.
fn violation_text(violation: &Violation) -> String {
    format!("{} {}", violation.field, violation.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(error: impl Into<anyhow::Error>) -> String {
        format!("{:#}", explain(Err(error.into())).unwrap_err())
    }

    #[test]
    fn violations_read_as_words() {
        let error = Error::Invalid(vec![
            Violation::new("--username", "is required and must not be blank"),
            Violation::new("--email", "must not be longer than 200 characters"),
        ]);
        assert_eq!(
            explained(error),
            "--username is required and must not be blank; --email must not be longer than 200 characters"
        );
    }

    #[test]
    fn causes_are_part_of_the_message() {
        let error = anyhow::anyhow!("no such file").context("the backup cannot be written");
        assert_eq!(explained(error), "the backup cannot be written: no such file");
        let defect = Error::internal(anyhow::anyhow!("no such table").context("reading clients"));
        assert_eq!(explained(defect), "reading clients: no such table");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        assert!(explain(Err(io::Error::from(io::ErrorKind::BrokenPipe).into())).is_ok());
    }
}
