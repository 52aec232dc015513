//! Importing a file, a batch of lines at a time.

use std::io::{self, BufRead, Read as _};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::domain::error::{Error, Result};
use crate::domain::role::{Permit, WriteGroups, WriteUsers};
use crate::service::Service;
use crate::service::import::{BATCH_MAX, ItemChange, Record};

use super::record::record;

/// The longest a line may be, in bytes.
const LINE_MAX: usize = 1 << 20;
/// About how many bytes of lines are held at a time.
const BATCH_BYTES: usize = 16 << 20;
/// How long a batch shall take: for as long, other writes may have to wait.
const BATCH_TIME: Duration = Duration::from_millis(500);
/// How many lines the first batch has: how long they take is not known yet.
const FIRST_BATCH: usize = 500;
/// How often a batch is tried that the database could not take.
const ATTEMPTS: u32 = 6;

/// What became of lines of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub refused: u64,
}

impl Counts {
    fn count(&mut self, outcome: &Result<ItemChange>) {
        *match outcome {
            Ok(ItemChange::Created) => &mut self.created,
            Ok(ItemChange::Updated) => &mut self.updated,
            Ok(ItemChange::Unchanged) => &mut self.unchanged,
            Err(_) => &mut self.refused,
        } += 1;
    }
}

/// What became of all lines so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub groups: Counts,
    pub users: Counts,
    pub memberships: Counts,
    /// Lines that say nothing of these, or break a rule.
    pub unreadable: u64,
    /// How many lines were read, and how many bytes.
    pub lines: u64,
    pub bytes: u64,
}

impl Report {
    /// How many lines changed nothing because they were refused.
    pub fn refused(&self) -> u64 {
        self.unreadable + self.groups.refused + self.users.refused + self.memberships.refused
    }

    fn of(&mut self, record: &Record) -> &mut Counts {
        match record {
            Record::Group(..) => &mut self.groups,
            Record::User(_) => &mut self.users,
            Record::Membership(_) => &mut self.memberships,
        }
    }
}

/// A line that was refused.
#[derive(Debug)]
pub struct Refused<'a> {
    /// Counted from 1.
    pub line: u64,
    /// The line itself, without its end; of one that is too long, nothing.
    pub text: &'a [u8],
    pub error: &'a Error,
}

/// What an import tells along its way.
pub trait Told {
    /// A line was refused; told in the order of the lines.
    fn refused(&mut self, refused: Refused<'_>) -> io::Result<()>;
    /// This is what became of all lines up to here, which is durable.
    fn progress(&mut self, report: &Report);
}

/// An import into a directory, with the rights that it takes.
pub struct Import<'a> {
    pub service: &'a Service,
    pub groups: Permit<WriteGroups>,
    pub users: Permit<WriteUsers>,
}

/// Why an import ended before its file did: everything up to and with the line is imported.
#[derive(Debug, thiserror::Error)]
#[error("the import stopped behind line {line}")]
pub struct Stopped {
    pub line: u64,
    #[source]
    pub error: Error,
}

impl Import<'_> {
    /// Imports all lines of the input. What is there already as it says is left alone, so an import that was
    /// interrupted is run again from the beginning. Fails with [`Stopped`] where the database cannot take more, and
    /// with what failed where the input cannot be read or `told` fails.
    pub async fn run(&self, input: &mut dyn BufRead, told: &mut (dyn Told + Send)) -> anyhow::Result<Report> {
        let (mut report, mut limit) = (Report::default(), FIRST_BATCH);
        loop {
            let batch = Batch::read(input, limit, &report)?;
            if batch.lines.is_empty() {
                return Ok(report);
            }
            let begun = Instant::now();
            let outcomes = self.write(&batch).await.map_err(|error| Stopped { line: report.lines, error })?;
            limit = next_limit(limit, begun.elapsed());
            batch.count(outcomes, &mut report, told)?;
            told.progress(&report);
        }
    }

    /// Writes the records. A batch of which it is not known whether it was made is made again, which makes it once.
    async fn write(&self, batch: &Batch) -> Result<Vec<Result<ItemChange>>> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let records = batch.lines.iter().filter_map(|line| line.record.as_ref().ok().cloned()).collect();
            match self.service.import(&self.groups, &self.users, records).await {
                Err(Error::Unavailable(reason) | Error::OutcomeUnknown(reason)) if attempt < ATTEMPTS => {
                    tracing::warn!(reason, attempt, "a batch is tried again");
                    sleep(Duration::from_secs(1 << (attempt - 1))).await;
                }
                written => return written,
            }
        }
    }
}

/// As many lines as the time allows.
fn next_limit(limit: usize, took: Duration) -> usize {
    let fits = if took < BATCH_TIME / 2 {
        limit * 2
    } else if took > BATCH_TIME * 2 {
        limit / 2
    } else {
        limit
    };
    fits.clamp(1, BATCH_MAX)
}

/// Lines that are written together.
struct Batch {
    lines: Vec<Line>,
    bytes: u64,
}

struct Line {
    number: u64,
    text: Vec<u8>,
    record: Result<Record>,
}

impl Batch {
    /// The next lines of the input, of which those that are told of were read before.
    fn read(input: &mut dyn BufRead, limit: usize, before: &Report) -> io::Result<Self> {
        let mut batch = Self { lines: Vec::new(), bytes: 0 };
        let (mut number, mut held) = (before.lines, 0);
        while batch.lines.len() < limit && held < BATCH_BYTES {
            let mut text = Vec::new();
            let bytes = input.take(LINE_MAX as u64 + 1).read_until(b'\n', &mut text)?;
            if bytes == 0 {
                break;
            }
            number += 1;
            (batch.bytes, held) = (batch.bytes + bytes as u64, held + bytes);
            let too_long = bytes > LINE_MAX && !text.ends_with(b"\n");
            if too_long {
                batch.bytes += skip_line(input)?;
                text.clear();
            }
            trim_end(&mut text);
            let record = match too_long {
                true => Err(Error::InvalidBody(format!("the line is longer than {LINE_MAX} bytes"))),
                false => record(&text),
            };
            batch.lines.push(Line { number, text, record });
        }
        Ok(batch)
    }

    /// Counts what became of the lines, the outcomes being those of the records among them.
    fn count(
        self,
        outcomes: Vec<Result<ItemChange>>,
        report: &mut Report,
        told: &mut (dyn Told + Send),
    ) -> io::Result<()> {
        let mut outcomes = outcomes.into_iter();
        report.bytes += self.bytes;
        for Line { number, text, record } in self.lines {
            report.lines = number;
            let outcome = match record {
                Err(error) => {
                    report.unreadable += 1;
                    Err(error)
                }
                Ok(record) => {
                    let outcome = outcomes.next().unwrap_or(Ok(ItemChange::Unchanged));
                    report.of(&record).count(&outcome);
                    outcome
                }
            };
            if let Err(error) = &outcome {
                told.refused(Refused { line: number, text: &text, error })?;
            }
        }
        Ok(())
    }
}

fn trim_end(text: &mut Vec<u8>) {
    while text.last().is_some_and(u8::is_ascii_whitespace) {
        text.pop();
    }
}

/// Reads past the end of the line without keeping it; gives how many bytes that were.
fn skip_line(input: &mut dyn BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let bytes = end.map_or(buffer.len(), |at| at + 1);
        let ends = end.is_some() || buffer.is_empty();
        input.consume(bytes);
        skipped += bytes as u64;
        if ends {
            return Ok(skipped);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn batches_grow_and_shrink_with_their_time() {
        assert_eq!(next_limit(500, Duration::from_millis(10)), 1_000);
        assert_eq!(next_limit(BATCH_MAX, Duration::from_millis(10)), BATCH_MAX);
        assert_eq!(next_limit(500, Duration::from_millis(600)), 500);
        assert_eq!(next_limit(500, Duration::from_secs(3)), 250);
        assert_eq!(next_limit(1, Duration::from_secs(3)), 1);
    }

    #[test]
    fn lines_are_read_in_batches_and_none_is_kept_that_is_too_long() {
        let mut text = b"{\"membership\":{\"group\":\"g\",\"user\":\"u\"}}\r\n\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 3 * LINE_MAX));
        text.extend(b"\nlast");
        let mut input = BufReader::with_capacity(1_000, text.as_slice());
        let first = Batch::read(&mut input, 3, &Report::default()).unwrap();
        let numbers: Vec<_> = first.lines.iter().map(|line| (line.number, line.record.is_ok())).collect();
        assert_eq!(numbers, [(1, true), (2, false), (3, false)]);
        assert!(first.lines[2].text.is_empty());
        let second = Batch::read(&mut input, 3, &Report { lines: 3, ..Report::default() }).unwrap();
        assert_eq!(second.lines[0].text, b"last");
        assert_eq!(first.bytes + second.bytes, text.len() as u64);
        assert!(Batch::read(&mut input, 3, &Report::default()).unwrap().lines.is_empty());
    }
}
