//! The properties that lists filter, search and sort by.

/// A property to filter or sort by, where `F` enumerates the properties of one kind of entity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field<F> {
    /// A property of the entity itself.
    Own(F),
    /// A path in the extended properties, with dots between its segments.
    Xp(String),
}

/// What the path of a label begins with. No path in xp has it, because JSON texts here hold no NUL.
const LABEL: &str = "\0label.";

impl<F> Field<F> {
    /// The label in the language with the tag, in any case. Stores have labels beside the values in xp.
    pub fn label(tag: &str) -> Self {
        Self::Xp(format!("{LABEL}{}", tag.to_ascii_lowercase()))
    }
}

/// The lower-case tag of the language, if the path is that of a label.
pub(crate) fn label_tag(path: &str) -> Option<&str> {
    path.strip_prefix(LABEL)
}

/// The properties of a group that lists filter or sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupField {
    /// The group's number, for sorting only: the order of Core's lists.
    Uid,
    /// The group's ID.
    Id,
    /// The group's Name.
    Name,
    /// The description.
    Description,
    /// The time of creation.
    Created,
    /// The time of the last change.
    Updated,
    /// The number of live members.
    Members,
}

impl GroupField {
    /// The fields that are searched: the text indexes have these, and the APIs search these.
    pub const SEARCHABLE: &'static [Self] = &[Self::Id, Self::Name, Self::Description];
}

/// The properties of a user that lists filter or sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserField {
    /// The user's number, for sorting only.
    Uid,
    /// The user's ID.
    Id,
    /// The username.
    Username,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The email address.
    Email,
    /// The phone number.
    Phone,
    /// Whether the user may sign in.
    Active,
    /// The time at which the user accepted the terms.
    TermsAccepted,
    /// The time of creation.
    Created,
    /// The time of the last successful sign-in.
    LastActive,
    /// The time of the last change of the password.
    PasswordSet,
    /// The number of failed sign-ins since the last successful one.
    FailedAttempts,
    /// The end of the lockout after too many failed sign-ins.
    LockedUntil,
}

impl UserField {
    /// The fields that are searched: the text indexes have these, and the APIs search these.
    pub const SEARCHABLE: &'static [Self] = &[Self::Id, Self::Username, Self::FirstName, Self::LastName, Self::Email];
}
