//! Use cases of identity providers, which bring users into the directory and keep them there (docs/scim.md).

mod users;

pub(crate) use users::ProvisionedUser;
