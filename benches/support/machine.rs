//! The machine, on which figures depend.

use std::fmt;
use std::process::Command;

/// The machine and the build of the program, as items of a Markdown list.
pub(crate) struct Machine;

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let information = read("/proc/cpuinfo");
        let model = information
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
            .map(|(_, name)| name.trim());
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        writeln!(f, "- Machine: {cores} cores, {}", model.unwrap_or("unknown"))?;
        writeln!(f, "- Kernel {}, {}", read("/proc/sys/kernel/osrelease").trim(), output_of("rustc", "--version"))?;
        writeln!(f, "- Load average at the end: {}", read("/proc/loadavg").trim())?;
        write!(f, "- Rollbook {}", env!("CARGO_PKG_VERSION"))
    }
}

/// The output of a program called with this argument, in one line.
pub(crate) fn output_of(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}
