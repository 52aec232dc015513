//! How commands fail: with one sentence that says what to do.

use std::io;

use crate::domain::error::{Error, Kind, Violation};
use crate::domain::user::PASSWORD_CHARS;

/// The end of a command, with a failure put into words for the operator. A reader who closed the pipe early
/// (`rollbook user list | head`) has got what was wanted: that is no failure.
pub fn explain(result: anyhow::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if is_closed_pipe(&error) => Ok(()),
        Err(error) => Err(match error.downcast_ref::<Error>() {
            Some(own) => anyhow::anyhow!(sentence(own)),
            None => error,
        }),
        Ok(()) => Ok(()),
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The operator is who reads the log: what is kept from callers over HTTP is told here.
pub(super) fn sentence(error: &Error) -> String {
    match error {
        Error::Invalid(violations) => violations.iter().map(told).collect::<Vec<_>>().join("; "),
        Error::InsecurePassword => {
            let (least, most) = (PASSWORD_CHARS.start(), PASSWORD_CHARS.end());
            format!(
                "the password is too weak: take {least} to {most} characters with three of upper-case letters, \
                 lower-case letters, digits and others"
            )
        }
        Error::NotFound(kind, name) => match kind {
            Kind::Client => format!("there is no client '{name}'; `rollbook client list` prints those there are"),
            Kind::User => format!("there is no user '{name}'; `rollbook user list` prints those there are"),
            Kind::Group | Kind::Membership | Kind::Certificate => error.to_string(),
        },
        Error::AlreadyExists(Kind::Client, id) => format!("another client has the client_id '{id}'"),
        Error::AlreadyExists(Kind::User, id) => format!("another user has the ID '{id}'; choose another --id"),
        Error::UsernameTaken => "another user has this username; choose another --username".to_owned(),
        Error::Unavailable(reason) => format!("the database cannot be used now ({reason}); try again"),
        Error::OutcomeUnknown(reason) => {
            format!("it is not known whether the change was made ({reason}); look before trying again")
        }
        Error::Internal(source) => format!("{source:#}"),
        other => other.to_string(),
    }
}

fn told(violation: &Violation) -> String {
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
    fn causes_are_told() {
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
