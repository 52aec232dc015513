//! Which changes a command is about.

use clap::Args;

use crate::cli::operator::parse_moment;
use crate::domain::caller::{Permit, SelectChanges};
use crate::domain::change_type::ChangeType;
use crate::domain::error::{Error, Result};
use crate::domain::history::ChangeFilter;
use crate::domain::journal::Channel;
use crate::domain::time::Timestamp;
use crate::service::Service;

/// Which changes, apart from those before a time.
#[derive(Debug, Args)]
pub(super) struct SelectionArgs {
    /// Only changes up to this time
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub until: Option<Timestamp>,
    /// Only changes of this type, e.g. membership.added; can be repeated
    #[arg(long = "type", value_name = "TYPE", value_parser = parse_type)]
    types: Vec<ChangeType>,
    /// Only changes that came this way: core, ordercloud, rollbook, console, cli, import or server; can be repeated
    #[arg(long = "channel", value_name = "CHANNEL", value_parser = parse_channel)]
    channels: Vec<Channel>,
    /// Only changes made with a token of the client with this client_id; can be repeated
    #[arg(long = "client", value_name = "CLIENT_ID")]
    clients: Vec<String>,
}

impl SelectionArgs {
    /// The filter without times. Fails with `Invalid` if there is no such client.
    pub(super) async fn filter(self, service: &Service, permit: &Permit<impl SelectChanges>) -> Result<ChangeFilter> {
        let mut filter = ChangeFilter { types: self.types, channels: self.channels, ..ChangeFilter::default() };
        for id in &self.clients {
            let rule = "is the client_id of no client; `rollbook client list` prints all clients";
            let client = service.named_client(permit, id).await?;
            filter.clients.push(client.ok_or_else(|| Error::invalid("--client", rule))?);
        }
        Ok(filter)
    }
}

/// Parses the type of a change.
fn parse_type(text: &str) -> Result<ChangeType, String> {
    text.parse().map_err(|()| {
        let names: Vec<_> = ChangeType::ALL.into_iter().map(ChangeType::name).collect();
        format!("must be one of {}", names.join(", "))
    })
}

/// Parses the channel of a change.
fn parse_channel(text: &str) -> Result<Channel, String> {
    text.parse().map_err(|()| {
        let names: Vec<_> = Channel::ALL.into_iter().map(Channel::name).collect();
        format!("must be one of {}", names.join(", "))
    })
}
