//! Request bodies of this API: groups, users and assignments (docs/ordercloud.md, sections 2 to 5 and 7). Unknown and
//! read-only fields are ignored. Each function fails with `Invalid`, which names every broken rule.

use crate::domain::group::DESCRIPTION_MAX;
use crate::domain::labels::Labels;
use crate::domain::membership::Membership;
use crate::domain::user::{EMAIL_MAX, Secret, TEXT_MAX};
use crate::domain::xp::Xp;
use crate::http::request::error::Result;
use crate::http::request::fields::{FieldReader, Fields};
use crate::json::Json;
use crate::service::groups::{GroupDraft, GroupPatch};
use crate::service::users::{UserDraft, UserPatch};

/// Reads a complete group, for POST and PUT.
pub(super) fn group(fields: Fields) -> Result<GroupDraft> {
    let mut reader = FieldReader::new(fields);
    let draft = GroupDraft {
        id: reader.id("ID"),
        name: reader.required_text("Name", Labels::MAX_CHARS),
        description: reader.text("Description", DESCRIPTION_MAX).flatten(),
        xp: xp(&mut reader),
    };
    reader.finish(draft)
}

/// Reads some fields of a group, for PATCH.
pub(super) fn group_patch(fields: Fields) -> Result<GroupPatch> {
    let mut reader = FieldReader::new(fields);
    let patch = GroupPatch {
        id: reader.id("ID"),
        name: reader.patched_text("Name", Labels::MAX_CHARS),
        description: reader.text("Description", DESCRIPTION_MAX),
        xp: xp_patch(&mut reader),
    };
    reader.finish(patch)
}

/// Reads a complete user, for POST and PUT.
pub(super) fn user(fields: Fields) -> Result<UserDraft> {
    let mut reader = FieldReader::new(fields);
    let draft = UserDraft {
        id: reader.id("ID"),
        username: reader.required_text("Username", TEXT_MAX),
        password: password(&mut reader),
        first_name: reader.required_text("FirstName", TEXT_MAX),
        last_name: reader.required_text("LastName", TEXT_MAX),
        email: reader.required_text("Email", EMAIL_MAX),
        phone: reader.text("Phone", TEXT_MAX).flatten(),
        terms_accepted: reader.timestamp("TermsAccepted").flatten(),
        active: reader.required_bool("Active"),
        xp: xp(&mut reader),
    };
    reader.finish(draft)
}

/// Reads some fields of a user, for PATCH.
pub(super) fn user_patch(fields: Fields) -> Result<UserPatch> {
    let mut reader = FieldReader::new(fields);
    let patch = UserPatch {
        id: reader.id("ID"),
        username: reader.patched_text("Username", TEXT_MAX),
        password: password(&mut reader),
        first_name: reader.patched_text("FirstName", TEXT_MAX),
        last_name: reader.patched_text("LastName", TEXT_MAX),
        email: reader.patched_text("Email", EMAIL_MAX),
        phone: reader.text("Phone", TEXT_MAX),
        terms_accepted: reader.timestamp("TermsAccepted"),
        active: reader.bool("Active"),
        xp: xp_patch(&mut reader),
    };
    reader.finish(patch)
}

/// Reads an assignment of a user to a group.
pub(super) fn assignment(fields: Fields) -> Result<Membership> {
    let mut reader = FieldReader::new(fields);
    let membership = Membership { group: reader.required_id("UserGroupID"), user: reader.required_id("UserID") };
    reader.finish(membership)
}

/// Reads a complete xp; `None` if it is null or absent.
fn xp(reader: &mut FieldReader) -> Option<Xp> {
    xp_patch(reader).flatten()
}

/// Reads an xp to merge into the stored one: `None` if it is absent, `Some(None)` if it is null. The limits of a
/// complete xp apply, because the result of the merge is never smaller; they bound the work inside the transaction.
fn xp_patch(reader: &mut FieldReader) -> Option<Option<Xp>> {
    match reader.take("xp")? {
        Json::Null => Some(None),
        json => Some(Xp::new(&json).map_err(|rule| reader.violate("xp", rule)).ok()),
    }
}

/// Reads a password; `None` if it is null or absent. The service checks its strength.
fn password(reader: &mut FieldReader) -> Option<Secret> {
    reader.text("Password", usize::MAX).flatten().map(Secret::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::http::request::error::{DirectoryError, Error};

    fn fields(text: &str) -> Fields {
        let Ok(Json::Object(fields)) = Json::parse(text.as_bytes()) else { panic!("no object: {text}") };
        Fields::new(fields).unwrap()
    }

    fn broken<T>(outcome: Result<T>) -> Vec<&'static str> {
        match outcome {
            Err(Error::Directory(DirectoryError::Invalid(violations))) => {
                violations.iter().map(|wrong| wrong.field).collect()
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn absent_fields_of_a_whole_group_are_null() {
        let draft = group(fields(r#"{"name":"G","ID":"","Foo":1}"#)).unwrap();
        assert_eq!((draft.id, draft.name.as_str(), draft.description, draft.xp), (None, "G", None, None));
        let draft = group(fields(r#"{"Name":"G","xp":{"b":1.0,"a":[]}}"#)).unwrap();
        assert_eq!(draft.xp.unwrap().as_str(), r#"{"b":1.0,"a":[]}"#);
        assert_eq!(
            broken(group(fields(r#"{"ID":"a b","Description":1,"xp":[]}"#))),
            ["ID", "Name", "Description", "xp"]
        );
    }

    #[test]
    fn a_patch_distinguishes_absent_from_null() {
        let patch = group_patch(fields(r#"{"Description":null,"xp":{"a":null}}"#)).unwrap();
        assert_eq!((patch.id, patch.name, patch.description), (None, None, Some(None)));
        assert!(patch.xp.flatten().is_some());
        for name in ["null", r#""""#, r#"" ""#, "1"] {
            assert_eq!(broken(group_patch(fields(&format!(r#"{{"Name":{name}}}"#)))), ["Name"], "{name}");
        }
        assert_eq!(broken(user_patch(fields(r#"{"Active":null,"Email":null,"xp":1}"#))), ["Email", "Active", "xp"]);
    }

    #[test]
    fn read_only_fields_of_a_user_are_ignored() {
        let draft = user(fields(
            r#"{"FailedLoginAttempts":"x","CompanyID":1,"AvailableRoles":["FullAccess"],"DateCreated":0,"Locale":{},
                "Username":"u1","FirstName":"F","LastName":"L","Email":"e@x.io","Active":true,
                "TermsAccepted":"2015-01-01","Password":null}"#,
        ));
        let draft = draft.unwrap();
        assert!(draft.active && draft.password.is_none() && draft.terms_accepted.is_some());
        let required = ["Username", "FirstName", "LastName", "Email", "Active"];
        assert_eq!(broken(user(fields("{}"))), required);
        assert_eq!(
            broken(user_patch(fields(r#"{"Password":1,"TermsAccepted":"now"}"#))),
            ["Password", "TermsAccepted"]
        );
    }

    #[test]
    fn an_assignment_names_both() {
        let pair = assignment(fields(r#"{"UserGroupID":"g","userid":"u"}"#)).unwrap();
        assert_eq!((pair.group.as_str(), pair.user.as_str()), ("g", "u"));
        assert_eq!(broken(assignment(fields(r#"{"UserGroupID":""}"#))), ["UserGroupID", "UserID"]);
        assert_eq!(broken(assignment(fields(r#"{"UserGroupID":"g","UserID":"a b"}"#))), ["UserID"]);
    }
}
