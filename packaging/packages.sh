#!/bin/sh
# Makes a .deb and a .rpm of a release build in dist/. `packaging/archive.sh TARGET` must have run. Argument: the target.
set -eu
cd "$(dirname "$0")/.."
target=$1
cargo deb --no-build --no-strip --target "$target" --output dist/
cargo generate-rpm --target "$target" --output dist/
ls -l dist
