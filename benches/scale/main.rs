//! A directory of a million groups, or of any other size: `cargo bench --bench scale -- COMMAND` (see
//! docs/performance.md).
//!
//! `generate` makes up a file, `fill` imports it into a directory, `measure` tells what each operation costs there and
//! in a directory of 1,000 groups, `soak` puts load on it for minutes. Prints Markdown.

mod changes;
#[path = "../support/chart/lines.rs"]
mod chart;
#[path = "../support/client.rs"]
mod client;
mod deletes;
mod disk;
mod file;
mod fill;
#[path = "../support/fixed.rs"]
mod fixed;
mod hold;
mod load;
#[path = "../support/machine.rs"]
mod machine;
mod matrix;
mod measure;
mod mix;
#[path = "../support/people.rs"]
mod people;
mod place;
#[path = "../support/program.rs"]
mod program;
mod questions;
mod report;
#[path = "../support/request.rs"]
mod request;
mod run;
#[path = "../support/serving.rs"]
mod serving;
mod side;
mod soak;
mod statements;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/timing.rs"]
mod timing;
mod visitor;
#[path = "../support/wire.rs"]
mod wire;

use clap::{Parser, Subcommand};

// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Fills and measures a large directory.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// What cargo tells every benchmark
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Make up a file to import
    Generate(file::GenerateArgs),
    /// Import such a file into a directory, and export it
    Fill(fill::FillArgs),
    /// Measure what each operation costs
    Measure(measure::MeasureArgs),
    /// Put load on the directory for minutes
    Soak(soak::SoakArgs),
    /// A load generator, as this program calls itself
    #[command(hide = true)]
    Client(client::Load),
    /// The other one
    #[command(hide = true)]
    Mix(mix::Mix),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Generate(arguments) => file::generate(&arguments),
        Command::Client(load) => {
            println!("{}", serde_json::to_string(&load.here()?)?);
            Ok(())
        }
        Command::Mix(mix) => mix.here(),
        command => run(command),
    }
}

#[tokio::main]
async fn run(command: Command) -> anyhow::Result<()> {
    serving::observe()?;
    match command {
        Command::Fill(arguments) => fill::fill(&arguments).await,
        Command::Measure(arguments) => measure::measure(&arguments).await,
        Command::Soak(arguments) => soak::soak(&arguments).await,
        Command::Generate(_) | Command::Client(_) | Command::Mix(_) => Ok(()),
    }
}
