package enginetest

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Victims are targets that are worth an attack: files of another step and of the
// server, a process with a secret in its environment, a port and an abstract
// socket with somebody behind them.
func Victims(t testing.TB) Targets {
	t.Helper()
	dir := t.TempDir()
	v := Targets{Kernel: true, Files: map[string]string{}, Write: map[string]string{"the system": "/etc", "the shared folder": "/var/tmp", "another step's workspace": dir}}
	for what, name := range map[string]string{"another step's workspace": "secret", "the database": "cloudops.db", "the master key": "master.key"} {
		v.Files[what] = filepath.Join(dir, name)
		if err := os.WriteFile(v.Files[what], []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	v.Process = process(t, dir)
	v.Port, v.Abstract = listeners(t)
	return v
}

// process is one with a secret in its environment, in the folder. The test fails
// where somebody ends it.
func process(t testing.TB, dir string) (pid int) {
	cmd := exec.Command("/bin/cat")
	cmd.Dir, cmd.Env = dir, []string{"SECRET=secret"}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil { // cat ends well with its input
			t.Errorf("the other process: %v", err)
		}
	})
	return cmd.Process.Pid
}

func listeners(t testing.TB) (port int, abstract string) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tcp.Close() })
	port = tcp.Addr().(*net.TCPAddr).Port
	abstract = "cloudops-test-" + strconv.Itoa(port)
	unix, err := net.Listen("unix", "@"+abstract)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close() })
	return port, abstract
}

// JSON is the targets for AttackVariable.
func (t Targets) JSON() string {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // numbers and texts can always be written
	}
	return string(b)
}

// Refused fails the test where the attack of the output was not whole, or had
// success.
func Refused(t testing.TB, from, output string) {
	t.Helper()
	if !strings.Contains(output, "attacked") || strings.Contains(output, "DONE") {
		t.Errorf("from %s:\n%s", from, output)
	}
}
