//! The workloads over LDAP (RFC 4511), with the forms of BER that they need.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};

use super::support::generate;
use super::wire::Connection;
use super::workload::{self, PAGE, Workload, pair, text};

/// The base DN of all entries.
pub(crate) const SUFFIX: &str = "dc=example,dc=org";
/// The administrator's DN, for which no access rule is evaluated.
pub(crate) const ROOT: &str = "cn=admin,dc=example,dc=org";

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
/// The messages that are not the last one of a response: an entry, a reference.
const NOT_LAST: [u8; 2] = [0x64, 0x73];
const SUCCESS: u8 = 0;
/// The result code if there are more entries than requested.
const SIZE_LIMIT: u8 = 4;

/// An authenticated connection, and its next request.
pub(crate) struct Ldap {
    connection: Connection,
    messages: u32,
    request: Vec<u8>,
}

/// The DN of the group with this ID.
pub(crate) fn group(id: &str) -> String {
    format!("cn={id},ou=groups,{SUFFIX}")
}

/// The DN of the user with this ID.
pub(crate) fn user(id: &str) -> String {
    format!("uid={id},ou=people,{SUFFIX}")
}

/// The attributes of a group, with one member, as a group of names requires: `xp` is stored as its JSON.
pub(crate) fn attributes(id: &str, made: &generate::GeneratedGroup) -> [(&'static str, Vec<String>); 5] {
    [
        ("objectClass", vec!["groupOfNames".to_owned()]),
        ("cn", vec![id.to_owned(), made.name.clone()]),
        ("description", vec![made.description.clone()]),
        ("businessCategory", vec![made.xp.to_string()]),
        ("member", vec![user(&workload::user(0))]),
    ]
}

impl Ldap {
    /// Opens a connection and binds as [`ROOT`].
    pub(crate) async fn open(address: SocketAddr, password: &str) -> anyhow::Result<Self> {
        let (connection, request) = (Connection::open(address).await?, Vec::new());
        let mut ldap = Self { connection, messages: 0, request };
        ldap.say(&[&element(BIND, &[&integer(INTEGER, 3), &string(OCTETS, ROOT), &string(0x80, password)])]);
        ldap.send().await?;
        Ok(ldap)
    }

    /// Prepares the request of this workload with this number, for a peer with `of` groups.
    pub(crate) fn prepare(&mut self, workload: Workload, number: usize, of: usize) {
        const ONE_LEVEL: u32 = 1;
        let groups = format!("ou=groups,{SUFFIX}");
        let is_group = element(0xa3, &[&string(OCTETS, "objectClass"), &string(OCTETS, "groupOfNames")]);
        match workload {
            // A request that needs no access to the data.
            Workload::Fixed => self.say(&[&search("", 0, 1, &string(0x87, "objectClass"))]),
            Workload::Read => self.say(&[&search(&group(&generate::id(number)), 0, 1, &string(0x87, "objectClass"))]),
            Workload::Find => {
                let substring = element(SEQUENCE, &[&string(0x81, &text(number, of))]);
                let contains = element(0xa4, &[&string(OCTETS, "cn"), &substring]);
                self.say(&[&search(&groups, ONE_LEVEL, PAGE, &contains)]);
            }
            Workload::List => self.say(&[&search(&groups, ONE_LEVEL, 0, &is_group), &page()]),
            Workload::Join => {
                let (id, joins) = pair(number, of);
                let add = element(SEQUENCE, &[&integer(ENUMERATED, 0), &attribute("member", &[user(&joins)])]);
                self.say(&[&element(MODIFY, &[&string(OCTETS, &group(&id)), &element(SEQUENCE, &[&add])])]);
            }
            Workload::Create => {
                // Keys that grow, like those that other peers generate.
                let id = format!("new-{number:012}");
                let made = generate::group(of + number, of);
                let attributes = attributes(&id, &made).map(|(name, values)| attribute(name, &values));
                let attributes: Vec<&[u8]> = attributes.iter().map(Vec::as_slice).collect();
                self.say(&[&element(ADD, &[&string(OCTETS, &group(&id)), &element(SEQUENCE, &attributes)])]);
            }
        }
    }

    /// Sends the request and returns the response. Fails unless the result code is success or the size limit.
    pub(crate) async fn send(&mut self) -> anyhow::Result<&[u8]> {
        let response = self.connection.send_framed(&self.request, whole_length).await?;
        let result = result(response)?;
        ensure!([SUCCESS, SIZE_LIMIT].contains(&result), "refused: {result}: {}", String::from_utf8_lossy(response));
        Ok(response)
    }

    /// Sets the next message to these parts.
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

/// The control that requests one page (RFC 2696).
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

/// A BER element of these parts.
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

/// The first element of these bytes, if it is complete: its tag, and the start and the end of its content.
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

/// The operation of the first message of these bytes, its content, and the end of the message.
fn operation(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (_, begin, end) = first(bytes)?;
    let message = &bytes[begin..end];
    let (.., after_number) = first(message)?;
    let (tag, begin, last) = first(&message[after_number..])?;
    Some((tag, &message[after_number + begin..after_number + last], end))
}

/// The length of a response with all its entries, if it is complete.
fn whole_length(response: &[u8]) -> anyhow::Result<Option<usize>> {
    let mut length = 0;
    while let Some((tag, _, end)) = operation(&response[length..]) {
        length += end;
        if !NOT_LAST.contains(&tag) {
            return Ok(Some(length));
        }
    }
    Ok(None)
}

/// The result code in the last message of a response.
fn result(mut response: &[u8]) -> anyhow::Result<u8> {
    while let Some((tag, content, end)) = operation(response) {
        if !NOT_LAST.contains(&tag) {
            let (_, begin, _) = first(content).context("no result")?;
            return Ok(content[begin]);
        }
        response = &response[end..];
    }
    bail!("no response")
}
