//! `rollbook group create`.

use std::io::{self, Write as _};

use clap::{ArgGroup, Args};

use crate::cli::operator::{ReasonArgs, community_set, escaped, parse_community, parse_id};
use crate::domain::community::Community;
use crate::domain::error::{Error, Violation};
use crate::domain::group::DESCRIPTION_MAX;
use crate::domain::id::Id;
use crate::domain::labels::{Labels, Tag};
use crate::domain::text::{broken_required_rule, broken_rule};
use crate::service::Service;
use crate::service::complete_groups::{CompleteGroup, Identity, Naming};

/// The arguments of `rollbook group create`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("names").required(true).multiple(true))]
pub(super) struct CreateGroup {
    /// The label in the directory's default language, which is the Name of the group
    #[arg(long, group = "names")]
    name: Option<String>,
    /// A label in another language, such as `de=Hilfe`; repeat the flag for several
    #[arg(long = "label", value_name = "TAG=TEXT", value_parser = parse_label, group = "names")]
    labels: Vec<(Tag, String)>,
    /// The group's ID: 1 to 100 letters, digits, hyphens and underscores; generated if it is not given
    #[arg(long, value_parser = parse_id)]
    id: Option<Id>,
    /// A text about the group
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A community (GUID) that the group is linked to; repeat the flag for up to 100 communities
    #[arg(long = "community", value_name = "GUID", value_parser = parse_community)]
    communities: Vec<Community>,
    #[command(flatten)]
    reason: ReasonArgs,
}

impl CreateGroup {
    /// Creates the group and prints its name, ID and number.
    pub(super) async fn run(self, service: &Service) -> anyhow::Result<()> {
        let permit = self.reason.permit()?;
        let group = service.create_complete_group(&permit, self.draft(service.default_language())?).await?;
        let (name, id, uid) = (escaped(&group.name), &group.fields.id, group.uid);
        Ok(writeln!(io::stdout(), "The group {name} (ID {id}, number {uid}) was created.")?)
    }

    /// The draft of the group. Fails with every broken rule.
    fn draft(self, language: &Tag) -> anyhow::Result<CompleteGroup> {
        let rules = [
            ("--name", self.name.as_deref().and_then(|name| broken_required_rule(name, Labels::MAX_CHARS))),
            ("--description", self.description.as_deref().and_then(|text| broken_rule(text, DESCRIPTION_MAX))),
        ];
        let broken = rules.into_iter().filter_map(|(flag, rule)| Some(Violation::new(flag, rule?)));
        let violations: Vec<_> = broken.collect();
        if !violations.is_empty() {
            return Err(Error::Invalid(violations).into());
        }
        let name = self.name.map(|name| (language.clone(), name));
        let labels = Labels::new(self.labels.into_iter().chain(name).collect());
        Ok(CompleteGroup {
            identity: Identity::default(),
            id: self.id,
            naming: Naming { labels: Some(labels.map_err(|rule| Error::invalid("--label", rule))?), name: None },
            description: self.description,
            xp: None,
            communities: Some(community_set(self.communities)?),
        })
    }
}

/// Parses the value of `--label`.
fn parse_label(text: &str) -> Result<(Tag, String), String> {
    let (tag, label) = text.split_once('=').ok_or("must be a language tag, '=' and a text")?;
    let tag = Tag::parse(tag).ok_or_else(|| format!("'{tag}' is not a language tag (BCP 47)"))?;
    Ok((tag, label.to_owned()))
}
