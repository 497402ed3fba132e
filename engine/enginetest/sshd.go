package enginetest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"testing"
	"time"
)

// SSHServer is a real SSH server on loopback for the user that runs the test.
type SSHServer struct {
	User    string
	Port    int
	dir     string
	program string
	running *exec.Cmd
}

// SSHD starts an SSH server, which ends with the test.
func SSHD(t testing.TB) *SSHServer {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s := &SSHServer{User: me.Username, dir: t.TempDir(), program: Need(t, "/usr/sbin/sshd", "apt-get install openssh-server")}
	Need(t, "ssh", "apt-get install openssh-client")
	if me.Uid == "0" {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	s.newKey(t, "client")
	config := fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %s/host\nAuthorizedKeysFile %s/client.pub\n"+
		"StrictModes no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nPidFile none\n", s.Port, s.dir, s.dir)
	if err := os.WriteFile(filepath.Join(s.dir, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	s.NewHostKey(t)
	return s
}

// NewHostKey starts the server anew with another host key.
func (s *SSHServer) NewHostKey(t testing.TB) {
	t.Helper()
	s.Stop()
	s.newKey(t, "host")
	s.running = exec.Command(s.program, "-D", "-e", "-f", filepath.Join(s.dir, "config"))
	if err := s.running.Start(); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", s.Port)
	deadline := time.Now().Add(10 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); time.Now().Before(deadline); <-tick.C {
		if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			c.Close()
			return
		}
	}
	t.Fatal("the SSH server does not answer")
}

// Stop ends the server, as a machine has none that still boots.
func (s *SSHServer) Stop() {
	if s.running != nil {
		s.running.Process.Kill()
		s.running.Wait()
		s.running = nil
	}
}

func (s *SSHServer) newKey(t testing.TB, name string) {
	t.Helper()
	path := filepath.Join(s.dir, name)
	os.Remove(path)
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// Key reads a key: client, client.pub, host or host.pub.
func (s *SSHServer) Key(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
