//! Import: reads lines of JSON and writes them in batches, one transaction per batch.

use std::io::{self, BufRead, Cursor, Read as _};
use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::time::sleep;

use crate::domain::caller::{Permit, WriteGroups, WriteUsers};
use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::text::without_bom;
use crate::http::request::error::{Error as LineError, RequestError};
use crate::service::Service;
use crate::service::import::{BATCH_MAX, ItemOutcome, Record};

use super::format::{PREFIX_BYTES, foreign_format};
use super::preview::{Judged, Seen};
use super::record::parse_record;

/// The maximum length of a line, in bytes.
const LINE_MAX: usize = 1 << 20;
/// The number of bytes of lines at which a batch is full.
const BATCH_BYTES: usize = 16 << 20;
/// The target duration of a batch: other writes may wait this long.
const BATCH_TIME: Duration = Duration::from_millis(500);
/// The number of lines of the first batch, whose duration cannot be predicted.
const FIRST_BATCH: usize = 500;
/// The maximum number of attempts to write a batch while the database is unavailable.
const MAX_ATTEMPTS: u32 = 6;

/// The number of lines of one kind, by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Lines that created an entity, or restored a deleted one.
    pub created: u64,
    /// Lines that changed an entity.
    pub updated: u64,
    /// Lines whose entity already had these values.
    pub unchanged: u64,
    /// Lines that the directory refused.
    pub refused: u64,
}

impl Counts {
    /// Counts a line.
    fn add(&mut self, outcome: &Result<ItemOutcome, LineError>) {
        *match outcome {
            Ok(ItemOutcome::Created) => &mut self.created,
            Ok(ItemOutcome::Updated) => &mut self.updated,
            Ok(ItemOutcome::Unchanged) => &mut self.unchanged,
            Err(_) => &mut self.refused,
        } += 1;
    }
}

/// The number of lines so far, by kind and outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ImportReport {
    /// Lines of groups.
    pub groups: Counts,
    /// Lines of users.
    pub users: Counts,
    /// Lines of memberships.
    pub memberships: Counts,
    /// Lines that are not a record, or that break a rule.
    pub unreadable: u64,
    /// All lines, including blank ones.
    pub lines: u64,
    /// The bytes of all lines, including line feeds.
    pub bytes: u64,
}

impl ImportReport {
    /// The number of refused lines, of all kinds and unreadable ones.
    pub(crate) fn refused(&self) -> u64 {
        self.unreadable + self.groups.refused + self.users.refused + self.memberships.refused
    }

    /// The counts of the record's kind.
    fn counts_of(&mut self, record: &Record) -> &mut Counts {
        match record {
            Record::Group(..) => &mut self.groups,
            Record::User(..) => &mut self.users,
            Record::Membership(_) => &mut self.memberships,
        }
    }
}

/// A line that was refused.
#[derive(Debug)]
pub(crate) struct RefusedLine<'a> {
    /// The number of the line, from 1.
    pub line: u64,
    /// The line without trailing whitespace; empty if the line is too long.
    pub text: &'a [u8],
    /// The reason.
    pub error: &'a LineError,
}

/// A receiver of the progress of an import.
pub(crate) trait ImportObserver {
    /// Receives a refused line. Calls are in the order of the lines. An error stops the import.
    fn refused(&mut self, refused: RefusedLine<'_>) -> io::Result<()>;
    /// Receives the counts after each batch is committed.
    fn progress(&mut self, report: &ImportReport);
}

/// Checks the first bytes of the input, and returns the whole input if it may be lines of JSON. Fails with a
/// description of the format and advice if it is another format, and if the input cannot be read.
pub(crate) fn lines_of_json<R: BufRead>(mut input: R) -> anyhow::Result<impl BufRead> {
    let mut beginning = Vec::new();
    match input.by_ref().take(PREFIX_BYTES as u64).read_to_end(&mut beginning) {
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => bail!("it is a folder: name a file"),
        read => read?,
    };
    match foreign_format(&beginning) {
        Some(description) => bail!("it is {description}"),
        None => Ok(Cursor::new(beginning).chain(input)),
    }
}

/// An import into a directory, with the permits that it needs.
pub(crate) struct Import<'a> {
    /// The directory.
    pub service: &'a Service,
    /// The permit for groups and memberships.
    pub groups: Permit<WriteGroups>,
    /// The permit for users.
    pub users: Permit<WriteUsers>,
    /// Whether groups and users get the numbers of their lines. Otherwise new ones get the next number.
    pub keeps_numbers: bool,
    /// Whether nothing is written: the counts and refusals are those that the import would have.
    pub dry_run: bool,
}

/// The error that stopped an import before the end of its input. All lines up to and including `line` are imported.
#[derive(Debug, thiserror::Error)]
#[error("the import stopped after line {line}")]
pub(super) struct ImportStopped {
    /// The number of the last line that is imported or refused, from 1.
    pub line: u64,
    /// The cause.
    #[source]
    pub error: Error,
}

impl Import<'_> {
    /// Imports all lines of the input. An entity that already equals its line does not change, so an interrupted import
    /// can be repeated from the beginning. Fails with [`ImportStopped`] if the database fails, and with the cause if
    /// the input cannot be read or `observer` fails.
    pub(crate) async fn run(
        &self,
        input: &mut dyn BufRead,
        observer: &mut (dyn ImportObserver + Send),
    ) -> anyhow::Result<ImportReport> {
        let (mut report, mut limit) = (ImportReport::default(), FIRST_BATCH);
        let mut seen = Seen::default();
        loop {
            let batch = LineBatch::read(input, limit, &report, self.keeps_numbers)?;
            if batch.lines.is_empty() {
                return Ok(report);
            }
            let begun = Instant::now();
            let outcomes = match self.dry_run {
                true => self.preview(&batch, &mut seen).await,
                false => self.write(&batch).await,
            };
            let outcomes = outcomes.map_err(|error| ImportStopped { line: report.lines, error })?;
            limit = next_limit(limit, begun.elapsed());
            batch.report_outcomes(outcomes, &mut report, observer)?;
            observer.progress(&report);
        }
    }

    /// Returns the outcomes that the records would have behind the earlier lines.
    async fn preview(&self, batch: &LineBatch, seen: &mut Seen) -> Result<Vec<Result<ItemOutcome>>> {
        let records: Vec<_> = batch.lines.iter().filter_map(|line| line.record.as_ref().ok().cloned()).collect();
        let outcomes = self.service.preview_import(&self.groups, &self.users, records.clone()).await?;
        let mut judged = Vec::with_capacity(outcomes.len());
        for (record, outcome) in records.iter().zip(outcomes) {
            judged.push(match seen.judge(record, outcome) {
                Judged::Known(outcome) => outcome,
                Judged::IfUser(id) => match self.service.has_user(&self.users, &id).await? {
                    true => Ok(ItemOutcome::Created),
                    false => Err(Error::NotFound(ResourceKind::User, id.to_string())),
                },
            });
        }
        Ok(judged)
    }

    /// Writes the records. Repeats the batch if the database is unavailable or the commit outcome is unknown: a second
    /// write of the same records changes nothing.
    async fn write(&self, batch: &LineBatch) -> Result<Vec<Result<ItemOutcome>>> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let records = batch.lines.iter().filter_map(|line| line.record.as_ref().ok().cloned()).collect();
            match self.service.import(&self.groups, &self.users, records).await {
                Err(Error::Unavailable(reason) | Error::OutcomeUnknown(reason)) if attempt < MAX_ATTEMPTS => {
                    tracing::warn!(reason, attempt, "a batch failed and is retried");
                    sleep(Duration::from_secs(1 << (attempt - 1))).await;
                }
                outcomes => return outcomes,
            }
        }
    }
}

/// The maximum number of lines of the next batch, from the duration of the last one.
fn next_limit(limit: usize, took: Duration) -> usize {
    let lines = if took < BATCH_TIME / 2 {
        limit * 2
    } else if took > BATCH_TIME * 2 {
        limit / 2
    } else {
        limit
    };
    lines.clamp(1, BATCH_MAX)
}

/// The lines of one transaction.
struct LineBatch {
    /// The lines that are not blank.
    lines: Vec<InputLine>,
    /// The number of the last line that was read, blank or not.
    last: u64,
    /// The bytes of all lines, including line feeds.
    bytes: u64,
}

/// A line and the result of parsing it.
struct InputLine {
    number: u64,
    text: Vec<u8>,
    record: Result<Record, LineError>,
}

impl LineBatch {
    /// Reads the next lines of the input, at most `limit` that are not blank. `before` counts the lines that were read
    /// before.
    fn read(input: &mut dyn BufRead, limit: usize, before: &ImportReport, keeps_numbers: bool) -> io::Result<Self> {
        let mut batch = Self { lines: Vec::new(), last: before.lines, bytes: 0 };
        let mut batch_bytes = 0;
        while batch.lines.len() < limit && batch_bytes < BATCH_BYTES {
            let mut text = Vec::new();
            let bytes = input.take(LINE_MAX as u64 + 1).read_until(b'\n', &mut text)?;
            if bytes == 0 {
                break;
            }
            (batch.last, batch.bytes) = (batch.last + 1, batch.bytes + bytes as u64);
            let too_long = bytes > LINE_MAX && !text.ends_with(b"\n");
            if too_long {
                batch.bytes += skip_line(input)?;
                text.clear();
            }
            trim_end(&mut text);
            if !too_long && without_bom(&text).is_empty() {
                continue;
            }
            batch_bytes += bytes;
            let record = match too_long {
                true => Err(RequestError::InvalidBody(format!("the line is longer than {LINE_MAX} bytes")).into()),
                false => parse_record(&text, keeps_numbers),
            };
            batch.lines.push(InputLine { number: batch.last, text, record });
        }
        Ok(batch)
    }

    /// Adds the lines to the report, and reports refused ones to the observer. `outcomes` has one item per parsed
    /// record.
    fn report_outcomes(
        self,
        outcomes: Vec<Result<ItemOutcome>>,
        report: &mut ImportReport,
        observer: &mut (dyn ImportObserver + Send),
    ) -> io::Result<()> {
        let mut outcomes = outcomes.into_iter();
        report.bytes += self.bytes;
        report.lines = self.last;
        for InputLine { number, text, record } in self.lines {
            let outcome = match record {
                Err(error) => {
                    report.unreadable += 1;
                    Err(error)
                }
                Ok(record) => {
                    let outcome = outcomes.next().unwrap_or(Ok(ItemOutcome::Unchanged)).map_err(LineError::from);
                    report.counts_of(&record).add(&outcome);
                    outcome
                }
            };
            if let Err(error) = &outcome {
                observer.refused(RefusedLine { line: number, text: &text, error })?;
            }
        }
        Ok(())
    }
}

/// Removes whitespace from the end, including the line feed.
fn trim_end(text: &mut Vec<u8>) {
    while text.last().is_some_and(u8::is_ascii_whitespace) {
        text.pop();
    }
}

/// Discards the rest of the line. Returns its number of bytes.
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
    fn lines_are_read_in_batches_and_too_long_ones_are_discarded() {
        let mut text = b"\xef\xbb\xbf{\"membership\":{\"group\":\"g\",\"user\":\"u\"}}\r\n\n \t\r\nx\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 3 * LINE_MAX));
        text.extend(b"\nlast");
        let mut input = BufReader::with_capacity(1_000, text.as_slice());
        let first = LineBatch::read(&mut input, 3, &ImportReport::default(), true).unwrap();
        let numbers: Vec<_> = first.lines.iter().map(|line| (line.number, line.record.is_ok())).collect();
        assert_eq!(numbers, [(1, true), (4, false), (5, false)], "blank lines are counted and left out");
        assert!(first.lines[2].text.is_empty());
        let second =
            LineBatch::read(&mut input, 3, &ImportReport { lines: first.last, ..ImportReport::default() }, true)
                .unwrap();
        assert_eq!((second.lines[0].number, &*second.lines[0].text), (6, &b"last"[..]));
        assert_eq!(first.bytes + second.bytes, text.len() as u64);
        assert!(LineBatch::read(&mut input, 3, &ImportReport::default(), true).unwrap().lines.is_empty());
    }
}
