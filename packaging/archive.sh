#!/bin/sh
# Makes dist/haul-VERSION-TARGET.tar.gz (.zip for Windows) of a release build, with completions, manual and texts. Before that the binary
# is run: it must tell its version and deliver a file to its own sandbox. Argument: the target.
set -eu
cd "$(dirname "$0")/.."
target=$1
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
name=haul-$version-$target
case $target in *windows*) exe=haul.exe ;; *) exe=haul ;; esac
built=$PWD/target/$target/release/$exe

"$built" --version | grep -F "$version"
"$built" sandbox -- "$built" put LICENSE iogates:/release/

# The packages take completions and manual from here, too.
assets=target/assets
rm -rf $assets
mkdir -p $assets/completions $assets/man
"$built" completions bash > $assets/completions/haul.bash
"$built" completions zsh > $assets/completions/_haul
"$built" completions fish > $assets/completions/haul.fish
"$built" completions powershell > $assets/completions/_haul.ps1
"$built" man --dir $assets/man

rm -rf "target/$name"
mkdir "target/$name"
cp -R "$built" $assets/completions $assets/man LICENSE README.md CHANGELOG.md docs "target/$name/"
mkdir -p dist
case $target in
*windows*) (cd target && 7z a -bso0 "../dist/$name.zip" "$name") ;;
*) tar -C target -czf "dist/$name.tar.gz" "$name" ;;
esac
