//! Email addresses and phone numbers with types, as identity providers have them (RFC 7643, section 2.4). The directory has
//! one of each for a user: the preferred one.

/// The types of an email address by which the preferred one is found.
pub(crate) const EMAIL_TYPES: &[&str] = &["work"];
/// The types of a phone number by which the preferred one is found.
pub(crate) const PHONE_TYPES: &[&str] = &["work", "mobile"];

/// An email address or phone number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contact {
    /// The address or number.
    pub value: String,
    /// The type, e.g. `work`.
    pub kind: Option<String>,
    /// Whether it is the preferred one, which at most one is.
    pub primary: bool,
    /// A name for people.
    pub display: Option<String>,
}

/// The position of the contact that the directory has as the only one: the primary one, else the first of one of the
/// types, the first type first, else the first. `None` = there is none.
pub(crate) fn preferred(contacts: &[Contact], types: &[&str]) -> Option<usize> {
    let of_type = |kind: &&str| {
        contacts.iter().position(|own| own.kind.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(kind)))
    };
    let primary = contacts.iter().position(|contact| contact.primary);
    primary.or_else(|| types.iter().find_map(of_type)).or((!contacts.is_empty()).then_some(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primary_contact_is_preferred_then_the_types_in_their_order() {
        let contact = |kind: Option<&str>, primary| Contact {
            value: "v".to_owned(),
            kind: kind.map(str::to_owned),
            primary,
            display: None,
        };
        let (work, home, mobile) =
            (contact(Some("Work"), false), contact(Some("home"), false), contact(Some("mobile"), false));
        assert_eq!(preferred(&[home.clone(), work.clone()], EMAIL_TYPES), Some(1));
        assert_eq!(preferred(&[work.clone(), contact(None, true)], EMAIL_TYPES), Some(1));
        assert_eq!(preferred(&[home.clone(), mobile.clone()], PHONE_TYPES), Some(1));
        assert_eq!(preferred(&[mobile, work], PHONE_TYPES), Some(1));
        assert_eq!(preferred(&[home], EMAIL_TYPES), Some(0));
        assert_eq!(preferred(&[], EMAIL_TYPES), None);
    }
}
