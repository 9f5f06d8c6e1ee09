#!/usr/bin/env bash
# What action.yml runs: fetches a release for this machine, checks it by SHA256SUMS, puts it on the path of later steps, and delivers
# HAUL_ACTION_SOURCES to HAUL_ACTION_TO if there are some.
set -euo pipefail

repository=${GITHUB_SERVER_URL:-https://github.com}/${GITHUB_ACTION_REPOSITORY:-}
downloads=${HAUL_ACTION_DOWNLOADS:-$repository/releases/download}
version=${HAUL_ACTION_VERSION:-latest}
if [ "$version" = latest ]; then
    # The page of the latest release is a redirect to its tag.
    page=$(curl -fsSL --retry 3 -o /dev/null -w '%{url_effective}' "$repository/releases/latest")
    version=${page##*/v}
fi
version=${version#v}

case $(uname -s)-$(uname -m) in
Linux-x86_64) target=x86_64-unknown-linux-musl ;;
Linux-aarch64) target=aarch64-unknown-linux-musl ;;
Darwin-arm64) target=aarch64-apple-darwin ;;
Darwin-x86_64) target=x86_64-apple-darwin ;;
*) echo "::error title=haul::there is no release for $(uname -s) on $(uname -m)"; exit 1 ;;
esac

name=haul-$version-$target
folder=${RUNNER_TEMP:-${TMPDIR:-/tmp}}/haul-action
mkdir -p "$folder"
cd_back=$PWD
cd "$folder"
for file in "$name.tar.gz" SHA256SUMS; do
    curl -fsSL --retry 3 -o "$file" "$downloads/v$version/$file"
done
grep -F "  $name.tar.gz" SHA256SUMS > wanted || { echo "::error title=haul::SHA256SUMS names no $name.tar.gz"; exit 1; }
if command -v sha256sum > /dev/null; then sha256sum --check --quiet wanted; else shasum -a 256 --check --quiet wanted; fi
tar -xzf "$name.tar.gz"
cd "$cd_back"
PATH=$folder/$name:$PATH
[ -z "${GITHUB_PATH:-}" ] || echo "$folder/$name" >> "$GITHUB_PATH"
haul --version

[ -n "${HAUL_ACTION_SOURCES:-}" ] || exit 0
if [ -z "${HAUL_ACTION_TO:-}" ]; then
    echo "::error title=haul::sources are given, but not where to: set 'to'"
    exit 2
fi
arguments=()
add_lines() {
    local line
    while IFS= read -r line; do
        [ -z "$line" ] || arguments+=("$line")
    done <<< "$1"
}
add_lines "${HAUL_ACTION_OPTIONS:-}"
arguments+=(--)
add_lines "$HAUL_ACTION_SOURCES"
exec haul put "${arguments[@]}" "$HAUL_ACTION_TO"
