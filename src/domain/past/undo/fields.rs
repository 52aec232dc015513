//! Taking back a change of fields: each field that the change moved gets its former value, unless it was changed again
//! since. Labels are compared by language, xp by member, the communities of a group one by one. Roles and the communities of
//! users and clients are compared as a whole: none of them means every one, so a mixture could widen rights.

use std::collections::BTreeMap;

use crate::domain::client::ClientFields;
use crate::domain::community::{Communities, Community, Visibility};
use crate::domain::group::GroupFields;
use crate::domain::labels::{Labels, Tag};
use crate::domain::user::UserFields;
use crate::domain::xp::Xp;
use crate::json::Json;

use super::UndoResult;

/// Fields that can be taken back.
pub(crate) trait Revertible: Clone {
    /// Gives the present fields the values before the change, which led from `before` to `after`. Of communities, only
    /// those that `visibility` is limited to.
    fn revert(&mut self, before: &Self, after: &Self, visibility: &Visibility, reverting: &mut Reverting);
}

/// Returns the present fields without the change, and what becomes of it. The fields are valid if the change is undone.
pub(crate) fn reverted<F: Revertible>(present: &F, before: &F, after: &F, visibility: &Visibility) -> (F, UndoResult) {
    let mut fields = present.clone();
    let mut reverting = Reverting::default();
    fields.revert(before, after, visibility, &mut reverting);
    let result = match reverting {
        Reverting { conflicts, .. } if !conflicts.is_empty() => UndoResult::Conflict(conflicts),
        Reverting { is_changed: true, .. } => UndoResult::Undone,
        Reverting { is_lasting: true, .. } => {
            UndoResult::Impossible("passwords, secrets and ended tokens do not come back")
        }
        _ => UndoResult::NothingToDo,
    };
    (fields, result)
}

/// What was found while fields are taken back.
#[derive(Debug, Default)]
pub(crate) struct Reverting {
    /// The names of the fields that were changed again since.
    conflicts: Vec<String>,
    /// Whether a field was taken back.
    is_changed: bool,
    /// Whether the change did something that is never taken back.
    is_lasting: bool,
}

impl Reverting {
    /// Takes back the change of a field that is compared as a whole.
    fn field<T: Clone + PartialEq>(&mut self, name: &str, present: &mut T, before: &T, after: &T) {
        if before == after || present == before {
            return;
        }
        if present == after {
            present.clone_from(before);
            self.is_changed = true;
        } else {
            self.conflicts.push(name.to_owned());
        }
    }

    /// Notes a change that is never taken back.
    fn lasting(&mut self, differs: bool) {
        self.is_lasting |= differs;
    }

    fn labels(&mut self, present: &mut Labels, before: &Labels, after: &Labels) {
        let by_tag = |labels: &Labels| -> BTreeMap<String, String> {
            labels.iter().map(|(tag, label)| (tag.to_ascii_lowercase(), label.to_owned())).collect()
        };
        let former = self.entries("labels", &by_tag(present), &by_tag(before), &by_tag(after));
        let tags: BTreeMap<_, _> = before.iter().map(|(tag, _)| (tag.to_ascii_lowercase(), tag)).collect();
        let tag = |key: &str| Tag::parse(tags.get(key).copied().unwrap_or(key));
        let changes: Vec<_> = former.into_iter().filter_map(|(key, label)| Some((tag(&key)?, label))).collect();
        if changes.is_empty() {
            return;
        }
        match present.merged(&changes) {
            Ok(labels) => *present = labels,
            Err(_) => self.conflicts.push("labels".to_owned()),
        }
    }

    fn xp(&mut self, present: &mut Option<Xp>, before: &Option<Xp>, after: &Option<Xp>) {
        if before == after || present == before {
            return;
        }
        if present == after {
            present.clone_from(before);
            self.is_changed = true;
            return;
        }
        let by_name = |xp: &Option<Xp>| -> BTreeMap<String, String> {
            members(xp).into_iter().map(|(name, value)| (name, value.to_string())).collect()
        };
        let former = self.entries("xp", &by_name(present), &by_name(before), &by_name(after));
        let mut result = members(present);
        result.retain(|(name, _)| former.get(name) != Some(&None));
        for (name, value) in members(before) {
            if former.get(&name).is_some_and(Option::is_some) {
                match result.iter_mut().find(|(own, _)| *own == name) {
                    Some((_, own)) => *own = value,
                    None => result.push((name, value)),
                }
            }
        }
        match Xp::new(&Json::Object(result)) {
            Ok(xp) => *present = Some(xp).filter(|xp| before.is_some() || !xp.is_empty()),
            Err(_) => self.conflicts.push("xp".to_owned()),
        }
    }

    /// Returns the former texts of the entries that are taken back, by key; `None` for an entry that goes.
    fn entries(
        &mut self,
        name: &str,
        present: &BTreeMap<String, String>,
        before: &BTreeMap<String, String>,
        after: &BTreeMap<String, String>,
    ) -> BTreeMap<String, Option<String>> {
        let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
        let mut former = BTreeMap::new();
        for key in keys {
            let (was, became, is) = (before.get(key), after.get(key), present.get(key));
            if was == became || is == was {
                continue;
            }
            if is == became {
                former.insert(key.clone(), was.cloned());
                self.is_changed = true;
            } else {
                self.conflicts.push(format!("{name}.{key}"));
            }
        }
        former
    }

    /// Takes back each community of a group that was added or removed, of those that the caller may change. A limited caller
    /// must keep one of them.
    fn communities(
        &mut self,
        present: &mut Communities,
        before: &Communities,
        after: &Communities,
        visibility: &Visibility,
    ) {
        let is_own = |community: &&Community| visibility.knows(community);
        let mut communities = present.clone();
        communities.extend(before.difference(after).filter(is_own));
        for added in after.difference(before).filter(is_own) {
            communities.remove(added);
        }
        if communities == *present {
            return;
        }
        self.is_changed = true;
        if communities.len() > Community::MAX || !visibility.sees(&communities) {
            self.conflicts.push("communities".to_owned());
        }
        *present = communities;
    }
}

/// The members of an xp document; none if there is no document.
fn members(xp: &Option<Xp>) -> Vec<(String, Json)> {
    match xp.as_ref().map(Xp::to_json) {
        Some(Json::Object(members)) => members,
        _ => Vec::new(),
    }
}

impl Revertible for GroupFields {
    fn revert(&mut self, before: &Self, after: &Self, visibility: &Visibility, reverting: &mut Reverting) {
        reverting.field("id", &mut self.id, &before.id, &after.id);
        reverting.labels(&mut self.labels, &before.labels, &after.labels);
        reverting.field("description", &mut self.description, &before.description, &after.description);
        reverting.xp(&mut self.xp, &before.xp, &after.xp);
        reverting.communities(&mut self.communities, &before.communities, &after.communities, visibility);
    }
}

impl Revertible for UserFields {
    /// Users are changed by unlimited callers alone.
    fn revert(&mut self, before: &Self, after: &Self, _visibility: &Visibility, reverting: &mut Reverting) {
        reverting.field("id", &mut self.id, &before.id, &after.id);
        reverting.field("username", &mut self.username, &before.username, &after.username);
        reverting.field("firstName", &mut self.first_name, &before.first_name, &after.first_name);
        reverting.field("lastName", &mut self.last_name, &before.last_name, &after.last_name);
        reverting.field("email", &mut self.email, &before.email, &after.email);
        reverting.field("phone", &mut self.phone, &before.phone, &after.phone);
        reverting.field("active", &mut self.active, &before.active, &after.active);
        reverting.field("termsAccepted", &mut self.terms_accepted, &before.terms_accepted, &after.terms_accepted);
        reverting.xp(&mut self.xp, &before.xp, &after.xp);
        reverting.field("roles", &mut self.roles, &before.roles, &after.roles);
        reverting.field("communities", &mut self.communities, &before.communities, &after.communities);
        reverting.lasting(before.password_set != after.password_set || before.generation != after.generation);
    }
}

impl Revertible for ClientFields {
    /// Clients are changed by unlimited callers alone. The ID of a client never changes.
    fn revert(&mut self, before: &Self, after: &Self, _visibility: &Visibility, reverting: &mut Reverting) {
        reverting.field("name", &mut self.name, &before.name, &after.name);
        reverting.field("roles", &mut self.roles, &before.roles, &after.roles);
        reverting.field("communities", &mut self.communities, &before.communities, &after.communities);
        reverting.field("user", &mut self.user, &before.user, &after.user);
        reverting.field("enabled", &mut self.enabled, &before.enabled, &after.enabled);
        reverting.field("accessMinutes", &mut self.access_minutes, &before.access_minutes, &after.access_minutes);
        reverting.field("refreshMinutes", &mut self.refresh_minutes, &before.refresh_minutes, &after.refresh_minutes);
        let (was, became) = (&before.refresh_rotation, &after.refresh_rotation);
        reverting.field("refreshRotation", &mut self.refresh_rotation, was, became);
        reverting.field("strictMembers", &mut self.strict_members, &before.strict_members, &after.strict_members);
        let (was, became) = (&before.max_removal_percent, &after.max_removal_percent);
        reverting.field("maxRemovalPercent", &mut self.max_removal_percent, was, became);
        reverting.lasting(before.secret_set != after.secret_set || before.generation != after.generation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::Id;

    fn group(labels: &[(&str, &str)], xp: Option<&str>, communities: &[u8]) -> GroupFields {
        let labels = labels.iter().map(|(tag, label)| (Tag::parse(tag).unwrap(), (*label).to_owned())).collect();
        let community =
            |number: &u8| Community::parse(&format!("aaaaaaaa-0000-4000-8000-0000000000{number:02}")).unwrap();
        GroupFields {
            id: Id::new("g").unwrap(),
            labels: Labels::new(labels).unwrap(),
            description: None,
            xp: xp.map(|xp| Xp::new(&Json::parse(xp.as_bytes()).unwrap()).unwrap()),
            communities: communities.iter().map(community).collect(),
        }
    }

    #[test]
    fn labels_are_taken_back_by_language() {
        let before = group(&[("en", "A"), ("it", "B")], None, &[]);
        let after = group(&[("EN", "A2"), ("de", "C")], None, &[]);
        let undo = |present: &GroupFields| reverted(present, &before, &after, &Visibility::All);
        assert_eq!(undo(&after), (before.clone(), UndoResult::Undone));
        assert_eq!(undo(&before), (before.clone(), UndoResult::NothingToDo));
        let more = group(&[("en", "A2"), ("de", "C"), ("fr", "D")], None, &[]);
        assert_eq!(undo(&more).0, group(&[("en", "A"), ("it", "B"), ("fr", "D")], None, &[]));
        let other = group(&[("en", "A3"), ("it", "B2")], None, &[]);
        assert_eq!(undo(&other).1, UndoResult::Conflict(vec!["labels.en".to_owned(), "labels.it".to_owned()]));
    }

    #[test]
    fn xp_is_taken_back_by_member() {
        let of = |xp: Option<&str>| group(&[("en", "A")], xp, &[]);
        let before = of(Some(r#"{"a":1,"b":[2],"c":3}"#));
        let after = of(Some(r#"{"a":1.0,"b":[2],"d":4}"#));
        let undo = |present: Option<&str>| reverted(&of(present), &before, &after, &Visibility::All);
        assert_eq!(undo(Some(r#"{"a":1.0,"b":[2],"d":4}"#)), (before.clone(), UndoResult::Undone));
        assert_eq!(undo(Some(r#"{"d":4,"e":5,"a":1.0}"#)).0, of(Some(r#"{"e":5,"a":1,"c":3}"#)));
        assert_eq!(undo(Some(r#"{"a":7,"d":4}"#)).1, UndoResult::Conflict(vec!["xp.a".to_owned()]));
        assert_eq!(undo(None).1, UndoResult::Conflict(vec!["xp.a".to_owned()]));
        let (none, some) = (of(None), of(Some(r#"{"a":1}"#)));
        assert_eq!(reverted(&some, &none, &some, &Visibility::All), (none.clone(), UndoResult::Undone));
        let more = of(Some(r#"{"a":1,"b":2}"#));
        assert_eq!(reverted(&more, &none, &some, &Visibility::All).0, of(Some(r#"{"b":2}"#)));
    }

    #[test]
    fn a_limited_caller_takes_back_their_own_communities() {
        let of = |communities: &[u8]| group(&[("en", "A")], None, communities);
        let own = Visibility::Within(of(&[1, 2]).communities);
        let undo = |present: &[u8], before: &[u8], after: &[u8]| {
            let (fields, result) = reverted(&of(present), &of(before), &of(after), &own);
            (fields.communities, result)
        };
        assert_eq!(undo(&[1, 3], &[2], &[1, 3]), (of(&[2, 3]).communities, UndoResult::Undone));
        assert_eq!(undo(&[1, 3], &[], &[1, 3]).1, UndoResult::Conflict(vec!["communities".to_owned()]));
        assert_eq!(undo(&[1, 3], &[1], &[1, 3]).1, UndoResult::NothingToDo);
    }
}
