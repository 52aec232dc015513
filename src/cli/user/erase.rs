//! `rollbook user erase`: empties the personal fields of a user for good.

use std::io::{self, Write as _};

use clap::Args;

use crate::domain::address;
use crate::domain::user::UserKey;
use crate::service::Service;

use crate::cli::operator::{ReasonArgs, escaped, parse_user};

/// The arguments of `rollbook user erase`.
#[derive(Debug, Args)]
pub(super) struct EraseUser {
    /// The user's ID, 'uid:' and the number, or 'username:' and the username; a deleted user by the number
    #[arg(value_parser = parse_user)]
    user: UserKey,
    /// Print what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Confirm that the user is to be erased, which cannot be undone
    #[arg(long, required_unless_present = "dry_run")]
    yes: bool,
    #[command(flatten)]
    reason: ReasonArgs,
}

impl EraseUser {
    /// Erases the user and prints a sentence.
    pub(super) async fn run(self, service: &Service) -> anyhow::Result<()> {
        let permit = self.reason.permit()?;
        let (erased, done) = match self.dry_run {
            true => (service.preview_erasure(&permit, &self.user).await?, "would be"),
            false => (service.erase_user(&permit, &self.user).await?, "is"),
        };
        let (uid, changes) = (erased.uid, erased.changes);
        let mut out = io::stdout();
        let user = escaped(&address::of_user(&self.user));
        let everywhere = format!("in {changes} entries of the journal and everywhere else");
        writeln!(out, "The user {user}, number {uid}, {done} erased, {everywhere}.")?;
        Ok(writeln!(out, "This cannot be undone. Backups and reasons of changes are left as they are.")?)
    }
}
