//! The program. The library contains everything but the allocator and the exit code.

use std::process::ExitCode;

use rollbook::cli::{self, Cli};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::read().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::notify(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
