//! Fills a directory through the services that serve requests.

use std::sync::Arc;

use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use rollbook::domain::caller::{Caller, Permit, WriteGroups};
use rollbook::domain::id::Id;
use rollbook::domain::journal::Channel;
use rollbook::domain::xp::Xp;
use rollbook::json::Json;
use rollbook::service::groups::{GroupDraft, LabelledGroup};

use super::support::{Directory, generate};

/// The number of concurrent writes: as many as share one commit.
const CONCURRENT_WRITES: usize = 256;

impl Directory {
    /// Writes the groups with the numbers from 0 to `groups`, every fourth of them through both APIs.
    pub(crate) async fn fill(&self, groups: usize) -> anyhow::Result<()> {
        let permit = writer()?;
        let written = stream::iter(0..groups).map(|number| self.write(&permit, number, groups));
        written.buffer_unordered(CONCURRENT_WRITES).try_collect::<()>().await
    }

    async fn write(&self, permit: &Permit<WriteGroups>, number: usize, of: usize) -> anyhow::Result<()> {
        let group = self.service.create_group(permit, draft(number, of)?).await?;
        if number.is_multiple_of(4) {
            let (labels, communities) = (generate::labels(&group.name)?, Some(generate::communities(number)));
            let group = LabelledGroup { uid: Some(group.uid), labels, communities };
            self.service.put_labelled_group(permit, group).await?;
        }
        Ok(())
    }
}

/// The permit that writes of groups need.
pub(crate) fn writer() -> anyhow::Result<Permit<WriteGroups>> {
    Arc::new(Caller::operator(Channel::OrderCloud)).permit().context("the operator may do everything")
}

/// The group with this number, in a directory of `of` groups.
pub(crate) fn draft(number: usize, of: usize) -> anyhow::Result<GroupDraft> {
    let generate::GeneratedGroup { name, description, xp } = generate::group(number, of);
    let xp = Json::parse(xp.to_string().as_bytes()).and_then(|xp| Xp::new(&xp)).map_err(anyhow::Error::msg)?;
    Ok(GroupDraft { id: Id::new(generate::id(number)), name, description: Some(description), xp: Some(xp) })
}
