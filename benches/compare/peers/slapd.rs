//! OpenLDAP's slapd with its mdb backend.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::names::SLAPD;
use super::peer::Peer;
use super::process::{Process, free_address};
use crate::ldap::{self, ROOT, SUFFIX};
use crate::protocol::Protocol;
use crate::support::generate;
use crate::workload::{self, USERS};

/// The password of the rootdn, worthless outside of a run.
const PASSWORD: &str = "a-password-of-the-comparison";

/// The folders of an installed slapd.
struct Installed {
    program: PathBuf,
    root: PathBuf,
    modules: PathBuf,
}

impl Installed {
    /// The system's own, otherwise the one that the installing script has unpacked.
    fn find() -> Option<Self> {
        let unpacked = crate::unpacked("slapd");
        [PathBuf::from("/"), unpacked].into_iter().find_map(|root| {
            let program = root.join("usr/sbin/slapd");
            let modules = ["usr/lib/ldap", "usr/lib64/openldap", "usr/lib/openldap"].map(|folder| root.join(folder));
            let modules = modules.into_iter().find(|folder| folder.is_dir())?;
            program.is_file().then_some(Self { program, root, modules })
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if self.root != Path::new("/") {
            let libraries = self.root.join("usr/lib");
            let nested = fs::read_dir(&libraries).into_iter().flatten().flatten().map(|entry| entry.path());
            let folders = std::iter::once(libraries.clone()).chain(nested.filter(|path| path.is_dir()));
            let folders: Vec<_> = folders.map(|folder| folder.display().to_string()).collect();
            command.env("LD_LIBRARY_PATH", folders.join(":"));
        }
        command
    }

    /// Its version, as it prints it.
    fn version(&self) -> anyhow::Result<String> {
        let output = self.command().arg("-VV").stdin(Stdio::null()).output()?;
        let output = String::from_utf8_lossy(&output.stderr).into_owned();
        let version = output.split_whitespace().skip_while(|word| *word != "slapd").nth(1);
        Ok(format!("{SLAPD} {}", version.context("slapd prints no version")?))
    }

    /// The configuration: the fastest reads, and each commit on the disk.
    fn configuration(&self, folder: &Path, groups: usize) -> String {
        let (schemas, modules) = (self.root.join("etc/ldap/schema"), self.modules.display());
        let schema = ["core", "cosine", "inetorgperson"].iter().fold(String::new(), |mut text, name| {
            _ = writeln!(text, "include {}", schemas.join(format!("{name}.schema")).display());
            text
        });
        let (data, bytes) = (folder.join("mdb"), (groups as u64 * 32 * 1024).max(1 << 30));
        format!(
            "{schema}modulepath {modules}\nmoduleload back_mdb\npidfile {pid}\nargsfile {arguments}\nloglevel none\n\
             threads {THREADS}\ndatabase mdb\nsuffix \"{SUFFIX}\"\nrootdn \"{ROOT}\"\nrootpw {PASSWORD}\n\
             directory {data}\nmaxsize {bytes}\nindex objectClass eq\nindex cn eq,sub\nindex member eq\n",
            pid = folder.join("slapd.pid").display(),
            arguments = folder.join("slapd.args").display(),
            data = data.display(),
        )
    }
}

/// The number of worker threads. On a small machine, more threads only wait for each other.
const THREADS: usize = 4;

/// Fills a slapd with this many groups in the folder and starts it; `None` if it is not installed.
pub(super) async fn start(folder: &Path, groups: usize) -> anyhow::Result<Option<Peer>> {
    let Some(installed) = Installed::find() else { return Ok(None) };
    let folder = folder.join("slapd");
    fs::create_dir_all(folder.join("mdb"))?;
    let (configuration, entries) = (folder.join("slapd.conf"), folder.join("entries.ldif"));
    fs::write(&configuration, installed.configuration(&folder, groups))?;
    write_entries(&entries, groups)?;
    let add = ["-Tadd", "-q", "-f"].map(Into::into);
    let mut command = installed.command();
    command.args::<_, std::ffi::OsString>(add).arg(&configuration).arg("-l").arg(&entries).stdin(Stdio::null());
    let added = tokio::task::spawn_blocking(move || command.output()).await??;
    ensure!(added.status.success(), "slapadd failed: {}", String::from_utf8_lossy(&added.stderr));
    fs::remove_file(&entries)?;
    let address = free_address().await?;
    let mut command = installed.command();
    command.args(["-d", "0", "-h", &format!("ldap://{address}"), "-f"]).arg(&configuration);
    let process = Process::serve(command, address, &folder.join("slapd.log")).await.context("slapd")?;
    let about = format!(
        "{}: mdb, `index cn eq,sub`, `index member eq`, `threads {THREADS}`, every commit synced; bound as rootdn, so \
         that no access rule is looked at",
        installed.version()?
    );
    let (protocol, secret) = (Protocol::Ldap, PASSWORD.to_owned());
    Ok(Some(Peer { name: SLAPD, about, protocol, address, secret, groups, process }))
}

fn write_entries(path: &Path, groups: usize) -> anyhow::Result<()> {
    let mut file = std::io::BufWriter::new(fs::File::create(path)?);
    write!(file, "dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n")?;
    for unit in ["groups", "people"] {
        write!(file, "dn: ou={unit},{SUFFIX}\nobjectClass: organizationalUnit\nou: {unit}\n\n")?;
    }
    for id in (0..USERS).map(workload::user) {
        let attributes = [("objectClass", "inetOrgPerson"), ("uid", &id), ("cn", &id), ("sn", &id)];
        write_entry(&mut file, &ldap::user(&id), attributes.map(|(name, value)| (name, vec![value.to_owned()])))?;
    }
    for number in 0..groups {
        let id = generate::id(number);
        write_entry(&mut file, &ldap::group(&id), ldap::attributes(&id, &generate::group(number, groups)))?;
    }
    Ok(file.flush()?)
}

fn write_entry(
    file: &mut impl std::io::Write,
    dn: &str,
    attributes: impl IntoIterator<Item = (&'static str, Vec<String>)>,
) -> anyhow::Result<()> {
    writeln!(file, "dn: {dn}")?;
    for (name, values) in attributes {
        for value in values {
            // This form allows any text.
            writeln!(file, "{name}:: {}", BASE64_STANDARD.encode(value))?;
        }
    }
    Ok(writeln!(file)?)
}
