#!/bin/bash
# setup.sh NAME goes on from host.sh in the host's own files.
set -euo pipefail
umount --lazy /old
# What this machine has set up is not the host's: no services, users' keys, clusters or settings of SSH.
rm -rf /old /sbin/init /etc/postgresql /var/lib/postgresql/* /etc/ssh/sshd_config.d/* /etc/sudoers.d/* \
  /etc/apt/sources.list* /var/lib/apt/lists/* /var/lib/apt/periodic/* /usr/sbin/policy-rc.d
echo 'deb [trusted=yes] file:/debs ./' >/etc/apt/sources.list
# A new machine has no lists of packages, or old ones.
touch --date yesterday /var/lib/apt/lists
# Packages install faster without an index of their pages.
rm -f /var/lib/man-db/auto-update
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/fast
mkdir -p /run/sshd /run/lock
chmod 1777 /run/lock
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$1" >/etc/hosts
echo 'ops ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops
cat >/etc/ssh/sshd_config <<'END'
Include /etc/ssh/sshd_config.d/*.conf
UsePAM yes
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
END
chmod 600 /etc/ssh/ssh_host_ed25519_key
useradd --create-home --shell /bin/bash ops
install -d -m 700 -o ops -g ops /home/ops/.ssh
install -m 600 -o ops -g ops /etc/client.pub /home/ops/.ssh/authorized_keys
/usr/sbin/sshd
mkfifo /run/never
echo up
read -r _ <>/run/never
