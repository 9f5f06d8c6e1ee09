#!/bin/sh
# Installs what the tests start and registries hold: the official Node TUS server, plupload's PHP receiver, tuspyserver,
# pyftpdlib and nushell, at pinned versions. Does nothing where all is there. Needs Debian (or PHP, node, npm and Python with venv already
# installed), the npm registry and PyPI.
set -eu
cd "$(dirname "$0")/../.."

missing=
command -v php >/dev/null || missing="$missing php-cli"
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
if [ -n "$missing" ]; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update -q
    # shellcheck disable=SC2086  # several words are meant
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -q -y --no-install-recommends $missing
fi

wanted="@tus/server@2.4.5 @tus/file-store@2.1.1 plupload@2.3.9"
# And a shell that Debian has not, whose completions are tried.
wanted="$wanted @nushell/linux-$(node -p process.arch)@0.115.1"
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
python=target/servers/python
wanted="pyftpdlib==2.2.0 pyOpenSSL==26.4.0 tuspyserver==4.4.3 uvicorn==0.54.0"
if [ "$(cat "$python/lib/installed" 2>/dev/null)" != "$wanted" ] || ! "$python/bin/python" -c ''; then
    python3 -m venv --clear "$python"
    # shellcheck disable=SC2086
    "$python/bin/python" -m pip install --quiet --disable-pip-version-check $wanted
    echo "$wanted" > "$python/lib/installed"
fi
echo "web servers are ready: $(php -r 'echo PHP_VERSION;') (php), $(node --version) (node), $folder"
