//! The file from which a directory is imported: generated groups, users and memberships, one per line.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::disk;
use crate::people::{self, Memberships, Person};
use crate::support::generate;

/// The size of a directory.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Number of groups
    #[arg(long, default_value_t = 1_000_000, global = true)]
    pub groups: usize,
    /// Number of users; by default, as many as groups
    #[arg(long, global = true)]
    users: Option<usize>,
    /// Number of memberships; by default, ten for each group
    #[arg(long, global = true)]
    memberships: Option<usize>,
}

/// The arguments of `generate`.
#[derive(Args)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    size: Size,
    /// The file to write
    #[arg(long)]
    out: PathBuf,
}

impl Size {
    /// This many groups, with the default number of users and memberships.
    pub(crate) fn of_groups(groups: usize) -> Self {
        Self { groups, users: None, memberships: None }
    }

    /// The number of users.
    pub(crate) fn users(&self) -> usize {
        self.users.unwrap_or(self.groups)
    }

    /// The members of each group.
    pub(crate) fn memberships(&self) -> Memberships {
        Memberships::new(self.groups, self.users(), self.memberships.unwrap_or(10 * self.groups))
    }

    /// The approximate size of the file in bytes.
    fn file_bytes(&self) -> u64 {
        (480 * self.groups + 260 * self.users() + 70 * self.memberships.unwrap_or(10 * self.groups)) as u64
    }

    /// The approximate size of a database in bytes, including its log while it is filled.
    pub(crate) fn database_bytes(&self) -> u64 {
        (4_500 * self.groups + 2_500 * self.users() + 400 * self.memberships.unwrap_or(10 * self.groups)) as u64
    }
}

/// Writes the file, if there is space for it.
pub(crate) fn generate(GenerateArgs { size, out }: &GenerateArgs) -> anyhow::Result<()> {
    let lines = write(size, out)?;
    eprintln!("{}: {lines} lines", out.display());
    Ok(())
}

/// Writes the file under a temporary name until it is complete; returns the number of its lines.
pub(crate) fn write(size: &Size, out: &Path) -> anyhow::Result<u64> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    disk::need(folder, size.file_bytes())?;
    let part = out.with_extension("part");
    let file = File::create(&part).with_context(|| format!("{} cannot be written", part.display()))?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    let lines = write_lines(size, &mut file)?;
    file.flush()?;
    std::fs::rename(&part, out)?;
    Ok(lines)
}

fn write_lines(size: &Size, out: &mut impl Write) -> anyhow::Result<u64> {
    for number in 0..size.groups {
        writeln!(out, "{}", group(number, size.groups)?)?;
    }
    for number in 0..size.users() {
        writeln!(out, "{}", user(number))?;
    }
    let (memberships, mut count) = (size.memberships(), 0);
    for number in 0..size.groups {
        let group = generate::id(number);
        for user in memberships.of(number) {
            writeln!(out, r#"{{"membership":{{"group":"{group}","user":"{}"}}}}"#, people::id(user))?;
            count += 1;
        }
    }
    Ok((size.groups + size.users()) as u64 + count)
}

/// Every fourth group has labels in three languages, and communities.
fn group(number: usize, of: usize) -> anyhow::Result<Value> {
    let made = generate::group(number, of);
    let (mut labels, mut communities) = (json!({ "en": made.name }), Vec::new());
    if number.is_multiple_of(4) {
        let named = generate::labels(&made.name)?;
        labels = named.iter().map(|(tag, label)| (tag.to_owned(), Value::from(label))).collect();
        communities = generate::communities(number).iter().map(ToString::to_string).collect();
    }
    let (id, description, xp) = (generate::id(number), made.description, made.xp);
    let mut group = json!({ "id": id, "labels": labels, "description": description, "xp": xp });
    if !communities.is_empty() {
        group["communities"] = communities.into();
    }
    Ok(json!({ "group": group }))
}

fn user(number: usize) -> Value {
    let Person { id, username, first_name, last_name, email, phone, xp } = people::person(number);
    let mut user = json!({
        "id": id, "username": username, "first_name": first_name, "last_name": last_name, "email": email,
        "active": number % 50 != 49,
    });
    if let Some(phone) = phone {
        user["phone"] = phone.into();
    }
    if let Some(xp) = xp {
        user["xp"] = xp;
    }
    json!({ "user": user })
}
