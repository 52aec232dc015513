//! Input of passwords: by prompt or from standard input. A password is never an argument, because every process of the
//! machine can read arguments.

use std::io::{self, BufRead, IsTerminal as _};

use anyhow::{Context as _, bail, ensure};
use secrecy::ExposeSecret as _;

use crate::domain::user::Secret;

/// The maximum length of the line, in bytes: more than any password has.
const LINE_MAX: u64 = 4096;

/// Reads a new password: by two prompts on a terminal, otherwise the first line of standard input. Fails if it is empty
/// or if the prompts get different passwords.
pub(super) fn read_new() -> anyhow::Result<Secret> {
    let stdin = io::stdin();
    let password = if stdin.is_terminal() { prompt_twice()? } else { first_line(stdin.lock())? };
    ensure!(!password.expose_secret().is_empty(), "the password is empty; give one by prompt or as a line of input");
    Ok(password)
}

/// Prompts twice on the terminal. Fails if the two inputs differ.
fn prompt_twice() -> anyhow::Result<Secret> {
    let read = |text| rpassword::prompt_password(text).map(Secret::from).context("the password cannot be read");
    let (password, again) = (read("New password: ")?, read("Repeat the password: ")?);
    if password.expose_secret() != again.expose_secret() {
        bail!("the two passwords differ; nothing was changed");
    }
    Ok(password)
}

/// The first line of the input, without its line ending and a byte order mark.
fn first_line(input: impl BufRead) -> anyhow::Result<Secret> {
    let mut line = String::new();
    input.take(LINE_MAX).read_line(&mut line).context("the password cannot be read from standard input")?;
    let end = line.trim_end_matches('\n').trim_end_matches('\r').len();
    line.truncate(end);
    if line.starts_with('\u{feff}') {
        line.remove(0);
    }
    Ok(Secret::from(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password() {
        let read = |input: &str| first_line(input.as_bytes()).unwrap().expose_secret().to_owned();
        assert_eq!(read(" Passw0rd \nnext\n"), " Passw0rd ");
        assert_eq!(read("Passw0rd\r\n"), "Passw0rd");
        assert_eq!(read("\u{feff}Passw0rd\n"), "Passw0rd");
        assert_eq!(read("Passw0rd"), "Passw0rd");
        assert_eq!(read(""), "");
        assert!(first_line([0xff, b'\n'].as_slice()).is_err());
    }
}
