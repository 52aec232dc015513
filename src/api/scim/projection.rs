//! Which attributes an answer has: `attributes` and `excludedAttributes` (RFC 7644, section 3.9; docs/scim.md, section 6).
//! `id` and `schemas` are always there. Names are matched in any case, and unknown ones are ignored.

use serde_json::{Map, Value};

use super::schemas::ResourceType;

/// The attributes that every answer has (RFC 7643, section 3.1: `returned` is `always`).
const ALWAYS: [&str; 2] = ["id", "schemas"];
/// The maximum number of names that are read. More than the attributes there are say nothing new.
const NAMES_MAX: usize = 200;

/// Which attributes an answer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Projection {
    /// Those that are returned by default.
    Default,
    /// These alone.
    Only(Vec<Name>),
    /// Those that are returned by default, but for these.
    Without(Vec<Name>),
}

/// The name of an attribute, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// The URN of the extension, in lower case; `None` = the core schema.
    extension: Option<String>,
    /// The attribute; `None` = the whole extension.
    attribute: Option<String>,
    /// The part of the attribute.
    part: Option<String>,
}

impl Projection {
    /// Reads the parameters of a request for resources of this kind. `attributes` counts if both are given.
    pub(super) fn read(parameters: &[(String, String)], kind: &ResourceType) -> Self {
        let names = |parameter: &str| {
            let own = parameters.iter().filter(|(name, _)| name.eq_ignore_ascii_case(parameter));
            let listed = own.flat_map(|(_, names)| names.split(',')).map(str::trim).filter(|name| !name.is_empty());
            listed.take(NAMES_MAX).map(|name| Name::read(name, kind)).collect::<Vec<_>>()
        };
        match (names("attributes"), names("excludedAttributes")) {
            (only, _) if !only.is_empty() => Self::Only(only),
            (_, without) if !without.is_empty() => Self::Without(without),
            _ => Self::Default,
        }
    }

    /// Whether the answer has an attribute of the core schema that is returned on request alone.
    pub(super) fn asks_for(&self, attribute: &str) -> bool {
        let is_asked = |name: &Name| {
            name.extension.is_none() && name.attribute.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(attribute))
        };
        matches!(self, Self::Only(names) if names.iter().any(is_asked))
    }

    /// Removes from the resource what the answer does not have.
    pub(super) fn apply(&self, resource: &mut Map<String, Value>) {
        match self {
            Self::Default => {}
            Self::Only(names) => retain(resource, names, true),
            Self::Without(names) => retain(resource, names, false),
        }
    }
}

impl Name {
    fn read(text: &str, kind: &ResourceType) -> Self {
        let text = text.to_ascii_lowercase();
        let of = |urn: &str| {
            let rest = text.strip_prefix(&urn.to_ascii_lowercase())?;
            (rest.is_empty() || rest.starts_with(':')).then(|| rest.trim_start_matches(':').to_owned())
        };
        let extension =
            kind.extensions.iter().find_map(|schema| Some((schema.id.to_ascii_lowercase(), of(schema.id)?)));
        let (extension, path) = match extension {
            Some((urn, path)) => (Some(urn), path),
            None => (None, of(kind.schema.id).unwrap_or_else(|| text.clone())),
        };
        let (attribute, part) = match path.split_once('.') {
            Some((attribute, part)) => (attribute.to_owned(), Some(part.to_owned())),
            None => (path, None),
        };
        Self { extension, attribute: Some(attribute).filter(|attribute| !attribute.is_empty()), part }
    }
}

/// Keeps what is named, or what is not.
fn retain(resource: &mut Map<String, Value>, names: &[Name], keep_named: bool) {
    let core: Vec<&Name> = names.iter().filter(|name| name.extension.is_none()).collect();
    retain_in(resource, &|key| ALWAYS.contains(&key), &core, keep_named, |key, value| {
        let urn = key.to_ascii_lowercase();
        let own: Vec<&Name> = names.iter().filter(|name| name.extension.as_deref() == Some(&*urn)).collect();
        let Value::Object(attributes) = value else { return None };
        urn.starts_with("urn:").then(|| match own.iter().any(|name| name.attribute.is_none()) {
            true => keep_named,
            false => {
                retain_in(attributes, &|_| false, &own, keep_named, |_, _| None);
                !attributes.is_empty()
            }
        })
    });
}

/// Keeps the attributes that are named, or those that are not. `special` decides on what is no attribute.
fn retain_in(
    attributes: &mut Map<String, Value>,
    is_kept: &impl Fn(&str) -> bool,
    names: &[&Name],
    keep_named: bool,
    special: impl Fn(&str, &mut Value) -> Option<bool>,
) {
    attributes.retain(|key, value| {
        if is_kept(key) {
            return true;
        }
        if let Some(decided) = special(key, value) {
            return decided;
        }
        let own = |name: &&&Name| name.attribute.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(key));
        let named: Vec<&&Name> = names.iter().filter(own).collect();
        let parts: Vec<&str> = named.iter().filter_map(|name| name.part.as_deref()).collect();
        match (named.is_empty(), parts.len() < named.len()) {
            (true, _) => !keep_named,
            (false, true) => keep_named,
            (false, false) => {
                retain_parts(value, &parts, keep_named);
                true
            }
        }
    });
}

/// Keeps the parts of a complex value that are named, or those that are not.
fn retain_parts(value: &mut Value, parts: &[&str], keep_named: bool) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| retain_parts(item, parts, keep_named)),
        Value::Object(fields) => {
            fields.retain(|key, _| parts.iter().any(|part| part.eq_ignore_ascii_case(key)) == keep_named);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::schemas::USERS;
    use super::*;

    const EXTENSION: &str = super::super::schemas::ROLLBOOK_USER;

    fn projected(parameters: &[(&str, &str)]) -> Value {
        let resource = json!({
            "schemas": ["s"], "id": "u1", "userName": "ada", "name": { "givenName": "Ada", "familyName": "L" },
            "emails": [{ "value": "a@x", "type": "work" }, { "value": "b@x" }],
            EXTENSION: { "key": "D", "xp": "V" }, "meta": { "version": "1" },
        });
        let Value::Object(mut resource) = resource else { panic!() };
        let pairs: Vec<_> = parameters.iter().map(|(name, own)| ((*name).to_owned(), (*own).to_owned())).collect();
        Projection::read(&pairs, &USERS).apply(&mut resource);
        resource.into()
    }

    #[test]
    fn only_named_attributes_are_left() {
        let of = |names| projected(&[("attributes", names)]);
        assert_eq!(of("username"), json!({ "schemas": ["s"], "id": "u1", "userName": "ada" }));
        assert_eq!(of("nothing"), json!({ "schemas": ["s"], "id": "u1" }));
        let named = of("name.givenName, urn:ietf:params:scim:schemas:core:2.0:User:emails.value");
        assert_eq!(named["name"], json!({ "givenName": "Ada" }));
        assert_eq!(named["emails"], json!([{ "value": "a@x" }, { "value": "b@x" }]));
        assert_eq!(of(EXTENSION)[EXTENSION], json!({ "key": "D", "xp": "V" }));
        assert_eq!(of(&format!("{EXTENSION}:Key"))[EXTENSION], json!({ "key": "D" }));
    }

    #[test]
    fn excluded_attributes_are_left_out() {
        let of = |names| projected(&[("excludedattributes", names)]);
        let rest = of("id,emails,name.familyName,meta");
        assert_eq!((&rest["id"], &rest["name"]), (&json!("u1"), &json!({ "givenName": "Ada" })));
        assert!(rest["emails"].is_null() && rest["meta"].is_null() && rest["userName"] == "ada");
        assert!(of(EXTENSION)[EXTENSION].is_null());
        assert_eq!(of(&format!("{EXTENSION}:xp"))[EXTENSION], json!({ "key": "D" }));
        assert_eq!(projected(&[("attributes", "userName"), ("excludedAttributes", "userName")])["userName"], "ada");
        assert_eq!(projected(&[("attributes", ""), ("excludedAttributes", " ,")]), projected(&[]));
    }

    #[test]
    fn what_is_returned_on_request_must_be_named() {
        let asks = |name: &str, value: &str| {
            Projection::read(&[(name.to_owned(), value.to_owned())], &USERS).asks_for("groups")
        };
        assert!(asks("attributes", "userName,Groups") && asks("attributes", "groups.value"));
        assert!(!asks("attributes", "userName") && !asks("excludedAttributes", "groups") && !asks("x", "groups"));
    }
}
