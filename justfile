# The daily tasks: `just --list` shows them. Each is one line that can be typed without just, too.

# What a user runs
run *words:
    cargo run --quiet -- {{words}}

# A shell with servers of all remotes on this machine
sandbox:
    cargo run --quiet -- sandbox -- "${SHELL:-sh}"

# The tests; `just test put` those whose name has "put"
test *names:
    cargo test --locked -- {{names}}

# What must be clean before a commit
check:
    cargo fmt --all --check
    cargo clippy --locked --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet

# All that CI runs
gate:
    .ci/run

# The screens in the documents, as they are printed now
screens:
    HAUL_UPDATE_DOCS=1 cargo test --locked --test suite -- documents::screens
    git diff --stat docs README.md

# haul beside its peers; writes docs/performance.md
peers:
    cargo build --release --locked
    benches/peers/run.sh --quick

# Packages of this machine, built and tried
packages:
    packaging/build.sh
