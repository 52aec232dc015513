//! Bulk import and export: the directory as lines of JSON, one entity per line (docs/operations.md, section 13).
//! `rollbook import` reads these lines and `rollbook export` writes them. Fields have the same names as in the journal.

mod export;
mod format;
mod import;
mod preview;
mod record;

pub(crate) use export::line_of;
pub(crate) use import::{Counts, Import, ImportObserver, ImportReport, RefusedLine, lines_of_json};

#[cfg(test)]
mod tests {
    use super::export::line_of;
    use super::record::parse_record;
    use crate::domain::export_item::ExportItem;
    use crate::domain::group::Group;
    use crate::domain::labels::Tag;
    use crate::domain::time::Timestamp;
    use crate::domain::user::User;
    use crate::service::import::Record;

    const NEVER: Timestamp = Timestamp::from_micros(0);

    /// The line that an export writes for the record after its import.
    fn exported(record: Record) -> String {
        let entity = match record {
            Record::Group(uid, fields) => ExportItem::Group(Group {
                uid: uid.unwrap_or(1),
                name: fields.labels.name(&Tag::parse("en").unwrap()).to_owned(),
                fields,
                created: NEVER,
                updated: NEVER,
                deleted: None,
                version: 1,
                members: 0,
                members_version: 0,
            }),
            Record::User(uid, fields) => ExportItem::User(User {
                uid: uid.unwrap_or(1),
                fields,
                created: NEVER,
                updated: NEVER,
                deleted: None,
                version: 1,
                erased: None,
                last_active: None,
                failed_attempts: 0,
                locked_until: None,
            }),
            Record::Membership(membership) => ExportItem::Membership(membership),
        };
        line_of(&entity).unwrap()
    }

    #[test]
    fn an_exported_line_is_imported_unchanged() {
        for line in [
            r#"{"group":{"uid":7,"id":"Sales","labels":{"de":"Vertrieb","en":"Sales \"1\""},"description":"a\nb","xp":{"b":1.0,"a":[null]},"communities":["a6dfbbee-4866-422a-8f83-6b8533375e7d"]}}"#,
            r#"{"group":{"uid":1,"id":"g","labels":{"en":"é"}}}"#,
            r#"{"user":{"uid":7,"id":"u","username":"ana","first_name":"Ana","last_name":"Løpez","email":"a@example.com","phone":"1","terms_accepted":"2026-01-31T10:00:00.000001Z","active":false,"xp":{},"roles":["AdminUserGroupAdmin","AdminUserReader"],"communities":["a6dfbbee-4866-422a-8f83-6b8533375e7d"]}}"#,
            r#"{"user":{"uid":1,"id":"u","username":"ana","first_name":"A","last_name":"L","email":"e","active":true}}"#,
            r#"{"membership":{"group":"Sales","user":"u"}}"#,
        ] {
            let read = parse_record(line.as_bytes(), true).unwrap();
            assert_eq!(exported(read.clone()), line);
            assert_eq!(parse_record(exported(read.clone()).as_bytes(), true).unwrap(), read);
        }
    }
}
