//! List requests as parameters of a URL, in all spellings that the rules allow (docs/ordercloud.md, section 6).

use super::oracle::{Alternative, Field, Filter, ListRequest, Relation, Search, Sort, Test};

/// The parameters of the request, without those of the page.
pub(super) fn parameters(request: &ListRequest) -> Vec<(String, String)> {
    let mut parameters: Vec<_> = request.filters.iter().map(filter).collect();
    if let Some(Search { term, on }) = &request.search {
        parameters.push(("search".to_owned(), term.clone()));
        if !on.is_empty() {
            parameters.push(("searchOn".to_owned(), on.iter().map(name).collect::<Vec<_>>().join(",")));
        }
    }
    if !request.sort.is_empty() {
        parameters.push(("sortBy".to_owned(), request.sort.iter().map(sort_key).collect::<Vec<_>>().join(",")));
    }
    parameters
}

fn name(field: &Field) -> String {
    match field {
        Field::Own(name, _) => (*name).to_owned(),
        Field::Xp(path) => format!("xp.{path}"),
    }
}

fn sort_key(Sort { field, descending }: &Sort) -> String {
    format!("{}{}", if *descending { "!" } else { "" }, name(field))
}

fn filter(Filter { field, alternatives }: &Filter) -> (String, String) {
    let variant = alternatives.first().map_or(0, |alternative| alternative.spelling);
    let name = match field {
        Field::Own(name, _) if variant & 1 == 1 => name.to_uppercase(),
        Field::Xp(path) if variant & 1 == 1 => format!("XP.{path}"),
        field => name(field),
    };
    let mut spelled: Vec<_> = alternatives.iter().map(alternative).collect();
    if variant & 2 == 2 {
        spelled.push(String::new()); // an empty alternative is ignored
    }
    (name, spelled.join("|"))
}

fn alternative(Alternative { negated, test, spelling }: &Alternative) -> String {
    let choose = |spellings: &[&str]| spellings[usize::from(*spelling) % spellings.len()].to_owned();
    let operator = choose(if *negated { &["!", "!=", "=!", "!!!"] } else { &["", "=", "!!", "=="] });
    let every = spelling & 64 == 64;
    match test {
        Test::Present => operator + &choose(&["*", "**"]),
        Test::Equal(text) => operator + &escaped(text, "!=<>", "*|\\", every),
        Test::Like(runs) => {
            let (first, rest) = runs.split_first().expect("runs");
            let rest = rest.iter().map(|run| format!("*{}", escaped(run, "", "*|\\", every)));
            operator + &escaped(first, "!=<>", "*|\\", every) + &rest.collect::<String>()
        }
        Test::Compare(relation, text) => choose(comparisons(*relation)) + &escaped(text, "=", "|\\", every),
    }
}

fn comparisons(relation: Relation) -> &'static [&'static str] {
    match relation {
        Relation::Less => &["<", "!>=", "!!<", "!=>"],
        Relation::LessOrEqual => &["<=", "=<", "!>"],
        Relation::Greater => &[">", "!<=", "!!>", "!=<"],
        Relation::GreaterOrEqual => &[">=", "=>", "!<"],
    }
}

/// The text with a backslash before every character with a special meaning, or before every character.
fn escaped(text: &str, at_the_begin: &str, anywhere: &str, every: bool) -> String {
    let mut spelled = String::new();
    for (at, character) in text.chars().enumerate() {
        if every || anywhere.contains(character) || at == 0 && at_the_begin.contains(character) {
            spelled.push('\\');
        }
        spelled.push(character);
    }
    spelled
}
