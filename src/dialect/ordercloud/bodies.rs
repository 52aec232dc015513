//! What this API reads: groups, users and assignments as bodies tell them (docs/ordercloud.md, sections 2 to 5 and 7).
//! Unknown and read-only members are ignored. Each function fails with `Invalid`, telling every rule broken.

use crate::domain::error::Result;
use crate::domain::group::DESCRIPTION_MAX;
use crate::domain::json::Json;
use crate::domain::labels::Labels;
use crate::domain::members::{Members, Reader};
use crate::domain::membership::Membership;
use crate::domain::user::{EMAIL_MAX, Secret, TEXT_MAX};
use crate::domain::xp::Xp;
use crate::service::groups::{GroupDraft, GroupPatch};
use crate::service::users::{UserDraft, UserPatch};

/// A whole group, as POST and PUT take it.
pub fn group(members: Members) -> Result<GroupDraft> {
    let mut reader = Reader::new(members);
    let draft = GroupDraft {
        id: reader.id("ID"),
        name: reader.required_text("Name", Labels::MAX_CHARS),
        description: reader.text("Description", DESCRIPTION_MAX).flatten(),
        xp: xp(&mut reader),
    };
    reader.finish(draft)
}

/// Some members of a group, as PATCH takes them.
pub fn group_patch(members: Members) -> Result<GroupPatch> {
    let mut reader = Reader::new(members);
    let patch = GroupPatch {
        id: reader.id("ID"),
        name: reader.patched_text("Name", Labels::MAX_CHARS),
        description: reader.text("Description", DESCRIPTION_MAX),
        xp: reader.object("xp"),
    };
    reader.finish(patch)
}

/// A whole user, as POST and PUT take it.
pub fn user(members: Members) -> Result<UserDraft> {
    let mut reader = Reader::new(members);
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

/// Some members of a user, as PATCH takes them.
pub fn user_patch(members: Members) -> Result<UserPatch> {
    let mut reader = Reader::new(members);
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
        xp: reader.object("xp"),
    };
    reader.finish(patch)
}

/// A user to put into a group.
pub fn assignment(members: Members) -> Result<Membership> {
    let mut reader = Reader::new(members);
    let membership = Membership { group: reader.required_id("UserGroupID"), user: reader.required_id("UserID") };
    reader.finish(membership)
}

/// The whole document; null and absent are none.
fn xp(reader: &mut Reader) -> Option<Xp> {
    let json = reader.take("xp").filter(|json| *json != Json::Null)?;
    Xp::new(&json).map_err(|rule| reader.violate("xp", rule)).ok()
}

/// Whether it is a good one is the service's to say; null and absent are none.
fn password(reader: &mut Reader) -> Option<Secret> {
    reader.text("Password", usize::MAX).flatten().map(Secret::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::domain::error::Error;

    fn members(text: &str) -> Members {
        let Ok(Json::Object(members)) = Json::parse(text.as_bytes()) else { panic!("no object: {text}") };
        Members::new(members).unwrap()
    }

    fn broken<T>(outcome: Result<T>) -> Vec<&'static str> {
        match outcome {
            Err(Error::Invalid(violations)) => violations.iter().map(|wrong| wrong.field).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn absent_members_of_a_whole_group_are_null() {
        let draft = group(members(r#"{"name":"G","ID":"","Foo":1}"#)).unwrap();
        assert_eq!((draft.id, draft.name.as_str(), draft.description, draft.xp), (None, "G", None, None));
        let draft = group(members(r#"{"Name":"G","xp":{"b":1.0,"a":[]}}"#)).unwrap();
        assert_eq!(draft.xp.unwrap().as_str(), r#"{"b":1.0,"a":[]}"#);
        assert_eq!(
            broken(group(members(r#"{"ID":"a b","Description":1,"xp":[]}"#))),
            ["ID", "Name", "Description", "xp"]
        );
    }

    #[test]
    fn a_patch_tells_absent_from_null() {
        let patch = group_patch(members(r#"{"Description":null,"xp":{"a":null}}"#)).unwrap();
        assert_eq!((patch.id, patch.name, patch.description), (None, None, Some(None)));
        assert!(patch.xp.flatten().is_some());
        for name in ["null", r#""""#, r#"" ""#, "1"] {
            assert_eq!(broken(group_patch(members(&format!(r#"{{"Name":{name}}}"#)))), ["Name"], "{name}");
        }
        assert_eq!(broken(user_patch(members(r#"{"Active":null,"Email":null,"xp":1}"#))), ["Email", "Active", "xp"]);
    }

    #[test]
    fn read_only_members_of_a_user_are_ignored() {
        let draft = user(members(
            r#"{"FailedLoginAttempts":"x","CompanyID":1,"AvailableRoles":["FullAccess"],"DateCreated":0,"Locale":{},
                "Username":"u1","FirstName":"F","LastName":"L","Email":"e@x.io","Active":true,
                "TermsAccepted":"2015-01-01","Password":null}"#,
        ));
        let draft = draft.unwrap();
        assert!(draft.active && draft.password.is_none() && draft.terms_accepted.is_some());
        let required = ["Username", "FirstName", "LastName", "Email", "Active"];
        assert_eq!(broken(user(members("{}"))), required);
        assert_eq!(
            broken(user_patch(members(r#"{"Password":1,"TermsAccepted":"now"}"#))),
            ["Password", "TermsAccepted"]
        );
    }

    #[test]
    fn an_assignment_names_both() {
        let pair = assignment(members(r#"{"UserGroupID":"g","userid":"u"}"#)).unwrap();
        assert_eq!((pair.group.as_str(), pair.user.as_str()), ("g", "u"));
        assert_eq!(broken(assignment(members(r#"{"UserGroupID":""}"#))), ["UserGroupID", "UserID"]);
        assert_eq!(broken(assignment(members(r#"{"UserGroupID":"g","UserID":"a b"}"#))), ["UserID"]);
    }
}
