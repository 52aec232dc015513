//! Generated users, and their memberships in the generated groups: the same on every machine.

use std::ops::Range;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

const SEED: u64 = 0x7065_6f70_6c65;

const FIRST: [&str; 24] = [
    "Ana",
    "Jürgen",
    "Zoë",
    "François",
    "Ольга",
    "Юрий",
    "美咲",
    "伟",
    "민준",
    "فاطمة",
    "Müge",
    "Łukasz",
    "Ingrid",
    "João",
    "Siobhán",
    "Aino",
    "Priya",
    "Kwame",
    "Nguyễn",
    "Δημήτρης",
    "Anne-Marie",
    "Björn",
    "Chloé",
    "Rahul",
];
const LAST: [&str; 24] = [
    "López",
    "Müller",
    "O'Brien",
    "Lefèvre",
    "Кузнецова",
    "Иванов",
    "佐藤",
    "王",
    "김",
    "حسن",
    "Yılmaz",
    "Wójcik",
    "Sørensen",
    "da Silva",
    "Ó Súilleabháin",
    "Virtanen",
    "Iyer",
    "Mensah",
    "Trần",
    "Παπαδόπουλος",
    "Smith",
    "Lindström",
    "García",
    "Singh",
];
const DOMAINS: [&str; 4] = ["example.com", "example.org", "mail.example.net", "werk.example.de"];
const TITLES: [&str; 6] = ["Engineer", "Buchhalterin", "Clerk", "Chef de projet", "Fahrer", "監査"];

/// A user: the body of an OrderCloud POST.
pub(crate) struct Person {
    /// The ID.
    pub id: String,
    /// The username.
    pub username: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The email address.
    pub email: String,
    /// The phone number, if there is one.
    pub phone: Option<String>,
    /// The xp document; most users have one.
    pub xp: Option<Value>,
}

/// The ID of the user with this number.
pub(crate) fn id(number: usize) -> String {
    format!("u{number:07}")
}

/// The user with this number.
pub(crate) fn person(number: usize) -> Person {
    let mut rng = StdRng::seed_from_u64(SEED.wrapping_add(number as u64));
    let mut pick = |from: &[&'static str]| *from.choose(&mut rng).unwrap_or(&"");
    let (first_name, last_name, title) = (pick(&FIRST), pick(&LAST), pick(&TITLES));
    let email = format!("user.{number}@{}", pick(&DOMAINS));
    let hired = format!("20{:02}-{:02}-{:02}", number % 26, 1 + number % 12, 1 + number % 28);
    let xp = json!({ "Title": title, "Hired": hired, "Desk": rng.random_range(1..20_000) });
    Person {
        id: id(number),
        username: format!("user{number:07}"),
        first_name: first_name.to_owned(),
        // Few users share both names, as in a directory of many.
        last_name: format!("{last_name}-{}", number % 5_000),
        email,
        phone: number.is_multiple_of(3).then(|| format!("+49 30 {:07}", number % 10_000_000)),
        xp: (!number.is_multiple_of(5)).then_some(xp),
    }
}

/// The group that has every user as a member.
pub(crate) const EVERYBODY: usize = 0;
/// A group of ten.
pub(crate) const TEN: usize = 1;
/// The user who is in many groups.
pub(crate) const BUSY: usize = 0;

/// The memberships: every user in one group, one user in one of 200 groups, and the other memberships in groups of
/// every size, some large and many small.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memberships {
    groups: usize,
    users: usize,
    /// The number of memberships to distribute over the ordinary groups.
    spread: usize,
}

impl Memberships {
    /// About this many memberships; fewer if a large group would need more users than there are.
    pub(crate) fn new(groups: usize, users: usize, memberships: usize) -> Self {
        let special = users + TEN_MEMBERS.len() + groups / MANY;
        Self { groups, users, spread: memberships.saturating_sub(special) }
    }

    /// The number of groups of the busy user.
    pub(crate) fn of_busy(&self) -> usize {
        // The first of these groups is the one with every user.
        self.groups.div_ceil(MANY)
    }

    /// The users in a group, without duplicates.
    pub(crate) fn of(&self, group: usize) -> Box<dyn Iterator<Item = usize>> {
        match group {
            EVERYBODY => Box::new(0..self.users),
            TEN => Box::new(TEN_MEMBERS),
            group => {
                let busy = group.is_multiple_of(MANY).then_some(BUSY);
                Box::new(busy.into_iter().chain(self.others(group)))
            }
        }
    }

    fn others(&self, group: usize) -> impl Iterator<Item = usize> + use<> {
        // A stride without a common factor with the count reaches every index once.
        const STRIDE: usize = 611_953;
        const USERS: usize = 104_729;
        let (ranks, users) = (self.groups.saturating_sub(2).max(1), self.users.saturating_sub(1).max(1));
        let rank = (group * STRIDE) % ranks;
        let size = (self.memberships_up_to(rank + 1, ranks) - self.memberships_up_to(rank, ranks)).min(users);
        let first = group.wrapping_mul(7_919) % users;
        (0..size).map(move |nth| 1 + (first + nth * USERS) % users)
    }

    /// The number of memberships in the `rank` largest groups together.
    fn memberships_up_to(&self, rank: usize, ranks: usize) -> usize {
        (self.spread as f64 * (rank as f64 / ranks as f64).powf(0.3)) as usize
    }
}

/// One group in this many has the busy user.
const MANY: usize = 200;
const TEN_MEMBERS: Range<usize> = 1..11;
