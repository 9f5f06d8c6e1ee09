#!/bin/sh
# Fills version, addresses and checksums into the templates for Homebrew and Scoop. Arguments: VERSION, the repository's address, the
# folder with SHA256SUMS; the results are written there.
set -eu
version=$1 repository=$2 folder=$3
here=$(dirname "$0")
checksum() { awk -v name="haul-$version-$1" '$2 == name { print $1; found = 1 } END { exit !found }' "$folder/SHA256SUMS"; }
fill() {
    sed -e "s|@VERSION@|$version|g" -e "s|@REPOSITORY@|$repository|g" \
        -e "s|@MACOS_ARM64@|$(checksum aarch64-apple-darwin.tar.gz)|" -e "s|@MACOS_X86_64@|$(checksum x86_64-apple-darwin.tar.gz)|" \
        -e "s|@LINUX_ARM64@|$(checksum aarch64-unknown-linux-musl.tar.gz)|" -e "s|@LINUX_X86_64@|$(checksum x86_64-unknown-linux-musl.tar.gz)|" \
        -e "s|@WINDOWS_X86_64@|$(checksum x86_64-pc-windows-msvc.zip)|" "$1"
}
fill "$here/haul.rb.in" > "$folder/haul.rb"
fill "$here/haul.json.in" > "$folder/haul.json"
! grep -n '@[A-Z0-9_]*@' "$folder/haul.rb" "$folder/haul.json"
