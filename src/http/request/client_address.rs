//! The address of the client that sent a request.

use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::Extensions;
use axum::http::request::Parts;

use crate::domain::sign_in::Origin;
use crate::http::{ApiState, Failure};

/// The extension of a request with the other end of its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(
    /// The address.
    pub SocketAddr,
);

/// Returns the address of the client: that of the other end of the connection. `None` if the request came through none,
/// as in a test. An IPv4 address in the form of IPv6, as a socket for both shows it, is returned as IPv4.
pub(crate) fn client_address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<Peer>().map(|Peer(address)| address.ip().to_canonical())
}

impl FromRequestParts<ApiState> for Origin {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &ApiState) -> Result<Self, Failure> {
        Ok(Self { channel: api.channel, source: client_address(&parts.extensions) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_client_has_one_address() {
        let address = |peer: &str| {
            let mut extensions = Extensions::new();
            extensions.insert(Peer(peer.parse().unwrap()));
            client_address(&extensions).unwrap().to_string()
        };
        assert_eq!(address("192.0.2.7:1234"), "192.0.2.7");
        assert_eq!(address("[::ffff:192.0.2.7]:1234"), "192.0.2.7");
        assert_eq!(address("[2001:db8::1]:1234"), "2001:db8::1");
        assert_eq!(client_address(&Extensions::new()), None);
    }
}
