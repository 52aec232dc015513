//! What surrounds the content of every page: navigation, who is signed in, the line about the last change.

use crate::domain::caller::{ReadChanges, ReadClients, ReadGroups, ReadUsers};
use crate::domain::user::User;
use crate::service::tokens::SignedIn;

use super::browser::Browser;
use super::done::Done;
use super::messages::nav;
use super::pages::{changes, deleted, users};
use super::time::Reader;
use super::ui::{self, Html};
use super::{assets, messages};

/// The colours of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Theme {
    /// As the system of the reader has it.
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Every theme.
    pub(super) const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// The theme with the name; [`Self::Auto`] for any other.
    pub(super) fn named(name: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|theme| Some(theme.name()) == name).unwrap_or(Self::Auto)
    }

    /// The name in the cookie and in the style sheet.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The name for readers.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Auto => messages::THEME_AUTO,
            Self::Light => messages::THEME_LIGHT,
            Self::Dark => messages::THEME_DARK,
        }
    }
}

/// The part of the console that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// Groups and their members.
    Groups,
    /// Users.
    Users,
    /// Changes and operations.
    Changes,
    /// Deleted groups and users.
    Deleted,
    /// The state of the server.
    System,
    /// Clients and their long-lived tokens.
    Clients,
    /// The user's own account.
    Account,
    /// None of them.
    Other,
}

/// A link of the navigation.
#[derive(Clone, Debug)]
pub(super) struct NavLink {
    /// The path of the page.
    pub path: &'static str,
    /// The name of the page.
    pub label: &'static str,
    /// The name of the icon.
    pub icon: &'static str,
    /// Whether the page belongs to this part.
    pub is_current: bool,
    /// Whether a phone shows it under "More".
    pub is_second: bool,
}

/// What surrounds the content of a page.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The title of the page.
    pub title: String,
    /// The theme that the reader chose.
    pub theme: Theme,
    /// The reader's zone, and the time.
    pub reader: Reader,
    /// The name of who is signed in; `None` = nobody is.
    pub user: Option<String>,
    /// The roles of who is signed in, in words.
    pub roles: String,
    /// The pages that the user may see.
    pub links: Vec<NavLink>,
    /// What the last change did.
    pub done: Option<Done>,
    /// Whether the browser keeps the cookie of a session.
    pub is_secure: bool,
}

impl Frame {
    /// The frame of a page with the title.
    pub(super) fn new(browser: &Browser, title: String, section: Section) -> Self {
        let user = browser.signed_in.as_ref().map(|signed_in| &*signed_in.user);
        Self {
            title,
            theme: browser.theme,
            reader: browser.reader.clone(),
            user: user.map(full_name),
            roles: user.map(|user| user.fields.roles.names().collect::<Vec<_>>().join(", ")).unwrap_or_default(),
            links: links(browser, section),
            done: browser.done.clone(),
            is_secure: browser.is_secure,
        }
    }

    /// The path of the file of the console with the name.
    pub(super) fn asset(&self, name: &str) -> String {
        assets::path(name)
    }

    /// The picture of who is signed in.
    pub(super) fn avatar(&self) -> Html {
        ui::avatar(self.user.as_deref().unwrap_or_default())
    }

    /// Every theme, and whether it is the present one.
    pub(super) fn themes(&self) -> impl Iterator<Item = (Theme, bool)> {
        Theme::ALL.into_iter().map(|theme| (theme, theme == self.theme))
    }

    /// The version of the program.
    pub(super) fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}

/// The first and last name of a user; the username if both are empty, and the ID if that is empty, too: of an erased user
/// nothing else is left.
pub(super) fn full_name(user: &User) -> String {
    let name = format!("{} {}", user.fields.first_name, user.fields.last_name);
    match name.trim() {
        "" => username(user).to_owned(),
        name => name.to_owned(),
    }
}

/// The username; the ID of an erased user, who has none.
pub(super) fn username(user: &User) -> &str {
    if user.fields.username.is_empty() { user.fields.id.as_str() } else { &user.fields.username }
}

/// The links to the pages that the user may see.
fn links(browser: &Browser, section: Section) -> Vec<NavLink> {
    let Some(SignedIn { caller, .. }) = &browser.signed_in else { return Vec::new() };
    let link = |is_seen: bool, own: Section, path, label, icon, is_second| {
        is_seen.then(|| NavLink { path, label, icon, is_current: section == own, is_second })
    };
    let (reads_groups, reads_users) = (caller.permit::<ReadGroups>().is_ok(), caller.permit::<ReadUsers>().is_ok());
    let (reads_changes, reads_clients) =
        (caller.permit::<ReadChanges>().is_ok(), caller.permit::<ReadClients>().is_ok());
    [
        link(reads_groups, Section::Groups, super::START, nav::GROUPS, "groups", false),
        link(reads_users, Section::Users, users::PATH, nav::USERS, "user", false),
        link(reads_changes, Section::Changes, changes::PATH, nav::CHANGES, "changes", false),
        link(reads_groups || reads_users, Section::Deleted, deleted::PATH, nav::DELETED, "bin", true),
        link(reads_clients, Section::Clients, super::CLIENTS, nav::CLIENTS, "key", true),
        link(reads_clients, Section::System, "/console/system", nav::SYSTEM, "system", true),
    ]
    .into_iter()
    .flatten()
    .collect()
}
