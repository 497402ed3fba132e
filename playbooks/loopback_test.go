package playbooks_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// loopback is this machine under several names: each has an address of
// loopback, and an SSH server there that lets in who runs the test. Plays may
// write below a folder only.
type loopback struct {
	dir   string
	hosts map[string]any // as an inventory has them
}

func newLoopback(t *testing.T, names ...string) *loopback {
	t.Helper()
	l := &loopback{dir: newFolder(t), hosts: map[string]any{}}
	newKey(t, filepath.Join(l.dir, "client"))
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	var known bytes.Buffer
	for i, name := range names {
		address := fmt.Sprintf("127.0.0.%d", 2+i)
		port := l.serve(t, name, address)
		fmt.Fprintf(&known, "[%s]:%d %s", address, port, readFile(t, filepath.Join(l.dir, name+".pub")))
		l.hosts[name] = map[string]any{"ansible_host": address, "ansible_port": port, "ansible_user": me.Username}
	}
	if err := os.WriteFile(filepath.Join(l.dir, "known_hosts"), known.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return l
}

// serve starts an SSH server for each connection, as inetd does, so that the
// port is this process's from the start. It returns the port.
func (l *loopback) serve(t *testing.T, name, address string) int {
	t.Helper()
	sshd := enginetest.Need(t, "/usr/sbin/sshd", "apt-get install openssh-server")
	if os.Geteuid() == 0 { // it wants a folder to keep the unprivileged in
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	newKey(t, filepath.Join(l.dir, name))
	config := filepath.Join(l.dir, name+".conf")
	text := fmt.Sprintf("HostKey %s/%s\nAuthorizedKeysFile %s/client.pub\nStrictModes no\nPasswordAuthentication no\n"+
		"PermitRootLogin prohibit-password\nSetEnv HOME=%s\n", l.dir, name, l.dir, l.dir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.ParseIP(address)})
	if err != nil {
		enginetest.Missing(t, "the address "+address, "ip address add "+address+"/8 dev lo")
	}
	servers, done := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { accept(servers, listener, sshd, config) })
	t.Cleanup(func() {
		listener.Close()
		done()
		running.Wait()
	})
	return listener.Addr().(*net.TCPAddr).Port
}

// accept hands connections to servers until the listener is closed. The
// servers end with their connections, or with ctx.
func accept(ctx context.Context, listener *net.TCPListener, sshd, config string) {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		conn, err := listener.AcceptTCP()
		if err != nil {
			return
		}
		running.Go(func() { talk(ctx, conn, sshd, config) })
	}
}

// talk runs a server on a connection, which is shut down in the end, so that
// neither the client nor a child of the server keeps it.
func talk(ctx context.Context, conn *net.TCPConn, sshd, config string) {
	defer conn.Close()
	file, err := conn.File()
	if err != nil {
		return // the client sees the connection end
	}
	defer file.Close()
	cmd := exec.CommandContext(ctx, sshd, "-i", "-f", config)
	cmd.Stdin, cmd.Stdout = file, file
	_ = cmd.Run() // the client sees that it ended
	_ = conn.CloseRead()
	_ = conn.CloseWrite()
}

// play runs a playbook on all hosts and returns what Ansible says.
func (l *loopback) play(t *testing.T, name string, vars any, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), enginetest.Need(t, "ansible-playbook", "apt-get install ansible-core"),
		append(args, "--inventory", writeInventory(t, l.dir, l.hosts), "--extra-vars", asJSON(t, vars), filepath.Join(name, "site.yml"))...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + l.dir, "LANG=C.UTF-8"}, ansibleEnv(l.dir)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPlaybooksWriteBelowAFolder(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		playbook string
		hosts    []string
		vars     func(root string) map[string]any
		want     map[string]string // a text in a file
	}{
		"a host's baseline": {
			playbook: "baseline",
			hosts:    []string{"one"},
			vars: func(root string) map[string]any {
				return map[string]any{"baseline_root": root, "baseline_become": false, "baseline_ssh_allow_groups": []string{"admin", "ops"},
					"baseline_time_servers": []string{"ntp.example.com"}}
			},
			want: map[string]string{
				"etc/motd":                                      "managed by CloudOps",
				"etc/ssh/sshd_config.d/10-cloudops.conf":        "AllowGroups admin ops\n",
				"etc/sysctl.d/60-cloudops.conf":                 "kernel.kptr_restrict = 2",
				"etc/audit/rules.d/60-cloudops.rules":           "-w /etc/shadow",
				"etc/systemd/timesyncd.conf.d/60-cloudops.conf": "NTP=ntp.example.com\n",
			},
		},
		"a site without its package": {
			playbook: "web",
			hosts:    []string{"one", "two"},
			vars: func(root string) map[string]any {
				return map[string]any{"web_package": "", "web_become": false, "web_root": root + "/www", "web_config_dir": root + "/nginx",
					"web_title": "<Hello>", "web_port": 8080}
			},
			want: map[string]string{
				"www/index.html":             "<h1>&lt;Hello&gt;</h1>",
				"nginx/conf.d/cloudops.conf": "listen 8080 default_server;",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, root := newLoopback(t, tt.hosts...), t.TempDir()
			vars := tt.vars(root + "/{{ inventory_hostname }}")

			mustPlay(t, l, tt.playbook, vars, changes, "--check", "--diff", "--limit", "one")
			if left, _ := os.ReadDir(root); len(left) > 0 {
				t.Errorf("the check wrote %v", left)
			}
			mustPlay(t, l, tt.playbook, vars, changes)
			for file, text := range tt.want {
				for host := range l.hosts {
					if got := readFile(t, filepath.Join(root, host, file)); !strings.Contains(got, text) {
						t.Errorf("%s: %s = %q; want %q", host, file, got, text)
					}
				}
			}
			mustPlay(t, l, tt.playbook, vars, nothing)
		})
	}
}
