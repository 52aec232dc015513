//! The directory as lines of JSON, one thing a line (docs/operations.md, section 13): what `rollbook import` reads and
//! `rollbook export` writes. Members have the names that the journal gives them.

mod export;
mod import;
mod record;

pub use export::line_of;
pub use import::{Counts, Import, Refused, Report, Told};

#[cfg(test)]
mod tests {
    use super::export::line_of;
    use super::record::record;
    use crate::domain::group::Group;
    use crate::domain::labels::Tag;
    use crate::domain::thing::Thing;
    use crate::domain::time::Timestamp;
    use crate::domain::user::User;
    use crate::service::import::Record;

    const NEVER: Timestamp = Timestamp::from_micros(0);

    /// What an export writes of the record once it is imported.
    fn exported(record: Record) -> String {
        let thing = match record {
            Record::Group(uid, fields) => Thing::Group(Group {
                uid: uid.unwrap_or(1),
                name: fields.labels.name(&Tag::parse("en").unwrap()).to_owned(),
                fields,
                created: NEVER,
                updated: NEVER,
                deleted: None,
                version: 1,
                members: 0,
            }),
            Record::User(fields) => Thing::User(User {
                uid: 1,
                fields,
                created: NEVER,
                updated: NEVER,
                deleted: None,
                version: 1,
                last_active: None,
                failed_attempts: 0,
            }),
            Record::Membership(membership) => Thing::Membership(membership),
        };
        line_of(&thing).unwrap()
    }

    #[test]
    fn what_is_exported_is_imported_as_it_was() {
        for line in [
            r#"{"group":{"uid":7,"id":"Sales","labels":{"de":"Vertrieb","en":"Sales \"1\""},"description":"a\nb","xp":{"b":1.0,"a":[null]},"communities":["a6dfbbee-4866-422a-8f83-6b8533375e7d"]}}"#,
            r#"{"group":{"uid":1,"id":"g","labels":{"en":"é"}}}"#,
            r#"{"user":{"id":"u","username":"ana","first_name":"Ana","last_name":"Løpez","email":"a@example.com","phone":"1","terms_accepted":"2026-01-31T10:00:00.000001Z","active":false,"xp":{},"roles":["AdminUserGroupAdmin","AdminUserReader"],"communities":["a6dfbbee-4866-422a-8f83-6b8533375e7d"]}}"#,
            r#"{"user":{"id":"u","username":"ana","first_name":"A","last_name":"L","email":"e","active":true}}"#,
            r#"{"membership":{"group":"Sales","user":"u"}}"#,
        ] {
            let read = record(line.as_bytes()).unwrap();
            assert_eq!(exported(read.clone()), line);
            assert_eq!(record(exported(read.clone()).as_bytes()).unwrap(), read);
        }
    }
}
