//! The forms of a user's fields: what they show, and the bodies of the API that they stand for.

use axum::http::StatusCode;

use crate::domain::community::Visibility;
use crate::domain::role::Roles;
use crate::domain::user::User;
use crate::http::request::error::Result;
use crate::http::request::fields::Fields as Body;
use crate::json::Json;

use crate::console::browser::Page;
use crate::console::difference::Difference;
use crate::console::form::{Fields, Form, indented};
use crate::console::messages::fields as f;

/// The fields of the API that are texts, which are null if they are empty.
const TEXTS: [&str; 7] = ["id", "username", "firstName", "lastName", "email", "phone", "termsAccepted"];
/// The field that a form has if it also says which roles the user has.
const HAS_ROLES: &str = "hasRoles";

/// A form of a user.
pub(in crate::console::pages) struct UserForm {
    /// The values, and what is wrong with them.
    pub form: Form,
    /// The roles, and whether whoever fills in the form may give them.
    pub roles: Vec<(&'static str, bool)>,
}

impl UserForm {
    /// The form as the visitor sees it.
    pub(in crate::console::pages) fn new(form: Form, visit: &Page) -> Self {
        let own = visit.caller().roles;
        Self { form, roles: Roles::NAMES.into_iter().map(|(role, name)| (name, own.covers(role))).collect() }
    }
}

/// The fields of the user as a form; of the communities, those that the visitor may know of.
pub(super) fn of_user(user: &User, visibility: &Visibility) -> Form {
    let own = &user.fields;
    let mut pairs: Vec<(&str, String)> = vec![
        ("id", own.id.to_string()),
        ("username", own.username.clone()),
        ("firstName", own.first_name.clone()),
        ("lastName", own.last_name.clone()),
        ("email", own.email.clone()),
        ("phone", own.phone.clone().unwrap_or_default()),
        ("termsAccepted", own.terms_accepted.map(|at| format!("{}Z", at.to_civil())).unwrap_or_default()),
        ("xp", own.xp.as_ref().map(|xp| indented(xp.as_str())).unwrap_or_default()),
        ("communities", visibility.seen(&own.communities).map(ToString::to_string).collect::<Vec<_>>().join("\n")),
        ("version", user.version.to_string()),
    ];
    pairs.extend(own.roles.names().map(|name| ("role", name.to_owned())));
    if own.active {
        pairs.push(("active", "true".to_owned()));
    }
    Form::new(Fields::new(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

/// Reads the form as a body of the API. Fails with `Invalid`, which names what is wrong.
pub(in crate::console::pages) fn body(fields: &Fields) -> Result<Body> {
    let text = |text: &str| Json::String(text.to_owned());
    let mut body: Vec<(String, Json)> = Vec::new();
    for name in TEXTS.into_iter().filter(|name| fields.has(name)) {
        body.extend(fields.filled(name).map(|value| (name.to_owned(), text(value))));
    }
    // A password keeps the spaces around it.
    let password = Some(fields.text("password")).filter(|password| !password.is_empty());
    body.extend(password.map(|password| ("password".to_owned(), text(password))));
    body.extend(fields.json("xp")?.map(|xp| ("xp".to_owned(), xp)));
    if fields.has(HAS_ROLES) {
        body.push(("roles".to_owned(), Json::Array(fields.all("role").map(text).collect())));
        body.push(("active".to_owned(), Json::Bool(fields.has("active"))));
    }
    if fields.has("communities") {
        body.push(("communities".to_owned(), fields.words("communities")));
    }
    if let Some(version) = fields.filled("version") {
        body.push(("version".to_owned(), Json::Number(version.into())));
    }
    Body::new(body)
}

/// The form to show, and what somebody else saved meanwhile: the form as it was filled in, over the present version if
/// that is another one (`CONFLICT`); without one, the present fields. `names` are its fields.
pub(super) fn shown(
    present: Form,
    filled: Option<Form>,
    status: StatusCode,
    names: &[&'static str],
) -> (Form, Vec<Difference>) {
    match filled {
        None => (present, Vec::new()),
        Some(form) if status == StatusCode::CONFLICT => {
            let theirs = differing(&present, &form, names);
            (form.with("version", present.value("version")), theirs)
        }
        Some(form) => (form, Vec::new()),
    }
}

/// What two people filled in differently, of the fields with these names.
fn differing(theirs: &Form, mine: &Form, names: &[&'static str]) -> Vec<Difference> {
    let lines = |form: &Form, name: &str| if name == "role" { form.lines(name) } else { form.value(name).to_owned() };
    let field = |name: &str| f::field(if name == "role" { "roles" } else { name });
    let pairs = names.iter().map(|name| (field(name), lines(theirs, name), lines(mine, name)));
    let differing = pairs.filter(|(_, theirs, mine)| theirs.trim() != mine.trim());
    differing.map(|(field, theirs, mine)| Difference::of_texts(&field, &theirs, &mine)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_form_with_roles_says_all_of_them() {
        let form = [("hasRoles", ""), ("role", "Auditor"), ("role", "AdminUserReader"), ("active", "true")];
        let change = crate::http::entities::user_change(body(&fields(&form)).unwrap()).unwrap();
        assert_eq!(change.roles, Some(Roles::AUDITOR.with(Roles::USER_READER)));
        assert_eq!(change.active, Some(true));
        let none = crate::http::entities::user_change(body(&fields(&[("hasRoles", "")])).unwrap()).unwrap();
        assert_eq!((none.roles, none.active), (Some(Roles::NONE), Some(false)));
        let other = crate::http::entities::user_change(body(&fields(&[("username", "ada")])).unwrap()).unwrap();
        assert_eq!((other.roles, other.active, other.username.as_deref()), (None, None, Some("ada")));
    }
}
