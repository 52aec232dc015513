//! Generated groups: the same on every machine, with shapes from real directories.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rollbook::domain::community::{Communities, Community};
use rollbook::domain::labels::{Labels, Tag};
use serde_json::json;

const SEED: u64 = 0x726f_6c6c_626f_6f6b;
/// The number of groups that share a codename.
pub(crate) const SHARED_BY: usize = 10;

/// The prefixes of IDs.
pub(crate) const SLUGS: [&str; 8] = ["support", "sales", "logistics", "it", "finance", "legal", "hr", "quality"];
const TEAMS: [&str; 16] = [
    "Support",
    "Vertrieb",
    "Compras",
    "Ingénierie",
    "Логистика",
    "物流センター",
    "人事",
    "마케팅",
    "Finance",
    "Legal",
    "Field service",
    "Qualität",
    "Instandhaltung",
    "Ayuda al cliente",
    "Warehouse",
    "المبيعات",
];
const CITIES: [(&str, &str); 16] = [
    ("Berlin", "DE"),
    ("Zürich", "CH"),
    ("São Paulo", "BR"),
    ("東京", "JP"),
    ("Москва", "RU"),
    ("Kraków", "PL"),
    ("Montréal", "CA"),
    ("القاهرة", "EG"),
    ("Göteborg", "SE"),
    ("İzmir", "TR"),
    ("서울", "KR"),
    ("London", "GB"),
    ("New York", "US"),
    ("Bengaluru", "IN"),
    ("Łódź", "PL"),
    ("Αθήνα", "GR"),
];
const DUTIES: [&str; 10] = [
    "Answers the phone and every letter",
    "Betreut Bestandskunden und Neukunden",
    "Gère les commandes urgentes",
    "Plans shifts, leave and cover",
    "Отвечает за склад и доставку",
    "設備の保守と点検",
    "Signs contracts above the limit",
    "Keeps the machines running at night",
    "Revisa facturas y devoluciones",
    "Looks after visitors and keys",
];
const TAGS: [&str; 12] = [
    "night",
    "remote",
    "forklift",
    "first-aid",
    "on-call",
    "vip",
    "interim",
    "union",
    "export",
    "audit",
    "pilot",
    "24/7",
];
const SYLLABLES: [&str; 24] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro", "su", "ta", "ve", "wi", "xo",
    "yu", "za", "bre", "cli", "gri",
];

/// The ID of the group with this number.
pub(crate) fn id(number: usize) -> String {
    format!("{}-{number:06}", SLUGS[number % SLUGS.len()])
}

/// A word that [`SHARED_BY`] of `of` groups have in their description and, as `Project`, in their xp.
pub(crate) fn codename(number: usize, of: usize) -> String {
    // A stride without a common factor with 24^4 gives neighbours different words, and no word twice.
    let mut word = number % (of / SHARED_BY).max(1) * 104_729 % SYLLABLES.len().pow(4);
    let mut name = String::new();
    for _ in 0..4 {
        name.push_str(SYLLABLES[word % SYLLABLES.len()]);
        word /= SYLLABLES.len();
    }
    name
}

/// The body of an OrderCloud POST: the group without its ID.
pub(crate) struct GeneratedGroup {
    /// The name.
    pub name: String,
    /// The description.
    pub description: String,
    /// The xp document.
    pub xp: serde_json::Value,
}

/// The group with this number, in a directory of `of` groups.
pub(crate) fn group(number: usize, of: usize) -> GeneratedGroup {
    let mut rng = StdRng::seed_from_u64(SEED.wrapping_add(number as u64));
    let (team, (city, country)) = (pick(&TEAMS, &mut rng), pick(&CITIES, &mut rng));
    let codename = codename(number, of);
    let tags: Vec<_> = TAGS.sample(&mut rng, number % 4).collect();
    let since = format!("20{:02}-{:02}-{:02}", 10 + number % 16, 1 + number % 12, 1 + number % 28);
    GeneratedGroup {
        name: format!("{team} {city} {}", number % 10_000),
        description: format!("{}. Project {codename}.", pick(&DUTIES, &mut rng)),
        xp: json!({
            "Project": codename,
            "Floor": rng.random_range(-2..30),
            "Budget": f64::from(rng.random_range(10_000..9_999_999)) / 100.0,
            "Site": { "City": city, "Country": country, "Shared": rng.random_bool(0.3) },
            "Since": since,
            "Tags": tags,
        }),
    }
}

fn pick<T: Copy>(from: &[T], rng: &mut StdRng) -> T {
    from[rng.random_range(0..from.len())]
}

/// Labels in three languages, one of them English, around a name.
pub(crate) fn labels(name: &str) -> anyhow::Result<Labels> {
    let label = |tag: &str, label: String| Tag::parse(tag).map(|tag| (tag, label));
    let named = [label("en", name.to_owned()), label("de", format!("{name} (Gruppe)")), label("ja", name.to_owned())];
    Labels::new(named.into_iter().flatten().collect()).map_err(anyhow::Error::msg)
}

/// One to three of fifty communities.
pub(crate) fn communities(number: usize) -> Communities {
    (0..=number % 3).filter_map(|nth| Community::parse(&format!("{:032x}", 1 + (number + nth * 7) % 50))).collect()
}
