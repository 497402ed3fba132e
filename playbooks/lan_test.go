package playbooks_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// lan is a network of disposable hosts: what a play does to one is gone after
// the test, and nothing of it is seen outside.
type lan struct {
	dir   string // keys, known_hosts and the sockets of connections
	names []string
	pid   int // of the first process in its namespaces
}

// newLAN starts hosts with these names. testdata/lan.sh says how.
func newLAN(t *testing.T, names ...string) *lan {
	t.Helper()
	needHosts(t)
	l := &lan{dir: newFolder(t), names: names}
	l.makeKeys(t)
	if err := os.Mkdir(filepath.Join(l.dir, "mnt"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(image(t), filepath.Join(l.dir, "image")); err != nil {
		t.Fatal(err)
	}
	l.start(t)
	return l
}

// needHosts ends a test that cannot make hosts on this machine.
func needHosts(t *testing.T) {
	t.Helper()
	for tool, pkg := range map[string]string{"/usr/sbin/sshd": "openssh-server", "ssh": "openssh-client", "sudo": "sudo",
		"apt-get": "apt", "ip": "iproute2", "nsenter": "util-linux", "setpriv": "util-linux", "bash": "bash"} {
		enginetest.Need(t, tool, "apt-get install "+pkg)
	}
	probe := exec.Command("unshare", "--net", "--mount", "--pid", "--fork", "ip", "link", "add", "lan", "type", "bridge")
	if out, err := probe.CombinedOutput(); err != nil {
		enginetest.Missing(t, "the right to make hosts ("+strings.TrimSpace(string(out))+")", "run the tests as root")
	}
}

// newFolder makes a folder with a short name, as sockets need one.
func newFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lan")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (l *lan) address(i int) string { return fmt.Sprintf("198.18.0.%d", 11+i) }

// makeKeys makes the user's key and those of the hosts, which known_hosts has.
func (l *lan) makeKeys(t *testing.T) {
	t.Helper()
	newKey(t, filepath.Join(l.dir, "client"))
	var known bytes.Buffer
	for i, name := range l.names {
		fmt.Fprintf(&known, "%s %s", l.address(i), newKey(t, filepath.Join(l.dir, name)))
	}
	if err := os.WriteFile(filepath.Join(l.dir, "known_hosts"), known.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// newKey makes a pair of keys in files and returns the public one.
func newKey(t *testing.T, file string) string {
	t.Helper()
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	return readFile(t, file+".pub")
}

// start runs the first process and waits until the hosts are up. They end with
// the pipe to it, so also when this process is killed.
func (l *lan) start(t *testing.T) {
	t.Helper()
	cmd := exec.Command("bash", append([]string{"testdata/lan.sh", l.dir}, l.names...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID}
	var said bytes.Buffer
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait() // it may have failed, which is reported below
	})
	l.pid = cmd.Process.Pid
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		in.Close()
		_ = cmd.Wait()
		t.Fatalf("the hosts did not come up:\n%s", &said)
	}
}

// within makes a command that runs in the network.
func (l *lan) within(t *testing.T, program string, args ...string) *exec.Cmd {
	args = append([]string{"--net", "--mount", "--pid", "--target", strconv.Itoa(l.pid), "--", program}, args...)
	cmd := exec.CommandContext(t.Context(), "nsenter", args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + l.dir, "LANG=C.UTF-8"}
	return cmd
}

// play runs a playbook on all hosts and returns what Ansible says.
func (l *lan) play(t *testing.T, name string, vars any, args ...string) (string, error) {
	t.Helper()
	site, err := filepath.Abs(filepath.Join(name, "site.yml"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := l.within(t, enginetest.Need(t, "ansible-playbook", "apt-get install ansible-core"),
		append(args, "--inventory", l.inventory(t), "--extra-vars", asJSON(t, vars), site)...)
	cmd.Env = append(cmd.Env, ansibleEnv(l.dir)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// inventory writes the hosts and how to log in to them.
func (l *lan) inventory(t *testing.T) string {
	t.Helper()
	hosts := map[string]any{}
	for i, name := range l.names {
		hosts[name] = map[string]any{"ansible_host": l.address(i), "ansible_user": "ops"}
	}
	return writeInventory(t, l.dir, hosts)
}

func writeInventory(t *testing.T, dir string, hosts map[string]any) string {
	t.Helper()
	file := filepath.Join(dir, "inventory.json")
	if err := os.WriteFile(file, []byte(asJSON(t, map[string]any{"all": map[string]any{"hosts": hosts}})), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// ansibleEnv lets Ansible use the keys in dir and talk to known hosts only. It
// keeps facts as a component's plays do.
func ansibleEnv(dir string) []string {
	return []string{
		"ANSIBLE_NOCOLOR=True", "ANSIBLE_PYTHON_INTERPRETER=auto_silent", "ANSIBLE_PIPELINING=True",
		"ANSIBLE_GATHERING=smart", "ANSIBLE_CACHE_PLUGIN=jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION=" + filepath.Join(dir, "facts"),
		"ANSIBLE_HOST_KEY_CHECKING=True", "ANSIBLE_PRIVATE_KEY_FILE=" + filepath.Join(dir, "client"),
		"ANSIBLE_LOCAL_TEMP=" + filepath.Join(dir, "tmp"), "ANSIBLE_REMOTE_TEMP=" + filepath.Join(dir, "remote"),
		"ANSIBLE_SSH_CONTROL_PATH_DIR=" + filepath.Join(dir, "cp"),
		"ANSIBLE_SSH_COMMON_ARGS=-o StrictHostKeyChecking=yes -o UserKnownHostsFile=" + filepath.Join(dir, "known_hosts"),
	}
}

// run runs a line of shell on a host as a user who logs in with a key file.
func (l *lan) run(t *testing.T, i int, user, key, line string) (string, error) {
	t.Helper()
	out, err := l.within(t, "ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes",
		"-o", "UserKnownHostsFile="+filepath.Join(l.dir, "known_hosts"), "-i", key, user+"@"+l.address(i), line).CombinedOutput()
	return string(out), err
}

// sh runs a line of shell on a host, which has to work.
func (l *lan) sh(t *testing.T, i int, line string) string {
	t.Helper()
	out, err := l.run(t, i, "ops", filepath.Join(l.dir, "client"), line)
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s", l.names[i], line, err, out)
	}
	return out
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
