//! What haul itself costs for each file and each byte, without a network: `cargo bench`.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::StreamExt;
use haul::contract::{Events, PendingUpload, Source, TransferStore};
use haul::model::{Address, RemotePath};
use haul::protocols::ftp::listing::time_of;
use haul::state::State;
use haul::testing::MemorySource;
use haul::transfer::local_tree::LocalTree;
use haul::transfer::source::file::FileSource;
use haul::transfer::source::meter::Meter;
use tokio::runtime::{Builder, Runtime};

const MIB: u64 = 1 << 20;

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn drain(source: &dyn Source, len: u64) -> u64 {
    let mut pieces = source.read(0, len);
    let mut read = 0;
    while let Some(piece) = pieces.next().await {
        read += piece.unwrap().len() as u64;
    }
    read
}

/// A file on its way to the network: read, counted, and hashed.
fn bytes(c: &mut Criterion) {
    let runtime = runtime();
    let _inside = runtime.enter();
    let mut group = c.benchmark_group("64 MiB from memory");
    group.throughput(Throughput::Bytes(64 * MIB)).sample_size(10);
    let source = MemorySource::new(vec![7; 64 << 20]);
    for hash in [false, true] {
        group.bench_function(if hash { "counted and hashed" } else { "counted" }, |b| {
            b.iter(|| {
                let meter = Meter::new(source.clone(), 0, Events::channel().0, None, hash);
                assert_eq!(runtime.block_on(drain(&meter, 64 * MIB)), 64 * MIB);
            });
        });
    }
    group.finish();
    let small = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(small.path(), [7; 4096]).unwrap();
    c.bench_function("a file of 4 KiB, opened and read", |b| {
        b.iter(|| runtime.block_on(drain(&FileSource::open(small.path()).unwrap(), 4096)));
    });
}

/// The walk over a folder of 10,000 files.
fn plan(c: &mut Criterion) {
    let top = tempfile::tempdir().unwrap();
    for folder in 0..100 {
        let folder = top.path().join(format!("{folder:03}"));
        std::fs::create_dir(&folder).unwrap();
        (0..100).for_each(|n| std::fs::write(folder.join(format!("{n:03}")), "x").unwrap());
    }
    let target = RemotePath::parse("/in/a").unwrap();
    let mut group = c.benchmark_group("the walk");
    group.throughput(Throughput::Elements(10_000)).sample_size(10);
    group.bench_function("10,000 files", |b| b.iter(|| assert_eq!(LocalTree::new(top.path(), &target).count(), 10_000)));
    group.finish();
}

/// The notes of 1,000 small files that are on their way together, and what is on the disk in the end.
fn ledger(c: &mut Criterion) {
    let runtime = runtime();
    let dir = tempfile::tempdir().unwrap();
    let state = Arc::new(State::new(Some(dir.path().to_owned())));
    let note = |n: usize| PendingUpload {
        key: format!("r|/in/{n:06}"),
        remote: "r".to_owned(),
        path: format!("/in/{n:06}"),
        source: format!("/data/{n:06}"),
        identity: "4096 1 2 3".to_owned(),
        upload: "{}".to_owned(),
        size: 4096,
        accepted: 0,
        at: 0,
    };
    let mut group = c.benchmark_group("the ledger");
    group.throughput(Throughput::Elements(1000)).sample_size(10);
    group.bench_function("1,000 files noted and forgotten", |b| {
        b.iter_batched(
            || (0..1000).map(note).collect::<Vec<_>>(),
            |notes| {
                for note in &notes {
                    state.record_unfinished(note).unwrap();
                }
                let mut last = None;
                for note in &notes {
                    last = Some(state.forget_pending_upload(&note.key).unwrap());
                }
                runtime.block_on(state.commit(last.unwrap())).unwrap();
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn parsers(c: &mut Criterion) {
    c.bench_function("an address", |b| b.iter(|| Address::parse(black_box("studio:/films/2026/a film.mov")).unwrap()));
    c.bench_function("the time in a row of MLSD", |b| b.iter(|| time_of(black_box("20261126201500.123")).unwrap()));
}

criterion_group!(benches, bytes, plan, ledger, parsers);
criterion_main!(benches);
