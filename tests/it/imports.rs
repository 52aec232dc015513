//! The architecture as tests: the allowed imports between the parts of the program, and the map of ARCHITECTURE.md.
//! Every path in `src/` that starts with `crate::` or `super::` is resolved to the part that it names and compared with
//! [`ALLOWED_IMPORTS`]. Tests inside the files are left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// For each part, the parts that it may import. A part may always import itself; the crate's root (`lib.rs`, `main.rs`)
/// connects the parts and may import all.
const ALLOWED_IMPORTS: &[(&str, &[&str])] = &[
    // Every layer may use JSON values and the names of metrics.
    ("json", &[]),
    ("metric_names", &[]),
    ("domain", &["json"]),
    ("auth", &["domain"]),
    ("store", &["domain"]),
    ("store::sql", &["store", "store::migrate", "domain", "json"]),
    ("store::migrate", &["domain"]),
    // The conformance suite of the stores is built for tests only.
    ("store::suite", &["store", "store::sql", "domain", "json"]),
    ("store::sqlite", &["store", "store::sql", "store::migrate", "domain", "metric_names"]),
    ("store::postgres", &["store", "store::sql", "store::migrate", "domain", "metric_names"]),
    ("service", &["store", "auth", "domain", "metric_names"]),
    ("http", &["service", "domain", "json", "metric_names"]),
    ("api", &["http", "domain"]),
    ("api::core", &["api", "http", "service", "domain", "json"]),
    ("api::ordercloud", &["api", "http", "service", "domain", "json"]),
    ("api::rollbook", &["api", "http", "service", "domain", "json"]),
    ("api::scim", &["api", "http", "service", "domain", "json"]),
    ("console", &["http", "service", "domain", "json"]),
    // A line of an import is parsed by the code that parses the body of a request.
    ("bulk", &["http", "service", "domain", "json"]),
    // The domain checks the length of a preset client's secret and the tag of the default language.
    ("config", &["domain"]),
    ("telemetry", &["config", "metric_names"]),
    // `serve` passes the routes that `lib.rs` builds to the server.
    ("cli", &["config", "telemetry", "http", "bulk", "service", "domain", "root"]),
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
    assert!(forbidden.is_empty(), "not among the allowed imports:\n{}", Vec::from_iter(forbidden).join("\n"));
    let unused = |(from, to): &(&str, &str)| !used.contains(&(*from, *to));
    let listed = ALLOWED_IMPORTS.iter().flat_map(|(from, all)| all.iter().map(move |to| (*from, *to)));
    assert_eq!(listed.filter(unused).collect::<Vec<_>>(), [], "no code uses these imports: remove them from the table");
}

/// Crates for wire formats, HTTP and SQL, which `src/domain/` must not name.
const NOT_IN_DOMAIN: &[&str] = &[
    "serde",
    "serde_json",
    "utoipa",
    "bytes",
    "http",
    "hyper",
    "axum",
    "tower",
    "rusqlite",
    "tokio_postgres",
    "sea_query",
    "tokio",
];

#[test]
fn the_domain_knows_no_wire_format_http_or_sql() {
    let mut found = Vec::new();
    for file in sources(&root().join("domain")) {
        let code = production_code(&fs::read_to_string(&file).unwrap());
        let names = |crate_name: &&&str| names_crate(&code, crate_name);
        found.extend(NOT_IN_DOMAIN.iter().filter(names).map(|name| format!("{}: {name}", file.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(names_crate("x serde::Serialize", "serde") && !names_crate("my_serde::x serde_json::y", "serde"));
}

/// Whether the code has a path that begins with the name.
fn names_crate(code: &str, name: &str) -> bool {
    let starts = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':'));
    code.match_indices(&format!("{name}::")).any(|(at, _)| starts(at))
}

#[test]
fn the_map_names_every_folder_and_every_file_at_the_root() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let named = BTreeSet::from_iter(paths_of_the_map(&page));
    let present = map_entries(&root(), "src/");
    let missing: Vec<_> = present.difference(&named).collect();
    assert!(missing.is_empty(), "the map in ARCHITECTURE.md does not name {missing:?}");
    let stale: Vec<_> = named.difference(&present).collect();
    assert!(stale.is_empty(), "the map in ARCHITECTURE.md names {stale:?}, which do not exist");
}

#[test]
fn paths_of_the_map_are_recognised() {
    let page = "`src/a/`\n## The map\n| `src/b.rs`, `src/c/` | code `src/d/` |\n`src/e/`\n## Next\n| `src/f/` | |\n";
    assert_eq!(paths_of_the_map(page), ["src/b.rs", "src/c/"]);
}

/// The paths in the first column of the table under "The map"; a folder ends with a slash.
fn paths_of_the_map(page: &str) -> Vec<String> {
    let section = page.split("\n## ").find_map(|section| section.strip_prefix("The map\n")).unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let quoted = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    quoted.filter(|path| path.starts_with("src/")).map(str::to_owned).collect()
}

/// What the map must name: every folder in `folder` and below, and the files directly in `folder`.
fn map_entries(folder: &Path, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            let inner = map_entries(&entry.path(), &format!("{path}/"));
            found.extend(inner.into_iter().filter(|path| path.ends_with('/')));
            found.insert(path + "/");
        } else {
            found.insert(path);
        }
    }
    found
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

/// The parts that `from` may import.
fn allowed(from: &str) -> &'static [&'static str] {
    let entry = ALLOWED_IMPORTS.iter().find(|(part, _)| *part == from);
    entry.unwrap_or_else(|| panic!("{from} is missing from ALLOWED_IMPORTS")).1
}

/// The most specific part that a module belongs to; the crate's root if no part has the module.
fn part_of(module: &[String]) -> &'static str {
    let holds = |part: &str| part.split("::").zip(module).filter(|(a, b)| a == b).count() == part.split("::").count();
    let parts = ALLOWED_IMPORTS.iter().map(|(part, _)| *part).filter(|part| holds(part));
    parts.max_by_key(|part| part.len()).unwrap_or("root")
}

/// The absolute form of a path that is written in the module `here`.
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

/// Every path that starts with `crate` or `super`. Each name in braces gives a path.
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

/// The names at the top level of a brace group, without nested groups.
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

/// The code without comments and without the test module at its end.
fn production_code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect()
}

/// The folder `src/`.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file in the folder and below, without files and folders of tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let code = entries.filter(|path| path.file_stem().is_none_or(|name| name != "tests"));
    let files = code.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|own| own == "rs")).collect()
}

/// The module path of a file: `store/sqlite/mod.rs` is `store::sqlite`.
fn module_of(file: &Path) -> Vec<String> {
    let relative = file.strip_prefix(root()).unwrap().with_extension("");
    let names = relative.iter().map(|name| name.to_str().unwrap().to_owned());
    names.filter(|name| !["mod", "lib", "main"].contains(&name.as_str())).collect()
}
