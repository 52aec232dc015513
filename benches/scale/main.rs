//! A directory of a million groups, or of any other size: `cargo bench --bench scale -- COMMAND` (see
//! docs/performance.md).
//!
//! `generate` writes a file, `fill` imports it into a directory, `measure` measures each operation there and in a
//! directory of 1,000 groups, `soak` puts load on it for minutes. Prints Markdown.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it prints its results")]

mod changes;
#[path = "../support/chart/lines.rs"]
mod chart;
#[path = "../support/client.rs"]
mod client;
mod console;
mod data;
mod deletes;
#[path = "../support/fixed.rs"]
mod fixed;
mod list_cases;
mod load;
#[path = "../support/machine.rs"]
mod machine;
mod matrix;
mod measure;
mod own_api;
#[path = "../support/people.rs"]
mod people;
#[path = "../support/program.rs"]
mod program;
mod report;
#[path = "../support/request.rs"]
mod request;
mod run;
#[path = "../support/serving.rs"]
mod serving;
mod soak;
mod statements;
#[path = "../support/mod.rs"]
mod support;
mod target;
#[path = "../support/timing.rs"]
mod timing;
mod undo;
#[path = "../support/wire.rs"]
mod wire;

use clap::{Parser, Subcommand};

// The same allocator as in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Fills and measures a large directory.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// An argument that cargo passes to every benchmark
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Generate a file to import
    Generate(data::file::GenerateArgs),
    /// Import such a file into a directory, and export it
    Fill(data::fill::FillArgs),
    /// Measure the cost of each operation
    Measure(measure::MeasureArgs),
    /// Put load on the directory for minutes
    Soak(soak::SoakArgs),
    /// A load generator, which this program starts
    #[command(hide = true)]
    Client(client::Load),
    /// The load generator for mixed load
    #[command(hide = true)]
    Mix(load::mix::Mix),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Generate(arguments) => data::file::generate(&arguments),
        Command::Client(load) => {
            println!("{}", serde_json::to_string(&load.run_in_process()?)?);
            Ok(())
        }
        Command::Mix(mix) => mix.run_in_process(),
        command => run(command),
    }
}

#[tokio::main]
async fn run(command: Command) -> anyhow::Result<()> {
    serving::observe()?;
    match command {
        Command::Fill(arguments) => data::fill::fill(&arguments).await,
        Command::Measure(arguments) => measure::measure(&arguments).await,
        Command::Soak(arguments) => soak::soak(&arguments).await,
        Command::Generate(_) | Command::Client(_) | Command::Mix(_) => Ok(()),
    }
}
