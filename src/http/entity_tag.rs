//! Entity tags (RFC 9110, section 8.8.3): the version of the group or user that an answer shows.
//!
//! A tag is strong and made of the API, the number and the version: `"core-7-3"`. If the answer also shows what does not
//! count as a version (sign-ins, member counts), the tag has a second part: `"ordercloud-12-2.1764211000000000-0"`.
//! `If-None-Match` of a read compares whole tags. A condition on a write compares number and version alone, so that the
//! sign-in of a user does not make an edit of their name stale.
//!
//! A list of a group's members has a tag with the version of the group's memberships, `"rollbook-members-7-12"`, and a
//! digest of the page as its second part. Such a tag names no version of the group, and a tag of the group none of its
//! memberships.
//!
//! The tags of SCIM are weak and have a version alone, `W/"3"`, with the same kind of second part: the path of a request names
//! the resource (RFC 7644, section 3.14).

use std::fmt::Display;

use axum::http::HeaderValue;
use sha2::{Digest as _, Sha256};

use crate::domain::change::{EntityVersion, Versions};
use crate::domain::entity::Entity;
use crate::domain::group::GroupUid;
use crate::domain::journal::Channel;

/// The number of bytes of a page's SHA-256 that its tag has.
const DIGEST_BYTES: usize = 8;

/// Returns the tag of an entity in the API of the channel.
pub(crate) fn entity_tag(channel: Channel, entity: &impl Entity) -> String {
    format!("\"{}-{}-{}\"", channel.name(), entity.uid(), entity.version())
}

/// Like [`entity_tag`], for an answer that also shows `state`, which does not count as a version.
pub(crate) fn entity_tag_with(channel: Channel, entity: &impl Entity, state: impl Display) -> String {
    format!("\"{}-{}-{}.{state}\"", channel.name(), entity.uid(), entity.version())
}

/// Returns the tag of the list of a group's members in the API of the channel. A tag of a page also has the page's digest.
pub(crate) fn members_tag(channel: Channel, group: GroupUid, members_version: i64, page: Option<&[u8]>) -> String {
    let digest = |page: &[u8]| -> String {
        Sha256::digest(page).iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect()
    };
    let state = page.map_or_else(String::new, |page| format!(".{}", digest(page)));
    format!("\"{}-members-{group}-{members_version}{state}\"", channel.name())
}

/// What a tag names the version of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Versioned {
    /// A group or user.
    Entity,
    /// The memberships of a group.
    Members,
    /// The resource of SCIM with this number.
    Resource(i64),
}

/// Returns the version that one of our tags names; `None` for any other tag.
fn version_of(tag: &str, of: Versioned) -> Option<EntityVersion> {
    let opaque = tag.strip_prefix('"')?.strip_suffix('"')?;
    let after_api = || Some(opaque.split_once('-')?.1);
    let numbers = match of {
        Versioned::Entity => after_api()?,
        Versioned::Members => after_api()?.strip_prefix("members-")?,
        Versioned::Resource(uid) => {
            return Some(EntityVersion { uid, version: opaque.split('.').next()?.parse().ok()? });
        }
    };
    let (uid, version) = numbers.split('.').next()?.split_once('-')?;
    Some(EntityVersion { uid: uid.parse().ok()?, version: version.parse().ok()? })
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TagList {
    /// `*`: any tag.
    Any,
    /// The listed tags.
    Tags(Vec<ListedTag>),
}

/// A tag in a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListedTag {
    is_weak: bool,
    /// The tag with its quotes, without `W/`.
    tag: String,
}

impl TagList {
    /// Reads the values of all header lines of the name, which form one list. Returns `None` if they are not `*` or a
    /// list of at least one tag.
    pub(crate) fn read<'a>(lines: impl Iterator<Item = &'a HeaderValue>) -> Option<Self> {
        let lines: Vec<_> = lines.map(HeaderValue::as_bytes).collect();
        if lines.len() == 1 && lines[0].trim_ascii() == b"*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        for line in lines {
            read_tags(line, &mut tags)?;
        }
        (!tags.is_empty()).then_some(Self::Tags(tags))
    }

    /// Whether the list has this tag, strong or weak (RFC 9110, section 13.1.2).
    pub(crate) fn contains(&self, tag: &HeaderValue) -> bool {
        let opaque = tag.as_bytes();
        let opaque = opaque.strip_prefix(b"W/").unwrap_or(opaque);
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|listed| listed.tag.as_bytes() == opaque),
        }
    }

    /// The versions that the tags name: the strong ones for `If-Match` (RFC 9110, section 13.1.1), for `If-None-Match`
    /// the weak ones too. Those of SCIM are all weak, and compared nevertheless.
    pub(crate) fn versions(&self, of: Versioned, with_weak: bool) -> Versions {
        match self {
            Self::Any => Versions::Any,
            Self::Tags(tags) => {
                let with_weak = with_weak || matches!(of, Versioned::Resource(_));
                let compared = tags.iter().filter(|listed| with_weak || !listed.is_weak);
                Versions::These(compared.filter_map(|listed| version_of(&listed.tag, of)).collect())
            }
        }
    }
}

/// Appends the tags of one line. Empty elements of the list are skipped (RFC 9110, section 5.6.1.2). Returns `None` for
/// anything that is no list of tags.
fn read_tags(line: &[u8], tags: &mut Vec<ListedTag>) -> Option<()> {
    let is_etagc = |byte: &u8| *byte == 0x21 || (0x23..=0x7e).contains(byte) || *byte >= 0x80;
    let mut rest = line.trim_ascii();
    loop {
        while let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
        }
        if rest.is_empty() {
            return Some(());
        }
        let (is_weak, tag) = rest.strip_prefix(b"W/").map_or((false, rest), |strong| (true, strong));
        let end = tag.strip_prefix(b"\"")?.iter().position(|byte| !is_etagc(byte))? + 1;
        if tag.get(end) != Some(&b'"') {
            return None;
        }
        tags.push(ListedTag { is_weak, tag: String::from_utf8_lossy(&tag[..=end]).into_owned() });
        rest = tag[end + 1..].trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Option<TagList> {
        let lines: Vec<_> = lines.iter().map(|line| HeaderValue::from_bytes(line.as_bytes()).unwrap()).collect();
        TagList::read(lines.iter())
    }

    #[test]
    fn lists_are_read_as_http_defines_them() {
        let tags = |all: &[(bool, &str)]| {
            let listed = |&(is_weak, tag): &(bool, &str)| ListedTag { is_weak, tag: tag.to_owned() };
            Some(TagList::Tags(all.iter().map(listed).collect()))
        };
        assert_eq!(read(&[" * "]), Some(TagList::Any));
        assert_eq!(read(&[r#""a""#]), tags(&[(false, r#""a""#)]));
        assert_eq!(
            read(&[r#", W/"a,b" ,"" ,,"#, r#""é""#]),
            tags(&[(true, r#""a,b""#), (false, r#""""#), (false, r#""é""#)])
        );
        for bad in ["", ",", "a", "*,*", r#""a"#, r#"a""#, r#"w/"a""#, r#""a" "b""#, r#""a",*"#, r#""a b""#, "W/"] {
            assert_eq!(read(&[bad]), None, "{bad}");
        }
        assert_eq!(read(&["*", r#""a""#]), None);
    }

    #[test]
    fn tags_name_a_version() {
        let version = Some(EntityVersion { uid: 12, version: 2 });
        for (tag, expected) in [
            (r#""core-12-2""#, version),
            (r#""ordercloud-12-2.1764211-0""#, version),
            (r#""rollbook-members-12-2""#, None),
            (r#""core-12""#, None),
            (r#""core-12-x""#, None),
            (r#""12-2""#, None),
            (r#""""#, None),
        ] {
            assert_eq!(version_of(tag, Versioned::Entity), expected, "{tag}");
        }
        let of_members = |page| version_of(&members_tag(Channel::Rollbook, 12, 2, page), Versioned::Members);
        assert_eq!((of_members(None), of_members(Some(b"{}"))), (version, version));
        assert_eq!(version_of(r#""rollbook-12-2""#, Versioned::Members), None);
        let list = read(&[r#""core-12-2", W/"core-12-3", "other""#]).unwrap();
        let these = |versions: &[i64]| {
            Versions::These(versions.iter().map(|&version| EntityVersion { uid: 12, version }).collect())
        };
        assert_eq!(
            (list.versions(Versioned::Entity, false), list.versions(Versioned::Entity, true)),
            (these(&[2]), these(&[2, 3]))
        );
        assert!(list.contains(&HeaderValue::from_static(r#""core-12-3""#)));
        assert!(!list.contains(&HeaderValue::from_static(r#""core-12-2.1""#)));
    }

    #[test]
    fn weak_tags_name_a_version_of_the_resource_of_the_path() {
        let list = read(&[r#"W/"3.12", "4", W/"x", "core-12-2""#]).unwrap();
        let these = [3, 4].map(|version| EntityVersion { uid: 12, version });
        for with_weak in [false, true] {
            assert_eq!(list.versions(Versioned::Resource(12), with_weak), Versions::These(these.to_vec()));
        }
        let contains = |tag| list.contains(&HeaderValue::from_static(tag));
        assert!(contains(r#"W/"3.12""#) && contains(r#"W/"4""#) && !contains(r#"W/"3""#) && !contains(r#"W/"3.13""#));
    }
}
