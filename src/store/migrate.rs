//! What a database still needs before it is a directory of this version: schema steps, a language. The runner is
//! each store's own; the rules are these.

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use crate::domain::labels::Tag;

/// The language of a database that was made without saying one.
pub const DEFAULT_LANGUAGE: &str = "en";

/// One step of the schema, applied whole in a transaction of its own, once, and never edited afterwards.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// From 1, without gaps.
    pub version: i64,
    pub sql: &'static str,
}

impl Migration {
    /// SHA-256 of the SQL, in lower-case hex.
    pub fn checksum(&self) -> String {
        Sha256::digest(self.sql).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Why a database is not for this program.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MigrationError {
    #[error(
        "was written by a newer version of Rollbook (schema {found}, this one knows {known}): run that version or a later one"
    )]
    Newer { found: i64, known: i64 },
    #[error(
        "has a schema step {0} that is not this program's: it was made by another build; restore a backup or use that build"
    )]
    Changed(i64),
}

/// The migrations of `known` that are not among `applied` (version and checksum, in order).
pub fn pending<'a>(known: &'a [Migration], applied: &[(i64, String)]) -> Result<&'a [Migration], MigrationError> {
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

/// The default language of a database that was made with `kept`. Fails where another one is asked for.
pub fn settled_language(kept: &str, asked: Option<&Tag>) -> anyhow::Result<Tag> {
    let kept =
        Tag::parse(kept).with_context(|| format!("the database's default language '{kept}' is no language tag"))?;
    match asked {
        Some(asked) if !asked.same_language(&kept) => bail!(
            "the database was made with the default language '{}', which cannot change: start without \
             --default-language, or with that one",
            kept.as_str()
        ),
        _ => Ok(kept),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Migration; 2] = [Migration { version: 1, sql: "one" }, Migration { version: 2, sql: "two" }];

    #[test]
    fn tells_what_is_left_and_what_is_foreign() {
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
    fn the_language_stays_what_it_was() {
        let asked = |tag: &str| Tag::parse(tag).unwrap();
        assert_eq!(settled_language("de", None).unwrap().as_str(), "de");
        assert_eq!(settled_language("de", Some(&asked("DE"))).unwrap().as_str(), "de");
        assert!(settled_language("de", Some(&asked("en"))).unwrap_err().to_string().contains("'de'"));
        assert!(settled_language("not a tag", None).is_err());
    }
}
