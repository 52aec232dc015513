//! The bodies of PATCH (RFC 7644, section 3.5.2), in every form in which identity providers send them (docs/scim.md,
//! section "PATCH"), as a list of deltas. Nothing here reads or writes the directory: the deltas are complete before the
//! transaction begins, so that a request with one wrong operation changes nothing.
//!
//! The body is taken apart as it is read. Of a member, only the number of the user is kept.

use std::cmp::Reverse;

use crate::domain::contacts::Contact as Element;
use crate::domain::user::UserUid;
use crate::json::Json;

use super::error::ScimType;
use super::schemas::{ROLLBOOK_USER, USER};

/// The maximum number of operations in one request.
pub(in crate::api::scim) const OPERATIONS_MAX: usize = 100_000;
/// The maximum number of members that one request names; as `domain::membership::MEMBERS_MAX`.
pub(in crate::api::scim) const MEMBERS_MAX: usize = 100_000;
/// The maximum number of deltas other than those of members.
pub(in crate::api::scim) const DELTAS_MAX: usize = 1_000;
/// The maximum number of unknown members that are kept to be shown.
const EXAMPLES_MAX: usize = 10;
/// The maximum number of characters of an unknown member that are kept.
const EXAMPLE_CHARS: usize = 100;

/// A result that fails with [`PatchError`].
pub(in crate::api::scim) type Result<T, E = PatchError> = std::result::Result<T, E>;

/// Why a PATCH is refused. The status is always 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api::scim) struct PatchError {
    /// The keyword.
    pub scim_type: ScimType,
    /// A sentence for the administrator of the client, sent under `detail`.
    pub detail: String,
}

impl PatchError {
    fn new(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self { scim_type, detail: detail.into() }
    }

    fn value(detail: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidValue, detail)
    }

    fn path(detail: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidPath, detail)
    }

    fn mutability(detail: impl Into<String>) -> Self {
        Self::new(ScimType::Mutability, detail)
    }
}

/// A parsed path (RFC 7644, section 3.5.2, figure 7) without the URN in front of it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::api::scim) struct Path {
    /// The name of the attribute, in any case.
    pub attribute: String,
    /// The value filter in brackets: the alternatives that `or` joins. `None` = there are no brackets.
    pub filter: Option<Vec<Alternative>>,
    /// The name of the sub-attribute, in any case.
    pub sub_attribute: Option<String>,
}

/// One alternative of a value filter: the equalities that `and` joins. All must hold.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::api::scim) struct Alternative(pub Vec<Equality>);

/// A comparison by `eq` in a value filter.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::api::scim) struct Equality {
    /// The name of the sub-attribute, in any case.
    pub attribute: String,
    /// What it is compared with.
    pub value: Json,
}

/// Why a text is no path that a PATCH may have. Each holds the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api::scim) enum PathError {
    /// It does not follow the grammar: `invalidPath`.
    Malformed(String),
    /// Its value filter is valid, but has more than `eq`, `and` and `or`: `invalidFilter`.
    UnsupportedFilter(String),
}

/// Parses a path, or a key of a path-less value. The URN is not part of the text.
pub(in crate::api::scim) type ParsePath<'a> = &'a dyn Fn(&str) -> Result<Path, PathError>;

/// The schema that an attribute belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api::scim) enum Schema {
    /// The core schema of the resource (RFC 7643, sections 4.1 and 4.2), and common attributes.
    Core,
    /// The enterprise extension of users (RFC 7643, section 4.3).
    Enterprise,
    /// The extension of Rollbook.
    Rollbook,
}

const CORE_GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const ROLLBOOK_GROUP: &str = "urn:ietf:params:scim:schemas:extension:rollbook:2.0:Group";

/// A change of one attribute of a group. Those of one request are applied in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api::scim) enum GroupDelta {
    /// The label in the default language.
    DisplayName(String),
    /// The ID that the client knows the group by; `None` = it is cleared.
    ExternalId(Option<String>),
    /// The ID of the group, which the extension calls `key`.
    Key(String),
    /// The description; `None` = it is cleared.
    Description(Option<String>),
    /// The labels.
    Labels(LabelsDelta),
    /// The communities that the group is linked to.
    Communities(ListDelta),
    /// The extended properties, as the text of a JSON object; `None` = they are cleared.
    Xp(Option<String>),
    /// The members. A request has at most one `Add` and one `Remove`, with nobody in both, or one of the others. They are
    /// last, in this order.
    Members(MembersDelta),
}

/// A change of the labels of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api::scim) enum LabelsDelta {
    /// These are set; others stay.
    Set(Vec<Label>),
    /// The labels in these languages are removed.
    Remove(Vec<String>),
    /// Exactly these are left. May be empty, which the rule of names refuses.
    Exactly(Vec<Label>),
}

/// A label: a name in a language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api::scim) struct Label {
    /// The tag of the language (BCP 47), not checked.
    pub language: String,
    /// The name, not empty.
    pub value: String,
}

/// A change of a list of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api::scim) enum ListDelta {
    /// These are added.
    Add(Vec<String>),
    /// These are removed.
    Remove(Vec<String>),
    /// Exactly these are left.
    Exactly(Vec<String>),
}

/// A change of the members of a group. The numbers are in ascending order, each once; whether there are such users is not
/// known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api::scim) enum MembersDelta {
    /// These are members afterwards; at least one.
    Add(Vec<UserUid>),
    /// These are no members afterwards; at least one.
    Remove(Vec<UserUid>),
    /// Exactly these are members afterwards; at least one.
    Exactly(Vec<UserUid>),
    /// Nobody is a member afterwards.
    RemoveAll,
}

/// Members whose ID no user can have, because it is not `u` and a number. They are left out, or refused if the client is
/// strict (docs/scim.md, section "Members").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::api::scim) struct UnknownMembers {
    /// How often one was named.
    pub count: u64,
    /// The first [`EXAMPLES_MAX`] of them, cut to [`EXAMPLE_CHARS`] characters.
    pub examples: Vec<String>,
}

/// What a PATCH of a group asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::api::scim) struct GroupPatch {
    /// The deltas, in the order in which they apply. Empty = the request changes nothing.
    pub deltas: Vec<GroupDelta>,
    /// The members that cannot exist.
    pub unknown: UnknownMembers,
}

/// A change of one attribute of a user. Those of one request are applied in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api::scim) enum UserDelta {
    /// The username.
    UserName(String),
    /// The ID that the client knows the user by; `None` = it is cleared.
    ExternalId(Option<String>),
    /// The first name.
    GivenName(String),
    /// The last name.
    FamilyName(String),
    /// The email addresses.
    Emails(ValuesDelta),
    /// The phone numbers.
    PhoneNumbers(ValuesDelta),
    /// Whether the user may sign in.
    Active(bool),
    /// An attribute that is stored as it is sent; `None` = it is cleared.
    Free(FreeAttribute, Option<String>),
    /// The ID of the user, which the extension calls `key`.
    Key(String),
    /// The extended properties, as the text of a JSON object; `None` = they are cleared.
    Xp(Option<String>),
}

/// An attribute of a user that the directory stores as it is sent. All of them are texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api::scim) struct FreeAttribute {
    /// The schema: core or enterprise.
    pub schema: Schema,
    /// The name, as RFC 7643 spells it. `manager` stands for the ID of the manager, `manager.value`.
    pub name: &'static str,
}

const FREE_CORE: &[&str] = &["displayName", "title", "locale", "preferredLanguage", "timezone", "nickName", "userType"];
const FREE_ENTERPRISE: &[&str] = &["employeeNumber", "costCenter", "organization", "division", "department", MANAGER];
const MANAGER: &str = "manager";

/// The attributes of users in RFC 7643, section 4.1, that the directory does not keep.
const NOT_KEPT: &[&str] =
    &["profileUrl", "addresses", "ims", "photos", "entitlements", "roles", "x509Certificates", "password"];
/// The parts of a name that the directory does not keep. `formatted` is derived from the two others.
const NAMES_NOT_KEPT: &[&str] = &["formatted", "middleName", "honorificPrefix", "honorificSuffix"];

/// What a PATCH of a user asks for: the deltas, in the order in which they apply. Empty = the request changes nothing.
pub(in crate::api::scim) type UserPatch = Vec<UserDelta>;

/// A sub-attribute of an [`Element`] with its value; `None` = it is cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api::scim) enum Part {
    /// `value`, never empty.
    Value(String),
    /// `type`
    Kind(Option<String>),
    /// `primary`
    Primary(bool),
    /// `display`
    Display(Option<String>),
}

/// The elements that a value filter selects: those that have all the parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api::scim) struct Selector(pub Vec<Part>);

/// A change of the email addresses or phone numbers of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api::scim) enum ValuesDelta {
    /// These are added, unless there is one with the same value and type, which then gets the other parts.
    Add(Vec<Element>),
    /// Exactly these are left.
    Exactly(Vec<Element>),
    /// The selected ones, all without `selected`, get these parts. If there are none, one is created.
    Set {
        /// Which ones: those that one of the selectors selects.
        selected: Option<Vec<Selector>>,
        /// The parts.
        parts: Vec<Part>,
    },
    /// The selected ones are removed.
    Remove(Vec<Selector>),
    /// All are removed.
    RemoveAll,
}

/// Reads the body of a PATCH of a group. Fails with the error of the first operation that is refused.
pub(in crate::api::scim) fn group_patch(body: Json, parse_path: ParsePath<'_>) -> Result<GroupPatch> {
    let mut reader = GroupReader::default();
    read_operations(body, parse_path, &mut reader)?;
    let mut deltas = reader.deltas.0;
    deltas.extend(reader.members.deltas().into_iter().map(GroupDelta::Members));
    Ok(GroupPatch { deltas, unknown: reader.members.unknown })
}

/// Reads the body of a PATCH of a user. Fails with the error of the first operation that is refused.
pub(in crate::api::scim) fn user_patch(body: Json, parse_path: ParsePath<'_>) -> Result<UserPatch> {
    let mut reader = UserReader::default();
    read_operations(body, parse_path, &mut reader)?;
    Ok(reader.deltas.0)
}

/// Reads the attributes of a POST or PUT of a user, each as its replacement. Fails with the error of the first that is
/// refused.
pub(in crate::api::scim) fn user_attributes(
    attributes: Vec<(String, Json)>,
    parse_path: ParsePath<'_>,
) -> Result<UserPatch> {
    let mut reader = UserReader::default();
    let operation = Operation { kind: Kind::Replace, path: None, value: Some(Json::Object(attributes)) };
    apply(operation, parse_path, &mut reader)?;
    Ok(reader.deltas.0)
}

/// Reads the members of a POST or PUT of a group, in the forms of [`group_patch`], as the delta to exactly these. For the
/// caller, `members` that are null are no members: a PUT leaves the present ones then.
pub(in crate::api::scim) fn all_members(value: Json) -> Result<(MembersDelta, UnknownMembers)> {
    let mut members = Members::default();
    members.replace(value)?;
    let delta = members.deltas().pop().unwrap_or(MembersDelta::RemoveAll);
    Ok((delta, members.unknown))
}

// ---- operations

/// The kind of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Add,
    Replace,
    Remove,
}

/// One operation as it was sent.
struct Operation {
    kind: Kind,
    path: Option<String>,
    value: Option<Json>,
}

/// Where the name of an attribute comes from. A path means what it says, while a value may repeat what a GET returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Path,
    Value,
}

/// One operation on one attribute.
struct Change {
    kind: Kind,
    schema: Schema,
    path: Path,
    /// The value; `None` only in a removal.
    value: Option<Json>,
    origin: Origin,
}

/// Collects the changes of one kind of resource.
trait Resource {
    /// The schemas of the resource, with their URNs.
    const SCHEMAS: &'static [(Schema, &'static str)];

    /// Takes one change.
    fn change(&mut self, change: Change) -> Result<()>;

    /// Clears all attributes of a schema.
    fn clear(&mut self, schema: Schema) -> Result<()>;
}

/// Reads the operations one after the other. The number of the operation stands in front of an error.
fn read_operations<R: Resource>(body: Json, parse_path: ParsePath<'_>, resource: &mut R) -> Result<()> {
    for (number, item) in operations(body)?.into_iter().enumerate() {
        let read = Operation::read(item).and_then(|operation| apply(operation, parse_path, resource));
        read.map_err(|error| PatchError { detail: format!("Operations[{number}]: {}", error.detail), ..error })?;
    }
    Ok(())
}

/// Returns the list of operations. Its name is read in any case, and `schemas` is not looked at.
fn operations(body: Json) -> Result<Vec<Json>> {
    let refused = |detail| Err(PatchError::new(ScimType::InvalidSyntax, detail));
    let Json::Object(fields) = body else { return refused("The body must be a JSON object with Operations.") };
    let mut lists = fields.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case("Operations"));
    match (lists.next(), lists.next()) {
        (Some((_, Json::Array(items))), None) if items.len() > OPERATIONS_MAX => {
            let detail = format!("A request has at most {OPERATIONS_MAX} operations.");
            Err(PatchError::new(ScimType::TooMany, detail))
        }
        (Some((_, Json::Array(items))), None) => Ok(items),
        (None, _) => refused("Operations is missing."),
        _ => refused("Operations must be one list."),
    }
}

impl Operation {
    /// Reads one operation. Names and `op` are read in any case; a path that is null is none.
    fn read(item: Json) -> Result<Self> {
        let syntax = |detail| PatchError::new(ScimType::InvalidSyntax, detail);
        let Json::Object(fields) = item else { return Err(syntax("An operation must be an object.")) };
        let (mut kind, mut path, mut value) = (None, None, None);
        for (name, field) in fields {
            let slot = match name.to_ascii_lowercase().as_str() {
                "op" => &mut kind,
                "path" => &mut path,
                "value" => &mut value,
                _ => continue,
            };
            if slot.replace(field).is_some() {
                return Err(syntax("op, path and value may stand once only."));
            }
        }
        let kind = match kind {
            Some(Json::String(kind)) if kind.eq_ignore_ascii_case("add") => Kind::Add,
            Some(Json::String(kind)) if kind.eq_ignore_ascii_case("replace") => Kind::Replace,
            Some(Json::String(kind)) if kind.eq_ignore_ascii_case("remove") => Kind::Remove,
            _ => return Err(syntax("op must be add, replace or remove.")),
        };
        let path = match path {
            None | Some(Json::Null) => None,
            Some(Json::String(path)) => Some(path),
            Some(_) => return Err(PatchError::path("path must be a text.")),
        };
        Ok(Self { kind, path, value })
    }
}

fn apply<R: Resource>(operation: Operation, parse_path: ParsePath<'_>, resource: &mut R) -> Result<()> {
    let Operation { kind, path, value } = operation;
    match (path, kind, value) {
        (None, Kind::Remove, _) => {
            // RFC 7644, section 3.5.2.2.
            Err(PatchError::new(ScimType::NoTarget, "A remove operation needs a path."))
        }
        (_, Kind::Add | Kind::Replace, None) => Err(PatchError::value("value is missing.")),
        (Some(path), kind, value) => located(kind, &path, value, Origin::Path, parse_path, resource),
        (None, kind, Some(Json::Object(fields))) => fields
            .into_iter()
            .try_for_each(|(key, value)| located(kind, &key, Some(value), Origin::Value, parse_path, resource)),
        (None, _, Some(_)) => Err(PatchError::value("Without a path, value must be an object of attributes.")),
    }
}

/// Finds the schema that the path begins with, and hands on the change of what it names. Attributes of unknown schemas
/// are ignored.
fn located<R: Resource>(
    kind: Kind,
    path: &str,
    value: Option<Json>,
    origin: Origin,
    parse_path: ParsePath<'_>,
    resource: &mut R,
) -> Result<()> {
    match location(path, R::SCHEMAS)? {
        Location::Unknown => Ok(()),
        Location::Inside(schema, rest) => {
            resource.change(Change { kind, schema, path: parsed(rest, parse_path)?, value, origin })
        }
        Location::Whole(schema) => match value {
            Some(Json::Object(fields)) if kind != Kind::Remove => fields.into_iter().try_for_each(|(key, value)| {
                let (path, value) = (parsed(&key, parse_path)?, Some(value));
                resource.change(Change { kind, schema, path, value, origin: Origin::Value })
            }),
            value if kind == Kind::Remove || value.as_ref().is_none_or(is_empty) => resource.clear(schema),
            _ => Err(PatchError::value(format!("The value of {path:.100} must be an object of attributes."))),
        },
    }
}

fn parsed(text: &str, parse_path: ParsePath<'_>) -> Result<Path> {
    if text.is_empty() {
        return Err(PatchError::path("The path is empty."));
    }
    parse_path(text).map_err(|error| match error {
        PathError::Malformed(why) => PatchError::path(format!("The path '{text:.100}' is malformed: {why}.")),
        PathError::UnsupportedFilter(why) => {
            let detail = format!("The filter of the path '{text:.100}' is not supported: {why}.");
            PatchError::new(ScimType::InvalidFilter, detail)
        }
    })
}

/// The place that the beginning of a path names.
#[derive(Debug, PartialEq, Eq)]
enum Location<'a> {
    /// The rest is a path in the schema.
    Inside(Schema, &'a str),
    /// The whole schema.
    Whole(Schema),
    /// A schema that the resource does not have.
    Unknown,
}

/// Splits the URN from a path. URNs are compared without regard to case (RFC 8141, section 3.1, for their beginning; we
/// do so for all of them). Fails if the path begins like a URN and is none.
fn location<'a>(path: &'a str, schemas: &[(Schema, &str)]) -> Result<Location<'a>> {
    let Some((scheme, name)) = path.split_at_checked(4).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("urn:"))
    else {
        return Ok(Location::Inside(Schema::Core, path));
    };
    for (schema, urn) in schemas {
        match path.split_at_checked(urn.len()) {
            Some((own, "")) if own.eq_ignore_ascii_case(urn) => return Ok(Location::Whole(*schema)),
            Some((own, rest)) if own.eq_ignore_ascii_case(urn) && rest.starts_with(':') => {
                return Ok(Location::Inside(*schema, &rest[1..]));
            }
            _ => {}
        }
    }
    let is_name = name.split_once(':').is_some_and(|(space, name)| !space.is_empty() && !name.is_empty());
    let before_filter = name.split('[').next().unwrap_or(name);
    match is_name && !before_filter.contains(|c: char| c.is_whitespace() || c.is_control()) {
        true => Ok(Location::Unknown),
        false => Err(PatchError::path(format!("The path '{path:.100}' begins with {scheme} and is no URN."))),
    }
}

// ---- values

/// Whether the value stands for no value: null (RFC 7643, section 2.5), the empty text, an empty list or object.
fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        Json::Bool(_) | Json::Number(_) => false,
    }
}

/// Returns the one value of a single-valued attribute; `None` = it is cleared. Takes the value itself, and also
/// `[{"value": ...}]` and `{"value": ...}`, which Entra sends for references and for texts.
fn single(value: Option<Json>, name: &str) -> Result<Option<Json>> {
    let refused = || Err(PatchError::value(format!("{name} takes one value.")));
    let mut value = value.unwrap_or(Json::Null);
    if let Json::Array(items) = value {
        let mut items = items.into_iter();
        value = items.next().unwrap_or(Json::Null);
        if items.next().is_some() {
            return refused();
        }
    }
    if let Json::Object(fields) = value {
        value = match (fields.is_empty(), field(fields, "value")) {
            (true, _) => Json::Null,
            (false, Some(value)) => value,
            (false, None) => return refused(),
        };
    }
    match value {
        value if is_empty(&value) => Ok(None),
        Json::Array(_) | Json::Object(_) => refused(),
        value => Ok(Some(value)),
    }
}

/// Takes the field with the name, in any case, out of an object.
fn field(fields: Vec<(String, Json)>, name: &str) -> Option<Json> {
    fields.into_iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Returns a text; `None` = it is cleared.
fn text(value: Option<Json>, name: &str) -> Result<Option<String>> {
    match single(value, name)? {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(PatchError::value(format!("{name} must be a text."))),
    }
}

/// Returns a boolean, which may be sent as a text in any case; `None` = it is cleared.
fn flag(value: Option<Json>, name: &str) -> Result<Option<bool>> {
    match single(value, name)? {
        None => Ok(None),
        Some(Json::Bool(flag)) => Ok(Some(flag)),
        Some(Json::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Json::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(PatchError::value(format!("{name} must be true or false."))),
    }
}

/// Returns the items of a list; a single one needs no list. What is empty has none.
fn items(value: Json) -> Vec<Json> {
    match value {
        Json::Array(items) => items,
        value if is_empty(&value) => Vec::new(),
        value => vec![value],
    }
}

impl Change {
    fn is(&self, name: &str) -> bool {
        self.path.attribute.eq_ignore_ascii_case(name)
    }

    fn is_one_of(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.is(name))
    }

    /// Fails with `invalidPath` if the path names a part of an attribute that has none.
    fn is_whole(&self, name: &str) -> Result<()> {
        match (&self.path.filter, &self.path.sub_attribute) {
            (None, None) => Ok(()),
            _ => Err(PatchError::path(format!("{name} has no sub-attributes."))),
        }
    }

    /// The new value of an optional text; `None` = it is cleared.
    fn optional_text(self, name: &str) -> Result<Option<String>> {
        self.is_whole(name)?;
        if self.kind == Kind::Remove { Ok(None) } else { text(self.value, name) }
    }

    /// The new value of a text that cannot be cleared.
    fn required_text(self, name: &str) -> Result<String> {
        self.is_whole(name)?;
        required(self.kind, name, |name| text(self.value, name))
    }

    /// The end of a change of what only the server sets: refused if the path names it (RFC 7644, section 3.5.2), ignored
    /// in a value, which may be what a GET returned.
    fn read_only(&self, name: &str) -> Result<()> {
        match self.origin {
            Origin::Value => Ok(()),
            Origin::Path => Err(PatchError::mutability(format!("{name} is read-only."))),
        }
    }

    /// The end of a change of an attribute that the schema does not have: refused if the path names it, ignored in a
    /// value.
    fn unknown(&self) -> Result<()> {
        match self.origin {
            Origin::Value => Ok(()),
            Origin::Path => {
                Err(PatchError::path(format!("There is no attribute '{:.100}' here.", self.path.attribute)))
            }
        }
    }
}

/// Reads a value that must be there. Fails with `mutability` for a removal (RFC 7644, section 3.5.2.2), and with
/// `invalidValue` for a value that clears.
fn required<T>(kind: Kind, name: &str, read: impl FnOnce(&str) -> Result<Option<T>>) -> Result<T> {
    if kind == Kind::Remove {
        return Err(PatchError::mutability(format!("{name} is required and cannot be removed.")));
    }
    read(name)?.ok_or_else(|| PatchError::value(format!("{name} is required and cannot be empty.")))
}

/// A list of deltas of limited length.
#[derive(Debug)]
struct Deltas<T>(Vec<T>);

impl<T> Default for Deltas<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deltas<T> {
    fn push(&mut self, delta: T) -> Result<()> {
        if self.0.len() == DELTAS_MAX {
            let detail = format!("A request changes attributes other than members at most {DELTAS_MAX} times.");
            return Err(PatchError::new(ScimType::TooMany, detail));
        }
        self.0.push(delta);
        Ok(())
    }
}

// ---- groups

#[derive(Default)]
struct GroupReader {
    deltas: Deltas<GroupDelta>,
    members: Members,
}

impl Resource for GroupReader {
    const SCHEMAS: &'static [(Schema, &'static str)] =
        &[(Schema::Core, CORE_GROUP), (Schema::Rollbook, ROLLBOOK_GROUP)];

    fn change(&mut self, change: Change) -> Result<()> {
        let delta = match (change.schema, change.path.attribute.to_ascii_lowercase().as_str()) {
            (Schema::Core, "displayname") => GroupDelta::DisplayName(change.required_text("displayName")?),
            (Schema::Core, "externalid") => GroupDelta::ExternalId(change.optional_text("externalId")?),
            (Schema::Core, "members") => return self.members.change(change),
            (Schema::Core, "schemas") => return Ok(()),
            (Schema::Core, "id" | "meta" | "groups") => return change.read_only(&change.path.attribute),
            (Schema::Rollbook, "key") => GroupDelta::Key(change.required_text("key")?),
            (Schema::Rollbook, "description") => GroupDelta::Description(change.optional_text("description")?),
            (Schema::Rollbook, "labels") => GroupDelta::Labels(labels(change)?),
            (Schema::Rollbook, "communities") => GroupDelta::Communities(communities(change)?),
            (Schema::Rollbook, "xp") => GroupDelta::Xp(change.optional_text("xp")?),
            (Schema::Rollbook, "membercount") => return change.read_only("memberCount"),
            _ => return change.unknown(),
        };
        self.deltas.push(delta)
    }

    fn clear(&mut self, _schema: Schema) -> Result<()> {
        Err(PatchError::mutability("The schema has required attributes and cannot be removed."))
    }
}

/// Reads a change of labels. `labels[language eq "de"].value` names one label.
fn labels(change: Change) -> Result<LabelsDelta> {
    const NAME: &str = "labels";
    let Change { kind, path, value, .. } = change;
    let languages = path.filter.map(|filter| selected_texts(filter, NAME, "language")).transpose()?;
    let names_value = path.sub_attribute.as_deref().is_none_or(|sub| sub.eq_ignore_ascii_case("value"));
    match (kind, languages, path.sub_attribute.is_some()) {
        (_, Some(_), _) if !names_value => Err(PatchError::path("Of a label, a path names the value alone.")),
        (_, None, true) => Err(PatchError::path("A path names a label as labels[language eq \"...\"].value.")),
        (Kind::Remove, Some(languages), _) => Ok(LabelsDelta::Remove(languages)),
        (Kind::Remove, None, false) => match value {
            None | Some(Json::Null) => Ok(LabelsDelta::Exactly(Vec::new())),
            Some(value) => {
                let languages = items(value).into_iter().map(|item| part(item, "language", NAME));
                Ok(LabelsDelta::Remove(languages.collect::<Result<_>>()?))
            }
        },
        (Kind::Add | Kind::Replace, Some(languages), _) => match text(value, NAME)? {
            None => Ok(LabelsDelta::Remove(languages)),
            Some(text) => {
                let label = |language| Label { language, value: text.clone() };
                Ok(LabelsDelta::Set(languages.into_iter().map(label).collect()))
            }
        },
        (Kind::Add, None, false) => Ok(LabelsDelta::Set(all_labels(value)?)),
        (Kind::Replace, None, false) => Ok(LabelsDelta::Exactly(all_labels(value)?)),
    }
}

fn all_labels(value: Option<Json>) -> Result<Vec<Label>> {
    let label = |item| {
        let wrong = || PatchError::value("A label must be an object with the texts language and value.");
        let Json::Object(fields) = item else { return Err(wrong()) };
        let (mut language, mut value) = (None, None);
        for (name, field) in fields {
            match (name.to_ascii_lowercase().as_str(), field) {
                ("language", Json::String(text)) => language = Some(text),
                ("value", Json::String(text)) => value = Some(text),
                _ => {}
            }
        }
        match (language, value) {
            (Some(language), Some(value)) if !language.is_empty() && !value.is_empty() => Ok(Label { language, value }),
            _ => Err(wrong()),
        }
    };
    items(value.unwrap_or(Json::Null)).into_iter().map(label).collect()
}

/// Reads a change of communities. An item is a text or an object with the text `value`.
fn communities(change: Change) -> Result<ListDelta> {
    const NAME: &str = "communities";
    let Change { kind, path, value, .. } = change;
    if path.sub_attribute.is_some() {
        return Err(PatchError::path("communities has no sub-attributes."));
    }
    let these = |value: Json| items(value).into_iter().map(|item| part(item, "value", NAME)).collect::<Result<_>>();
    match (kind, path.filter) {
        (Kind::Remove, Some(filter)) => Ok(ListDelta::Remove(selected_texts(filter, NAME, "value")?)),
        (_, Some(_)) => Err(PatchError::path("Communities are added and replaced without a filter.")),
        (Kind::Remove, None) => match value {
            None | Some(Json::Null) => Ok(ListDelta::Exactly(Vec::new())),
            Some(value) => Ok(ListDelta::Remove(these(value)?)),
        },
        (Kind::Add, None) => Ok(ListDelta::Add(these(value.unwrap_or(Json::Null))?)),
        (Kind::Replace, None) => Ok(ListDelta::Exactly(these(value.unwrap_or(Json::Null))?)),
    }
}

/// Returns an item that is a text, or the text `name` of an item that is an object.
fn part(item: Json, name: &str, of: &str) -> Result<String> {
    let item = if let Json::Object(fields) = item { field(fields, name) } else { Some(item) };
    match item {
        Some(Json::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(PatchError::value(format!("An item of {of} must have the text {name}."))),
    }
}

/// Returns the texts that a filter such as `language eq "de" or language eq "it"` selects by the sub-attribute.
fn selected_texts(filter: Vec<Alternative>, of: &str, name: &str) -> Result<Vec<String>> {
    let text = |Alternative(equalities): Alternative| {
        let mut equalities = equalities.into_iter();
        match (equalities.next(), equalities.next()) {
            (Some(Equality { attribute, value: Json::String(text) }), None)
                if attribute.eq_ignore_ascii_case(name) && !text.is_empty() =>
            {
                Ok(text)
            }
            _ => {
                let detail = format!("A filter on {of} compares {name} with a text by eq; or joins several.");
                Err(PatchError::new(ScimType::InvalidFilter, detail))
            }
        }
    };
    filter.into_iter().map(text).collect()
}

// ---- members

/// The changes of members so far. A later one of the same user wins, and a replacement wins over all before it. That has
/// the result of the operations one after the other, whoever the members are.
#[derive(Debug, Default)]
struct Members {
    /// Whether nobody else is a member afterwards.
    is_exact: bool,
    changes: Vec<MemberChange>,
    unknown: UnknownMembers,
}

/// A user who joins or leaves.
#[derive(Clone, Copy, Debug)]
struct MemberChange {
    user: UserUid,
    /// The position among all changes, to tell which one is the last of a user.
    position: u32,
    joins: bool,
}

/// The sub-attributes of a member (RFC 7643, section 4.2), which never change, except for the derived `display`.
const MEMBER_PARTS: &[&str] = &["value", "$ref", "type"];

impl Members {
    fn change(&mut self, change: Change) -> Result<()> {
        let Change { kind, path, value, origin, .. } = change;
        if let Some(sub) = &path.sub_attribute {
            // The directory's Username is the name that is shown, whatever the client sends.
            return match (kind, sub.eq_ignore_ascii_case("display")) {
                (Kind::Add | Kind::Replace, true) => Ok(()),
                (Kind::Remove, true) => Err(PatchError::mutability("members.display is read-only.")),
                _ if MEMBER_PARTS.iter().any(|part| sub.eq_ignore_ascii_case(part)) => {
                    Err(PatchError::mutability("A member never changes: it is added or removed."))
                }
                _ => Err(PatchError::path(format!("A member has no sub-attribute '{sub:.100}'."))),
            };
        }
        // Some clients send null for whatever they do not mean. That must not empty a group: an empty list does.
        if origin == Origin::Value && value == Some(Json::Null) {
            return Ok(());
        }
        match (kind, path.filter) {
            (Kind::Remove, Some(filter)) => filter.into_iter().try_for_each(|alternative| self.remove(alternative)),
            (_, Some(_)) => Err(PatchError::path("Members are added and replaced without a filter.")),
            (Kind::Add, None) => self.name(value.unwrap_or(Json::Null), true),
            (Kind::Replace, None) => self.replace(value.unwrap_or(Json::Null)),
            (Kind::Remove, None) => match value {
                None | Some(Json::Null) => {
                    self.begin_empty();
                    Ok(())
                }
                // Entra's form, which RFC 7644 does not have.
                Some(value) => self.name(value, false),
            },
        }
    }

    fn replace(&mut self, value: Json) -> Result<()> {
        self.begin_empty();
        self.name(value, true)
    }

    fn begin_empty(&mut self) {
        self.is_exact = true;
        self.changes.clear();
    }

    /// Takes a list of members, or one member: an object with the text `value`, or that text. `type`, `display` and
    /// `$ref` are ignored.
    fn name(&mut self, value: Json, joins: bool) -> Result<()> {
        items(value).into_iter().try_for_each(|item| self.push(&part(item, "value", "members")?, joins))
    }

    /// Removes the member that an alternative selects: `value eq "u12"`, also with `type eq "User"`.
    fn remove(&mut self, Alternative(equalities): Alternative) -> Result<()> {
        let (mut id, mut selects) = (None::<String>, true);
        for Equality { attribute, value } in equalities {
            match (attribute.to_ascii_lowercase().as_str(), value) {
                ("value", Json::String(value)) => {
                    selects &= id.as_ref().is_none_or(|id| id.eq_ignore_ascii_case(&value));
                    id = Some(value);
                }
                ("type", Json::String(value)) => selects &= value.eq_ignore_ascii_case("User"),
                _ => return Err(only_by_value()),
            }
        }
        let id = id.ok_or_else(only_by_value)?;
        if selects { self.push(&id, false) } else { Ok(()) }
    }

    fn push(&mut self, id: &str, joins: bool) -> Result<()> {
        let Some(user) = user_number(id) else {
            self.unknown.push(id);
            return Ok(());
        };
        if self.changes.len() == MEMBERS_MAX {
            let detail = format!("A request names at most {MEMBERS_MAX} members.");
            return Err(PatchError::new(ScimType::TooMany, detail));
        }
        let position = self.changes.len() as u32;
        self.changes.push(MemberChange { user, position, joins });
        Ok(())
    }

    /// Takes the changes out, as deltas.
    fn deltas(&mut self) -> Vec<MembersDelta> {
        let mut changes = std::mem::take(&mut self.changes);
        changes.sort_unstable_by_key(|change| (change.user, Reverse(change.position)));
        changes.dedup_by_key(|change| change.user);
        let users = |changes: &[MemberChange]| changes.iter().map(|change| change.user).collect::<Vec<_>>();
        if self.is_exact {
            changes.retain(|change| change.joins);
            return vec![if changes.is_empty() {
                MembersDelta::RemoveAll
            } else {
                MembersDelta::Exactly(users(&changes))
            }];
        }
        // Those who join first, each part still in the order of the numbers.
        changes.sort_unstable_by_key(|change| (!change.joins, change.user));
        let (join, leave) = changes.split_at(changes.partition_point(|change| change.joins));
        let add = (!join.is_empty()).then(|| MembersDelta::Add(users(join)));
        let remove = (!leave.is_empty()).then(|| MembersDelta::Remove(users(leave)));
        add.into_iter().chain(remove).collect()
    }
}

fn only_by_value() -> PatchError {
    PatchError::new(ScimType::InvalidFilter, "A filter on members compares value with a text by eq.")
}

impl UnknownMembers {
    fn push(&mut self, id: &str) {
        self.count += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(id.chars().take(EXAMPLE_CHARS).collect());
        }
    }
}

/// The number of the user with the ID: `u` and a number without leading zeros. `None` = no user can have the ID.
/// (`members.value` is compared without regard to case: RFC 7643, section 8.7.1.)
pub(in crate::api::scim) fn user_number(id: &str) -> Option<UserUid> {
    let digits = id.strip_prefix(['u', 'U']).filter(|digits| !digits.starts_with('0'))?;
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

// ---- users

#[derive(Default)]
struct UserReader {
    deltas: Deltas<UserDelta>,
}

impl Resource for UserReader {
    const SCHEMAS: &'static [(Schema, &'static str)] =
        &[(Schema::Core, USER), (Schema::Enterprise, ENTERPRISE_USER), (Schema::Rollbook, ROLLBOOK_USER)];

    fn change(&mut self, change: Change) -> Result<()> {
        let delta = match (change.schema, change.path.attribute.to_ascii_lowercase().as_str()) {
            (Schema::Core, "username") => UserDelta::UserName(change.required_text("userName")?),
            (Schema::Core, "externalid") => UserDelta::ExternalId(change.optional_text("externalId")?),
            (Schema::Core, "name") => return self.name(change),
            (Schema::Core, "emails") => UserDelta::Emails(values(change, "emails")?),
            (Schema::Core, "phonenumbers") => UserDelta::PhoneNumbers(values(change, "phoneNumbers")?),
            (Schema::Core, "active") => {
                change.is_whole("active")?;
                UserDelta::Active(required(change.kind, "active", |name| flag(change.value, name))?)
            }
            (Schema::Core, "schemas") => return Ok(()),
            (Schema::Core, "id" | "meta" | "groups") => return change.read_only(&change.path.attribute),
            (Schema::Core, _) => match change.is_one_of(FREE_CORE) {
                Some(name) => {
                    UserDelta::Free(FreeAttribute { schema: Schema::Core, name }, change.optional_text(name)?)
                }
                None if change.is_one_of(NOT_KEPT).is_some() => return Ok(()),
                None => return change.unknown(),
            },
            (Schema::Enterprise, _) => match change.is_one_of(FREE_ENTERPRISE) {
                Some(MANAGER) => return self.manager(change),
                Some(name) => {
                    UserDelta::Free(FreeAttribute { schema: Schema::Enterprise, name }, change.optional_text(name)?)
                }
                None => return change.unknown(),
            },
            (Schema::Rollbook, "key") => UserDelta::Key(change.required_text("key")?),
            (Schema::Rollbook, "xp") => UserDelta::Xp(change.optional_text("xp")?),
            (Schema::Rollbook, _) => return change.unknown(),
        };
        self.deltas.push(delta)
    }

    fn clear(&mut self, schema: Schema) -> Result<()> {
        if schema != Schema::Enterprise {
            return Err(PatchError::mutability("The schema has required attributes and cannot be removed."));
        }
        FREE_ENTERPRISE.iter().try_for_each(|name| {
            let attribute = FreeAttribute { schema: Schema::Enterprise, name };
            self.deltas.push(UserDelta::Free(attribute, None))
        })
    }
}

impl UserReader {
    /// Takes a change of the name or of a part of it. Parts that are not named stay (RFC 7644, section 3.5.2.3).
    fn name(&mut self, change: Change) -> Result<()> {
        let Change { kind, path, value, origin, .. } = change;
        match (path.filter, path.sub_attribute, value) {
            (Some(_), _, _) => Err(PatchError::path("name takes no filter.")),
            (None, Some(sub), value) => self.name_part(kind, &sub, value, origin),
            (None, None, Some(Json::Object(fields))) if kind != Kind::Remove && !fields.is_empty() => {
                let part = |(sub, value): (String, Json)| self.name_part(kind, &sub, Some(value), Origin::Value);
                fields.into_iter().try_for_each(part)
            }
            (None, None, value) => required(kind, "name", |_| match value {
                Some(value) if !is_empty(&value) => Err(PatchError::value("name must be an object.")),
                _ => Ok(None),
            }),
        }
    }

    fn name_part(&mut self, kind: Kind, sub: &str, value: Option<Json>, origin: Origin) -> Result<()> {
        let delta = match sub.to_ascii_lowercase().as_str() {
            "givenname" => UserDelta::GivenName(required(kind, "name.givenName", |name| text(value, name))?),
            "familyname" => UserDelta::FamilyName(required(kind, "name.familyName", |name| text(value, name))?),
            _ if NAMES_NOT_KEPT.iter().any(|own| sub.eq_ignore_ascii_case(own)) => return Ok(()),
            _ if origin == Origin::Value => return Ok(()),
            _ => return Err(PatchError::path(format!("A name has no sub-attribute '{sub:.100}'."))),
        };
        self.deltas.push(delta)
    }

    /// Takes a change of the manager, of whom the ID is kept.
    fn manager(&mut self, change: Change) -> Result<()> {
        let Change { kind, path, value, .. } = change;
        match (&path.filter, path.sub_attribute.as_deref()) {
            (None, None) => {}
            (None, Some(sub)) if sub.eq_ignore_ascii_case("value") => {}
            (None, Some(sub)) if ["$ref", "displayName"].iter().any(|own| sub.eq_ignore_ascii_case(own)) => {
                return Ok(());
            }
            _ => return Err(PatchError::path("manager has the sub-attributes value, $ref and displayName.")),
        }
        let value = if kind == Kind::Remove { None } else { text(value, MANAGER)? };
        self.deltas.push(UserDelta::Free(FreeAttribute { schema: Schema::Enterprise, name: MANAGER }, value))
    }
}

// ---- email addresses and phone numbers

/// Reads a change of a list of values with types.
fn values(change: Change, name: &str) -> Result<ValuesDelta> {
    let Change { kind, path, value, .. } = change;
    let selected = path.filter.map(|filter| selectors(filter, name)).transpose()?;
    match (kind, selected, path.sub_attribute) {
        (Kind::Add, None, None) => Ok(ValuesDelta::Add(elements(value, name)?)),
        (Kind::Replace, None, None) => Ok(ValuesDelta::Exactly(elements(value, name)?)),
        (Kind::Remove, Some(selected), None) => Ok(ValuesDelta::Remove(selected)),
        (Kind::Remove, None, None) => match value {
            None | Some(Json::Null) => Ok(ValuesDelta::RemoveAll),
            Some(value) => {
                let selector = |element: Element| {
                    let kind = element.kind.map(|kind| Part::Kind(Some(kind)));
                    Selector(std::iter::once(Part::Value(element.value)).chain(kind).collect())
                };
                Ok(ValuesDelta::Remove(elements(Some(value), name)?.into_iter().map(selector).collect()))
            }
        },
        (kind, selected, Some(sub)) => {
            let value = if kind == Kind::Remove { None } else { value };
            match (set_part(&sub, value, name)?, selected) {
                (Some(part), selected) => Ok(ValuesDelta::Set { selected, parts: vec![part] }),
                // Without its value, an element is nothing.
                (None, Some(selected)) => Ok(ValuesDelta::Remove(selected)),
                (None, None) => Ok(ValuesDelta::RemoveAll),
            }
        }
        (Kind::Add | Kind::Replace, Some(selected), None) => element_parts(value, selected, name),
    }
}

/// Reads the value at a path such as `emails[type eq "work"]`: an object of parts, or the value alone.
fn element_parts(value: Option<Json>, selected: Vec<Selector>, name: &str) -> Result<ValuesDelta> {
    let mut all = items(value.unwrap_or(Json::Null));
    let (first, more) = (all.pop(), !all.is_empty());
    let parts = match first {
        _ if more => return Err(PatchError::value(format!("The path names one of {name}, value has several."))),
        None => None,
        Some(Json::Object(fields)) => {
            let mut parts = Vec::new();
            let mut has_value = true;
            for (sub, value) in fields.into_iter().filter(|(sub, _)| is_part(sub)) {
                match set_part(&sub, Some(value), name)? {
                    Some(part) => parts.push(part),
                    None => has_value = false,
                }
            }
            has_value.then_some(parts)
        }
        Some(value) => set_part("value", Some(value), name)?.map(|part| vec![part]),
    };
    match parts {
        Some(parts) => Ok(ValuesDelta::Set { selected: Some(selected), parts }),
        None => Ok(ValuesDelta::Remove(selected)),
    }
}

/// The sub-attributes of email addresses and phone numbers (RFC 7643, section 2.4).
const PARTS: &[&str] = &["value", "type", "primary", "display"];

fn is_part(sub: &str) -> bool {
    PARTS.iter().any(|part| sub.eq_ignore_ascii_case(part))
}

/// Reads a sub-attribute. `None` = it is the value, and is cleared.
fn set_part(sub: &str, value: Option<Json>, name: &str) -> Result<Option<Part>> {
    match sub.to_ascii_lowercase().as_str() {
        "value" => Ok(text(value, name)?.map(Part::Value)),
        "type" => Ok(Some(Part::Kind(text(value, "type")?))),
        "primary" => Ok(Some(Part::Primary(flag(value, "primary")?.unwrap_or(false)))),
        "display" => Ok(Some(Part::Display(text(value, "display")?))),
        _ => Err(PatchError::path(format!("{name} has no sub-attribute '{sub:.100}'."))),
    }
}

/// Reads a list of elements. An element without a value is none, and unknown sub-attributes are ignored.
pub(in crate::api::scim) fn elements(value: Option<Json>, name: &str) -> Result<Vec<Element>> {
    let mut elements = Vec::new();
    for item in items(value.unwrap_or(Json::Null)) {
        let mut element = Element::default();
        match item {
            Json::Object(fields) => {
                for (sub, value) in fields.into_iter().filter(|(sub, _)| is_part(sub)) {
                    if let Some(part) = set_part(&sub, Some(value), name)? {
                        element.set(&part);
                    }
                }
            }
            item => element.value = text(Some(item), name)?.unwrap_or_default(),
        }
        if !element.value.is_empty() {
            elements.push(element);
        }
    }
    Ok(elements)
}

fn selectors(filter: Vec<Alternative>, name: &str) -> Result<Vec<Selector>> {
    let unsupported = || {
        let detail = format!("A filter on {name} compares value, type, primary and display by eq.");
        PatchError::new(ScimType::InvalidFilter, detail)
    };
    let part = |Equality { attribute, value }: Equality| {
        if !is_part(&attribute) {
            return Err(unsupported());
        }
        set_part(&attribute, Some(value), name)?.ok_or_else(unsupported)
    };
    let selector =
        |Alternative(equalities): Alternative| Ok(Selector(equalities.into_iter().map(part).collect::<Result<_>>()?));
    filter.into_iter().map(selector).collect()
}

impl Element {
    fn set(&mut self, part: &Part) {
        match part {
            Part::Value(value) => self.value.clone_from(value),
            Part::Kind(kind) => self.kind.clone_from(kind),
            Part::Primary(primary) => self.primary = *primary,
            Part::Display(display) => self.display.clone_from(display),
        }
    }

    /// Whether the element has the part. Texts are compared without regard to the case of ASCII letters: `caseExact` is
    /// false (RFC 7643, section 8.7.1).
    fn has(&self, part: &Part) -> bool {
        match part {
            Part::Value(value) => self.value.eq_ignore_ascii_case(value),
            Part::Kind(kind) => is_same(self.kind.as_deref(), kind.as_deref()),
            Part::Primary(primary) => self.primary == *primary,
            Part::Display(display) => is_same(self.display.as_deref(), display.as_deref()),
        }
    }
}

fn is_same(own: Option<&str>, other: Option<&str>) -> bool {
    own.map(str::to_ascii_lowercase) == other.map(str::to_ascii_lowercase)
}

impl Part {
    /// Whether the sub-attribute is cleared, or as it is in a new element.
    fn clears(&self) -> bool {
        matches!(self, Self::Kind(None) | Self::Display(None) | Self::Primary(false))
    }
}

impl Selector {
    fn selects(&self, element: &Element) -> bool {
        self.0.iter().all(|part| element.has(part))
    }
}

impl ValuesDelta {
    /// Makes the change on the present elements. Fails with `noTarget` if the filter selects none, and none can be made of
    /// it: it has several alternatives, or the value is not given. (RFC 7644, section 3.5.2.3, fails always; Entra relies
    /// on the element being created.)
    pub(in crate::api::scim) fn apply(self, present: &mut Vec<Element>) -> Result<()> {
        match self {
            Self::RemoveAll => present.clear(),
            Self::Remove(selected) => {
                present.retain(|element| !selected.iter().any(|selector| selector.selects(element)));
            }
            Self::Exactly(elements) => {
                *present = elements;
                if let Some(first) = present.iter().position(|element| element.primary) {
                    make_primary(present, first);
                }
            }
            Self::Add(elements) => elements.into_iter().for_each(|element| add(present, element)),
            Self::Set { selected, parts } => {
                let is_selected = |element: &Element| {
                    selected.as_ref().is_none_or(|all| all.iter().any(|selector| selector.selects(element)))
                };
                let mut targets: Vec<_> = (0..present.len()).filter(|at| is_selected(&present[*at])).collect();
                if targets.is_empty() && parts.iter().all(Part::clears) {
                    return Ok(());
                }
                if targets.is_empty() {
                    present.push(created(selected.as_deref(), &parts)?);
                    targets.push(present.len() - 1);
                }
                for at in targets {
                    parts.iter().for_each(|part| present[at].set(part));
                    if present[at].primary {
                        make_primary(present, at);
                    }
                }
            }
        }
        Ok(())
    }
}

fn add(present: &mut Vec<Element>, element: Element) {
    let is_same_element =
        |own: &Element| own.has(&Part::Value(element.value.clone())) && own.has(&Part::Kind(element.kind.clone()));
    let (is_primary, at) = (element.primary, present.iter().position(is_same_element));
    let at = match at {
        Some(at) => {
            present[at].display = element.display.or_else(|| present[at].display.take());
            at
        }
        None => {
            present.push(element);
            present.len() - 1
        }
    };
    if is_primary {
        make_primary(present, at);
    }
}

/// Makes one element the primary one. The others are none then (RFC 7644, section 3.5.2).
fn make_primary(present: &mut [Element], at: usize) {
    present.iter_mut().enumerate().for_each(|(own, element)| element.primary = own == at);
}

/// Returns a new element that the only alternative of a filter selects.
fn created(selected: Option<&[Selector]>, parts: &[Part]) -> Result<Element> {
    let of_filter = match selected {
        None => &[],
        Some([Selector(parts)]) => parts.as_slice(),
        Some(_) => &[],
    };
    let is_clear = selected.is_none_or(|selected| selected.len() == 1);
    if !is_clear || !parts.iter().chain(of_filter).any(|part| matches!(part, Part::Value(_))) {
        return Err(PatchError::new(ScimType::NoTarget, "The filter of the path selects nothing."));
    }
    let mut element = Element::default();
    of_filter.iter().for_each(|part| element.set(part));
    Ok(element)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::paths::parse_path;
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    fn group(text: &str) -> Result<GroupPatch> {
        group_patch(json(text), &parse_path)
    }

    fn user(text: &str) -> Result<UserPatch> {
        user_patch(json(text), &parse_path)
    }

    fn body(operations: &str) -> String {
        format!(r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{operations}]}}"#)
    }

    /// The deltas of the operations on a group, all of whose members can exist.
    fn of_group(operations: &str) -> Vec<GroupDelta> {
        let patch = group(&body(operations)).unwrap_or_else(|error| panic!("{operations} {error:?}"));
        assert_eq!(patch.unknown, UnknownMembers::default(), "{operations}");
        patch.deltas
    }

    fn of_user(operations: &str) -> Vec<UserDelta> {
        user(&body(operations)).unwrap_or_else(|error| panic!("{operations} {error:?}"))
    }

    fn add(users: &[i64]) -> Vec<GroupDelta> {
        vec![GroupDelta::Members(MembersDelta::Add(users.to_vec()))]
    }

    fn remove(users: &[i64]) -> Vec<GroupDelta> {
        vec![GroupDelta::Members(MembersDelta::Remove(users.to_vec()))]
    }

    fn exactly(users: &[i64]) -> Vec<GroupDelta> {
        vec![GroupDelta::Members(MembersDelta::Exactly(users.to_vec()))]
    }

    fn nobody() -> Vec<GroupDelta> {
        vec![GroupDelta::Members(MembersDelta::RemoveAll)]
    }

    fn named(name: &str) -> Vec<GroupDelta> {
        vec![GroupDelta::DisplayName(name.to_owned())]
    }

    fn free(schema: Schema, name: &'static str, value: Option<&str>) -> UserDelta {
        UserDelta::Free(FreeAttribute { schema, name }, value.map(str::to_owned))
    }

    #[test]
    fn an_empty_list_of_operations_changes_nothing() {
        for text in [r#"{"Operations":[]}"#, r#"{"operations":[]}"#, r#"{"OPERATIONS":[],"schemas":null}"#] {
            assert_eq!(group(text), Ok(GroupPatch::default()), "{text}");
            assert_eq!(user(text), Ok(Vec::new()), "{text}");
        }
    }

    #[test]
    fn names_and_ops_have_no_case() {
        for operation in [
            r#"{"op":"replace","path":"displayName","value":"x"}"#,
            r#"{"op":"Replace","path":"DISPLAYNAME","value":"x"}"#,
            r#"{"OP":"ADD","Path":"displayname","Value":"x","comment":1}"#,
            r#"{"op":"add","path":null,"value":{"displayName":"x"}}"#,
            r#"{"op":"replace","value":{"DisplayName":"x"}}"#,
            r#"{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:Group:displayName","value":"x"}"#,
            r#"{"op":"replace","value":{"URN:ietf:params:scim:schemas:core:2.0:group:displayName":"x"}}"#,
            r#"{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:Group","value":{"displayName":"x"}}"#,
            // Entra's older form of a text.
            r#"{"op":"Replace","path":"displayName","value":[{"$ref":null,"value":"x"}]}"#,
        ] {
            assert_eq!(of_group(operation), named("x"), "{operation}");
        }
    }

    #[test]
    fn a_body_of_another_structure_is_refused() {
        for text in [
            "null",
            "[]",
            "{}",
            r#"{"Operations":null}"#,
            r#"{"Operations":{}}"#,
            r#"{"Operations":[],"operations":[]}"#,
            r#"{"Operations":[1]}"#,
            r#"{"Operations":[{}]}"#,
            r#"{"Operations":[{"op":"move","path":"displayName","value":"x"}]}"#,
            r#"{"Operations":[{"op":null,"path":"displayName","value":"x"}]}"#,
            r#"{"Operations":[{"op":"add","OP":"remove","path":"displayName","value":"x"}]}"#,
        ] {
            assert_eq!(group(text).unwrap_err().scim_type, ScimType::InvalidSyntax, "{text}");
        }
    }

    fn check_refusals(read: impl Fn(&str) -> Result<(), PatchError>, refusals: &[(&str, ScimType)]) {
        for (operation, expected) in refusals {
            let refused = read(&body(operation)).map_err(|error| error.scim_type);
            assert_eq!(refused, Err(*expected), "{operation}");
        }
    }

    #[test]
    fn wrong_operations_on_groups_are_refused() {
        use ScimType::{InvalidFilter, InvalidPath, InvalidValue, Mutability, NoTarget};
        let refusals = [
            (r#"{"op":"remove"}"#, NoTarget),
            (r#"{"op":"remove","value":{"displayName":"x"}}"#, NoTarget),
            (r#"{"op":"add","path":"displayName"}"#, InvalidValue),
            (r#"{"op":"replace"}"#, InvalidValue),
            (r#"{"op":"replace","value":null}"#, InvalidValue),
            (r#"{"op":"replace","value":"x"}"#, InvalidValue),
            (r#"{"op":"replace","value":[{"displayName":"x"}]}"#, InvalidValue),
            (r#"{"op":"add","path":"","value":"x"}"#, InvalidPath),
            (r#"{"op":"add","path":7,"value":"x"}"#, InvalidPath),
            (r#"{"op":"add","path":"display name","value":"x"}"#, InvalidPath),
            (r#"{"op":"add","path":"members[","value":"u1"}"#, InvalidPath),
            (r#"{"op":"add","path":"a.b.c","value":"u1"}"#, InvalidPath),
            (r#"{"op":"replace","value":{"display name":"x"}}"#, InvalidPath),
            (r#"{"op":"add","path":"urn:","value":"x"}"#, InvalidPath),
            (r#"{"op":"add","path":"urn:x","value":"x"}"#, InvalidPath),
            (r#"{"op":"add","path":"urn:x y:z","value":"x"}"#, InvalidPath),
            (r#"{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:Group:","value":"x"}"#, InvalidPath),
            (r#"{"op":"add","path":"frobnicate","value":"x"}"#, InvalidPath),
            (r#"{"op":"add","path":"displayName.value","value":"x"}"#, InvalidPath),
            (r#"{"op":"add","path":"displayName[value eq \"a\"]","value":"x"}"#, InvalidPath),
            (r#"{"op":"remove","path":"displayName"}"#, Mutability),
            (r#"{"op":"replace","path":"displayName","value":""}"#, InvalidValue),
            (r#"{"op":"replace","path":"displayName","value":null}"#, InvalidValue),
            (r#"{"op":"replace","value":{"displayName":[]}}"#, InvalidValue),
            (r#"{"op":"replace","path":"displayName","value":7}"#, InvalidValue),
            (r#"{"op":"replace","path":"displayName","value":["a","b"]}"#, InvalidValue),
            (r#"{"op":"replace","path":"displayName","value":{"en":"a"}}"#, InvalidValue),
            (r#"{"op":"replace","path":"id","value":"g7"}"#, Mutability),
            (r#"{"op":"replace","path":"meta.version","value":"1"}"#, Mutability),
            (r#"{"op":"add","path":"members","value":[{}]}"#, InvalidValue),
            (r#"{"op":"add","path":"members","value":[null]}"#, InvalidValue),
            (r#"{"op":"add","path":"members","value":[{"value":7}]}"#, InvalidValue),
            (r#"{"op":"add","path":"members","value":[{"value":""}]}"#, InvalidValue),
            (r#"{"op":"add","path":"members","value":[{"display":"Ada"}]}"#, InvalidValue),
            (r#"{"op":"add","path":"members","value":true}"#, InvalidValue),
            (r#"{"op":"remove","path":"members[display eq \"Ada\"]"}"#, InvalidFilter),
            (r#"{"op":"remove","path":"members[value ne \"u1\"]"}"#, InvalidFilter),
            (r#"{"op":"remove","path":"members[not (value eq \"u1\")]"}"#, InvalidFilter),
            (r#"{"op":"remove","path":"members[value pr]"}"#, InvalidFilter),
            (r#"{"op":"remove","path":"members[type eq \"User\"]"}"#, InvalidFilter),
            (r#"{"op":"remove","path":"members[value eq true]"}"#, InvalidFilter),
            (r#"{"op":"replace","path":"members[value eq \"u1\"]","value":{"value":"u2"}}"#, InvalidPath),
            (r#"{"op":"replace","path":"members[value eq \"u1\"].value","value":"u2"}"#, Mutability),
            (r#"{"op":"remove","path":"members.value"}"#, Mutability),
            (r#"{"op":"remove","path":"members.display"}"#, Mutability),
            (r#"{"op":"replace","path":"members.nick","value":"x"}"#, InvalidPath),
        ];
        check_refusals(|text| group(text).map(drop), &refusals);
        let extension = "urn:ietf:params:scim:schemas:extension:rollbook:2.0:Group";
        let refusals = [
            (":key\"", "replace", "\"\"", InvalidValue),
            (":memberCount\"", "replace", "7", Mutability),
            (":labels.value\"", "replace", "\"x\"", InvalidPath),
            (":labels[value eq \\\"x\\\"].value\"", "replace", "\"x\"", InvalidFilter),
            (":labels[language eq \\\"de\\\"].language\"", "replace", "\"it\"", InvalidPath),
            (":labels\"", "add", r#"[{"language":"de"}]"#, InvalidValue),
            (":labels\"", "add", r#""x""#, InvalidValue),
            (":communities[value eq \\\"x\\\"]\"", "add", "\"x\"", InvalidPath),
            (":xp\"", "replace", r#"{"a":1}"#, InvalidValue),
            (":other\"", "replace", "1", InvalidPath),
            ("\"", "replace", "7", InvalidValue),
            ("\"", "replace", "null", Mutability),
            ("\"", "remove", "null", Mutability),
        ];
        for (path, op, value, expected) in refusals {
            let operation = format!(r#"{{"op":"{op}","path":"{extension}{path},"value":{value}}}"#);
            check_refusals(|text| group(text).map(drop), &[(&operation, expected)]);
        }
    }

    #[test]
    fn an_error_names_its_operation() {
        let operations = r#"{"op":"add","path":"members","value":[]},{"op":"remove","path":"displayName"}"#;
        let detail = group(&body(operations)).unwrap_err().detail;
        assert_eq!(detail, "Operations[1]: displayName is required and cannot be removed.");
    }

    #[test]
    fn what_is_read_only_or_unknown_is_ignored_in_a_value() {
        let okta = r#"{"op":"replace","value":{"id":"g7","displayName":"x"}}"#;
        assert_eq!(of_group(okta), named("x"));
        let extension = "urn:ietf:params:scim:schemas:extension:rollbook:2.0:Group";
        let whole = format!(
            r#"{{"op":"replace","value":{{"schemas":["a"],"id":"g7","meta":{{"version":"1"}},"meta.created":"x",
            "groups":[],"frobnicate":1,"displayName":"x","{extension}":{{"memberCount":3,"more":[]}},
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0User":{{"a":1}},"urn:x:y:2.0:Z:a.b":1}}}}"#
        );
        assert_eq!(of_group(&whole), named("x"));
        for ignored in [
            r#"{"op":"add","path":"schemas","value":["a"]}"#,
            r#"{"op":"add","path":"urn:ietf:params:scim:schemas:extension:Own:2.0:User:shoe","value":"7"}"#,
            r#"{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"}"#,
            r#"{"op":"add","path":"urn:x:y:custom[type eq \"a b\"].value","value":"7"}"#,
            r#"{"op":"replace","path":"members[value eq \"u1\"].display","value":"Ada"}"#,
        ] {
            assert_eq!(of_group(ignored), [], "{ignored}");
        }
        for ignored in [
            r#"{"op":"add","path":"roles","value":[{"value":"admin"}]}"#,
            r#"{"op":"replace","path":"password","value":"aB3dE6gH"}"#,
            r#"{"op":"replace","path":"addresses[type eq \"work\"].country","value":"FI"}"#,
            r#"{"op":"replace","path":"name.formatted","value":"Ada L"}"#,
            r#"{"op":"replace","value":{"password":"x","roles":[],"groups":[],"id":"u1","meta":{},"photos":null}}"#,
            r#"{"op":"replace","value":{"name":{"formatted":"Ada L","nick":"A"}}}"#,
            r#"{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:Group:displayName","value":"x"}"#,
        ] {
            assert_eq!(of_user(ignored), [], "{ignored}");
        }
    }

    #[test]
    fn members_come_in_every_form() {
        let cases: [(&str, Vec<GroupDelta>); 27] = [
            (r#"{"op":"Add","path":"members","value":[{"$ref":null,"value":"u7"}]}"#, add(&[7])),
            (r#"{"op":"add","path":"members","value":[{"value":"u9","display":"A"},{"value":"u7"}]}"#, add(&[7, 9])),
            (r#"{"op":"add","path":"members","value":{"value":"u7"}}"#, add(&[7])),
            (r#"{"op":"add","path":"members","value":[{"VALUE":"U7","type":"User"},{"value":"u7"}]}"#, add(&[7])),
            (r#"{"op":"add","path":"members","value":["u7"]}"#, add(&[7])),
            (r#"{"op":"add","path":"members","value":"u7"}"#, add(&[7])),
            (r#"{"op":"add","value":{"members":[{"value":"u7"}]}}"#, add(&[7])),
            (r#"{"op":"add","path":"members","value":[]}"#, vec![]),
            (r#"{"op":"add","path":"members","value":null}"#, vec![]),
            (r#"{"op":"remove","path":"members[value eq \"u7\"]"}"#, remove(&[7])),
            (r#"{"op":"remove","path":"MEMBERS[Value EQ \"u7\" and type eq \"user\"]"}"#, remove(&[7])),
            (r#"{"op":"remove","path":"members[value eq \"u7\" or value eq \"u3\"]"}"#, remove(&[3, 7])),
            (r#"{"op":"remove","path":"members[value eq \"u7\" and value eq \"u3\"]"}"#, vec![]),
            (r#"{"op":"remove","path":"members[value eq \"u7\" and type eq \"Group\"]"}"#, vec![]),
            (r#"{"op":"remove","path":"members[value eq u7]"}"#, remove(&[7])),
            (r#"{"op":"Remove","path":"members","value":[{"value":"u7"}]}"#, remove(&[7])),
            (r#"{"op":"Remove","path":"members","value":{"value":"u7"}}"#, remove(&[7])),
            (r#"{"op":"Remove","path":"members","value":[]}"#, vec![]),
            (r#"{"op":"remove","path":"members"}"#, nobody()),
            (r#"{"op":"remove","path":"members","value":null}"#, nobody()),
            (r#"{"op":"replace","path":"members","value":[{"value":"u7"},{"value":"u3"}]}"#, exactly(&[3, 7])),
            (r#"{"op":"replace","path":"members","value":[]}"#, nobody()),
            (r#"{"op":"replace","path":"members","value":null}"#, nobody()),
            (r#"{"op":"replace","value":{"members":[]}}"#, nobody()),
            (r#"{"op":"replace","value":{"members":[{"value":"u7"}]}}"#, exactly(&[7])),
            // null in a value is what a client sends for what it does not mean.
            (r#"{"op":"replace","value":{"members":null}}"#, vec![]),
            (r#"{"op":"add","value":{"members":null}}"#, vec![]),
        ];
        for (operation, expected) in cases {
            assert_eq!(of_group(operation), expected, "{operation}");
        }
        assert_eq!(all_members(json(r#"[{"value":"u7"},{"value":"x"}]"#)).unwrap().0, MembersDelta::Exactly(vec![7]));
        assert_eq!(all_members(json("[]")).unwrap().0, MembersDelta::RemoveAll);
    }

    #[test]
    fn members_of_several_operations_are_one_change() {
        let [plus7, minus7, minus8] = [
            r#"{"op":"add","path":"members","value":[{"value":"u7"}]}"#,
            r#"{"op":"remove","path":"members[value eq \"u7\"]"}"#,
            r#"{"op":"remove","path":"members","value":[{"value":"u8"}]}"#,
        ];
        let these = r#"{"op":"replace","path":"members","value":[{"value":"u7"},{"value":"u8"}]}"#;
        let none = r#"{"op":"remove","path":"members"}"#;
        let both = || {
            vec![GroupDelta::Members(MembersDelta::Add(vec![7])), GroupDelta::Members(MembersDelta::Remove(vec![8]))]
        };
        for (operations, expected) in [
            (vec![plus7, minus7], remove(&[7])),
            (vec![minus7, plus7], add(&[7])),
            (vec![plus7, minus8], both()),
            (vec![minus8, plus7], both()),
            (vec![these, plus7], exactly(&[7, 8])),
            (vec![these, minus8], exactly(&[7])),
            (vec![these, minus8, minus7], nobody()),
            (vec![minus7, these], exactly(&[7, 8])),
            (vec![plus7, none], nobody()),
            (vec![none, plus7], exactly(&[7])),
            (vec![these, none, plus7, minus8], exactly(&[7])),
        ] {
            assert_eq!(of_group(&operations.join(",")), expected, "{operations:?}");
        }
        let rename = r#"{"op":"replace","value":{"displayName":"x"}}"#;
        let expected = [named("x"), add(&[7])].concat();
        assert_eq!(of_group(&[plus7, rename].join(",")), expected);
    }

    /// Numbers that look random and are always the same.
    fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        move |below| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) % below
        }
    }

    /// The deltas make of any group what the operations make of it one after the other.
    #[test]
    fn deltas_equal_the_operations_in_their_order() {
        for seed in 1..=5_000 {
            let mut next = numbers(seed);
            let before: BTreeSet<i64> = (1..=8).filter(|_| next(2) == 0).collect();
            let (mut expected, mut operations) = (before.clone(), Vec::new());
            for _ in 0..next(7) {
                let users: Vec<i64> = (0..next(4)).map(|_| next(8) as i64 + 1).collect();
                let list = users.iter().map(|uid| format!(r#"{{"value":"u{uid}"}}"#)).collect::<Vec<_>>().join(",");
                let equal = users.iter().map(|uid| format!("value eq \\\"u{uid}\\\"")).collect::<Vec<_>>().join(" or ");
                operations.push(match next(10) {
                    0..4 => {
                        expected.extend(&users);
                        match next(2) {
                            0 => format!(r#"{{"op":"Add","path":"members","value":[{list}]}}"#),
                            _ => format!(r#"{{"op":"add","value":{{"members":[{list}]}}}}"#),
                        }
                    }
                    4..8 => {
                        expected.retain(|uid| !users.contains(uid));
                        match users.is_empty() || next(2) == 0 {
                            true => format!(r#"{{"op":"Remove","path":"members","value":[{list}]}}"#),
                            false => format!(r#"{{"op":"remove","path":"members[{equal}]"}}"#),
                        }
                    }
                    8 => {
                        expected = users.iter().copied().collect();
                        format!(r#"{{"op":"replace","path":"members","value":[{list}]}}"#)
                    }
                    _ => {
                        expected.clear();
                        r#"{"op":"remove","path":"members"}"#.to_owned()
                    }
                });
            }
            let (mut after, operations) = (before.clone(), operations.join(","));
            let deltas = of_group(&operations);
            let named: Vec<i64> = deltas
                .iter()
                .flat_map(|delta| match delta {
                    GroupDelta::Members(MembersDelta::Add(users) | MembersDelta::Remove(users)) => users.clone(),
                    _ => Vec::new(),
                })
                .collect();
            assert_eq!(named.iter().collect::<BTreeSet<_>>().len(), named.len(), "nobody is named twice: {operations}");
            for delta in deltas {
                let GroupDelta::Members(delta) = delta else { panic!("{delta:?}") };
                match delta {
                    MembersDelta::Add(users) => after.extend(users),
                    MembersDelta::Remove(users) => after.retain(|uid| !users.contains(uid)),
                    MembersDelta::Exactly(users) => after = users.into_iter().collect(),
                    MembersDelta::RemoveAll => after.clear(),
                }
            }
            assert_eq!(after, expected, "{before:?} {operations}");
        }
    }

    #[test]
    fn members_that_cannot_exist_are_counted() {
        let long = "x".repeat(200);
        let list =
            ["fake-member-id", "g7", "u0", "u07", "u", "u-7", "u+7", "7", "u99999999999999999999", &long, "v", "w"];
        let list = list.map(|id| format!(r#"{{"value":"{id}"}}"#)).join(",");
        let operations = format!(
            r#"{{"op":"add","path":"members","value":[{{"value":"u7"}},{list}]}},
            {{"op":"remove","path":"members[value eq \"fake\"]"}}"#
        );
        let patch = group(&body(&operations)).unwrap();
        assert_eq!(patch.deltas, add(&[7]));
        assert_eq!((patch.unknown.count, patch.unknown.examples.len()), (13, EXAMPLES_MAX));
        assert_eq!((&*patch.unknown.examples[0], patch.unknown.examples[9].len()), ("fake-member-id", EXAMPLE_CHARS));
        assert_eq!(user_number("u9223372036854775807"), Some(i64::MAX));
        // A list of nobody who exists still is a list: the others leave.
        let patch = group(&body(r#"{"op":"replace","path":"members","value":[{"value":"fake"}]}"#)).unwrap();
        assert_eq!((patch.deltas, patch.unknown.count), (nobody(), 1));
    }

    #[test]
    fn a_request_has_limits() {
        let members = |count: usize| vec![r#""u7""#; count].join(",");
        let operation = |count| format!(r#"{{"op":"add","path":"members","value":[{}]}}"#, members(count));
        assert_eq!(of_group(&operation(MEMBERS_MAX)), add(&[7]));
        let too_many = |text: &str| assert_eq!(group(text).unwrap_err().scim_type, ScimType::TooMany);
        too_many(&body(&operation(MEMBERS_MAX + 1)));
        too_many(&body(&[operation(MEMBERS_MAX), operation(1)].join(",")));
        let all = r#"{"op":"replace","path":"members","value":[]}"#;
        assert_eq!(of_group(&[&operation(MEMBERS_MAX), all, &operation(1)].join(",")), exactly(&[7]));
        let renames = |count: usize| vec![r#"{"op":"add","path":"displayName","value":"x"}"#; count].join(",");
        assert_eq!(of_group(&renames(DELTAS_MAX)).len(), DELTAS_MAX);
        too_many(&body(&renames(DELTAS_MAX + 1)));
        too_many(&body(&vec!["1"; OPERATIONS_MAX + 1].join(",")));
    }

    #[test]
    fn the_attributes_of_groups_are_read() {
        let label = |language: &str, value: &str| Label { language: language.to_owned(), value: value.to_owned() };
        let text = |text: &str| Some(text.to_owned());
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let ext = "urn:ietf:params:scim:schemas:extension:rollbook:2.0:Group";
        let cases = [
            (r#""op":"Add","path":"externalId","value":"o-1""#.to_owned(), GroupDelta::ExternalId(text("o-1"))),
            (r#""op":"replace","path":"externalId","value":"""#.to_owned(), GroupDelta::ExternalId(None)),
            (r#""op":"remove","path":"externalId""#.to_owned(), GroupDelta::ExternalId(None)),
            (format!(r#""op":"add","path":"{ext}:key","value":"support""#), GroupDelta::Key("support".to_owned())),
            (format!(r#""op":"add","path":"{ext}:description","value":"d""#), GroupDelta::Description(text("d"))),
            (format!(r#""op":"add","value":{{"{ext}":{{"description":null}}}}"#), GroupDelta::Description(None)),
            (format!(r#""op":"replace","path":"{ext}","value":{{"xp":"{{}}"}}"#), GroupDelta::Xp(text("{}"))),
            (
                format!(r#""op":"add","path":"{ext}:labels","value":[{{"language":"de","value":"Hilfe"}}]"#),
                GroupDelta::Labels(LabelsDelta::Set(vec![label("de", "Hilfe")])),
            ),
            (
                format!(r#""op":"replace","value":{{"{ext}:labels":[{{"value":"H","language":"de","more":1}}]}}"#),
                GroupDelta::Labels(LabelsDelta::Exactly(vec![label("de", "H")])),
            ),
            (
                format!(r#""op":"replace","path":"{ext}:labels[language eq \"de\"].value","value":"H""#),
                GroupDelta::Labels(LabelsDelta::Set(vec![label("de", "H")])),
            ),
            (
                format!(r#""op":"replace","path":"{ext}:labels[language eq \"de\"].value","value":null"#),
                GroupDelta::Labels(LabelsDelta::Remove(texts(&["de"]))),
            ),
            (
                format!(r#""op":"remove","path":"{ext}:labels[language eq \"de\" or language eq \"it\"]""#),
                GroupDelta::Labels(LabelsDelta::Remove(texts(&["de", "it"]))),
            ),
            (
                format!(r#""op":"remove","path":"{ext}:labels","value":[{{"language":"de"}}]"#),
                GroupDelta::Labels(LabelsDelta::Remove(texts(&["de"]))),
            ),
            (format!(r#""op":"remove","path":"{ext}:labels""#), GroupDelta::Labels(LabelsDelta::Exactly(Vec::new()))),
            (
                format!(r#""op":"add","path":"{ext}:communities","value":["a",{{"value":"b"}}]"#),
                GroupDelta::Communities(ListDelta::Add(texts(&["a", "b"]))),
            ),
            (
                format!(r#""op":"replace","path":"{ext}:communities","value":"a""#),
                GroupDelta::Communities(ListDelta::Exactly(texts(&["a"]))),
            ),
            (
                format!(r#""op":"remove","path":"{ext}:communities[value eq \"a\"]""#),
                GroupDelta::Communities(ListDelta::Remove(texts(&["a"]))),
            ),
            (
                format!(r#""op":"remove","path":"{ext}:communities","value":["a"]"#),
                GroupDelta::Communities(ListDelta::Remove(texts(&["a"]))),
            ),
            (
                format!(r#""op":"remove","path":"{ext}:communities""#),
                GroupDelta::Communities(ListDelta::Exactly(Vec::new())),
            ),
        ];
        for (operation, expected) in cases {
            assert_eq!(of_group(&format!("{{{operation}}}")), [expected], "{operation}");
        }
        // The name is also a label, so the order of both is kept.
        let label = format!(r#"{{"op":"add","path":"{ext}:labels[language eq \"en\"].value","value":"B"}}"#);
        let both = of_group(&[r#"{"op":"add","path":"displayName","value":"A"}"#, &label].join(","));
        assert!(matches!(both.as_slice(), [GroupDelta::DisplayName(_), GroupDelta::Labels(_)]));
    }

    #[test]
    fn the_attributes_of_users_are_read() {
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let own = "urn:ietf:params:scim:schemas:extension:rollbook:2.0:User";
        let manager = |value| free(Schema::Enterprise, "manager", value);
        let cases = [
            (r#""op":"Replace","path":"userName","value":"ada""#.to_owned(), UserDelta::UserName("ada".to_owned())),
            (
                r#""op":"Replace","path":"name.familyName","value":"L""#.to_owned(),
                UserDelta::FamilyName("L".to_owned()),
            ),
            (r#""op":"replace","value":{"name.givenName":"A"}"#.to_owned(), UserDelta::GivenName("A".to_owned())),
            (r#""op":"add","path":"name","value":{"GivenName":"A"}"#.to_owned(), UserDelta::GivenName("A".to_owned())),
            (r#""op":"Replace","path":"active","value":"False""#.to_owned(), UserDelta::Active(false)),
            (r#""op":"Add","path":"active","value":"TRUE""#.to_owned(), UserDelta::Active(true)),
            (r#""op":"replace","value":{"active":false}"#.to_owned(), UserDelta::Active(false)),
            // SailPoint.
            (r#""op":"add","value":{"active":false}"#.to_owned(), UserDelta::Active(false)),
            (r#""op":"replace","path":"active","value":[{"value":"False"}]"#.to_owned(), UserDelta::Active(false)),
            (r#""op":"add","path":"externalId","value":"e""#.to_owned(), UserDelta::ExternalId(Some("e".to_owned()))),
            (r#""op":"add","path":"title","value":"T""#.to_owned(), free(Schema::Core, "title", Some("T"))),
            (r#""op":"replace","path":"TITLE","value":"""#.to_owned(), free(Schema::Core, "title", None)),
            (r#""op":"replace","path":"nickname","value":null"#.to_owned(), free(Schema::Core, "nickName", None)),
            (r#""op":"remove","path":"locale""#.to_owned(), free(Schema::Core, "locale", None)),
            (
                r#""op":"replace","path":"displayName","value":"A L""#.to_owned(),
                free(Schema::Core, "displayName", Some("A L")),
            ),
            (
                format!(r#""op":"Add","path":"{enterprise}:employeeNumber","value":"7""#),
                free(Schema::Enterprise, "employeeNumber", Some("7")),
            ),
            (
                format!(r#""op":"replace","value":{{"{enterprise}:department":"D"}}"#),
                free(Schema::Enterprise, "department", Some("D")),
            ),
            (
                format!(r#""op":"replace","value":{{"{enterprise}":{{"costCenter":"C","other":1}}}}"#),
                free(Schema::Enterprise, "costCenter", Some("C")),
            ),
            (
                format!(r#""op":"Add","path":"{enterprise}:manager","value":[{{"$ref":"../u3","value":"u3"}}]"#),
                manager(Some("u3")),
            ),
            (format!(r#""op":"Add","path":"{enterprise}:manager","value":"u3""#), manager(Some("u3"))),
            (format!(r#""op":"Replace","path":"{enterprise}:manager.value","value":"u3""#), manager(Some("u3"))),
            (format!(r#""op":"replace","path":"{enterprise}:manager","value":{{"value":"u3"}}"#), manager(Some("u3"))),
            (format!(r#""op":"Replace","path":"{enterprise}:manager","value":"""#), manager(None)),
            (format!(r#""op":"replace","path":"{enterprise}:manager","value":{{}}"#), manager(None)),
            (format!(r#""op":"replace","path":"{enterprise}:manager","value":[{{"value":""}}]"#), manager(None)),
            (format!(r#""op":"remove","path":"{enterprise}:manager""#), manager(None)),
            (format!(r#""op":"replace","path":"{own}:key","value":"k""#), UserDelta::Key("k".to_owned())),
            (format!(r#""op":"replace","path":"{own}:xp","value":null"#), UserDelta::Xp(None)),
        ];
        for (operation, expected) in cases {
            assert_eq!(of_user(&format!("{{{operation}}}")), [expected], "{operation}");
        }
        let several = format!(
            r#"{{"op":"replace","value":{{"displayName":"D","name.givenName":"A","{enterprise}:employeeNumber":"7"}}}}"#
        );
        let expected = [
            free(Schema::Core, "displayName", Some("D")),
            UserDelta::GivenName("A".to_owned()),
            free(Schema::Enterprise, "employeeNumber", Some("7")),
        ];
        assert_eq!(of_user(&several), expected);
        let cleared = of_user(&format!(r#"{{"op":"remove","path":"{enterprise}"}}"#));
        assert_eq!(cleared.len(), FREE_ENTERPRISE.len());
        assert!(cleared.contains(&manager(None)));
    }

    #[test]
    fn wrong_operations_on_users_are_refused() {
        use ScimType::{InvalidFilter, InvalidPath, InvalidValue, Mutability};
        let refusals = [
            (r#"{"op":"remove","path":"userName"}"#, Mutability),
            (r#"{"op":"replace","path":"userName","value":""}"#, InvalidValue),
            (r#"{"op":"replace","path":"name.familyName","value":null}"#, InvalidValue),
            (r#"{"op":"remove","path":"name.givenName"}"#, Mutability),
            (r#"{"op":"remove","path":"name"}"#, Mutability),
            (r#"{"op":"replace","path":"name","value":{}}"#, InvalidValue),
            (r#"{"op":"replace","path":"name","value":null}"#, InvalidValue),
            (r#"{"op":"replace","path":"name","value":"Ada L"}"#, InvalidValue),
            (r#"{"op":"replace","path":"name[givenName eq \"a\"]","value":{}}"#, InvalidPath),
            (r#"{"op":"replace","path":"name.nick","value":"A"}"#, InvalidPath),
            (r#"{"op":"remove","path":"active"}"#, Mutability),
            (r#"{"op":"replace","path":"active","value":null}"#, InvalidValue),
            (r#"{"op":"replace","path":"active","value":"yes"}"#, InvalidValue),
            (r#"{"op":"replace","path":"active","value":0}"#, InvalidValue),
            (r#"{"op":"replace","path":"title","value":7}"#, InvalidValue),
            (r#"{"op":"replace","path":"title.value","value":"x"}"#, InvalidPath),
            (r#"{"op":"add","path":"groups","value":[{"value":"g1"}]}"#, Mutability),
            (r#"{"op":"add","path":"shoe","value":"7"}"#, InvalidPath),
            (r#"{"op":"replace","path":"emails[type ne \"work\"].value","value":"x"}"#, InvalidFilter),
            (r#"{"op":"replace","path":"emails[country eq \"fi\"].value","value":"x"}"#, InvalidFilter),
            (r#"{"op":"replace","path":"emails[type eq \"work\"].country","value":"x"}"#, InvalidPath),
            (
                r#"{"op":"replace","path":"emails[type eq \"work\"]","value":[{"value":"a"},{"value":"b"}]}"#,
                InvalidValue,
            ),
            (r#"{"op":"replace","path":"emails","value":[{"value":7}]}"#, InvalidValue),
            (r#"{"op":"replace","path":"emails","value":[{"value":"a","primary":"maybe"}]}"#, InvalidValue),
        ];
        check_refusals(|text| user(text).map(drop), &refusals);
        let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
        for (value, path, expected) in [
            (r#"{"$ref":"../u3"}"#, "", InvalidValue),
            (r#"["u3","u4"]"#, "", InvalidValue),
            (r#""u3""#, ".name", InvalidPath),
        ] {
            let operation = format!(r#"{{"op":"add","path":"{manager}{path}","value":{value}}}"#);
            check_refusals(|text| user(text).map(drop), &[(&operation, expected)]);
        }
    }

    fn element(value: &str, kind: &str, primary: bool) -> Element {
        let kind = (!kind.is_empty()).then(|| kind.to_owned());
        Element { value: value.to_owned(), kind, primary, display: None }
    }

    /// The email addresses after the operations.
    fn emails(present: &[Element], operations: &str) -> Result<Vec<Element>> {
        let mut present = present.to_vec();
        for delta in of_user(operations) {
            let UserDelta::Emails(delta) = delta else { panic!("{delta:?}") };
            delta.apply(&mut present)?;
        }
        Ok(present)
    }

    #[test]
    fn email_addresses_are_changed_one_by_one() {
        let (work, home) = (|| element("w@x", "work", true), || element("h@x", "home", false));
        let present = [work(), home()];
        let by_type = |value: &str| vec![element(value, "work", true), home()];
        let cases: Vec<(&str, Vec<Element>)> = vec![
            (r#""op":"Replace","path":"emails[type eq \"work\"].value","value":"n@x""#, by_type("n@x")),
            (r#""op":"add","path":"emails[type eq \"WORK\"].value","value":"n@x""#, by_type("n@x")),
            (r#""op":"replace","path":"emails[primary eq true].value","value":"n@x""#, by_type("n@x")),
            (r#""op":"replace","path":"emails[primary eq \"True\"].value","value":"n@x""#, by_type("n@x")),
            (r#""op":"replace","path":"emails[type eq \"work\"]","value":{"value":"n@x","a":1}"#, by_type("n@x")),
            (r#""op":"replace","path":"emails[type eq \"work\"]","value":[{"value":"n@x"}]"#, by_type("n@x")),
            (r#""op":"replace","path":"emails[type eq \"work\"]","value":"n@x""#, by_type("n@x")),
            (r#""op":"replace","value":{"emails[type eq \"work\"].value":"n@x"}"#, by_type("n@x")),
            // Entra relies on the element being created.
            (
                r#""op":"Add","path":"emails[type eq \"other\"].value","value":"o@x""#,
                vec![work(), home(), element("o@x", "other", false)],
            ),
            (
                r#""op":"replace","path":"emails[type eq \"other\" and primary eq true].value","value":"o@x""#,
                vec![element("w@x", "work", false), home(), element("o@x", "other", true)],
            ),
            (r#""op":"replace","path":"emails[type eq \"work\"].value","value":"""#, vec![home()]),
            (r#""op":"replace","path":"emails[type eq \"work\"].value","value":null"#, vec![home()]),
            (r#""op":"replace","path":"emails[type eq \"work\"]","value":null"#, vec![home()]),
            (r#""op":"remove","path":"emails[type eq \"work\"].value""#, vec![home()]),
            (r#""op":"remove","path":"emails[type eq \"work\"]""#, vec![home()]),
            (r#""op":"remove","path":"emails[type eq \"work\" or type eq \"home\"]""#, vec![]),
            (r#""op":"remove","path":"emails[type eq \"none\"]""#, vec![work(), home()]),
            (r#""op":"remove","path":"emails[type eq \"none\"].display""#, vec![work(), home()]),
            (r#""op":"remove","path":"emails","value":[{"value":"W@X","type":"work"}]"#, vec![home()]),
            (r#""op":"remove","path":"emails","value":[]"#, vec![work(), home()]),
            (r#""op":"remove","path":"emails""#, vec![]),
            (r#""op":"replace","path":"emails","value":[]"#, vec![]),
            (
                r#""op":"replace","path":"emails","value":[{"value":"a","primary":"True"},{"value":"b","primary":true}]"#,
                vec![element("a", "", true), element("b", "", false)],
            ),
            (
                r#""op":"replace","path":"emails","value":[{"type":"work"},{"value":"","type":"a"},{"value":"b"}]"#,
                vec![element("b", "", false)],
            ),
            (r#""op":"replace","path":"emails","value":"a@x""#, vec![element("a@x", "", false)]),
            (
                r#""op":"add","path":"emails","value":[{"value":"a@x","type":"work"}]"#,
                vec![work(), home(), element("a@x", "work", false)],
            ),
            (r#""op":"add","path":"emails","value":{"value":"W@x","type":"Work"}"#, vec![work(), home()]),
            (
                r#""op":"add","path":"emails","value":[{"value":"h@x","type":"home","primary":true}]"#,
                vec![element("w@x", "work", false), element("h@x", "home", true)],
            ),
            (
                r#""op":"replace","path":"emails[type eq \"home\"].primary","value":"true""#,
                vec![element("w@x", "work", false), element("h@x", "home", true)],
            ),
            (
                r#""op":"replace","path":"emails[type eq \"home\"].type","value":"other""#,
                vec![work(), element("h@x", "other", false)],
            ),
        ];
        for (operation, expected) in cases {
            assert_eq!(emails(&present, &format!("{{{operation}}}")), Ok(expected), "{operation}");
        }
        let created = emails(&[], r#"{"op":"Replace","path":"emails[type eq \"work\"].value","value":"n@x"}"#);
        assert_eq!(created, Ok(vec![element("n@x", "work", false)]));
        let created = emails(&[], r#"{"op":"Replace","path":"emails.value","value":"n@x"}"#);
        assert_eq!(created, Ok(vec![element("n@x", "", false)]));
        for nothing in [
            r#"{"op":"replace","path":"emails[type eq \"a\" or type eq \"b\"].value","value":"x"}"#,
            r#"{"op":"replace","path":"emails[type eq \"a\"].display","value":"x"}"#,
        ] {
            assert_eq!(emails(&present, nothing).unwrap_err().scim_type, ScimType::NoTarget, "{nothing}");
        }
        // RFC 7644, section 3.5.2: one operation after the other.
        let replaced = r#"{"op":"remove","path":"emails"},{"op":"add","path":"emails","value":[{"value":"a"}]}"#;
        assert_eq!(emails(&present, replaced), Ok(vec![element("a", "", false)]));
    }

    /// No bytes of a path and no shape of a value make it panic.
    #[test]
    fn nothing_panics() {
        let names =
            ["members", "emails", "name", "active", "displayName", "urn:ietf:params:scim:schemas", "é", "a", ""];
        let rests = ["", ".value", "[value eq \"u1\"]", "[type eq \"é\"].value", ":2.0:User", "[", "].", " ", ":"];
        let values =
            ["null", "[]", "{}", "[[]]", "[{}]", "\"\"", "\"é\"", "true", "7", r#"{"value":[1]}"#, r#"[{"a":{}}]"#];
        for seed in 1..=20_000 {
            let mut next = numbers(seed);
            let mut pick = |from: &[&'static str]| from[next(from.len() as u64) as usize];
            let path = [pick(&names), pick(&rests), pick(&rests)].concat().replace('"', "\\\"");
            let (op, value) = (pick(&["add", "replace", "remove"]), pick(&values));
            let text = body(&format!(r#"{{"op":"{op}","path":"{path}","value":{value}}}"#));
            let key = body(&format!(r#"{{"op":"{op}","value":{{"{path}":{value}}}}}"#));
            for text in [&text, &key] {
                let _ = group(text);
                let deltas = user(text).unwrap_or_default();
                for delta in deltas {
                    if let UserDelta::Emails(delta) | UserDelta::PhoneNumbers(delta) = delta {
                        let _ = delta.apply(&mut vec![element("w", "work", true)]);
                    }
                }
            }
        }
    }
}
