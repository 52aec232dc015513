//! The names of the peers in tables and charts.

/// Rollbook on SQLite.
pub(crate) const ON_SQLITE: &str = "Rollbook on SQLite";
/// Rollbook on PostgreSQL.
pub(crate) const ON_POSTGRES: &str = "Rollbook on PostgreSQL";
/// OpenLDAP.
pub(crate) const SLAPD: &str = "OpenLDAP slapd";
/// json-server.
pub(crate) const JSON_SERVER: &str = "json-server";
/// Prism, with our own document.
pub(crate) const PRISM: &str = "Prism";
