#!/bin/sh
# Fills version, addresses and checksums into the templates for Homebrew and Scoop. Arguments: VERSION, the repository's address, the
# folder with SHA256SUMS; the results are written there.
set -eu
version=$1 repository=$2 folder=$3
here=$(dirname "$0")
checksum() {
    awk -v name="haul-$version-$1" '$2 == name { print $1; found = 1 } END { exit !found }' "$folder/SHA256SUMS" ||
        { echo "$folder/SHA256SUMS has no haul-$version-$1" >&2; exit 1; }
}
# Each by itself: a failure inside of the arguments of a command would go unnoticed.
macos_arm64=$(checksum aarch64-apple-darwin.tar.gz)
macos_x86_64=$(checksum x86_64-apple-darwin.tar.gz)
linux_arm64=$(checksum aarch64-unknown-linux-musl.tar.gz)
linux_x86_64=$(checksum x86_64-unknown-linux-musl.tar.gz)
windows_x86_64=$(checksum x86_64-pc-windows-msvc.zip)
for file in haul.rb haul.json; do
    sed -e "s|@VERSION@|$version|g" -e "s|@REPOSITORY@|$repository|g" \
        -e "s|@MACOS_ARM64@|$macos_arm64|" -e "s|@MACOS_X86_64@|$macos_x86_64|" \
        -e "s|@LINUX_ARM64@|$linux_arm64|" -e "s|@LINUX_X86_64@|$linux_x86_64|" \
        -e "s|@WINDOWS_X86_64@|$windows_x86_64|" "$here/$file.in" > "$folder/$file"
done
! grep -n '@[A-Z0-9_]*@' "$folder/haul.rb" "$folder/haul.json"
