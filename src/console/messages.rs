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
pub(super) const SEE_CHANGE: &str = "See change";
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
pub(super) const YES: &str = "yes";
pub(super) const NO: &str = "no";
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

/// The name of the link that removes a filter.
pub(super) fn remove_filter(name: &str, value: &str) -> String {
    format!("Remove the filter: {name} {value}")
}

/// The name of a button that copies a text.
pub(super) fn copy(what: &str) -> String {
    format!("Copy {what}")
}

/// How many entities a list has, and whether it was searched or filtered. `nouns`: for one, and for several.
fn matching(count: u64, text: &str, nouns: [&str; 2], is_filtered: bool) -> String {
    match (is_filtered, count == 1) {
        (false, true) => format!("{text} {}", nouns[0]),
        (false, false) => format!("{text} {}", nouns[1]),
        (true, true) => format!("{text} {} matches", nouns[0]),
        (true, false) => format!("{text} {} match", nouns[1]),
    }
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
    pub(in crate::console) const USERS: &str = "Users";
    pub(in crate::console) const CHANGES: &str = "Changes";
    pub(in crate::console) const DELETED: &str = "Deleted";
    pub(in crate::console) const CLIENTS: &str = "Clients and tokens";
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
        super::matching(count, text, ["group", "groups"], is_filtered)
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
    pub(in crate::console) const ADD: &str = "Add from a list";
    pub(in crate::console) const ADD_ONE: &str = "Add a person: name, username or ID";
    pub(in crate::console) const ADD_ONE_PLACEHOLDER: &str = "Add a person";
    pub(in crate::console) const ADD_BUTTON: &str = "Add";
    pub(in crate::console) const CSV: &str = "CSV";
    pub(in crate::console) const ADD_LEAD: &str = "Nothing is changed until you press the button below the preview.";
    pub(in crate::console) const WHO: &str = "One person a line";
    pub(in crate::console) const WHO_HINT: &str =
        "An ID, a username with an @, or uid: and a number. Commas may stand between them. Up to 100,000.";
    pub(in crate::console) const FROM_A_FILE: &str = "Or take them from a file";
    pub(in crate::console) const FILE_HINT: &str = "Text, or CSV with the person in the first column.";
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
    pub(in crate::console) fn too_many_lines(most: usize) -> String {
        format!("must have at most {} lines: send it in several parts", crate::console::ui::number(&(most as u64)))
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
    pub(in crate::console) fn why(name: &str) -> String {
        format!("Since when and why {name} is in the group")
    }
    pub(in crate::console) fn select(name: &str) -> String {
        format!("Select {name}")
    }
    /// How many members the list has.
    pub(in crate::console) fn matching_members(count: u64, text: &str, is_search: bool) -> String {
        super::matching(count, text, ["member", "members"], is_search)
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

/// The list of users, and a new user.
pub(super) mod users {
    pub(in crate::console) const TITLE: &str = "Users";
    pub(in crate::console) const NEW: &str = "New user";
    pub(in crate::console) const SEARCH: &str = "Search users by name, username, ID or e-mail";
    pub(in crate::console) const PLACEHOLDER: &str = "Name, username, ID or e-mail";
    pub(in crate::console) const NAME: &str = "Name";
    pub(in crate::console) const USERNAME: &str = "Username";
    pub(in crate::console) const EMAIL: &str = "E-mail";
    pub(in crate::console) const STATE: &str = "State";
    pub(in crate::console) const LAST_ACTIVE: &str = "Last active";
    pub(in crate::console) const ACTIVE: &str = "Active";
    pub(in crate::console) const LOCKED_BADGE: &str = "Locked";
    pub(in crate::console) const DEACTIVATED_BADGE: &str = "Deactivated";
    pub(in crate::console) const LOCKED: &str = "Locked now";
    pub(in crate::console) const DEACTIVATED: &str = "Deactivated";
    pub(in crate::console) const WITHOUT_GROUPS: &str = "Without groups";
    pub(in crate::console) const NEVER_ACTIVE: &str = "Never signed in";
    pub(in crate::console) const ROLE: &str = "With the role";
    pub(in crate::console) const IN_GROUP: &str = "In the group";
    pub(in crate::console) const GROUP_ID: &str = "ID of the group";
    pub(in crate::console) const ACTIVE_SINCE: &str = "Active since";

    /// How many users the list has.
    pub(in crate::console) fn matching(count: u64, text: &str, is_filtered: bool) -> String {
        super::matching(count, text, ["user", "users"], is_filtered)
    }
    /// Nothing was found.
    pub(in crate::console) fn no_match(term: &str) -> String {
        if term.is_empty() { "No user matches".to_owned() } else { format!("No user matches “{term}”") }
    }
    /// The name of a filter, without its value.
    pub(in crate::console) fn filter(name: &str) -> String {
        let own = match name {
            "locked" => LOCKED,
            "withoutGroups" => WITHOUT_GROUPS,
            "active" => "May sign in",
            "roles" => ROLE,
            "memberOf" => IN_GROUP,
            "lastActive" => LAST_ACTIVE,
            other => return super::fields::field(other),
        };
        own.to_owned()
    }
    /// The value of a filter in words.
    pub(in crate::console) fn filter_value(name: &str, value: &str) -> String {
        match (name, value) {
            ("locked" | "withoutGroups", "true") => String::new(),
            ("lastActive", "!*") => "never".to_owned(),
            (_, "true") => super::YES.to_owned(),
            (_, "false") => super::NO.to_owned(),
            _ => super::groups::filter_value(value),
        }
    }
}

/// The pages of one user.
pub(super) mod user {
    pub(in crate::console) use super::group::created;
    pub(in crate::console) use super::users::{LAST_ACTIVE, NEW, USERNAME};

    pub(in crate::console) const GROUPS: &str = "Groups";
    pub(in crate::console) const PROFILE: &str = "Profile";
    pub(in crate::console) const ACCESS: &str = "Roles and sign-in";
    pub(in crate::console) const THIS_USER: &str = "This user";
    pub(in crate::console) const THE_USERNAME: &str = "the username";
    pub(in crate::console) const NUMBER: &str = "No.";
    pub(in crate::console) const NEVER: &str = "never";
    pub(in crate::console) const IS_DELETED: &str = "This user was deleted";
    pub(in crate::console) const CAN_BE_RESTORED: &str =
        "They can come back with their number, their fields and every group that still exists.";
    pub(in crate::console) const IS_ERASED: &str = "Their data were erased for good.";
    pub(in crate::console) const RESTORE: &str = "Restore";
    pub(in crate::console) const LOCKED_UNTIL: &str = "Locked until";
    pub(in crate::console) const UNLOCK: &str = "Unlock now";
    pub(in crate::console) const UNLOCKED: &str = "Unlocked: they can sign in again.";
    pub(in crate::console) const IS_DEACTIVATED: &str = "Deactivated.";
    pub(in crate::console) const DEACTIVATED_TEXT: &str = "They cannot sign in. Their groups stay.";
    pub(in crate::console) const ADD_TO: &str = "Add to a group: name, ID, or uid: and its number";
    pub(in crate::console) const ADD_PLACEHOLDER: &str = "Add to a group";
    pub(in crate::console) const ADD: &str = "Add";
    pub(in crate::console) const NO_GROUPS: &str = "In no group";
    pub(in crate::console) const PHONE: &str = "Phone";
    pub(in crate::console) const ROLES: &str = "Roles";
    pub(in crate::console) const ROLES_AND_COMMUNITIES: &str = "Roles and communities";
    pub(in crate::console) const LIMITED_TO: &str = "Limited to";
    pub(in crate::console) const NOTHING: &str = "no communities";
    pub(in crate::console) const SIGN_IN: &str = "Sign-in";
    pub(in crate::console) const PASSWORD: &str = "Password";
    pub(in crate::console) const SET: &str = "set";
    pub(in crate::console) const NO_PASSWORD: &str = "none: they cannot sign in here";
    pub(in crate::console) const NEW_LEAD: &str =
        "An account in the directory. Without a password and roles it is somebody whom groups can hold.";
    pub(in crate::console) const CREATE: &str = "Create user";
    pub(in crate::console) const LIMITED_TO_COMMUNITIES: &str = "Limited to communities";
    pub(in crate::console) const COMMUNITIES_HINT: &str =
        "One GUID a line. With any, the roles hold for groups of these communities alone.";
    pub(in crate::console) const MAY_SIGN_IN: &str = "May sign in";
    pub(in crate::console) const MAY_SIGN_IN_HINT: &str =
        "Without it, the account is deactivated: sessions and tokens end.";
    pub(in crate::console) const NOT_YOURS_TO_GIVE: &str = "Not yours to give: you do not have it.";
    pub(in crate::console) const SET_PASSWORD: &str = "Set a password";
    pub(in crate::console) const SET_PASSWORD_LEAD: &str =
        "Their sessions and tokens end. Hand it over on a safe way; they can change it at My account.";
    pub(in crate::console) const NEW_PASSWORD: &str = "New password";
    pub(in crate::console) const PASSWORD_REFUSED: &str = "This password is not allowed. Choose another one.";
    pub(in crate::console) const PASSWORD_SET: &str = "Password set. Their sessions and tokens have ended.";
    pub(in crate::console) const END_SESSIONS: &str = "End all sessions and tokens";
    pub(in crate::console) const END_SESSIONS_LEAD: &str =
        "They, and programs that act for them, have to sign in again.";
    pub(in crate::console) const SESSIONS_ENDED: &str = "All sessions and tokens have ended.";
    pub(in crate::console) const DELETE: &str = "Delete user";
    pub(in crate::console) const KEEP: &str = "Keep them";

    /// What a role allows.
    pub(in crate::console) fn role(name: &str) -> &'static str {
        match name {
            "FullAccess" => "Everything.",
            "AdminUserGroupAdmin" => "Groups and their members.",
            "AdminUserGroupReader" => "Sees groups and their members.",
            "AdminUserAdmin" => "Users.",
            "AdminUserReader" => "Sees users.",
            "Auditor" => "Sees everything, with its history; changes nothing.",
            _ => "",
        }
    }
    pub(in crate::console) fn after_failures(count: &i64) -> String {
        match count {
            1 => "after a wrong password.".to_owned(),
            _ => format!("after {count} wrong passwords."),
        }
    }
    pub(in crate::console) fn groups_of(name: &str) -> String {
        format!("Groups of {name}")
    }
    pub(in crate::console) fn groups_on(moment: &str) -> String {
        format!("Groups on {moment}")
    }
    pub(in crate::console) fn remove_from(group: &str) -> String {
        format!("Remove from {group}")
    }
    /// In how many groups somebody is.
    pub(in crate::console) fn in_groups(count: &Option<u64>) -> String {
        match count {
            Some(1) => "1 group".to_owned(),
            other => format!("{} groups", crate::console::ui::known(*other)),
        }
    }
    /// What a deletion means.
    pub(in crate::console) fn deletion(groups: Option<u64>, count: &str) -> String {
        let groups = match groups {
            Some(0) => "They are in no group.".to_owned(),
            Some(1) => "They leave 1 group.".to_owned(),
            _ => format!("They leave {count} groups."),
        };
        format!(
            "{groups} Sessions and tokens end. They can be restored, with their number and their groups; not with their password."
        )
    }
}

/// The fields of groups, users, clients and tokens in changes.
pub(super) mod fields {
    use crate::console::ui::Html;

    pub(in crate::console) const FIELD: &str = "Field";
    pub(in crate::console) const BEFORE: &str = "Before";
    pub(in crate::console) const AFTER: &str = "After";
    pub(in crate::console) const CAPTION: &str = "Before and after";
    pub(in crate::console) const NEW_SECRET: &str = "changed; its value is not kept";

    /// The name of a field that changes name in the API.
    pub(in crate::console) fn field(name: &str) -> String {
        let own = match name {
            "id" => "ID",
            "description" => "Description",
            "communities" => "Communities",
            "username" => "Username",
            "firstName" => "First name",
            "lastName" => "Last name",
            "email" => "E-mail",
            "phone" => "Phone",
            "active" => "May sign in",
            "termsAccepted" => "Terms accepted",
            "password" => "Password",
            "tokens" => "Sessions and tokens",
            "roles" => "Roles",
            "name" => "Name",
            "user" => "Acts for",
            "enabled" => "Enabled",
            "accessMinutes" => "Access tokens, minutes",
            "refreshMinutes" => "Refresh tokens, minutes",
            "refreshRotation" => "Refresh tokens once",
            "strictMembers" => "Unknown members refused",
            "maxRemovalPercent" => "Removals at once",
            "secret" => "Secret",
            "expires" => "End",
            other => match other.strip_prefix("labels.") {
                Some(tag) => return format!("Label, {}", super::language(tag)),
                None => other,
            },
        };
        own.to_owned()
    }

    /// The fields of a change: their names if they are few.
    pub(in crate::console) fn several(names: &[String]) -> Html {
        let text = match names {
            [] => String::new(),
            [one] => in_a_sentence(one),
            [one, other] => format!("{} and {}", in_a_sentence(one), in_a_sentence(other)),
            more => format!("{} fields", more.len()),
        };
        Html::new(format!("<b>{}</b>", crate::console::ui::escaped(&text)))
    }

    fn in_a_sentence(name: &str) -> String {
        if let Some(tag) = name.strip_prefix("labels.") {
            return format!("label in {}", super::language(tag));
        }
        let own = field(name);
        let is_word = own.chars().nth(1).is_some_and(char::is_lowercase);
        if is_word && own != name { own.to_lowercase() } else { own }
    }
}

/// Timelines of changes.
pub(super) mod timeline {
    use crate::console::ui::{Html, number};
    use crate::domain::change_type::ChangeType;
    use crate::domain::journal::Channel;

    pub(in crate::console) const SERVER: &str = "Rollbook";
    pub(in crate::console) const UNDO: &str = "Undo";
    pub(in crate::console) const NEWER: &str = "Newer";
    pub(in crate::console) const OLDER: &str = "Older";

    /// What a change came through.
    pub(in crate::console) const fn channel(channel: Channel) -> &'static str {
        match channel {
            Channel::Core => "Core",
            Channel::OrderCloud => "OrderCloud",
            Channel::Rollbook => "Rollbook",
            Channel::Scim => "SCIM",
            Channel::Console => "Console",
            Channel::CommandLine => "Command line",
            Channel::Import => "Import",
            Channel::Server => "Server",
        }
    }

    /// Who did what. `place` is the group of a membership.
    pub(in crate::console) fn said(kind: ChangeType, actor: &Html, object: &Html, place: Option<&Html>) -> Html {
        let verb = match kind {
            ChangeType::GroupCreated
            | ChangeType::UserCreated
            | ChangeType::ClientCreated
            | ChangeType::TokenCreated
            | ChangeType::KeyCreated => "created",
            ChangeType::GroupUpdated
            | ChangeType::UserUpdated
            | ChangeType::ClientUpdated
            | ChangeType::TokenUpdated => "changed",
            ChangeType::GroupDeleted | ChangeType::UserDeleted | ChangeType::ClientDeleted => "deleted",
            ChangeType::GroupRestored | ChangeType::UserRestored => "restored",
            ChangeType::UserErased => "erased",
            ChangeType::MembershipAdded => "added",
            ChangeType::MembershipRemoved => "removed",
            ChangeType::TokenDeleted => "revoked",
        };
        let place = place.map(|place| match kind {
            ChangeType::MembershipAdded => format!(" to {place}"),
            _ => format!(" from {place}"),
        });
        Html::new(format!("<b>{actor}</b> {verb} {object}{}", place.unwrap_or_default()))
    }

    /// A user who acted with a program.
    pub(in crate::console) fn through(user: &str, program: &str) -> String {
        format!("{user} with {program}")
    }
    pub(in crate::console) fn with_fields(name: &Html, fields: &Html) -> Html {
        Html::new(format!("{name}: {fields}"))
    }
    pub(in crate::console) fn this_group() -> Html {
        Html::new("this group".to_owned())
    }
    pub(in crate::console) fn this_user() -> Html {
        Html::new("this user".to_owned())
    }
    pub(in crate::console) fn groups(count: u64) -> Html {
        counted(count, "a group", "groups")
    }
    pub(in crate::console) fn users(count: u64) -> Html {
        counted(count, "a user", "users")
    }
    pub(in crate::console) fn people(count: u64) -> Html {
        counted(count, "a person", "people")
    }
    pub(in crate::console) fn clients(count: u64) -> Html {
        counted(count, "a client", "clients")
    }
    pub(in crate::console) fn tokens(count: u64) -> Html {
        counted(count, "a token", "tokens")
    }
    pub(in crate::console) fn keys(count: u64) -> Html {
        counted(count, "a signing key", "signing keys")
    }
    pub(in crate::console) fn token(name: &Html) -> Html {
        Html::new(format!("the token <b>{name}</b>"))
    }

    fn counted(count: u64, one: &str, many: &str) -> Html {
        if count == 1 {
            Html::new(one.to_owned())
        } else {
            Html::new(format!("<b class=\"num\">{}</b> {many}", number(&count)))
        }
    }

    /// How many changes a page of a timeline has.
    pub(in crate::console) fn shown(count: u64) -> String {
        if count == 1 { "1 change".to_owned() } else { format!("{} changes", number(&count)) }
    }
}

/// Histories, and the past of a group or user.
pub(super) mod history {
    pub(in crate::console) const HISTORY: &str = "History";
    pub(in crate::console) const AS_OF: &str = "As of";
    pub(in crate::console) const SHOW: &str = "Show";
    pub(in crate::console) const NOW: &str = "Now";
    pub(in crate::console) const BACK_TO_NOW: &str = "Back to now";
    pub(in crate::console) const THEN_AND_NOW: &str = "Then and now";
    pub(in crate::console) const SEE_WHO: &str = "See who";
    pub(in crate::console) const SAME: &str = "All other fields were the same.";
    pub(in crate::console) const ALL: &str = "All changes";
    pub(in crate::console) const FIELDS: &str = "Fields only";
    pub(in crate::console) const MEMBERS: &str = "Members only";
    pub(in crate::console) const GROUPS: &str = "Groups only";
    pub(in crate::console) const NEWEST_FIRST: &str = "Changes, newest first";
    pub(in crate::console) const NONE: &str = "No changes of this kind";
    pub(in crate::console) const NONE_LEAD: &str =
        "Nothing of this kind is kept. Choose all changes, or go back to the first page.";
    pub(in crate::console) const NOBODY_THEN: &str = "Nobody was in this group then";
    pub(in crate::console) const NO_GROUP_THEN: &str = "This user was in no group then";
    pub(in crate::console) const FROM: &str = "From";
    pub(in crate::console) const UNTIL: &str = "Until";
    pub(in crate::console) const BEGAN: &str = "How it began";
    pub(in crate::console) const ENDED: &str = "How it ended";
    pub(in crate::console) const LASTS: &str = "lasts";
    pub(in crate::console) const NOT_KEPT: &str = "no longer kept";
    pub(in crate::console) const MEMBERSHIPS: &str = "Memberships, the latest first";
    pub(in crate::console) const NEVER: &str = "They were never in this group, as far as it is kept.";
    pub(in crate::console) const SEE_CHANGE: &str = "See change";

    /// The kinds of changes that a history is limited to.
    pub(in crate::console) fn kind(kind: Option<&str>) -> &'static str {
        match kind {
            Some("fields") => FIELDS,
            Some("members") => MEMBERS,
            Some("groups") => GROUPS,
            _ => ALL,
        }
    }
    pub(in crate::console) fn of(name: &str) -> String {
        format!("History of {name}")
    }
    pub(in crate::console) fn as_it_was(moment: &str) -> String {
        format!("As it was on {moment}")
    }
    pub(in crate::console) fn not_yet(moment: &str) -> String {
        format!("On {moment} it did not exist yet.")
    }
    pub(in crate::console) fn members_on(moment: &str) -> String {
        format!("Members on {moment}")
    }
    pub(in crate::console) fn why(user: &str, group: &str) -> String {
        format!("Why {user} is in {group}")
    }
}

/// The changes of the directory.
pub(super) mod changes {
    use crate::domain::change_type::ChangeType;

    pub(in crate::console) const TITLE: &str = "Changes";
    pub(in crate::console) const NEWEST_FIRST: &str = "Changes, newest first";
    pub(in crate::console) const LIVE: &str = "Live";
    pub(in crate::console) const PAUSE: &str = "Pause";
    pub(in crate::console) const GO_ON: &str = "Go on";
    pub(in crate::console) const KIND: &str = "Kind of change";
    pub(in crate::console) const THROUGH: &str = "Through";
    pub(in crate::console) const GROUP: &str = "Of the group";
    pub(in crate::console) const GROUP_HINT: &str = "ID, or uid: and its number";
    pub(in crate::console) const USER: &str = "Of the user";
    pub(in crate::console) const USER_HINT: &str = "ID, or username: and a username";
    pub(in crate::console) const ACTOR: &str = "By the user";
    pub(in crate::console) const CLIENT: &str = "By the client";
    pub(in crate::console) const CLIENT_HINT: &str = "client_id";
    pub(in crate::console) const SINCE: &str = "Since";
    pub(in crate::console) const UNTIL: &str = "Until";
    pub(in crate::console) const NONE: &str = "No changes";
    pub(in crate::console) const NONE_LEAD: &str = "Clear the filters, or wait: changes appear here as they happen.";

    /// A type of change in words.
    pub(in crate::console) const fn kind(kind: ChangeType) -> &'static str {
        match kind {
            ChangeType::GroupCreated => "Group created",
            ChangeType::GroupUpdated => "Group changed",
            ChangeType::GroupDeleted => "Group deleted",
            ChangeType::GroupRestored => "Group restored",
            ChangeType::UserCreated => "User created",
            ChangeType::UserUpdated => "User changed",
            ChangeType::UserDeleted => "User deleted",
            ChangeType::UserRestored => "User restored",
            ChangeType::UserErased => "User erased",
            ChangeType::MembershipAdded => "Member added",
            ChangeType::MembershipRemoved => "Member removed",
            ChangeType::ClientCreated => "Client created",
            ChangeType::ClientUpdated => "Client changed",
            ChangeType::ClientDeleted => "Client deleted",
            ChangeType::TokenCreated => "Token created",
            ChangeType::TokenUpdated => "Token changed",
            ChangeType::TokenDeleted => "Token revoked",
            ChangeType::KeyCreated => "Signing key created",
        }
    }
    /// The name of a filter, without its value.
    pub(in crate::console) fn filter(name: &str) -> String {
        let own = match name {
            "type" => KIND,
            "channel" => THROUGH,
            "group" => GROUP,
            "user" => USER,
            "actor" => ACTOR,
            "client" => CLIENT,
            "since" => SINCE,
            "until" => UNTIL,
            "operation" => "Operation",
            "order" => "Order",
            other => other,
        };
        own.to_owned()
    }
    /// The value of a filter in words.
    pub(in crate::console) fn filter_value(name: &str, value: &str) -> String {
        let kind = value.parse().ok().filter(|_| name == "type").map(kind);
        let channel = value.parse().ok().filter(|_| name == "channel").map(super::timeline::channel);
        kind.or(channel).map_or_else(|| value.to_owned(), str::to_owned)
    }
}

/// One operation.
pub(super) mod operation {
    use crate::console::ui::number;
    use crate::domain::undo::UndoResult;

    pub(in crate::console) const OPERATION: &str = "Operation";
    pub(in crate::console) const THE_OPERATION: &str = "the operation";
    pub(in crate::console) const WHO: &str = "Who";
    pub(in crate::console) const THROUGH: &str = "Through";
    pub(in crate::console) const WHEN: &str = "When";
    pub(in crate::console) const REASON: &str = "Reason";
    pub(in crate::console) const UNDOES: &str = "Undoes";
    pub(in crate::console) const WHAT: &str = "What was done";
    pub(in crate::console) const NOT_LISTED: &str =
        "The list of changes is for those who may read all changes. You may undo what concerns your groups.";
    pub(in crate::console) const IF_UNDONE: &str = "If you undo it now";
    pub(in crate::console) const PREVIEW: &str = "Preview the undo";
    pub(in crate::console) const LARGE: &str = "It is a large operation: the preview takes a moment.";
    pub(in crate::console) const ARE_UNDONE: &str = "to be undone";
    pub(in crate::console) const NOTHING_TO_DO: &str = "without effect any more: nothing to do";
    pub(in crate::console) const CANNOT: &str = "cannot be undone: changed since";
    pub(in crate::console) const CONFLICTS: &str = "What has changed since";
    pub(in crate::console) const SKIP: &str = "Leave it out";
    pub(in crate::console) const FAIL: &str = "Undo all or nothing";
    pub(in crate::console) const TOO: &str = "This can be undone, too.";
    pub(in crate::console) const NOTHING_LEFT: &str = "Nothing of it is left to undo.";
    pub(in crate::console) const UNDO_ROLE: &str = "Undoing takes a role that changes groups or users.";

    pub(in crate::console) fn title(id: &str) -> String {
        format!("Operation {id}")
    }
    /// The button that undoes so many changes.
    pub(in crate::console) fn undo(changes: u64) -> String {
        if changes == 1 { "Undo 1 change".to_owned() } else { format!("Undo {} changes", number(&changes)) }
    }
    /// Why a change cannot be undone.
    pub(in crate::console) fn conflict(result: &UndoResult) -> String {
        match result {
            UndoResult::Conflict(fields) => {
                let fields: Vec<_> = fields.iter().map(|field| super::fields::field(field)).collect();
                format!("changed since: {}", fields.join(", "))
            }
            other => other.detail().unwrap_or_default(),
        }
    }
    /// What an undo did.
    pub(in crate::console) fn undone(undone: u64, nothing_to_do: u64, skipped: u64) -> String {
        let mut text = match (undone, nothing_to_do) {
            (0, _) => "Nothing was left to undo.".to_owned(),
            (1, _) => "1 change was undone.".to_owned(),
            (_, _) => format!("{} changes were undone.", number(&undone)),
        };
        match skipped {
            0 => {}
            1 => text += " 1 was left out.",
            _ => text += &format!(" {} were left out.", number(&skipped)),
        }
        text
    }
}

/// Deleted groups and users, and restoring them.
pub(super) mod deleted {
    pub(in crate::console) const TITLE: &str = "Deleted";
    pub(in crate::console) const LEAD: &str =
        "Nothing is lost here: a group comes back with its number, its labels and every member who still exists.";
    pub(in crate::console) const KIND: &str = "Kind";
    pub(in crate::console) const GROUPS: &str = "Groups";
    pub(in crate::console) const USERS: &str = "Users";
    pub(in crate::console) const SEARCH_GROUPS: &str = "Search deleted groups by name";
    pub(in crate::console) const SEARCH_USERS: &str = "Search deleted users by username";
    pub(in crate::console) const NAME: &str = "Name";
    pub(in crate::console) const USERNAME: &str = "Username";
    pub(in crate::console) const ID: &str = "ID";
    pub(in crate::console) const NUMBER: &str = "No.";
    pub(in crate::console) const MEMBERS_THEN: &str = "Members then";
    pub(in crate::console) const DELETED: &str = "Deleted";
    pub(in crate::console) const RESTORE: &str = "Restore";
    pub(in crate::console) const ERASED: &str = "Erased";
    pub(in crate::console) const NONE: &str = "Nothing is deleted";
    pub(in crate::console) const NONE_LEAD: &str = "What is deleted stays here, and can be restored.";
    pub(in crate::console) const NO_MATCH: &str = "Nothing deleted matches";
    pub(in crate::console) const WHAT_COMES_BACK: &str = "What comes back";
    pub(in crate::console) const PEOPLE_COME_BACK: &str = "in the group again, of its members when it was deleted";
    pub(in crate::console) const STAY_AWAY: &str = "of them not: their users are deleted";
    pub(in crate::console) const LABELS: &str =
        "of its labels, with the description, the extra data and the communities";
    pub(in crate::console) const GROUPS_THEN: &str =
        "of the groups that held them when they were deleted; those that still exist hold them again";
    pub(in crate::console) const NO_PASSWORD: &str = "Their password and tokens do not come back: set a new password.";
    pub(in crate::console) const NEW_ID: &str = "ID";
    pub(in crate::console) const TAKEN: &str = "Another one took this ID meanwhile. Choose a different one.";
    pub(in crate::console) const PROPOSED: &str = "The former ID was taken meanwhile. This one is free.";
    pub(in crate::console) const USERNAME_TAKEN: &str = "Another user has this username now. Choose a different one.";
    pub(in crate::console) const RESTORE_GROUP: &str = "Restore group";
    pub(in crate::console) const RESTORE_USER: &str = "Restore user";

    pub(in crate::console) fn question(name: &str) -> String {
        format!("Restore “{name}”?")
    }
    pub(in crate::console) fn restored_user(name: &str, groups: &str) -> String {
        format!("{name} was restored, in {groups} groups. They need a new password.")
    }
    /// How many there are.
    pub(in crate::console) fn matching(count: &str, is_users: bool) -> String {
        let noun = if is_users { "user" } else { "group" };
        format!("{count} deleted {noun}{}", if count == "1" { "" } else { "s" })
    }
}

/// The way to any group, user or page.
pub(super) mod find {
    pub(in crate::console) const FIND: &str = "Find";
    pub(in crate::console) const GO_TO: &str = "Go to";
    pub(in crate::console) const LABEL: &str = "Go to a group, a user or a page";
    pub(in crate::console) const PLACEHOLDER: &str = "Group, user or page";
    pub(in crate::console) const GROUPS: &str = "Groups";
    pub(in crate::console) const USERS: &str = "Users";
    pub(in crate::console) const PAGES: &str = "Pages";
    pub(in crate::console) const CHOOSE: &str = "choose";
    pub(in crate::console) const OPEN: &str = "open";
    pub(in crate::console) const CLOSE: &str = "close";
    pub(in crate::console) const NEW_GROUP: &str = "New group";
    pub(in crate::console) const NEW_USER: &str = "New user";

    pub(in crate::console) fn search_groups(term: &str) -> String {
        format!("Search all groups for “{term}”")
    }
    pub(in crate::console) fn search_users(term: &str) -> String {
        format!("Search all users for “{term}”")
    }
    pub(in crate::console) fn nothing(term: &str) -> String {
        format!("Nothing is called “{term}”.")
    }
    pub(in crate::console) fn members(count: i64) -> String {
        if count == 1 { "1 member".to_owned() } else { format!("{} members", crate::console::ui::number(&count)) }
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
