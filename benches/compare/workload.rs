//! The workloads that every peer runs, and their data.

use clap::ValueEnum;

use super::support::generate;

/// The number of connections for comparisons.
pub(crate) const USUAL: usize = 16;
/// How many users there are; the first is in every group of a peer whose groups need a member.
pub(crate) const USERS: usize = 1_000;
/// The page size of lists.
pub(crate) const PAGE: usize = 20;

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// A response that is always the same.
    Fixed,
    /// A group by its key, uniformly distributed.
    Read,
    /// A new group.
    Create,
    /// A new membership of a user in a group.
    Join,
    /// The groups whose name contains a text: about seven.
    Find,
    /// The first page of all groups.
    List,
}

impl Workload {
    /// All workloads, in the order in which they run.
    pub(crate) const ALL: [Self; 6] = [Self::Fixed, Self::Read, Self::Find, Self::List, Self::Join, Self::Create];

    /// Whether the workload changes the directory.
    pub(crate) fn is_writing(self) -> bool {
        matches!(self, Self::Create | Self::Join)
    }

    /// The numbers of connections with which it runs, one after the other.
    pub(crate) fn connections(self) -> &'static [usize] {
        match self {
            Self::Fixed | Self::Read | Self::Create => &[1, USUAL, 64],
            Self::Join | Self::Find | Self::List => &[USUAL],
        }
    }

    /// The title of its table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Fixed => "A fixed response",
            Self::Read => "A group by its key",
            Self::Find => "Groups whose name contains a text",
            Self::List => "The first page of all groups",
            Self::Join => "A new member of a group, durably",
            Self::Create => "A new group, durably",
        }
    }
}

/// The search text for names: the last word before the digits in the name of the group with this number, and so many of
/// the digits that about seven of `of` groups match.
pub(crate) fn text(number: usize, of: usize) -> String {
    let name = generate::group(number, of).name;
    let Some((words, digits)) = name.rsplit_once(' ') else { return name };
    let word = words.rsplit_once(' ').map_or(words, |(_, last)| last);
    let kept = usize::try_from(of.max(1).ilog10()).unwrap_or_default().saturating_sub(2).clamp(1, 4);
    format!("{word} {}", digits.get(..kept).unwrap_or(digits))
}

/// The ID of the user with this number.
pub(crate) fn user(number: usize) -> String {
    format!("u{number:07}")
}

/// The IDs of a group and of a user: another pair for each number, until all groups have all users.
pub(crate) fn pair(number: usize, of: usize) -> (String, String) {
    // A prime, so that neighbours are far apart and every group comes once before any comes twice.
    const STRIDE: usize = 7_919;
    let joins = 1 + number / of % (USERS - 1);
    (generate::id(number * STRIDE % of), user(joins))
}
