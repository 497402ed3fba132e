package ansible

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

func TestPlayOverSSH(t *testing.T) {
	t.Parallel()
	d, dest := newDriver(t), filepath.Join(t.TempDir(), "note")
	job := newJob(t, map[string]string{"dest": dest, "text": "hello"})
	dir := bundle(t, notePlay)
	sshd := newSSHD(t)
	sshd.start(t)
	job.Env = map[string]string{"SSH_PRIVATE_KEY": sshd.key(t, "client")}
	job.Ansible.Ready = &engine.Readiness{Timeout: 10 * time.Second}
	job.Ansible.Inventory = engine.Inventory{Groups: []engine.Group{{
		Name: "web", Hosts: []engine.Host{{Name: "web-1", Address: "127.0.0.1", User: sshd.user, Port: sshd.port}},
	}}}
	var log bytes.Buffer

	if _, _, err := apply(t, d, job, dir, &log); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	for _, p := range allMarked(t, job.Dir) {
		t.Errorf("connection left behind: %s", p)
	}

	sshd.newKey(t, "host")
	sshd.start(t)
	job.Ansible.Vars["text"] = json.RawMessage(`"bye"`)
	res, err := d.Check(t.Context(), job, dir, &log)
	if err != nil || len(res.Plan.Notes) != 1 || !strings.Contains(res.Plan.Notes[0], "Host key verification failed") {
		t.Errorf("a host with another key: plan = %+v, error = %v", res.Plan, err)
	}
}

// sshd is a real SSH server on loopback for the user that runs the test.
type sshd struct {
	program string
	dir     string
	user    string
	port    int
	running *exec.Cmd
}

func newSSHD(t *testing.T) *sshd {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s := &sshd{program: enginetest.Need(t, "/usr/sbin/sshd", "apt-get install openssh-server"), dir: t.TempDir(), user: me.Username}
	enginetest.Need(t, "ssh", "apt-get install openssh-client")
	if me.Uid == "0" {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s.port = l.Addr().(*net.TCPAddr).Port
	s.newKey(t, "host")
	s.newKey(t, "client")
	s.write(t, "config", fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %s/host\nAuthorizedKeysFile %s/client.pub\n"+
		"StrictModes no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nPidFile none\n", s.port, s.dir, s.dir))
	t.Cleanup(s.stop)
	return s
}

// start starts the server, again where it runs, and waits until it answers.
func (s *sshd) start(t *testing.T) {
	t.Helper()
	s.stop()
	s.running = exec.Command(s.program, "-D", "-e", "-f", filepath.Join(s.dir, "config"))
	if err := s.running.Start(); err != nil {
		t.Fatal(err)
	}
	e := endpoint{"sshd", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))}
	if f := (&Driver{dial: dialTCP}).reach(t.Context(), e, 10*time.Second); f != nil {
		t.Fatal(f)
	}
}

func (s *sshd) stop() {
	if s.running != nil {
		s.running.Process.Kill()
		s.running.Wait()
		s.running = nil
	}
}

func (s *sshd) newKey(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join(s.dir, name)
	os.Remove(path)
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func (s *sshd) key(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (s *sshd) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
