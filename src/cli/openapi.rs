//! `rollbook openapi`: the OpenAPI document of an API, as it is served and as it is kept in `openapi/`.

use std::io::{self, Write as _};

use clap::Args;

use crate::openapi;

/// The arguments of `rollbook openapi`.
#[derive(Debug, Args)]
pub struct OpenapiArgs {
    /// The API: core or ordercloud
    #[arg(value_name = "API")]
    name: String,
}

/// Prints the document on standard output. No directory is opened.
pub fn run(args: &OpenapiArgs) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout(), "{}", openapi(&args.name)?)?)
}
