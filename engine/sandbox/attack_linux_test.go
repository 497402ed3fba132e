package sandbox

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

func TestMain(m *testing.M) {
	enginetest.Attack()
	os.Exit(m.Run())
}

func TestNoAttackGetsThroughTheWalls(t *testing.T) {
	for name, policy := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			attack(t, policy, 0)
		})
	}
	if os.Getuid() == 0 {
		for name, policy := range kinds(t) {
			if policy.Users == (Users{}) {
				t.Run(name+", where the worker is not root", func(t *testing.T) {
					t.Parallel()
					attack(t, policy, 65534)
				})
			}
		}
	}
}

// attack attacks from within the walls that the policy builds for a worker of
// the user.
func attack(t *testing.T, policy Policy, worker int) {
	policy.Limits = Limits{FileSize: 1 << 20, Memory: 2 << 30, Files: 100}
	targets := enginetest.Targets{Kernel: true, FileSize: 2 << 20, Memory: 3 << 30, Write: map[string]string{"the system": "/etc", "the shared folder": "/var/tmp"}}
	if policy.Bubblewrap != "" && (worker != 0 || policy.Users != (Users{})) {
		policy.Limits.Processes, targets.Forks = 60, 100
	}
	base := t.TempDir() // whose parents others must be able to pass
	for dir := base; dir != "/tmp"; dir = filepath.Dir(dir) {
		must(t, os.Chmod(dir, 0o755))
	}
	own, kept, other := filepath.Join(base, "own"), filepath.Join(base, "kept"), filepath.Join(base, "other")
	for _, dir := range []string{own, kept, other} {
		must(t, os.Mkdir(dir, 0o700), os.Chown(dir, worker, worker))
	}
	targets.Files = map[string]string{"another step's workspace": filepath.Join(other, "secret"), "the order": filepath.Join(kept, "order.json")}
	for _, path := range targets.Files {
		must(t, os.WriteFile(path, []byte("secret"), 0o600), os.Chown(path, worker, worker))
	}
	targets.Write["another step's workspace"], targets.Write["the order's folder"] = other, kept
	targets.Process = victim(t, worker, other)
	targets.Port, targets.Abstract = listeners(t)
	targets.Terminal = terminal(t, worker)
	self := filepath.Join(base, "self")
	must(t, copyFile(os.Args[0], self))

	box, err := policy.Open(kept, own)
	must(t, err)
	if worker == 0 {
		must(t, box.Give(own))
	}
	defer box.Close()
	s := Spec{Program: self, Walls: box.Walls(Needs{Read: []string{self}, Write: []string{own}, Tmp: own})}
	if targets.Apart = box.Namespaced(); targets.Apart {
		s.Hold = []string{filepath.Join(kept, "alive")}
	}
	name, value, err := s.Variable()
	must(t, err)
	text, err := json.Marshal(targets)
	must(t, err)
	cmd := exec.Command(self)
	cmd.Dir = own
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + own, enginetest.AttackVariable + "=" + string(text), name + "=" + value}
	if worker != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(worker), Gid: uint32(worker)}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "attacked\n") || strings.Contains(string(out), "DONE") {
		t.Errorf("%v\n%s", err, out)
	}
}

// Without walls the same attacks succeed, so it is the walls that refuse them.
func TestAttacksSucceedWithoutWalls(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(secret, []byte("secret"), 0o600))
	targets := enginetest.Targets{Files: map[string]string{"a secret": secret}, Write: map[string]string{"its folder": filepath.Dir(secret)}}
	targets.Port, targets.Abstract = listeners(t)
	targets.Terminal = terminal(t, os.Getuid())
	text, err := json.Marshal(targets)
	must(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Dir, cmd.Env = t.TempDir(), []string{enginetest.AttackVariable + "=" + string(text)}
	out, err := cmd.CombinedOutput()
	must(t, err)
	for _, name := range []string{"read a secret", "list the folder of a secret", "link to a secret", "write to its folder", "listen", "connect to another port", "connect to another port by sending", "connect to an abstract socket", "read what is typed at a terminal"} {
		if !strings.Contains(string(out), "DONE "+name+"\n") {
			t.Errorf("could not %s:\n%s", name, out)
		}
	}
}

// victim is a process of the worker's user that has a secret in its environment.
func victim(t *testing.T, worker int, dir string) int {
	cmd := exec.Command("/bin/cat")
	cmd.Dir, cmd.Env = dir, []string{"SECRET=secret"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(worker), Gid: uint32(worker)}}
	in, err := cmd.StdinPipe()
	must(t, err, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil { // cat ends well with its input
			t.Errorf("the other process: %v", err)
		}
	})
	return cmd.Process.Pid
}

// terminal is one that the user is at.
func terminal(t *testing.T, user int) string {
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	number, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPTN)
	must(t, err, unix.IoctlSetPointerInt(int(f.Fd()), unix.TIOCSPTLCK, 0))
	path := "/dev/pts/" + strconv.Itoa(number)
	must(t, os.Chown(path, user, -1))
	return path
}

// listeners are a TCP port and an abstract socket with somebody behind them.
func listeners(t *testing.T) (port int, abstract string) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { tcp.Close() })
	port = tcp.Addr().(*net.TCPAddr).Port
	abstract = "cloudops-test-" + strconv.Itoa(port)
	path, err := net.Listen("unix", "@"+abstract)
	must(t, err)
	t.Cleanup(func() { path.Close() })
	return port, abstract
}

// copyFile copies a program. Nothing is started meanwhile: it would have the copy
// open to write for a moment, and then that cannot be executed.
func copyFile(from, to string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	defer w.Close()
	_, err = io.Copy(w, r)
	return err
}
