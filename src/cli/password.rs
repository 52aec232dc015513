//! How passwords reach commands: by prompt or by standard input, never as an argument, which every process of the
//! machine could read.

use std::io::{self, BufRead, IsTerminal as _};

use anyhow::{Context as _, bail, ensure};
use secrecy::ExposeSecret as _;

use crate::domain::user::Secret;

/// More bytes than any password has.
const LINE_MAX: u64 = 4096;

/// A new password: asked for twice on a terminal, else the first line of standard input.
pub fn read_new() -> anyhow::Result<Secret> {
    let stdin = io::stdin();
    let password = if stdin.is_terminal() { prompt_twice()? } else { first_line(stdin.lock())? };
    ensure!(!password.expose_secret().is_empty(), "the password is empty; give one by prompt or as a line of input");
    Ok(password)
}

fn prompt_twice() -> anyhow::Result<Secret> {
    let ask = |prompt| rpassword::prompt_password(prompt).map(Secret::from).context("the password cannot be read");
    let (password, again) = (ask("New password: ")?, ask("The same again: ")?);
    if password.expose_secret() != again.expose_secret() {
        bail!("the two passwords differ; nothing was changed");
    }
    Ok(password)
}

fn first_line(input: impl BufRead) -> anyhow::Result<Secret> {
    let mut line = String::new();
    input.take(LINE_MAX).read_line(&mut line).context("the password cannot be read from standard input")?;
    let end = line.trim_end_matches('\n').trim_end_matches('\r').len();
    line.truncate(end);
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
        assert_eq!(read("Passw0rd"), "Passw0rd");
        assert_eq!(read(""), "");
        assert!(first_line([0xff, b'\n'].as_slice()).is_err());
    }
}
