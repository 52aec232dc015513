//! The cost of single operations on a directory of 10,000 groups, without the network: `cargo bench --bench directory`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it prints its results")]

#[path = "support/fill.rs"]
mod fill;
#[path = "support/request.rs"]
mod request;
#[allow(clippy::duplicate_mod, reason = "every benchmark is a program of its own")]
#[path = "support/mod.rs"]
mod support;

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use criterion::{Criterion, criterion_group, criterion_main};
use http_body_util::BodyExt as _;
use rollbook::domain::journal::Channel;
use rollbook::http::limits::Limits;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use request::get;
use support::{Directory, generate};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const GROUPS: usize = 10_000;

fn benchmarks(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime starts");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder can be made");
    let directory = runtime.block_on(fill_directory(&folder.path().join("bench.db"))).expect("a directory");
    let app = rollbook::app(&directory.service, Router::new(), Limits::default(), None).expect("the app is built");

    let requests = [
        ("point read", format!("/v1/usergroups/{}", generate::id(GROUPS / 2))),
        ("list", "/v1/usergroups".to_owned()),
        ("filter by Name", "/v1/usergroups?Name=Vertrieb*".to_owned()),
        ("filter by xp", format!("/v1/usergroups?xp.Project={}", generate::codename(7, GROUPS))),
        ("search", format!("/v1/usergroups?search={}", generate::codename(7, GROUPS))),
    ];
    for (name, uri) in requests {
        criterion.bench_function(name, |bencher| {
            bencher.to_async(&runtime).iter(|| respond(&app, get(&directory, &uri)));
        });
    }
    criterion.bench_function("token check", |bencher| {
        bencher.to_async(&runtime).iter(|| directory.service.authenticate(&directory.token, Channel::OrderCloud));
    });
    criterion.bench_function("create (durable)", |bencher| {
        let permit = fill::writer().expect("the operator may write");
        let mut draft = fill::draft(0, GROUPS).expect("a made-up group is valid");
        draft.id = None;
        bencher.to_async(&runtime).iter(|| directory.service.create_group(&permit, draft.clone()));
    });
}

async fn fill_directory(file: &Path) -> anyhow::Result<Directory> {
    let directory = Directory::open(&format!("sqlite:{}", file.display())).await?;
    directory.fill(GROUPS).await?;
    Ok(directory)
}

async fn respond(app: &Router, request: Request<Body>) {
    let response = app.clone().oneshot(request).await.expect("the app always responds");
    assert_eq!(response.status(), StatusCode::OK);
    black_box(response.into_body().collect().await.expect("the body is in memory"));
}

criterion_group! {
    name = directory;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = benchmarks
}
criterion_main!(directory);
