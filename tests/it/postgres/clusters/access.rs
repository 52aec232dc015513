//! Authentication and authorization: roles, passwords and certificates.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use tempfile::TempDir;

use super::Cluster;
use crate::postgres::launch;
use crate::postgres::refusals::refused;
use crate::support::{Database, Server, make_groups, sql};

/// The cluster's URL for another user and host, with options.
fn url(cluster: &Cluster, user: &str, host: &str, options: &str) -> String {
    let url = cluster.url().replace("postgres@", &format!("{user}@")).replace("127.0.0.1", host);
    format!("{url}?{options}")
}

async fn works(url: &str) -> Server {
    let node = launch().start_on(Database::elsewhere(url));
    node.admin().await.get("/v1/usergroups").await.is(200);
    node
}

#[tokio::test]
async fn a_role_without_the_right_to_make_pg_trgm_is_refused_with_the_reason() {
    let cluster = Cluster::start(&[]);
    let refused_as_app = |word: &str| {
        let error = refused(&url(&cluster, "app", "127.0.0.1", ""));
        assert!(error.contains(word) && error.contains("app"), "{error}");
    };
    refused_as_app("role");
    sql::run(&cluster.url(), "CREATE ROLE app LOGIN");
    refused_as_app("GRANT CREATE ON SCHEMA");
    sql::run(&cluster.url(), "GRANT CREATE ON SCHEMA public TO app");
    refused_as_app("CREATE EXTENSION pg_trgm");
    sql::run(&cluster.url(), "CREATE EXTENSION pg_trgm");
    let node = works(&url(&cluster, "app", "127.0.0.1", "")).await;
    make_groups(&node.admin().await, &["found"]).await;
    assert_eq!(node.admin().await.get("/v1/usergroups?search=oun").await.is(200).ids(), ["found"]);
}

#[tokio::test]
async fn a_password_comes_from_the_environment_and_is_never_printed() {
    const PASSWORD: &str = "p@ss:w/rd";
    let cluster = Cluster::start(&[]);
    sql::run(&cluster.url(), &format!("CREATE ROLE app LOGIN SUPERUSER PASSWORD '{PASSWORD}'"));
    let rules = "host all app 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\n";
    fs::write(cluster.data().join("pg_hba.conf"), rules).expect("our own cluster");
    sql::run(&cluster.url(), "SELECT pg_reload_conf()");

    let app = url(&cluster, "app", "127.0.0.1", "");
    let given = launch().env("ROLLBOOK_DATABASE_PASSWORD", PASSWORD).start_on(Database::elsewhere(&*app));
    given.admin().await.get("/v1/usergroups").await.is(200);
    assert!(!given.log().contains(PASSWORD));
    works(&app.replace("app@", "app:p%40ss%3Aw%2Frd@")).await;
    assert!(refused(&app).contains("password"));
    let error = refused(&app.replace("app@", "app:another@"));
    assert!(error.contains("password") && !error.contains("another@"), "{error}");
}

/// A certificate authority for one test.
struct Authority(TempDir);

impl Authority {
    fn new() -> Self {
        let authority = Self(TempDir::new().expect("a temporary directory"));
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let named = ["-subj", "/CN=an authority", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem"];
        openssl(authority.0.path(), &[&["req", "-x509"], &key[..], &named[..]].concat());
        authority
    }

    /// Its certificate.
    fn root(&self) -> PathBuf {
        self.0.path().join("ca.pem")
    }

    /// Makes the cluster accept TLS connections, with a certificate for `localhost`.
    fn certify(&self, cluster: &Cluster) {
        let (folder, data) = (self.0.path(), cluster.data());
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        openssl(
            folder,
            &[&["req"], &key[..], &["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "request.csr"]].concat(),
        );
        fs::write(folder.join("names"), "subjectAltName=DNS:localhost").expect("our own folder");
        let signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
        openssl(folder, &[&["x509", "-req", "-in", "request.csr", "-out", "server.crt"], &signed[..]].concat());
        for file in ["server.crt", "server.key"] {
            cluster.take_over(&folder.join(file), &data.join(file)).expect("our own cluster");
        }
        sql::run(&cluster.url(), "ALTER SYSTEM SET ssl = on");
        sql::run(&cluster.url(), "SELECT pg_reload_conf()");
    }
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output();
    let output = output.expect("this test makes certificates with openssl: install it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

impl Cluster {
    /// Copies a file, readable by the server only.
    fn take_over(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::copy(from, to)?;
        self.give_to_server(to)
    }
}

#[tokio::test]
async fn certificates_are_checked() {
    let cluster = Cluster::start(&[]);
    let (authority, another) = (Authority::new(), Authority::new());
    authority.certify(&cluster);
    let with = |host: &str, options: &str, authority: &Authority| {
        url(&cluster, "postgres", host, &format!("{options}sslrootcert={}", authority.root().display()))
    };
    for (host, options) in [("localhost", "sslmode=verify-full&"), ("localhost", ""), ("127.0.0.1", "sslmode=require&")]
    {
        let _node = works(&with(host, options, &authority)).await;
        let open = "SELECT 1 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
             WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND NOT ssl";
        assert!(sql::run(&cluster.url(), open).is_empty(), "every session of the node is encrypted");
    }
    for (host, options, authority) in [
        ("127.0.0.1", "sslmode=verify-full&", &authority),
        ("localhost", "sslmode=verify-full&", &another),
        ("localhost", "sslmode=require&", &another),
    ] {
        let error = refused(&with(host, options, authority));
        assert!(error.contains("certificate"), "{host} {options}: {error}");
    }
    // No other authority has signed the certificate.
    assert!(refused(&url(&cluster, "postgres", "localhost", "sslmode=verify-full")).contains("certificate"));
}

#[tokio::test]
async fn a_server_without_tls_gets_no_plain_text() {
    let (cluster, authority) = (Cluster::start(&[]), Authority::new());
    let options = format!("sslmode=require&sslrootcert={}", authority.root().display());
    let error = refused(&url(&cluster, "postgres", "127.0.0.1", &options));
    assert!(error.contains("TLS"), "{error}");
}
