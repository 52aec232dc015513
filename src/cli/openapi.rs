//! `rollbook openapi`: prints the OpenAPI document of an API. The server serves the same document, and `openapi/` of
//! the repository contains it.

use std::io::{self, Write as _};

use clap::Args;

use crate::openapi;

/// The arguments of `rollbook openapi`.
#[derive(Debug, Args)]
pub(super) struct OpenapiArgs {
    /// The API: core, ordercloud, rollbook or scim
    #[arg(value_name = "API")]
    name: String,
}

/// Prints the document on standard output. Opens no directory. Fails if no API has the name.
pub(super) fn run(args: &OpenapiArgs) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout(), "{}", openapi(&args.name)?)?)
}
