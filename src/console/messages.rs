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

/// Clients and their long-lived tokens.
pub(super) mod clients {
    use crate::domain::long_lived_token::{DAYS_MAX, WARNING_DAYS};

    pub(in crate::console) const TITLE: &str = "Clients and tokens";
    pub(in crate::console) const LISTS: &str = "Lists";
    pub(in crate::console) const CLIENTS: &str = "Clients";
    pub(in crate::console) const ALL_TOKENS: &str = "Long-lived tokens";
    pub(in crate::console) const NO_CLIENTS: &str = "No clients yet";
    pub(in crate::console) const NO_CLIENTS_LEAD: &str =
        "A client is a program that may use the APIs. Create one for each program.";
    pub(in crate::console) const NO_TOKENS: &str = "No long-lived tokens";
    pub(in crate::console) const NO_TOKENS_LEAD: &str =
        "They are for programs that cannot use the token endpoint. A page of a client creates one.";
    pub(in crate::console) const NAME: &str = "Name";
    pub(in crate::console) const CLIENT_ID: &str = "Client ID";
    pub(in crate::console) const THE_CLIENT_ID: &str = "the client ID";
    pub(in crate::console) const ROLES: &str = "Roles";
    pub(in crate::console) const ACTS_AS: &str = "Acts as";
    pub(in crate::console) const STATE: &str = "State";
    pub(in crate::console) const CREATED: &str = "Created";
    pub(in crate::console) const CHANGED: &str = "Changed";
    pub(in crate::console) const VERSION: &str = "Version";
    pub(in crate::console) const ENABLED: &str = "Enabled";
    pub(in crate::console) const DISABLED: &str = "Disabled";
    pub(in crate::console) const PUBLIC: &str = "Public";
    pub(in crate::console) const PUBLIC_TITLE: &str = "It has no secret: only users sign in through it";
    pub(in crate::console) const CLIENT: &str = "Client";
    pub(in crate::console) const LAST_USE: &str = "Last use";
    pub(in crate::console) const NEVER: &str = "Never";
    pub(in crate::console) const ENDS: &str = "Ends";
    pub(in crate::console) const EXPIRED: &str = "Expired";
    pub(in crate::console) const ENDS_SOON: &str = "Ends soon";
    pub(in crate::console) const REVOKE: &str = "Revoke";
    pub(in crate::console) const REVOKE_BUTTON: &str = "Revoke token";
    pub(in crate::console) const REASON_TO_REVOKE: &str = "Reason, optional";

    pub(in crate::console) const THIS_CLIENT: &str = "This client";
    pub(in crate::console) const OVERVIEW: &str = "Overview";
    pub(in crate::console) const TOKENS: &str = "Tokens";
    pub(in crate::console) const SECRET: &str = "Secret";
    pub(in crate::console) const SECRET_SET: &str = "Secret set";
    pub(in crate::console) const END: &str = "Disable or delete";
    pub(in crate::console) const ABOUT: &str = "About";
    pub(in crate::console) const FACTS: &str = "Facts";
    pub(in crate::console) const ROLES_HINT: &str = "Of the client’s own tokens. A user who signs in through it keeps only \
         these of their roles; without any, all of them.";
    pub(in crate::console) const COMMUNITIES: &str = "Communities";
    pub(in crate::console) const COMMUNITIES_HINT: &str =
        "One GUID a line. The client sees the groups of these communities alone; without any, all groups.";
    pub(in crate::console) const ACTS_AS_HINT: &str = "The user as whom the client acts with its own tokens: an ID, uid: and \
         a number, or username: and a username. Empty: it acts in its own name.";
    pub(in crate::console) const KIND: &str = "Secret";
    pub(in crate::console) const WITH_SECRET: &str = "With a secret";
    pub(in crate::console) const WITH_SECRET_HINT: &str = "For a program on a server, which can keep it.";
    pub(in crate::console) const WITHOUT_SECRET: &str = "Public, without a secret";
    pub(in crate::console) const WITHOUT_SECRET_HINT: &str =
        "For an app or a page that users sign in through. It acts as nobody, and gets no long-lived tokens.";
    pub(in crate::console) const LIFETIMES: &str = "Lifetimes";
    pub(in crate::console) const ACCESS_MINUTES: &str = "Access tokens, in minutes";
    pub(in crate::console) const REFRESH_MINUTES: &str = "Refresh tokens, in minutes";
    pub(in crate::console) const REFRESH_MINUTES_HINT: &str = "0: the client gets none.";
    pub(in crate::console) const REFRESH_ROTATION: &str = "Each use replaces a refresh token";
    pub(in crate::console) const SCIM: &str = "SCIM";
    pub(in crate::console) const STRICT_MEMBERS: &str = "Refuse changes of members that name unknown users";
    pub(in crate::console) const MAX_REMOVAL_PERCENT: &str = "Members that one request may remove, in percent";
    pub(in crate::console) const MAX_REMOVAL_HINT: &str = "Empty: no limit.";
    pub(in crate::console) const SAVE: &str = "Save changes";
    pub(in crate::console) const DISCARD: &str = "Discard";
    pub(in crate::console) const NOTHING_SAVED: &str = "Nothing has been saved.";
    pub(in crate::console) const NOTHING_CHANGED: &str = "Nothing was changed.";
    pub(in crate::console) const STALE: &str = "Somebody else was faster.";
    pub(in crate::console) const STALE_TEXT: &str = "Nothing was saved. Compare what they saved with what you typed: the form below holds yours, over their version.";
    pub(in crate::console) const FIELD: &str = "Field";
    pub(in crate::console) const THEIRS: &str = "Theirs";
    pub(in crate::console) const MINE: &str = "Mine";

    pub(in crate::console) const NEW: &str = "New client";
    pub(in crate::console) const NEW_LEAD: &str = "A client is a program that may use the APIs.";
    pub(in crate::console) const CREATE: &str = "Create client";
    pub(in crate::console) const SHOWN_ONCE: &str = "It is shown only now.";
    pub(in crate::console) const SHOWN_ONCE_TEXT: &str =
        "The directory keeps no copy of it. Copy it to where the program reads it before you leave this page.";
    pub(in crate::console) const TOKEN: &str = "Token";
    pub(in crate::console) const THE_SECRET: &str = "the secret";
    pub(in crate::console) const THE_TOKEN: &str = "the token";
    pub(in crate::console) const GO_ON: &str = "I have copied it";

    pub(in crate::console) const ROTATE_LEAD: &str = "The present secret stops working at once, and the client’s access and \
         refresh tokens end. Its long-lived tokens stay. The new secret is shown once, on the next page.";
    pub(in crate::console) const ROTATE: &str = "Make a new secret";
    pub(in crate::console) const KEEP: &str = "Keep it";

    pub(in crate::console) const DISABLE_HEAD: &str = "Disable the client";
    pub(in crate::console) const DISABLE_LEAD: &str = "It gets no tokens until somebody enables it. All the tokens that it has \
         end, long-lived ones too, and do not come back.";
    pub(in crate::console) const DISABLE: &str = "Disable client";
    pub(in crate::console) const ENABLE_HEAD: &str = "Enable the client";
    pub(in crate::console) const ENABLE_LEAD: &str =
        "It may get tokens again, with the secret that it has. The tokens that have ended stay ended.";
    pub(in crate::console) const ENABLE: &str = "Enable client";
    pub(in crate::console) const DELETE_LEAD: &str = "Its secret stops working, and all of its tokens end, long-lived ones too. \
         The history keeps its name. A deleted client cannot be restored: the program needs a new one.";
    pub(in crate::console) const DELETE: &str = "Delete client";

    pub(in crate::console) const NEW_TOKEN: &str = "New token";
    pub(in crate::console) const NEW_TOKEN_LEAD: &str = "For a program that cannot use the token endpoint. It is shown once, \
         on the next page.";
    pub(in crate::console) const DAYS: &str = "Days until it ends";
    pub(in crate::console) const CREATE_TOKEN: &str = "Create token";
    pub(in crate::console) const PUBLIC_HAS_NONE: &str = "A public client gets no long-lived tokens.";
    pub(in crate::console) const NONE_OF_CLIENT: &str = "This client has no long-lived tokens";

    /// The title of the badge of a token that ends soon.
    pub(in crate::console) fn ends_soon_title() -> String {
        format!("It ends within {WARNING_DAYS} days")
    }
    pub(in crate::console) fn days_hint() -> String {
        format!("1 to {DAYS_MAX}.")
    }
    /// What a role is for.
    pub(in crate::console) fn role(name: &str) -> &'static str {
        match name {
            "FullAccess" => "Everything, clients and keys included.",
            "AdminUserGroupAdmin" => "Reads and changes groups and their members.",
            "AdminUserGroupReader" => "Reads groups and their members.",
            "AdminUserAdmin" => "Reads and changes users.",
            "AdminUserReader" => "Reads users.",
            "Auditor" => "Reads everything and changes nothing.",
            _ => "",
        }
    }
    /// What is wrong with a field of a form.
    pub(in crate::console) fn problem(field: &str, rule: &str) -> String {
        let name = match field {
            "name" => NAME,
            "roles" => ROLES,
            "communities" => COMMUNITIES,
            "user" => "The user",
            "public" => "The kind",
            "accessMinutes" => "The lifetime of access tokens",
            "refreshMinutes" => "The lifetime of refresh tokens",
            "refreshRotation" => "The replacement",
            "maxRemovalPercent" => "The share",
            "days" => "The number of days",
            "reason" => super::REASON,
            other => other,
        };
        format!("{name} {rule}.")
    }
    pub(in crate::console) fn yes_or_no(is_on: &bool) -> &'static str {
        if *is_on { "yes" } else { "no" }
    }
    /// The name of the button that revokes the token.
    pub(in crate::console) fn revoke(name: &str) -> String {
        format!("Revoke {name}")
    }
    pub(in crate::console) fn revoked(name: &str) -> String {
        format!("The token {name} was revoked.")
    }
    pub(in crate::console) fn tokens_of(name: &str) -> String {
        format!("Tokens of {name}")
    }
    pub(in crate::console) fn token_created(name: &str) -> String {
        format!("The token {name} was created.")
    }
    pub(in crate::console) fn the_token(name: &str) -> String {
        format!("The token {name}")
    }
    pub(in crate::console) fn secret_of(name: &str) -> String {
        format!("The secret of {name}")
    }
    pub(in crate::console) fn created(name: &str) -> String {
        format!("{name} was created.")
    }
    pub(in crate::console) fn saved(name: &str) -> String {
        format!("{name} was changed.")
    }
    pub(in crate::console) fn rotated(name: &str) -> String {
        format!("{name} has a new secret.")
    }
    pub(in crate::console) fn enabled(name: &str) -> String {
        format!("{name} was enabled.")
    }
    pub(in crate::console) fn disabled(name: &str) -> String {
        format!("{name} was disabled, and its tokens have ended.")
    }
    pub(in crate::console) fn deleted(name: &str) -> String {
        format!("{name} was deleted, and its tokens have ended.")
    }
    pub(in crate::console) fn rotate_question(name: &str) -> String {
        format!("Give {name} a new secret?")
    }
    pub(in crate::console) fn delete_question(name: &str) -> String {
        format!("Delete {name}?")
    }
}
