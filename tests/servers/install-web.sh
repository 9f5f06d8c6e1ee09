#!/bin/sh
# Installs what tests/web.rs starts: the official Node TUS server and plupload's PHP receiver, at pinned versions.
# Does nothing where all is there. Needs Debian (or PHP, node and npm already installed) and the npm registry.
set -eu
cd "$(dirname "$0")/../.."

missing=
command -v php >/dev/null || missing="$missing php-cli"
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
if [ -n "$missing" ]; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update -q
    # shellcheck disable=SC2086  # several words are meant
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -q -y --no-install-recommends $missing
fi

wanted="@tus/server@2.4.5 @tus/file-store@2.1.1 plupload@2.3.9"
# The TUS server wants Node 20; Debian 12 has 18, and the registry has the newer one.
[ "$(node -p 'parseInt(process.versions.node)')" -ge 20 ] || wanted="$wanted node@20"
folder=target/servers/npm
if [ "$(cat "$folder/installed" 2>/dev/null)" != "$wanted" ]; then
    mkdir -p "$folder"
    [ -f "$folder/package.json" ] || echo '{"private": true}' > "$folder/package.json"
    # shellcheck disable=SC2086
    npm install --prefix "$folder" --no-audit --no-fund $wanted
    echo "$wanted" > "$folder/installed"
fi
echo "web servers are ready: $(php -r 'echo PHP_VERSION;') (php), $(node --version) (node), $folder"
