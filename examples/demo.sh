#!/usr/bin/env bash
# The main job in one go, on a server of its own: submit examples/hello, look at
# the joint plan, approve and apply it, change a file behind its back, and let a
# drift check find exactly that. DEMO_EXIT=1 stops the server at the end,
# DEMO_CLOUDOPS names another binary than bin/cloudops.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# Ansible comes from the system's package manager, or from pipx, whose folder is
# not on everybody's PATH.
export PATH="$PATH:${PIPX_BIN_DIR:-$HOME/.local/bin}"
if ! command -v ansible-playbook >/dev/null; then
  say "Installing ansible-core"
  sudo=$([ "$(id -u)" = 0 ] || command -v sudo || true)
  if command -v apt-get >/dev/null; then
    $sudo apt-get update -qq && $sudo apt-get install -y -qq ansible-core >/dev/null
  elif command -v brew >/dev/null; then
    brew install ansible
  elif command -v dnf >/dev/null; then
    $sudo dnf install -y -q ansible-core
  elif command -v pipx >/dev/null; then
    pipx install ansible-core
  else
    echo "demo: ansible-playbook is missing; install ansible-core, then run make demo again" >&2
    exit 1
  fi
fi

cloudops="${DEMO_CLOUDOPS:-$PWD/bin/cloudops}"
work=$(mktemp -d "${TMPDIR:-/tmp}/cloudops-demo.XXXXXX")
mkdir "$work/pages"
site="$work/pages/site"
password=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
printf '%s' "$password" >"$work/password" && chmod 600 "$work/password"
export XDG_CONFIG_HOME="$work/config"

say "Starting a server with everything in $work"
CLOUDOPS_ADMIN_PASSWORD_FILE="$work/password" "$cloudops" serve \
  --listen "${DEMO_LISTEN:-127.0.0.1:0}" --data-dir "$work/data" --address-file "$work/address" \
  --sandbox-write "$work/pages" </dev/null >"$work/server.log" 2>&1 &
server=$!
stop() {
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
}
trap 'echo "demo: failed; the server log is $work/server.log" >&2; stop' ERR
trap 'stop; exit 130' INT TERM
until [ -s "$work/address" ]; do
  kill -0 "$server" || { cat "$work/server.log" >&2; exit 1; }
  sleep 0.1
done
url=$(cat "$work/address")
"$cloudops" login --server "$url" --username admin --password-file "$work/password"

say "Submitting examples/hello; its joint plan:"
"$cloudops" stack apply -f examples/hello --var "dir=$site" --plan-only | tee "$work/plan.txt"
run=$("$cloudops" run list --stack hello -o json | sed -n 's/.*"id": *"\(run-[a-z0-9]*\)".*/\1/p' | head -n 1)

say "Approving $run and following it to its end"
"$cloudops" run approve "$run" --comment "looks right"
"$cloudops" run watch "$run"

say "Outputs"
"$cloudops" stack show hello

say "Changing a configured file behind its back: $site/index.html"
echo "somebody was here" >>"$site/index.html"

say "Checking for drift"
code=0
"$cloudops" drift hello || code=$?
[ "$code" = 2 ] || { echo "demo: the drift check should end with 2 (changes), not $code" >&2; false; }
found=$("$cloudops" drift hello --known -o json | sed -n 's/.*"subject": *"\(.*\)",.*/\1/p' || true) # it ends with 2 again
[ "$found" = "web-1: Write the page" ] || { echo "demo: the drift check should find the changed file alone, not: $found" >&2; false; }

if [ -n "${DEMO_EXIT:-}" ]; then
  stop
  rm -rf "$work"
  say "Done."
  exit 0
fi
trap - ERR INT TERM
say "The server is up: $url  (user admin, password $password)"
echo "  CLI:  XDG_CONFIG_HOME=$XDG_CONFIG_HOME $cloudops stack list"
echo "  Stop: kill $server"
