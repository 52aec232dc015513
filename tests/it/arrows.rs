//! The architecture, executable: which part of the program may name which other. Every path that starts with
//! `crate::` or `super::` in `src/` is resolved to the part it leads to, tests inside the files left out, and held
//! against [`ARROWS`].

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From each part, the parts it may name. A part may always name itself; the crate's root (`lib.rs`, `main.rs`)
/// wires everything together and may name all.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("auth", &["domain"]),
    ("store", &["domain"]),
    ("store::sql", &["store", "domain"]),
    ("store::migrate", &["domain"]),
    // The conformance suite of every store, built for tests alone.
    ("store::suite", &["store", "store::sql", "domain"]),
    ("store::sqlite", &["store", "store::sql", "store::migrate", "domain"]),
    ("store::postgres", &["store", "store::sql", "store::migrate", "domain"]),
    ("service", &["store", "auth", "domain"]),
    ("http", &["service", "domain"]),
    ("dialect", &["http", "domain"]),
    ("dialect::core", &["dialect", "http", "service", "domain"]),
    ("dialect::ordercloud", &["dialect", "http", "service", "domain"]),
    ("interchange", &["service", "domain"]),
    // The bounds of a preset client's secret are the directory's rule, and its tag a language of the directory.
    ("config", &["domain"]),
    // The buckets of the server's histograms are set where all metrics are.
    ("telemetry", &["config", "http"]),
    // `serve` hands the routes that `lib.rs` made to the server.
    ("cli", &["config", "telemetry", "http", "interchange", "service", "domain", "root"]),
];

#[test]
fn imports_point_inward_only() {
    let mut forbidden = BTreeSet::new();
    let mut used = BTreeSet::new();
    for file in sources(&root()) {
        let here = module_of(&file);
        let from = part_of(&here);
        for path in paths_in(&production_code(&fs::read_to_string(&file).unwrap())) {
            let to = part_of(&resolve(&here, &path));
            if from == "root" || from == to {
                continue;
            }
            match allowed(from).contains(&to) {
                true => _ = used.insert((from, to)),
                false => _ = forbidden.insert(format!("{}: {from} -> {to} ({path})", file.display())),
            }
        }
    }
    assert!(forbidden.is_empty(), "not among the allowed arrows:\n{}", Vec::from_iter(forbidden).join("\n"));
    let unused = |(from, to): &(&str, &str)| !used.contains(&(*from, *to));
    let arrows = ARROWS.iter().flat_map(|(from, all)| all.iter().map(move |to| (*from, *to)));
    assert_eq!(arrows.filter(unused).collect::<Vec<_>>(), [], "nothing needs these arrows: take them away");
}

#[test]
fn paths_are_recognised() {
    let code = "use crate::{Purpose, app, store::sql::{render, tables}};\nuse super::super::sql;\nlet x = crate::auth::jwt::kid(y);";
    let found = paths_in(code);
    assert_eq!(
        found,
        ["crate::Purpose", "crate::app", "crate::store::sql", "super::super::sql", "crate::auth::jwt::kid"]
    );
    assert_eq!(part_of(&resolve(&["store", "sqlite", "lists"].map(String::from), "super::super::sql")), "store::sql");
    assert_eq!(part_of(&resolve(&["cli"].map(String::from), "crate::Purpose")), "root");
    assert_eq!(production_code("a // crate::x\n/// crate::y\n#[cfg(test)]\nmod tests {\ncrate::z"), "a \n\n");
}

fn allowed(from: &str) -> &'static [&'static str] {
    let arrows = ARROWS.iter().find(|(part, _)| *part == from);
    arrows.unwrap_or_else(|| panic!("{from} is no part of the map: add it to ARROWS")).1
}

/// The most particular part that a module belongs to; the crate's root where it is no module of its own.
fn part_of(module: &[String]) -> &'static str {
    let holds = |part: &str| part.split("::").zip(module).filter(|(a, b)| a == b).count() == part.split("::").count();
    let parts = ARROWS.iter().map(|(part, _)| *part).filter(|part| holds(part));
    parts.max_by_key(|part| part.len()).unwrap_or("root")
}

/// The absolute path that a path means in the module `here`.
fn resolve(here: &[String], path: &str) -> Vec<String> {
    let mut at = here.to_vec();
    for segment in path.split("::") {
        match segment {
            "crate" => at.clear(),
            "super" => _ = at.pop(),
            name => at.push(name.to_owned()),
        }
    }
    at
}

/// Every path that starts with `crate` or `super`, each name in braces as a path of its own.
fn paths_in(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut rest = code;
    while let Some(at) = [rest.find("crate::"), rest.find("super::")].into_iter().flatten().min() {
        let inside_a_name = rest[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | ':'));
        let path: String = rest[at..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect();
        let end = at + path.len();
        if !inside_a_name {
            match rest[end..].strip_prefix('{') {
                Some(group) => paths.extend(names_in_braces(group).into_iter().map(|name| format!("{path}{name}"))),
                None => paths.push(path),
            }
        }
        rest = &rest[end..];
    }
    paths
}

/// The names at the top level of a brace group, each without a brace group of its own.
fn names_in_braces(group: &str) -> Vec<String> {
    let (mut names, mut depth) = (vec![String::new()], 0);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(String::new()),
            c if depth == 0 && !c.is_whitespace() => names.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    names.into_iter().map(|name| name.trim_end_matches(':').to_owned()).filter(|name| !name.is_empty()).collect()
}

/// The code without comments and without the tests at its end.
fn production_code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let code = entries.filter(|path| path.file_stem().is_none_or(|name| name != "tests"));
    let files = code.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|own| own == "rs")).collect()
}

/// The module that a file is: `store/sqlite/mod.rs` is `store::sqlite`.
fn module_of(file: &Path) -> Vec<String> {
    let relative = file.strip_prefix(root()).unwrap().with_extension("");
    let names = relative.iter().map(|name| name.to_str().unwrap().to_owned());
    names.filter(|name| !["mod", "lib", "main"].contains(&name.as_str())).collect()
}
