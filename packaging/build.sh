#!/bin/sh
# Builds and tries on this machine what a release is made of, as far as one machine can: the static binary, the archive, the .deb (installed,
# run, removed again: needs root or sudo), the .rpm, the templates, the list of dependencies, the workflows. What a tool is missing for is
# said and left out. `rustup`, `musl-tools`, `cargo-deb` and `cargo-generate-rpm` are wanted.
set -eu
cd "$(dirname "$0")/.."
machine=$(uname -m)
target=$machine-unknown-linux-musl
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
has() { command -v "$1" > /dev/null || { echo "left out: $1 is not here" >&2; return 1; }; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

rustup target add "$target"
# ring and SQLite are C; the C compiler for musl has one name on every machine.
export "CC_$(echo "$target" | tr - _)=musl-gcc"
cargo build --locked --release --target "$target"
file=target/$target/release/haul
if ldd "$file" 2> /dev/null | grep '=>'; then
    echo "$file is not static" >&2
    exit 1
fi
packaging/archive.sh "$target"

if has cargo-deb; then
    cargo deb --no-build --no-strip --target "$target" --output dist/
    deb=$(ls -t dist/*.deb | head -n 1)
    as_root dpkg -i "$deb"
    /usr/bin/haul --version | grep -F "$version"
    /usr/bin/haul sandbox -- /usr/bin/haul put LICENSE ftp:/packaged/
    test -s /usr/share/man/man1/haul.1.gz
    for file in bash-completion/completions/haul zsh/vendor-completions/_haul fish/vendor_completions.d/haul.fish; do
        test -s "/usr/share/$file"
    done
    as_root dpkg --purge haul
    test ! -e /usr/bin/haul
fi
if has cargo-generate-rpm; then
    cargo generate-rpm --target "$target" --output dist/
    if has rpm; then rpm -qpl dist/*.rpm | grep -x /usr/bin/haul; fi
fi

# The templates, with checksums of what is here and made-up ones for the rest.
try=$(mktemp -d)
trap 'rm -rf "$try"' EXIT
for other in aarch64-apple-darwin.tar.gz x86_64-apple-darwin.tar.gz aarch64-unknown-linux-musl.tar.gz x86_64-unknown-linux-musl.tar.gz x86_64-pc-windows-msvc.zip; do
    printf '%064d  haul-%s-%s\n' 0 "$version" "$other"
done > "$try/SHA256SUMS"
packaging/manifests.sh "$version" https://example.com/haul "$try"
if has python3; then python3 -m json.tool "$try/haul.json" > /dev/null; fi
if has ruby; then ruby -c "$try/haul.rb"; fi

# Advisories need the network; CI has it.
if has cargo-deny; then cargo deny --locked check bans licenses sources; fi
if has actionlint; then actionlint .github/workflows/*.yml; fi
if has hadolint; then hadolint --ignore DL3018 Dockerfile; fi
ls -l dist
