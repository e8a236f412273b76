# Sourced by tests/run: what the tests need besides Rust and a C compiler, and how it is had.
#
#  1. What is there already is not touched; nothing that is installed is removed or upgraded.
#  2. No daemon starts because its package was installed.
#  3. Python and Node.js packages go under target/, pinned by tests/parts/requirements.txt and package-lock.json.

# as_root COMMAND…: runs the command as root, by sudo where this is another user.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

# postgres_bin: the folder of PostgreSQL's server programs. Debian keeps it off the PATH.
postgres_bin() {
  local folder
  for folder in /usr/lib/postgresql/*/bin; do [ -x "$folder/initdb" ] && echo "$folder"; done | sort -V | tail -n 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Debian keeps the mail programs in /usr/sbin, which is not on everybody's PATH.
PATH=$PATH:/usr/sbin

# chromium_program: the browser, as Debian and others call it.
chromium_program() {
  local name
  for name in chromium chromium-browser google-chrome; do command -v "$name" && return 0; done
  return 0
}

# missing_packages: the Debian packages of what is not there yet.
missing_packages() {
  [ "$(postgres_bin)" ] || echo postgresql
  { has postfix && has smtp-sink; } || echo postfix
  has dovecot && [ -x /usr/lib/dovecot/imap ] || echo dovecot-imapd
  has openssl || echo openssl
  has setpriv || echo util-linux
  { has python3 && python3 -c 'import venv, ensurepip' 2>/dev/null; } || echo python3 python3-venv
  [ -e /usr/share/zoneinfo/Europe/London ] || echo tzdata
  has node || echo nodejs
  has npm || echo npm
  [ "$(chromium_program)" ] || echo chromium
}

# install_packages PACKAGE…: with a policy-rc.d that keeps daemons from starting, which is there for this call alone
# unless it was there before. --no-remove: a machine's own mail server is not pushed out by Postfix.
install_packages() {
  has apt-get || { echo "no apt-get here"; return 1; }
  local policy=/usr/sbin/policy-rc.d made=
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null && as_root chmod 755 $policy && made=yes
  fi
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends --no-remove "$@"
  local code=$?
  [ "$made" ] && as_root rm -f $policy
  return "$code"
}

install_python() {
  local venv=$PLUSONE_TEST_PARTS/venv
  cmp -s tests/parts/requirements.txt "$venv/installed.txt" && return 0
  rm -rf "$venv"
  python3 -m venv "$venv" &&
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/parts/requirements.txt &&
    cp tests/parts/requirements.txt "$venv/installed.txt"
}

install_node() {
  local folder=$PLUSONE_TEST_PARTS/node
  cmp -s tests/parts/package-lock.json "$folder/installed.json" && return 0
  mkdir -p "$folder"
  cp tests/parts/package.json tests/parts/package-lock.json "$folder/" &&
    (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts) &&
    cp tests/parts/package-lock.json "$folder/installed.json"
}

install_parts() {
  local packages python node code=0
  mapfile -t packages < <(missing_packages | tr ' ' '\n')
  if [ ${#packages[@]} -gt 0 ]; then
    install_packages "${packages[@]}" || code=1
  fi
  install_python & python=$!
  install_node & node=$!
  wait "$python" || code=1
  wait "$node" || code=1
  return "$code"
}

# missing_parts: the names, as the tests know them, of what could not be had.
missing_parts() {
  [ "$(postgres_bin)" ] || echo postgresql
  if ! { has postfix && has dovecot && has openssl && as_root true 2>/dev/null; }; then echo postfix; fi
  has smtp-sink || echo smtp-sink
  has python3 || echo python
  [ -x "$PLUSONE_TEST_PARTS/venv/bin/python" ] || echo python-packages
  [ -x "$PLUSONE_TEST_PARTS/node/node_modules/.bin/prism" ] || echo prism
  [ -x "$PLUSONE_TEST_PARTS/node/node_modules/.bin/taplo" ] || echo taplo
  { [ "$(chromium_program)" ] && [ -d "$PLUSONE_TEST_PARTS/node/node_modules/playwright-core" ]; } || echo chromium
}
