//! The rules of schema migrations and of the default language. Each store runs the migrations itself.

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use crate::domain::labels::Tag;

/// The default language of a new database if none is configured.
pub(crate) const DEFAULT_LANGUAGE: &str = "en";

/// The key of the setting with the identity of the directory, a UUID.
pub(crate) const DIRECTORY: &str = "directory";

/// One step of the schema. A store applies it once, in a transaction of its own. A released step never changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migration {
    /// The version of the schema after this step; the first is 1, without gaps.
    pub version: i64,
    /// The statements of the step.
    pub sql: &'static str,
}

impl Migration {
    /// Returns the SHA-256 of the SQL, in lower-case hex.
    pub(crate) fn checksum(&self) -> String {
        Sha256::digest(self.sql).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Why this program refuses a database. The text follows "the database NAME".
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MigrationError {
    /// The database has more steps than this program.
    #[error(
        "was written by a newer version of Rollbook (schema {found}, this one has {known}): run that version or a later one"
    )]
    Newer {
        /// The schema version of the database.
        found: i64,
        /// The schema version of this program.
        known: i64,
    },
    /// A step of the database differs from this program's step of the same version.
    #[error(
        "was created by an earlier development version of Rollbook (its schema step {0} is different): export it with \
         that version (rollbook export FILE) and import the file with this one into a new directory; clients, \
         passwords, keys and the journal are not included"
    )]
    Changed(i64),
}

/// Returns the migrations of `known` that the database lacks. `applied` holds version and checksum of each applied
/// step, in order. Fails if the database has other steps or more of them.
pub(crate) fn pending<'a>(
    known: &'a [Migration],
    applied: &[(i64, String)],
) -> Result<&'a [Migration], MigrationError> {
    if applied.len() > known.len() {
        let newest = applied.last().map_or(0, |(version, _)| *version);
        return Err(MigrationError::Newer { found: newest, known: known.len() as i64 });
    }
    for (migration, (version, checksum)) in known.iter().zip(applied) {
        if migration.version != *version || migration.checksum() != *checksum {
            return Err(MigrationError::Changed(*version));
        }
    }
    Ok(&known[applied.len()..])
}

/// Returns the stored default language of a database. Fails if another language is requested, because it cannot change.
pub(crate) fn check_language(stored: &str, requested: Option<&Tag>) -> anyhow::Result<Tag> {
    let stored = Tag::parse(stored)
        .with_context(|| format!("the database's default language '{stored}' is not a language tag"))?;
    match requested {
        Some(requested) if !requested.same_language(&stored) => bail!(
            "the database was created with the default language '{}', which cannot change: start without \
             --default-language, or with that one",
            stored.as_str()
        ),
        _ => Ok(stored),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Migration; 2] = [Migration { version: 1, sql: "one" }, Migration { version: 2, sql: "two" }];

    #[test]
    fn pending_steps_are_returned_and_foreign_ones_refused() {
        let applied = |migrations: &[Migration]| -> Vec<_> {
            migrations.iter().map(|migration| (migration.version, migration.checksum())).collect()
        };
        assert_eq!(pending(&KNOWN, &[]).unwrap().len(), 2);
        assert_eq!(pending(&KNOWN, &applied(&KNOWN[..1])).unwrap()[0].version, 2);
        assert!(pending(&KNOWN, &applied(&KNOWN)).unwrap().is_empty());
        assert_eq!(pending(&KNOWN[..1], &applied(&KNOWN)).unwrap_err(), MigrationError::Newer { found: 2, known: 1 });
        assert_eq!(pending(&KNOWN, &[(1, "other".into())]).unwrap_err(), MigrationError::Changed(1));
    }

    #[test]
    fn the_stored_language_cannot_change() {
        let requested = |tag: &str| Tag::parse(tag).unwrap();
        assert_eq!(check_language("de", None).unwrap().as_str(), "de");
        assert_eq!(check_language("de", Some(&requested("DE"))).unwrap().as_str(), "de");
        assert!(check_language("de", Some(&requested("en"))).unwrap_err().to_string().contains("'de'"));
        assert!(check_language("not a tag", None).is_err());
    }
}
