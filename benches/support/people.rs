//! Made-up users, and who of them is in which of the made-up groups: the same on every machine.

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

/// A user: all that OrderCloud's POST says.
pub struct Person {
    pub id: String,
    pub username: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub phone: Option<String>,
    /// Most have one.
    pub xp: Option<Value>,
}

/// The ID of the user with this number.
pub fn id(number: usize) -> String {
    format!("u{number:07}")
}

/// The user with this number.
pub fn person(number: usize) -> Person {
    let mut dice = StdRng::seed_from_u64(SEED.wrapping_add(number as u64));
    let mut pick = |from: &[&'static str]| *from.choose(&mut dice).unwrap_or(&"");
    let (first_name, last_name, title) = (pick(&FIRST), pick(&LAST), pick(&TITLES));
    let email = format!("user.{number}@{}", pick(&DOMAINS));
    let hired = format!("20{:02}-{:02}-{:02}", number % 26, 1 + number % 12, 1 + number % 28);
    let xp = json!({ "Title": title, "Hired": hired, "Desk": dice.random_range(1..20_000) });
    Person {
        id: id(number),
        username: format!("user{number:07}"),
        first_name: first_name.to_owned(),
        // Few share both names, as in a directory of many.
        last_name: format!("{last_name}-{}", number % 5_000),
        email,
        phone: number.is_multiple_of(3).then(|| format!("+49 30 {:07}", number % 10_000_000)),
        xp: (!number.is_multiple_of(5)).then_some(xp),
    }
}

/// The group that every user is in.
pub const EVERYBODY: usize = 0;
/// A group of ten.
pub const TEN: usize = 1;
/// The user who is in many groups.
pub const BUSY: usize = 0;

/// Who is in which group: everybody in one, one user in one of 200 groups, and the rest in groups of every size, a few
/// large and many small.
#[derive(Clone, Copy, Debug)]
pub struct Memberships {
    groups: usize,
    users: usize,
    /// To be spread over the groups that are nothing special.
    spread: usize,
}

impl Memberships {
    /// About so many memberships; fewer where there are too few users for a large group.
    pub fn new(groups: usize, users: usize, memberships: usize) -> Self {
        let special = users + TEN_MEMBERS.len() + groups / MANY;
        Self { groups, users, spread: memberships.saturating_sub(special) }
    }

    /// In how many groups the busy user is.
    pub fn of_busy(&self) -> usize {
        // The first of them is the one that everybody is in.
        self.groups.div_ceil(MANY)
    }

    /// The users in a group, none twice.
    pub fn of(&self, group: usize) -> Box<dyn Iterator<Item = usize>> {
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
        // Strides without a common factor with what they count in reach every place once.
        const PLACES: usize = 611_953;
        const USERS: usize = 104_729;
        let (places, users) = (self.groups.saturating_sub(2).max(1), self.users.saturating_sub(1).max(1));
        let place = (group * PLACES) % places;
        let size = (self.up_to(place + 1, places) - self.up_to(place, places)).min(users);
        let first = group.wrapping_mul(7_919) % users;
        (0..size).map(move |nth| 1 + (first + nth * USERS) % users)
    }

    /// How many there are in the `place` largest groups together.
    fn up_to(&self, place: usize, places: usize) -> usize {
        (self.spread as f64 * (place as f64 / places as f64).powf(0.3)) as usize
    }
}

/// One of so many groups has the busy user.
const MANY: usize = 200;
const TEN_MEMBERS: Range<usize> = 1..11;
