//! TLS to the database server: which certificates a connection trusts.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::url::SslMode;

/// Makes the TLS connector for the mode. `roots` is a PEM file of trusted certificates; `None` = those that the
/// operating system trusts. Fails with a message if there are none.
pub(crate) fn tls_connector(mode: SslMode, roots: Option<&Path>) -> anyhow::Result<MakeRustlsConnect> {
    Ok(MakeRustlsConnect::new(config(mode, roots)?))
}

fn config(mode: SslMode, roots: Option<&Path>) -> anyhow::Result<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let config = match mode {
        // This connector is never used.
        SslMode::Disable => builder.with_root_certificates(RootCertStore::empty()),
        SslMode::VerifyFull => builder.with_root_certificates(trusted(roots)?),
        SslMode::Require => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyName::new(trusted(roots)?, provider)?))
        }
    };
    Ok(config.with_no_client_auth())
}

/// The trusted certificates: those in the file, or those of the operating system.
fn trusted(file: Option<&Path>) -> anyhow::Result<RootCertStore> {
    let mut trusted = RootCertStore::empty();
    match file {
        Some(file) => {
            let shown = file.display();
            let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            for certificate in certificates.with_context(|| format!("sslrootcert {shown} cannot be read as PEM"))? {
                trusted.add(certificate).with_context(|| format!("sslrootcert {shown} has an invalid certificate"))?;
            }
            if trusted.is_empty() {
                bail!("sslrootcert {shown} holds no certificate");
            }
        }
        None => {
            trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if trusted.is_empty() {
                bail!("this system trusts no certificates: install them (ca-certificates), or give sslrootcert=FILE");
            }
        }
    }
    Ok(trusted)
}

/// A verifier that checks everything but the name in the certificate.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl AnyName {
    fn new(trusted: RootCertStore, provider: Arc<CryptoProvider>) -> anyhow::Result<Self> {
        Ok(Self(WebPkiServerVerifier::builder_with_provider(Arc::new(trusted), provider).build()?))
    }
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The verifier checks the name last, so the chain is valid here.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ClientConnection, ServerConfig, ServerConnection};

    use super::*;

    fn file(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/postgres/certificates").join(name)
    }

    /// The server of `certificates/server.pem`.
    fn server() -> ServerConnection {
        let chain = CertificateDer::pem_file_iter(file("server.pem")).unwrap().collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_file(file("server.pem")).unwrap();
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        ServerConnection::new(Arc::new(config.with_single_cert(chain, key).unwrap())).unwrap()
    }

    /// The result of a TLS handshake, in memory, between that server and a client that expects the name.
    fn shake_hands(mode: SslMode, roots: &str, name: &'static str) -> Result<(), Error> {
        let config = Arc::new(config(mode, Some(&file(roots))).unwrap());
        let mut client = ClientConnection::new(config, ServerName::try_from(name).unwrap()).unwrap();
        let mut server = server();
        while client.is_handshaking() {
            let mut sent = Vec::new();
            client.write_tls(&mut sent).unwrap();
            server.read_tls(&mut &*sent).unwrap();
            server.process_new_packets().unwrap();
            let mut received = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut received).unwrap();
            }
            client.read_tls(&mut &*received).unwrap();
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn verify_full_checks_the_chain_and_the_name() {
        assert_eq!(shake_hands(SslMode::VerifyFull, "ca.pem", "db.test"), Ok(()));
        let wrong_name = shake_hands(SslMode::VerifyFull, "ca.pem", "other.test").unwrap_err();
        assert!(wrong_name.to_string().contains("other.test"), "{wrong_name}");
        let unknown = shake_hands(SslMode::VerifyFull, "other.pem", "db.test").unwrap_err();
        assert_eq!(unknown, Error::InvalidCertificate(CertificateError::UnknownIssuer));
    }

    #[test]
    fn require_checks_only_the_chain() {
        assert_eq!(shake_hands(SslMode::Require, "ca.pem", "other.test"), Ok(()));
        assert_eq!(shake_hands(SslMode::Require, "ca.pem", "10.0.0.1"), Ok(()));
        for name in ["db.test", "other.test"] {
            let unknown = shake_hands(SslMode::Require, "other.pem", name).unwrap_err();
            assert_eq!(unknown, Error::InvalidCertificate(CertificateError::UnknownIssuer));
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let refusal = |name: &str| format!("{:#}", config(SslMode::Require, Some(&file(name))).unwrap_err());
        assert!(refusal("missing.pem").contains("missing.pem cannot be read as PEM"));
        assert!(refusal("../connection/tls.rs").contains("holds no certificate"));
    }
}
