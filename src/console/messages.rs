//! Every text that the console shows, in English. A translation is another file with the same names.

/// The name of the product.
pub(super) const PRODUCT: &str = "Rollbook";
/// What separates thousands.
pub(super) const THOUSANDS: char = ',';
/// The months.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const TODAY: &str = "Today";
pub(super) const YESTERDAY: &str = "Yesterday";
pub(super) const JUST_NOW: &str = "just now";
pub(super) const CONTINUE: &str = "Continue";
pub(super) const SKIP: &str = "Skip to the content";
pub(super) const MORE: &str = "More";
pub(super) const MAIN: &str = "Main";
pub(super) const APPEARANCE: &str = "Appearance";
pub(super) const THEME_AUTO: &str = "Auto";
pub(super) const THEME_LIGHT: &str = "Light";
pub(super) const THEME_DARK: &str = "Dark";
pub(super) const MY_ACCOUNT: &str = "My account";
pub(super) const SIGN_OUT: &str = "Sign out";
pub(super) const UNDO: &str = "Undo";
pub(super) const CLOSE_LINE: &str = "Close this line";
pub(super) const DOCUMENTS: &str = "Documents";
pub(super) const FILTER: &str = "Filter";
pub(super) const FILTERS: &str = "Filters";
pub(super) const ADD_FILTER: &str = "Add";
pub(super) const CLEAR_ALL: &str = "Clear all";
pub(super) const AS_CURL: &str = "As curl";
pub(super) const PAGES: &str = "Pages";
pub(super) const PREVIOUS: &str = "Previous";
pub(super) const NEXT: &str = "Next";
pub(super) const FIRST_PAGE: &str = "First page";
pub(super) const OPTIONAL: &str = "optional";
pub(super) const CANCEL: &str = "Cancel";
pub(super) const REASON: &str = "Reason";
pub(super) const REASON_HINT: &str = "Kept in the history beside the change.";
pub(super) const WHERE_YOU_ARE: &str = "Where you are";
pub(super) const PASSWORD_RULE: &str = "A password has 10 to 128 characters of at least three of these kinds: capital \
     letters, small letters, digits, others.";

/// How long ago.
pub(super) fn minutes_ago(minutes: i64) -> String {
    if minutes == 1 { "1 minute ago".to_owned() } else { format!("{minutes} minutes ago") }
}

/// How long ago.
pub(super) fn hours_ago(hours: i64) -> String {
    if hours == 1 { "1 hour ago".to_owned() } else { format!("{hours} hours ago") }
}

/// The name of a button that copies a text.
pub(super) fn copy(what: &str) -> String {
    format!("Copy {what}")
}

/// The rows of a page of a list.
pub(super) fn rows(from: &str, to: &str, total: Option<&str>) -> String {
    match total {
        Some(total) => format!("Rows {from} to {to} of {total}"),
        None => format!("Rows {from} to {to}"),
    }
}

/// The title of a page in the window.
pub(super) fn window_title(title: &str) -> String {
    format!("{title} · {PRODUCT}")
}

/// The name of a language in English; its tag if it is not a common one.
pub(super) fn language(tag: &str) -> String {
    const NAMES: [(&str, &str); 40] = [
        ("ar", "Arabic"),
        ("bg", "Bulgarian"),
        ("ca", "Catalan"),
        ("cs", "Czech"),
        ("da", "Danish"),
        ("de", "German"),
        ("el", "Greek"),
        ("en", "English"),
        ("en-GB", "English (UK)"),
        ("en-US", "English (US)"),
        ("es", "Spanish"),
        ("et", "Estonian"),
        ("fa", "Persian"),
        ("fi", "Finnish"),
        ("fr", "French"),
        ("ga", "Irish"),
        ("he", "Hebrew"),
        ("hi", "Hindi"),
        ("hr", "Croatian"),
        ("hu", "Hungarian"),
        ("is", "Icelandic"),
        ("it", "Italian"),
        ("ja", "Japanese"),
        ("ko", "Korean"),
        ("lt", "Lithuanian"),
        ("lv", "Latvian"),
        ("mt", "Maltese"),
        ("nb", "Norwegian"),
        ("nl", "Dutch"),
        ("pl", "Polish"),
        ("pt", "Portuguese"),
        ("pt-BR", "Portuguese (Brazil)"),
        ("ro", "Romanian"),
        ("ru", "Russian"),
        ("sk", "Slovak"),
        ("sl", "Slovenian"),
        ("sv", "Swedish"),
        ("tr", "Turkish"),
        ("uk", "Ukrainian"),
        ("zh", "Chinese"),
    ];
    let name = NAMES.into_iter().find(|(own, _)| own.eq_ignore_ascii_case(tag));
    name.map_or_else(|| tag.to_owned(), |(_, name)| name.to_owned())
}

/// The navigation.
pub(super) mod nav {
    pub(in crate::console) const GROUPS: &str = "Groups";
    pub(in crate::console) const SYSTEM: &str = "System";
}

/// The sign-in.
pub(super) mod sign_in {
    pub(in crate::console) const TITLE: &str = "Sign in";
    pub(in crate::console) const USERNAME: &str = "Username";
    pub(in crate::console) const PASSWORD: &str = "Password";
    pub(in crate::console) const BUTTON: &str = "Sign in";
    pub(in crate::console) const REFUSED: &str =
        "The username or the password is wrong. After several wrong tries the account is locked for a while.";
    pub(in crate::console) const BOTH_FIELDS: &str = "Fill in the username and the password.";
    pub(in crate::console) const FORGOTTEN: &str = "Forgotten? An administrator sets a new one, in the console or with";
    pub(in crate::console) const COMMAND: &str = "rollbook user set-password";
    pub(in crate::console) const ENDED: &str = "Your session has ended. Sign in again: what you filled in is kept.";
    pub(in crate::console) const NO_COOKIES: &str = "The browser did not keep the cookie of the sign-in. Allow cookies of \
         this site, then sign in again.";
    pub(in crate::console) const NOT_SECURE: &str = "This page was opened over plain HTTP from another machine. A browser \
         keeps no sign-in there. Open it over HTTPS, or on the machine itself at 127.0.0.1.";
    pub(in crate::console) const SIGNED_OUT: &str = "You are signed out.";
    pub(in crate::console) const CONTINUE_TITLE: &str = "You are signed in again";
    pub(in crate::console) const CONTINUE_TEXT: &str =
        "Go on with the form. It is filled in as it was; nothing is saved yet.";
    pub(in crate::console) const CONTINUE_BUTTON: &str = "Back to the form";
}

/// The first start.
pub(super) mod setup {
    pub(in crate::console) const TITLE: &str = "Make yourself the first administrator";
    pub(in crate::console) const LEAD: &str = "This directory has no administrator yet. The account you make here may do everything; it can make others later.";
    pub(in crate::console) const FIRST_NAME: &str = "First name";
    pub(in crate::console) const LAST_NAME: &str = "Last name";
    pub(in crate::console) const EMAIL: &str = "E-mail";
    pub(in crate::console) const BUTTON: &str = "Create the administrator";
    /// What the next page says.
    pub(in crate::console) fn done(name: &str) -> String {
        format!("Password set. You are signed in as {name}, with the role FullAccess.")
    }
}

/// The user's own account.
pub(super) mod account {
    pub(in crate::console) const TITLE: &str = "My account";
    pub(in crate::console) const NO_ROLES: &str = "You have no role, so this page is all there is for you. An administrator \
         can give you one.";
    pub(in crate::console) const GROUPS: &str = "My groups";
    pub(in crate::console) const NO_GROUPS: &str = "You are in no group.";
    pub(in crate::console) const GROUP: &str = "Group";
    pub(in crate::console) const SINCE: &str = "Since";
    pub(in crate::console) const SESSIONS: &str = "Sessions";
    pub(in crate::console) const SESSIONS_HINT: &str = "Each place where you are signed in. A session ends after an hour \
         without use, and after twelve hours.";
    pub(in crate::console) const BEGAN: &str = "Began";
    pub(in crate::console) const SEEN: &str = "Last used";
    pub(in crate::console) const ENDS: &str = "Ends by";
    pub(in crate::console) const THIS_ONE: &str = "This one";
    pub(in crate::console) const END: &str = "End";
    pub(in crate::console) const SESSION_ENDED: &str = "The session was ended.";
    pub(in crate::console) const PASSWORD: &str = "Change the password";
    pub(in crate::console) const OLD: &str = "Present password";
    pub(in crate::console) const NEW: &str = "New password";
    pub(in crate::console) const AGAIN: &str = "New password again";
    pub(in crate::console) const BUTTON: &str = "Change the password";
    pub(in crate::console) const CHANGED: &str = "Password changed. All other sessions and tokens of yours have ended.";
    /// How many groups are not shown.
    pub(in crate::console) fn more_groups(count: &str) -> String {
        format!("And {count} more.")
    }
    pub(in crate::console) const WRONG: &str = "The present password is wrong.";
    pub(in crate::console) const DIFFERENT: &str = "The two new passwords are not the same.";
}

/// The list of groups.
pub(super) mod groups {
    pub(in crate::console) const TITLE: &str = "Groups";
    pub(in crate::console) const NEW: &str = "New group";
    pub(in crate::console) const SEARCH: &str = "Search groups by name, ID or description";
    pub(in crate::console) const PLACEHOLDER: &str = "Name, ID or description";
    pub(in crate::console) const LABELS_IN: &str = "Labels in";
    pub(in crate::console) const SHOW: &str = "Show";
    pub(in crate::console) const MISSING: &str = "Label missing in a language";
    pub(in crate::console) const COMMUNITY: &str = "Community";
    pub(in crate::console) const MEMBERS_MORE: &str = "Members more than";
    pub(in crate::console) const CHANGED_SINCE: &str = "Changed since";
    pub(in crate::console) const XP: &str = "Extra data (xp)";
    pub(in crate::console) const XP_PATH: &str = "Path, as Dept or Site.City";
    pub(in crate::console) const XP_VALUE: &str = "Value, * for any text";
    pub(in crate::console) const TAG: &str = "Language tag, as de";
    pub(in crate::console) const NAME: &str = "Name";
    pub(in crate::console) const ID: &str = "ID";
    pub(in crate::console) const NUMBER: &str = "No.";
    pub(in crate::console) const MEMBERS: &str = "Members";
    pub(in crate::console) const COMMUNITIES: &str = "Communities";
    pub(in crate::console) const CHANGED: &str = "Changed";
    pub(in crate::console) const CAPTION: &str = "Groups";
    pub(in crate::console) const EMPTY: &str = "No groups yet";
    pub(in crate::console) const EMPTY_LEAD: &str =
        "The directory runs. Fill it in one of three ways; you can use all of them later, too.";
    pub(in crate::console) const EMPTY_READER: &str = "There is no group that you may see yet.";
    pub(in crate::console) const BY_HAND: &str = "Create one by hand";
    pub(in crate::console) const BY_HAND_TEXT: &str =
        "A name is enough. Other languages, members and extra data can follow.";
    pub(in crate::console) const BY_FILE: &str = "Import a file";
    pub(in crate::console) const BY_FILE_TEXT: &str =
        "JSON lines with groups, users and memberships, on the server’s command line. A preview comes first.";
    pub(in crate::console) const BY_FILE_COMMAND: &str = "rollbook import --dry-run directory.jsonl";
    pub(in crate::console) const BY_PROGRAM: &str = "Let a program fill it";
    pub(in crate::console) const BY_PROGRAM_TEXT: &str =
        "Your shop through OrderCloud, your intranet through Core, scripts through Rollbook’s own API.";
    pub(in crate::console) const BY_PROGRAM_COMMAND: &str =
        "rollbook client create --name Shop --role AdminUserGroupAdmin";
    pub(in crate::console) const NO_MATCH_FILTERS: &str = "Check the filters, or clear them.";
    pub(in crate::console) const NO_MATCH_SPELLING: &str = "Check the spelling, or search for a part of the name.";
    /// How many groups the list has.
    pub(in crate::console) fn matching(count: u64, text: &str, is_filtered: bool) -> String {
        let noun = if count == 1 { "group" } else { "groups" };
        match (is_filtered, count == 1) {
            (false, _) => format!("{text} {noun}"),
            (true, true) => format!("{text} {noun} matches"),
            (true, false) => format!("{text} {noun} match"),
        }
    }
    /// Nothing was found.
    pub(in crate::console) fn no_match(term: &str) -> String {
        if term.is_empty() { "No group matches".to_owned() } else { format!("No group matches “{term}”") }
    }
    /// The title of a tag at a name in another language than the one asked for.
    pub(in crate::console) fn other_language(asked: &str, shown: &str) -> String {
        format!("No {asked} label: the {shown} one is shown")
    }
    /// The name of a filter, without its value.
    pub(in crate::console) fn filter(name: &str) -> String {
        match (name, name.split_once('.')) {
            ("communities", _) => COMMUNITY.to_owned(),
            ("memberCount", _) => MEMBERS.to_owned(),
            ("updated", _) => CHANGED.to_owned(),
            (_, Some(("labels", tag))) => format!("Label in {}", super::language(tag)),
            (name, _) => name.to_owned(),
        }
    }
    /// The value of a filter in words.
    pub(in crate::console) fn filter_value(value: &str) -> String {
        match value {
            "!*" => "missing".to_owned(),
            "*" => "any".to_owned(),
            _ => match value.strip_prefix(">=").or_else(|| value.strip_prefix('>')) {
                Some(rest) if value.starts_with(">=") => format!("since {rest}"),
                Some(rest) => format!("more than {rest}"),
                None => value.to_owned(),
            },
        }
    }
    /// The name of the link that removes a filter.
    pub(in crate::console) fn remove_filter(name: &str, value: &str) -> String {
        format!("Remove the filter: {name} {value}")
    }
}

/// The pages of one group.
pub(super) mod group {
    pub(in crate::console) const OVERVIEW: &str = "Overview";
    pub(in crate::console) const MEMBERS: &str = "Members";
    pub(in crate::console) const DANGER: &str = "Rename or delete";
    pub(in crate::console) const THIS_GROUP: &str = "This group";
    pub(in crate::console) const THE_ID: &str = "the ID";
    pub(in crate::console) const NUMBER: &str = "No.";
    pub(in crate::console) const CHANGED: &str = "Changed";
    pub(in crate::console) const CREATED: &str = "Created";
    pub(in crate::console) const IS_DELETED: &str = "This group was deleted";
    pub(in crate::console) const CAN_BE_RESTORED: &str =
        "It comes back with its number, its labels and every member who still exists.";
    pub(in crate::console) const RESTORE: &str = "Restore group";
    pub(in crate::console) const LABELS: &str = "Labels";
    pub(in crate::console) const NAME: &str = "Name";
    pub(in crate::console) const NEW_TAG: &str = "Tag, as de";
    pub(in crate::console) const NEW_LABEL: &str = "Label in another language";
    pub(in crate::console) const LABELS_HINT: &str = "An empty label is removed. At least one is needed.";
    pub(in crate::console) const ABOUT: &str = "About";
    pub(in crate::console) const DESCRIPTION: &str = "Description";
    pub(in crate::console) const COMMUNITIES: &str = "Communities";
    pub(in crate::console) const COMMUNITIES_HINT: &str =
        "One GUID a line. Administrators of these communities see this group.";
    pub(in crate::console) const XP: &str = "Extra data (xp)";
    pub(in crate::console) const SAVE: &str = "Save changes";
    pub(in crate::console) const DISCARD: &str = "Discard";
    pub(in crate::console) const FACTS: &str = "Facts";
    pub(in crate::console) const IDENTIFIERS: &str = "Identifiers";
    pub(in crate::console) const STATE: &str = "State";
    pub(in crate::console) const VERSION: &str = "Version";
    pub(in crate::console) const NOTHING_SAVED: &str = "Nothing has been saved.";
    pub(in crate::console) const NOTHING_CHANGED: &str = "Nothing was changed.";
    pub(in crate::console) const STALE: &str = "Somebody else was faster.";
    pub(in crate::console) const STALE_TEXT: &str = "Nothing was saved. Compare what they saved with what you typed: the form below holds yours, over their version.";
    pub(in crate::console) const FIELD: &str = "Field";
    pub(in crate::console) const THEIRS: &str = "Theirs";
    pub(in crate::console) const MINE: &str = "Mine";
    pub(in crate::console) const NEW: &str = "New group";
    pub(in crate::console) const NEW_LEAD: &str = "A name is enough. The rest can follow.";
    pub(in crate::console) const ID: &str = "ID";
    pub(in crate::console) const ID_HINT: &str =
        "Letters, digits, hyphens and underscores; one is made if you leave it empty. Programs name the group by it.";
    pub(in crate::console) const CREATE: &str = "Create group";
    pub(in crate::console) const RENAME: &str = "Change the ID";
    pub(in crate::console) const RENAME_LEAD: &str = "Programs that name the group by its present ID find it no longer. Its \
         number stays.";
    pub(in crate::console) const RENAME_BUTTON: &str = "Change the ID";
    pub(in crate::console) const DELETE_BUTTON: &str = "Delete group";
    pub(in crate::console) const KEEP: &str = "Keep it";
    pub(in crate::console) const SEARCH_MEMBERS: &str = "Search the members";
    pub(in crate::console) const NAME_OR_USERNAME: &str = "Name, username or e-mail";
    pub(in crate::console) const SINCE: &str = "Since";
    pub(in crate::console) const ADDED_BY: &str = "Added by";
    pub(in crate::console) const BY: &str = "by";
    pub(in crate::console) const DEACTIVATED: &str = "Deactivated";
    pub(in crate::console) const SELECT_ALL: &str = "Select all on this page";
    pub(in crate::console) const REMOVE: &str = "Remove selected";
    pub(in crate::console) const REASON_TO_REMOVE: &str = "Reason, optional";
    pub(in crate::console) const ADD: &str = "Add people";
    pub(in crate::console) const ADD_LEAD: &str = "Nothing is changed until you press the button below the preview.";
    pub(in crate::console) const WHO: &str = "One person a line";
    pub(in crate::console) const WHO_HINT: &str =
        "An ID, a username with an @, or uid: and a number. Commas may stand between them. Up to 100,000.";
    pub(in crate::console) const PREVIEW: &str = "Preview";
    pub(in crate::console) const PREVIEW_AGAIN: &str = "Preview again";
    pub(in crate::console) const WILL_BE_ADDED: &str = "Will be added";
    pub(in crate::console) const ALREADY_IN: &str = "Already in";
    pub(in crate::console) const NOT_FOUND: &str = "Not found";
    pub(in crate::console) const SKIPPED: &str = "The lines not found are skipped.";
    pub(in crate::console) const NO_MEMBERS: &str = "Nobody is in this group";
    pub(in crate::console) const NO_MEMBERS_LEAD: &str = "Add people one by one, or paste a list.";
    pub(in crate::console) const NO_MEMBER_MATCHES: &str = "No member matches";

    /// How many labels the group has.
    pub(in crate::console) fn labels(count: u64) -> String {
        if count == 1 { "1 language".to_owned() } else { format!("{count} languages") }
    }
    pub(in crate::console) fn not_json(problem: &str) -> String {
        format!("does not follow JSON: {problem}")
    }
    pub(in crate::console) fn saved(name: &str) -> String {
        format!("{name} was changed.")
    }
    pub(in crate::console) fn created(name: &str) -> String {
        format!("{name} was created.")
    }
    pub(in crate::console) fn renamed(id: &str) -> String {
        format!("The ID is {id} now.")
    }
    pub(in crate::console) fn deleted(name: &str) -> String {
        format!("{name} was deleted.")
    }
    pub(in crate::console) fn restored(name: &str, id: &str, members: &str) -> String {
        format!("{name} was restored as {id}, with {members} members.")
    }
    pub(in crate::console) fn delete_question(name: &str) -> String {
        format!("Delete {name}?")
    }
    /// What a deletion means.
    pub(in crate::console) fn deletion(members: u64, count: &str) -> String {
        let people = match members {
            0 => "Nobody is in it.".to_owned(),
            1 => "1 person is no longer in it. Their account stays.".to_owned(),
            _ => format!("{count} people are no longer in it. Their accounts stay."),
        };
        format!("{people} The group can be restored, with its number and its members.")
    }
    pub(in crate::console) fn add_to(name: &str) -> String {
        format!("Add people to {name}")
    }
    pub(in crate::console) fn add_people(count: &u64) -> String {
        if *count == 1 {
            "Add 1 person".to_owned()
        } else {
            format!("Add {} people", crate::console::ui::number(count))
        }
    }
    pub(in crate::console) fn said_twice(count: &u64) -> String {
        if *count == 1 {
            "1 line names somebody again.".to_owned()
        } else {
            format!("{count} lines name somebody again.")
        }
    }
    pub(in crate::console) fn more_lines(count: &u64) -> String {
        format!("And {} more.", crate::console::ui::number(count))
    }
    pub(in crate::console) fn members_of(name: &str) -> String {
        format!("Members of {name}")
    }
    pub(in crate::console) fn select(name: &str) -> String {
        format!("Select {name}")
    }
    /// How many members the list has.
    pub(in crate::console) fn matching_members(count: u64, text: &str, is_search: bool) -> String {
        let noun = if count == 1 { "member" } else { "members" };
        match (is_search, count == 1) {
            (false, _) => format!("{text} {noun}"),
            (true, true) => format!("{text} {noun} matches"),
            (true, false) => format!("{text} {noun} match"),
        }
    }
    /// What a change of members did.
    pub(in crate::console) fn members_changed(added: u64, removed: u64, unchanged: u64, unknown: u64) -> String {
        let people = |count: u64| if count == 1 { "1 person was".to_owned() } else { format!("{count} people were") };
        let mut parts = Vec::new();
        if added > 0 {
            parts.push(format!("{} added.", people(added)));
        }
        if removed > 0 {
            parts.push(format!("{} removed.", people(removed)));
        }
        if added + removed == 0 {
            parts.push("Nothing was changed.".to_owned());
        }
        if unchanged > 0 {
            parts.push(format!("{unchanged} needed no change."));
        }
        if unknown > 0 {
            parts.push(format!("{unknown} are unknown and were skipped."));
        }
        parts.join(" ")
    }
}

/// One operation.
pub(super) mod operation {
    /// What an undo did.
    pub(in crate::console) fn undone(undone: u64, nothing_to_do: u64) -> String {
        match (undone, nothing_to_do) {
            (0, _) => "Nothing was left to undo.".to_owned(),
            (1, _) => "1 change was undone.".to_owned(),
            (_, _) => format!("{undone} changes were undone."),
        }
    }
}

/// Errors: what happened, and what to do.
pub(super) mod errors {
    pub(in crate::console) const NO_PAGE: &str = "There is no such page";
    pub(in crate::console) const CHECK_THE_ADDRESS: &str = "Check the address, or begin at Groups.";
    pub(in crate::console) const GO_BACK: &str = "Go back and try again.";
    pub(in crate::console) const NOT_UNDERSTOOD: &str = "The request could not be read";
    pub(in crate::console) const HEAD_TOO_LARGE: &str =
        "Its head is too large. Delete the cookies of this site, then try again.";
    pub(in crate::console) const TOO_MUCH: &str = "That is too much at once";
    pub(in crate::console) const SEND_LESS: &str = "Nothing was changed. Send it in several parts.";
    pub(in crate::console) const URL_TOO_LONG: &str = "Its address is too long. Remove some filters.";
    pub(in crate::console) const NOT_A_FORM: &str = "It is not a form of this console.";
    pub(in crate::console) const FOREIGN_ORIGIN: &str = "Nothing was changed";
    pub(in crate::console) const OPEN_HERE: &str = "The form did not come from a page of this console, or the browser does not \
         say where it came from. Open the console itself and try again.";
    pub(in crate::console) const BAD_LIST: &str = "This list cannot be shown";
    pub(in crate::console) const OLD_PLACE: &str =
        "The address names a place in another list. Begin at the first page.";
    pub(in crate::console) const TOO_MANY_FILTERS: &str = "It has too many filters. Remove some.";
    pub(in crate::console) const NOT_SAVED: &str = "Nothing was saved";
    pub(in crate::console) const TOO_COSTLY: &str = "This list takes too long";
    pub(in crate::console) const NARROW_THE_LIST: &str =
        "Search for more characters, add a filter, or choose another order.";
    pub(in crate::console) const CHECK_OR_SEARCH: &str = "Check the address, or search for it.";
    pub(in crate::console) const ALREADY_DELETED: &str = "It is deleted already";
    pub(in crate::console) const SEE_DELETED: &str = "See Deleted to restore it.";
    pub(in crate::console) const ERASED: &str = "This user was erased";
    pub(in crate::console) const NOTHING_LEFT: &str = "Nothing of them is left to be changed or restored.";
    pub(in crate::console) const NOT_DELETED: &str = "It is not deleted";
    pub(in crate::console) const NOTHING_TO_RESTORE: &str =
        "There is nothing to restore: somebody may have been faster.";
    pub(in crate::console) const NO_LONGER_KEPT: &str = "That time is no longer kept";
    pub(in crate::console) const PAST_IS_LIMITED: &str = "Choose a later moment.";
    pub(in crate::console) const ID_TAKEN: &str = "That ID is taken";
    pub(in crate::console) const UNKNOWN_USERS: &str = "Some of these users do not exist";
    pub(in crate::console) const TOO_MANY_REMOVALS: &str = "That would remove too many members";
    pub(in crate::console) const UNDO_CONFLICTS: &str = "Nothing was undone";
    pub(in crate::console) const UNDO_TOO_LARGE: &str = "That is too much to undo at once";
    pub(in crate::console) const UNDO_PARTS: &str = "Nothing was changed. Undo it in parts, with filters.";
    pub(in crate::console) const HAS_MEMBERS: &str = "The group still has members";
    pub(in crate::console) const USERNAME_TAKEN: &str = "That username is taken";
    pub(in crate::console) const ANOTHER_USERNAME: &str = "Another user has it. Choose a different one.";
    pub(in crate::console) const PUBLIC_CLIENT: &str = "This client has no secret";
    pub(in crate::console) const NEEDS_A_SECRET: &str = "Give it a secret first.";
    pub(in crate::console) const KEY_ANNOUNCED: &str = "A newer signing key is already announced";
    pub(in crate::console) const WAIT_FOR_THE_KEY: &str = "Wait until it signs, then try again.";
    pub(in crate::console) const STALE: &str = "Somebody else was faster";
    pub(in crate::console) const LOAD_AGAIN: &str =
        "Nothing was changed. Load the page again, and look at what is there now.";
    pub(in crate::console) const SENT_TWICE: &str = "The form was sent twice";
    pub(in crate::console) const FORBIDDEN: &str = "You may not see this page";
    pub(in crate::console) const LIMITED: &str = "It is for administrators who are not limited to communities.";
    pub(in crate::console) const UNAVAILABLE: &str = "The directory cannot be reached now";
    pub(in crate::console) const TRIES_AGAIN: &str =
        "Nothing was changed. This page tries again by itself every few seconds.";
    pub(in crate::console) const DAMAGED: &str = "The database is damaged";
    pub(in crate::console) const TELL_THE_OPERATOR: &str = "Tell whoever runs Rollbook: the server’s log says more.";
    pub(in crate::console) const OUTCOME_UNKNOWN: &str = "It is not known whether the change was made";
    pub(in crate::console) const LOOK_FIRST: &str = "Look at what is there now before you try again.";
    pub(in crate::console) const INTERNAL: &str = "Something went wrong on the server";
    pub(in crate::console) const SIGNED_OUT: &str = "You are signed out";
    pub(in crate::console) const SIGN_IN_AGAIN: &str = "Sign in again.";
    pub(in crate::console) const SIGN_IN_REFUSED: &str = "The sign-in was refused";
    pub(in crate::console) const TO_GROUPS: &str = "To the groups";
    pub(in crate::console) const TO_ACCOUNT: &str = "To my account";
    pub(in crate::console) const GROUP: &str = "group";
    pub(in crate::console) const USER: &str = "user";
    pub(in crate::console) const MEMBERSHIP: &str = "membership";
    pub(in crate::console) const CLIENT: &str = "client";
    pub(in crate::console) const TOKEN: &str = "token";
    pub(in crate::console) const KEY: &str = "signing key";
    pub(in crate::console) const OPERATION: &str = "operation";
    pub(in crate::console) const SESSION: &str = "session";
    pub(in crate::console) const SETUP_CODE: &str = "page";

    pub(in crate::console) fn not_found(kind: &str) -> String {
        format!("There is no such {kind}")
    }
    pub(in crate::console) fn needs_role(roles: &str) -> String {
        format!("It takes one of these roles: {roles}. An administrator can give you one.")
    }
    pub(in crate::console) fn exists(kind: &str, id: &str) -> String {
        format!("Another {kind} has the ID {id}. Choose a different one.")
    }
    pub(in crate::console) fn take_another(id: &str, proposed: &str) -> String {
        format!("The ID {id} was taken meanwhile; {proposed} is free.")
    }
    pub(in crate::console) fn unknown_users(count: usize) -> String {
        format!("{count} are unknown. Nothing was changed.")
    }
    pub(in crate::console) fn removals(removals: u64, allowed: u64, members: u64) -> String {
        format!("It would remove {removals} of {members}; {allowed} are allowed at once. Nothing was changed.")
    }
    pub(in crate::console) fn conflicts(conflicts: u64) -> String {
        format!("{conflicts} of the changes cannot be undone, because something has changed since.")
    }
    pub(in crate::console) fn members_first(members: i64) -> String {
        format!("It has {members}. Remove them first.")
    }
    pub(in crate::console) fn kept_since(time: &str) -> String {
        format!("The directory keeps its past since {time} UTC. Choose a later moment.")
    }
    pub(in crate::console) fn wrong_parameter(name: &str) -> String {
        format!("The filter “{name}” has a value that cannot be used. Remove it, or correct it.")
    }
    pub(in crate::console) fn unknown_parameter(name: &str) -> String {
        format!("It has no column or filter “{name}”. Remove it from the address.")
    }
    pub(in crate::console) fn sentence(reason: &str) -> String {
        format!("{reason}. Nothing was changed.")
    }
    pub(in crate::console) fn violation(field: &str, rule: &str) -> String {
        format!("{field} {rule}.")
    }
}

/// The state of the system.
pub(super) mod system {
    use std::cmp::Ordering;

    pub(in crate::console) const TITLE: &str = "System";
    pub(in crate::console) const LANGUAGE: &str = "Default language";
    pub(in crate::console) const METRICS: &str = "Metrics";
    pub(in crate::console) const THE_TOKEN: &str = "The token";
    pub(in crate::console) const TOKEN_HINT: &str = "Give its program another one, then revoke this one.";
    pub(in crate::console) const COUNTS: &str = "Counts";
    pub(in crate::console) const GROUPS: &str = "Groups";
    pub(in crate::console) const USERS: &str = "Users";
    pub(in crate::console) const MEMBERSHIPS: &str = "Memberships";
    pub(in crate::console) const CHANGES: &str = "Changes";
    pub(in crate::console) const CHANGES_A_DAY: &str = "Changes a day";
    pub(in crate::console) const AS_TABLE: &str = "As a table";
    pub(in crate::console) const DAYS: &str = "Numbers by day";
    pub(in crate::console) const DAYS_HINT: &str = "The numbers at the end of each day in UTC, and the changes on it. A \
         dash is a number that no server noted.";
    pub(in crate::console) const DAY: &str = "Day";
    pub(in crate::console) const KEYS: &str = "Signing keys";
    pub(in crate::console) const KEYS_HINT: &str = "A new key is announced first and signs a few minutes later. Tokens \
         that older keys signed stay valid until they end.";
    pub(in crate::console) const ROTATE: &str = "Rotate now";
    pub(in crate::console) const KEY: &str = "Key";
    pub(in crate::console) const THE_KEY: &str = "the key ID";
    pub(in crate::console) const STATE: &str = "State";
    pub(in crate::console) const SIGNS_FROM: &str = "Signs from";
    pub(in crate::console) const UPCOMING: &str = "Announced";
    pub(in crate::console) const SIGNS: &str = "Signs";
    pub(in crate::console) const RETIRED: &str = "Retired";
    pub(in crate::console) const STORE: &str = "Store";
    pub(in crate::console) const SIZE: &str = "Size";
    pub(in crate::console) const HISTORY: &str = "History since";
    pub(in crate::console) const SCHEMA: &str = "Schema";

    /// The name of a database program.
    pub(in crate::console) fn store(kind: &str) -> &str {
        match kind {
            "sqlite" => "SQLite",
            "postgres" => "PostgreSQL",
            other => other,
        }
    }
    /// When a token ends, in whole days.
    pub(in crate::console) fn ends_in(days: &i64) -> String {
        match days {
            ..1 => "ends within a day".to_owned(),
            1 => "ends in 1 day".to_owned(),
            days => format!("ends in {days} days"),
        }
    }
    /// How a number grew; `by` is the difference without a sign.
    pub(in crate::console) fn growth(from: u64, to: u64, by: &str, days: usize) -> String {
        match to.cmp(&from) {
            Ordering::Less => format!("−{by} in {days} days"),
            Ordering::Equal => format!("unchanged in {days} days"),
            Ordering::Greater => format!("+{by} in {days} days"),
        }
    }
    /// What a line shows, for those who do not see it.
    pub(in crate::console) fn trend(label: &str, from: &str, to: &str, days: usize) -> String {
        format!("{label} over {days} days: from {from} to {to}")
    }
    /// The day with the most changes.
    pub(in crate::console) fn busiest(day: &str, changes: &str) -> String {
        format!("Busiest: {day}, {changes}.")
    }
    /// The changes of today.
    pub(in crate::console) fn today(changes: &str) -> String {
        format!("Today so far: {changes}.")
    }
    /// What the chart shows, for those who do not see it.
    pub(in crate::console) fn chart(summary: &str) -> String {
        format!("Changes a day over 90 days. {summary}")
    }
    /// What the rotation did.
    pub(in crate::console) fn rotated(minutes: u32) -> String {
        format!("A new signing key was announced. It signs in {minutes} minutes.")
    }
}
