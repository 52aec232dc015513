//! What is asked of every peer, and what it is asked about.

use clap::ValueEnum;

use super::support::generate;

/// The number of connections at which peers are compared.
pub const USUAL: usize = 16;
/// How many users there are; the first is in every group of a peer whose groups need a member.
pub const USERS: usize = 1_000;
/// How many things a page of a list has.
pub const PAGE: usize = 20;

/// One kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Question {
    /// An answer that is always the same.
    Fixed,
    /// A group by its key, any of them as likely as any other.
    Read,
    /// A new group.
    Create,
    /// A user who becomes a member of a group.
    Join,
    /// The groups whose name contains a text, of which there are about seven.
    Find,
    /// The first page of all groups.
    List,
}

impl Question {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 6] = [Self::Fixed, Self::Read, Self::Find, Self::List, Self::Join, Self::Create];

    /// Whether it changes the directory.
    pub fn is_writing(self) -> bool {
        matches!(self, Self::Create | Self::Join)
    }

    /// How many connections ask at a time, one after the other.
    pub fn connections(self) -> &'static [usize] {
        match self {
            Self::Fixed | Self::Read | Self::Create => &[1, USUAL, 64],
            Self::Join | Self::Find | Self::List => &[USUAL],
        }
    }

    /// What its table is about.
    pub fn title(self) -> &'static str {
        match self {
            Self::Fixed => "A fixed answer",
            Self::Read => "A group by its key",
            Self::Find => "Groups whose name contains a text",
            Self::List => "The first page of all groups",
            Self::Join => "A new member of a group, durably",
            Self::Create => "A new group, durably",
        }
    }
}

/// The text that is looked for in names: of the group with this number the last word before the digits, and of the
/// digits so many that about seven of so many groups have it.
pub fn text(number: usize, of: usize) -> String {
    let name = generate::group(number, of).name;
    let Some((words, digits)) = name.rsplit_once(' ') else { return name };
    let word = words.rsplit_once(' ').map_or(words, |(_, last)| last);
    let kept = usize::try_from(of.max(1).ilog10()).unwrap_or_default().saturating_sub(2).clamp(1, 4);
    format!("{word} {}", digits.get(..kept).unwrap_or(digits))
}

/// The ID of the user with this number.
pub fn user(number: usize) -> String {
    format!("u{number:07}")
}

/// The IDs of a group and of a user: another pair for each number, until all groups have all users.
pub fn pair(number: usize, of: usize) -> (String, String) {
    // A prime, so that neighbours are far apart and every group comes once before any comes twice.
    const STRIDE: usize = 7_919;
    let joins = 1 + number / of % (USERS - 1);
    (generate::id(number * STRIDE % of), user(joins))
}
