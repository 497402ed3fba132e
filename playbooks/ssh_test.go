package playbooks_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// job is a playbook that is run on two disposable hosts.
type job struct {
	playbook string
	before   string // a line of shell that is run first
	vars     func(t *testing.T, l *lan) map[string]any
	proofs   []proof
	after    func(t *testing.T, l *lan, vars map[string]any) // nil where the proofs are enough
}

// proof is a line of shell that shows on the host what the playbook did. It is
// told the address of the other host as $other.
type proof struct{ line, want string }

func TestPlaybooksSettleHostsOverSSH(t *testing.T) {
	t.Parallel()
	for name, j := range jobs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLAN(t, "one", "two")
			for i := range l.names {
				l.sh(t, i, "set -e; "+j.before)
			}
			vars := j.vars(t, l)

			// The other host is made without a check before, which needs lists of packages.
			l.sh(t, 0, "sudo apt-get -qq update; sudo touch /run/start")
			mustPlay(t, l, j.playbook, vars, changes, "--check", "--diff", "--limit", l.names[0])
			if left := l.sh(t, 0, changedFiles); left != "" {
				t.Errorf("the check wrote %s", left)
			}
			mustPlay(t, l, j.playbook, vars, changes)
			mustPlay(t, l, j.playbook, vars, nothing)
			for i := range l.names {
				for _, p := range j.proofs {
					line := "other=" + l.address(1-i) + "; " + p.line
					if got := l.sh(t, i, line); !strings.Contains(got, p.want) {
						t.Errorf("%s: %s\nsays %q, not %q", l.names[i], p.line, got, p.want)
					}
				}
			}
			if j.after != nil {
				j.after(t, l, vars)
			}
		})
	}
}

const changedFiles = "sudo find /etc /home /root /srv /usr/local /var/lib /var/backups -xdev -newer /run/start -type f -not -path '*/.ansible/*'"

// fleet is a number of hosts that plays run on.
type fleet interface {
	play(t *testing.T, playbook string, vars any, args ...string) (string, error)
}

// changes and nothing are what a run may do to every host.
func changes(n string) bool { return n != "0" }
func nothing(n string) bool { return n == "0" }

var recap = regexp.MustCompile(`(?m)^\S+ +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0 `)

// mustPlay runs the playbook, which has to do to all hosts what is expected.
func mustPlay(t *testing.T, f fleet, playbook string, vars any, expected func(changed string) bool, args ...string) {
	t.Helper()
	out, err := f.play(t, playbook, vars, args...)
	hosts := recap.FindAllStringSubmatch(out, -1)
	if err != nil || len(hosts) == 0 || len(hosts) != strings.Count(out, "unreachable=") {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	for _, h := range hosts {
		if !expected(h[1]) {
			t.Errorf("%v: %s changes\n%s", args, h[1], out)
		}
	}
}

var jobs = map[string]job{
	"a baseline": {
		playbook: "baseline",
		vars: func(t *testing.T, l *lan) map[string]any {
			return map[string]any{
				"baseline_users": []any{
					map[string]any{"name": "ada", "ssh_keys": []string{newKey(t, filepath.Join(l.dir, "ada"))}, "groups": []string{"admin"}, "sudo": true},
				},
				"baseline_gone_users": []string{"eve"}, "baseline_ssh_allow_groups": []string{"admin", "ops"},
				"baseline_time": "chrony", "baseline_time_servers": []string{"198.18.0.1"},
				"baseline_reboot_time": "03:30",
			}
		},
		before: "sudo useradd eve",
		proofs: []proof{
			{"sudo sshd -T | grep -i passwordauthentication", "passwordauthentication no"},
			{"id ada", "(admin)"},
			{"id eve 2>&1 || true", "no such user"},
			{"sudo -l -U ada", "NOPASSWD: ALL"},
			{"sudo augenrules && sudo cat /etc/audit/audit.rules", "-w /etc/sudoers"},
			{"cat /etc/chrony/sources.d/cloudops.sources", "server 198.18.0.1 iburst"},
			{"apt-config dump Unattended-Upgrade", `Automatic-Reboot-Time "03:30"`},
			{"date +%Z", "UTC"},
		},
		after: func(t *testing.T, l *lan, _ map[string]any) {
			if out, err := l.run(t, 0, "ada", filepath.Join(l.dir, "ada"), "sudo id -un"); err != nil || out != "root\n" {
				t.Errorf("ada: %v: %s", err, out)
			}
			out, err := l.run(t, 0, "ada", filepath.Join(l.dir, "client"), "id")
			if err == nil || !strings.Contains(out, "Permission denied (publickey).") {
				t.Errorf("another's key: %v: %s", err, out)
			}
		},
	},
	"a site": {
		playbook: "web",
		vars: func(t *testing.T, l *lan) map[string]any {
			return map[string]any{"web_title": "from {{ inventory_hostname }}"}
		},
		proofs: []proof{
			{"sudo nginx -t 2>&1", "test is successful"},
			{httpGet("http://$other/"), "<h1>from "},
		},
	},
	"a database server": {
		playbook: "postgres",
		vars: func(t *testing.T, l *lan) map[string]any {
			return map[string]any{
				"postgres_listen":    []string{"localhost", "{{ ansible_host }}"},
				"postgres_port":      5433,
				"postgres_settings":  map[string]any{"work_mem": "5MB"},
				"postgres_clients":   []any{map[string]any{"address": "198.18.0.0/24", "database": "shop"}},
				"postgres_databases": []any{map[string]any{"name": "shop", "owner": "o'hara"}},
				"postgres_roles": []any{
					map[string]any{"name": "o'hara", "password": `it's "50%" of {$HOME}`, "member_of": []string{"pg_monitor"}},
					map[string]any{"name": "maker", "createdb": true},
				},
			}
		},
		proofs: []proof{
			{psql("require", `it'\''s "50%" of {$HOME}`), "t|5MB"},
			{psql("disable", `it'\''s "50%" of {$HOME}`) + " || true", "no encryption"},
			{psql("require", "another") + " || true", "password authentication failed"},
			{"cd /; sudo runuser -u postgres -- psql -p 5433 -Atc '\\du'", "maker|Create DB"},
		},
		after: func(t *testing.T, l *lan, vars map[string]any) {
			l.sh(t, 0, `cd /; sudo runuser -u postgres -- psql -p 5433 -qc "ALTER ROLE \"o'hara\" PASSWORD 'drifted'"`)
			mustPlay(t, l, "postgres", vars, changes, "--check", "--limit", l.names[0])
			l.sh(t, 1, "other="+l.address(0)+"; "+psql("require", "drifted"))
			mustPlay(t, l, "postgres", vars, nothing, "--check", "--limit", l.names[1])
		},
	},
	"metrics": {
		playbook: "node-exporter",
		vars: func(t *testing.T, l *lan) map[string]any {
			return map[string]any{"node_exporter_address": "{{ ansible_host }}", "node_exporter_collectors": []string{"processes"},
				"node_exporter_no_collectors": []string{"wifi"}}
		},
		proofs: []proof{
			{httpGet("http://$other:9100/metrics"), `node_scrape_collector_success{collector="processes"} 1`},
			{httpGet("http://127.0.0.1:9100/metrics") + " 2>&1 || true", "refused"},
		},
	},
	"an engine for containers": {
		playbook: "docker",
		before:   "echo 'ulimit() { :; }' | sudo tee /etc/default/docker", // limits may not be raised everywhere
		vars: func(t *testing.T, l *lan) map[string]any {
			return map[string]any{"docker_users": []string{"ops"}, "docker_settings": map[string]any{"mtu": 1400,
				// What a disposable host cannot give is switched off.
				"bridge": "none", "iptables": false, "ip-forward": false, "storage-driver": "vfs"}}
		},
		proofs: []proof{
			{"id ops", "(docker)"},
			{"docker info", "Live Restore Enabled: true"},
			{"python3 -c 'import json; print(json.load(open(\"/etc/docker/daemon.json\")))'", "'no-new-privileges': True"},
			{"cat /etc/docker/daemon.json", `"mtu": 1400`},
		},
	},
	"a backup": {
		playbook: "backup",
		before:   "sudo install -d -m 700 /srv/data; echo precious | sudo tee /srv/data/file",
		vars: func(t *testing.T, l *lan) map[string]any {
			return map[string]any{"backup_passphrase": "it's a secret", "backup_paths": []string{"/srv"}, "backup_exclude": []string{"*.tmp"},
				"backup_before": []string{"date >/srv/data/dump", "touch /srv/data/x.tmp"}}
		},
		proofs: []proof{
			{"sudo cloudops-backup && sudo sh -c '. /etc/cloudops-backup/environment; restic dump latest /srv/data/file'", "precious"},
			{"sudo sh -c '. /etc/cloudops-backup/environment; restic ls latest' | grep -c tmp || true", "0"},
			{"sudo stat -c %a /etc/cloudops-backup/passphrase", "600"},
			{"sudo systemd-analyze verify /etc/systemd/system/cloudops-backup.* 2>&1 && echo sound", "sound"},
		},
		after: func(t *testing.T, l *lan, vars map[string]any) {
			vars["backup_passphrase"] = "another"
			out, err := l.play(t, "backup", vars, "--limit", l.names[0])
			if err == nil || !strings.Contains(out, "wrong password") {
				t.Errorf("another passphrase: %v\n%s", err, out)
			}
		},
	},
	"the end of a machine": {
		playbook: "decommission",
		before: "sudo apt-get -qq update && sudo apt-get -qq install --yes --no-install-recommends prometheus-node-exporter >/dev/null 2>&1 && " +
			"sudo useradd -m ada && sudo install -D -o ada ~/.ssh/authorized_keys ~ada/.ssh/authorized_keys",
		vars: func(t *testing.T, l *lan) map[string]any {
			return map[string]any{"decommission_services": []string{"prometheus-node-exporter", "never-there"},
				"decommission_backup": "sh -c 'echo done >>/srv/backups'", "decommission_users": []string{"ada", "nobody-knows"}}
		},
		proofs: []proof{
			{"cat /srv/backups | wc -l", "1"},
			{"sudo service prometheus-node-exporter status || true", "not running"},
			{"ls /etc/rc?.d/ | grep exporter | cut -c1 | sort -u", "K"},
			{"sudo ls -a ~ada/.ssh | wc -l", "2"},
			{"cat /etc/cloudops-decommissioned", "decommissioned"},
		},
	},
}

func httpGet(url string) string {
	return fmt.Sprintf(`python3 -c "import urllib.request as u; print(u.urlopen('%s').read().decode())"`, url)
}

// psql asks the other host's server whether it is spoken to in private.
func psql(sslmode, password string) string {
	return fmt.Sprintf("PGPASSWORD='%s' psql \"host=$other port=5433 user=o\\'hara dbname=shop sslmode=%s\" -Atc "+
		"\"SELECT ssl, current_setting('work_mem') FROM pg_stat_ssl WHERE pid = pg_backend_pid()\" 2>&1", password, sslmode)
}
