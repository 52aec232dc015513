//! The questions in LDAP (RFC 4511), in the few forms of BER that they need.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};

use super::question::{self, PAGE, Question, pair, text};
use super::support::generate;
use super::wire::Connection;

/// Under which everything is.
pub const SUFFIX: &str = "dc=example,dc=org";
/// Who may do everything, without an access rule being looked at.
pub const ROOT: &str = "cn=admin,dc=example,dc=org";

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const BOOLEAN: u8 = 0x01;
const BIND: u8 = 0x60;
const SEARCH: u8 = 0x63;
const MODIFY: u8 = 0x66;
const ADD: u8 = 0x68;
/// The messages that are not the last of their answer: an entry, a reference.
const NOT_LAST: [u8; 2] = [0x64, 0x73];
const SUCCESS: u8 = 0;
/// There was more than was asked for.
const SIZE_LIMIT: u8 = 4;

/// A connection that has said who asks, and the request that is made ready for it.
pub struct Ldap {
    connection: Connection,
    messages: u32,
    request: Vec<u8>,
}

/// Where the group with this ID is.
pub fn group(id: &str) -> String {
    format!("cn={id},ou=groups,{SUFFIX}")
}

/// Where the user with this ID is.
pub fn user(id: &str) -> String {
    format!("uid={id},ou=people,{SUFFIX}")
}

/// What an entry says of a group, with one member, as a group of names must have: `xp` is kept as its JSON.
pub fn attributes(id: &str, made: &generate::Made) -> [(&'static str, Vec<String>); 5] {
    [
        ("objectClass", vec!["groupOfNames".to_owned()]),
        ("cn", vec![id.to_owned(), made.name.clone()]),
        ("description", vec![made.description.clone()]),
        ("businessCategory", vec![made.xp.to_string()]),
        ("member", vec![user(&question::user(0))]),
    ]
}

impl Ldap {
    pub async fn open(address: SocketAddr, password: &str) -> anyhow::Result<Self> {
        let (connection, request) = (Connection::open(address).await?, Vec::new());
        let mut ldap = Self { connection, messages: 0, request };
        ldap.say(&[&element(BIND, &[&integer(INTEGER, 3), &string(OCTETS, ROOT), &string(0x80, password)])]);
        ldap.ask().await?;
        Ok(ldap)
    }

    pub fn prepare(&mut self, question: Question, number: usize, of: usize) {
        const ONE_LEVEL: u32 = 1;
        let groups = format!("ou=groups,{SUFFIX}");
        let is_group = element(0xa3, &[&string(OCTETS, "objectClass"), &string(OCTETS, "groupOfNames")]);
        match question {
            // What the protocol answers without a look at the data.
            Question::Fixed => self.say(&[&search("", 0, 1, &string(0x87, "objectClass"))]),
            Question::Read => self.say(&[&search(&group(&generate::id(number)), 0, 1, &string(0x87, "objectClass"))]),
            Question::Find => {
                let substring = element(SEQUENCE, &[&string(0x81, &text(number, of))]);
                let contains = element(0xa4, &[&string(OCTETS, "cn"), &substring]);
                self.say(&[&search(&groups, ONE_LEVEL, PAGE, &contains)]);
            }
            Question::List => self.say(&[&search(&groups, ONE_LEVEL, 0, &is_group), &page()]),
            Question::Join => {
                let (id, joins) = pair(number, of);
                let add = element(SEQUENCE, &[&integer(ENUMERATED, 0), &attribute("member", &[user(&joins)])]);
                self.say(&[&element(MODIFY, &[&string(OCTETS, &group(&id)), &element(SEQUENCE, &[&add])])]);
            }
            Question::Create => {
                // Keys that grow, as those that others give.
                let id = format!("new-{number:012}");
                let made = generate::group(of + number, of);
                let attributes = attributes(&id, &made).map(|(name, values)| attribute(name, &values));
                let attributes: Vec<&[u8]> = attributes.iter().map(Vec::as_slice).collect();
                self.say(&[&element(ADD, &[&string(OCTETS, &group(&id)), &element(SEQUENCE, &attributes)])]);
            }
        }
    }

    pub async fn ask(&mut self) -> anyhow::Result<&[u8]> {
        let answer = self.connection.ask_so(&self.request, whole_length).await?;
        let result = result(answer)?;
        ensure!([SUCCESS, SIZE_LIMIT].contains(&result), "refused: {result}: {}", String::from_utf8_lossy(answer));
        Ok(answer)
    }

    /// Makes ready a message of these parts.
    fn say(&mut self, parts: &[&[u8]]) {
        self.messages += 1;
        let number = integer(INTEGER, self.messages);
        let parts: Vec<&[u8]> = std::iter::once(number.as_slice()).chain(parts.iter().copied()).collect();
        self.request = element(SEQUENCE, &parts);
    }
}

fn search(base: &str, scope: u32, limit: usize, filter: &[u8]) -> Vec<u8> {
    let limit = integer(INTEGER, u32::try_from(limit).unwrap_or_default());
    let (scope, never, no_time) = (integer(ENUMERATED, scope), integer(ENUMERATED, 0), integer(INTEGER, 0));
    let (values_too, all) = (element(BOOLEAN, &[&[0]]), element(SEQUENCE, &[]));
    element(SEARCH, &[&string(OCTETS, base), &scope, &never, &limit, &no_time, &values_too, filter, &all])
}

/// The control that asks for one page (RFC 2696).
fn page() -> Vec<u8> {
    let size = integer(INTEGER, u32::try_from(PAGE).unwrap_or_default());
    let value = element(SEQUENCE, &[&size, &string(OCTETS, "")]);
    let control = element(SEQUENCE, &[&string(OCTETS, "1.2.840.113556.1.4.319"), &element(OCTETS, &[&value])]);
    element(0xa0, &[&control])
}

fn attribute(name: &str, values: &[String]) -> Vec<u8> {
    let values: Vec<_> = values.iter().map(|value| string(OCTETS, value)).collect();
    let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
    element(SEQUENCE, &[&string(OCTETS, name), &element(SET, &values)])
}

fn string(tag: u8, text: &str) -> Vec<u8> {
    element(tag, &[text.as_bytes()])
}

fn integer(tag: u8, value: u32) -> Vec<u8> {
    element(tag, &[&value.to_be_bytes()])
}

/// An element of these parts.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut made = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => made.push(short),
        _ => {
            made.push(0x84);
            made.extend((length as u32).to_be_bytes());
        }
    }
    made.extend(parts.iter().flat_map(|part| part.iter()));
    made
}

/// The first element of these bytes, if it is whole: its tag, where its content begins, and where it ends.
fn first(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (tag, length) = (*bytes.first()?, *bytes.get(1)?);
    let (begin, length) = match length {
        short if short < 0x80 => (2, usize::from(short)),
        long => {
            let digits = usize::from(long & 0x7f);
            let value = bytes.get(2..2 + digits)?.iter().fold(0, |value, digit| value << 8 | usize::from(*digit));
            (2 + digits, value)
        }
    };
    (begin + length <= bytes.len()).then_some((tag, begin, begin + length))
}

/// The operation of the first message of these bytes, its content, and where the message ends.
fn operation(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (_, begin, end) = first(bytes)?;
    let message = &bytes[begin..end];
    let (.., after_number) = first(message)?;
    let (tag, begin, last) = first(&message[after_number..])?;
    Some((tag, &message[after_number + begin..after_number + last], end))
}

/// How long an answer is, with all its entries, once it is there.
fn whole_length(answer: &[u8]) -> anyhow::Result<Option<usize>> {
    let mut length = 0;
    while let Some((tag, _, end)) = operation(&answer[length..]) {
        length += end;
        if !NOT_LAST.contains(&tag) {
            return Ok(Some(length));
        }
    }
    Ok(None)
}

/// The result that the last message of an answer tells.
fn result(mut answer: &[u8]) -> anyhow::Result<u8> {
    while let Some((tag, content, end)) = operation(answer) {
        if !NOT_LAST.contains(&tag) {
            let (_, begin, _) = first(content).context("no result")?;
            return Ok(content[begin]);
        }
        answer = &answer[end..];
    }
    bail!("no answer")
}
