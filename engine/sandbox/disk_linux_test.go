package sandbox

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFileThatWasRemovedAndIsStillOpenCounts(t *testing.T) {
	for name, policy := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, tmp := t.TempDir(), t.TempDir()
			box, err := policy.Open(t.TempDir(), dir)
			must(t, err)
			defer box.Close()
			must(t, box.Give(dir, tmp))
			s := Spec{Program: "/bin/sh", Walls: box.Walls(Needs{Write: []string{dir, tmp}, Tmp: tmp})}
			variable, value, err := s.Variable()
			must(t, err)
			cmd := exec.Command(os.Args[0], "-c", `cd "$1"; head -c 3000000 /dev/zero > big; exec 8<big; rm big; cd "$2"; head -c 2000000 /dev/zero > big; exec 9<big; rm big; echo done; cat`, "sh", dir, "/tmp")
			if policy.Bubblewrap == "" {
				cmd.Args[len(cmd.Args)-1] = tmp
			}
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), variable + "=" + value}
			in, err := cmd.StdinPipe()
			must(t, err)
			out, err := cmd.StdoutPipe()
			must(t, err, cmd.Start())
			_, err = io.ReadFull(out, make([]byte, len("done\n")))
			must(t, err)
			if used, hidden := usage([]string{dir, tmp}); used > 1<<20 || hidden != "" {
				t.Errorf("%d bytes can be seen", used)
			}
			if got := removed([]string{dir, tmp}); got < 5000000 || got > 5100000 {
				t.Errorf("%d bytes count", got)
			}
			if got := removed([]string{t.TempDir()}); got != 0 {
				t.Errorf("%d bytes count of another step", got)
			}
			must(t, in.Close(), cmd.Wait())
		})
	}
}

func TestFolderThatIsClosedIsSeenAndRemoved(t *testing.T) {
	if asNobody(t) {
		return
	}
	dir := filepath.Join(t.TempDir(), "own")
	must(t, os.MkdirAll(filepath.Join(dir, "go/pkg/mod"), 0o700), os.WriteFile(filepath.Join(dir, "go/pkg/mod/x"), nil, 0o400),
		os.Chmod(filepath.Join(dir, "go/pkg/mod"), 0), os.Chmod(filepath.Join(dir, "go"), 0o500), os.Chmod(dir, 0o500))
	if _, hidden := usage([]string{dir}); hidden != filepath.Join(dir, "go/pkg/mod") {
		t.Errorf("hidden is %q", hidden)
	}
	must(t, RemoveAll(dir))
	if _, err := os.Lstat(dir); err == nil {
		t.Error("the folder is still there")
	}
}

// asNobody runs the test by a user without powers, and reports whether it did that
// in another process.
func asNobody(t *testing.T) bool {
	t.Helper()
	if os.Getuid() != 0 {
		return false
	}
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o777), os.Chmod(filepath.Dir(dir), 0o755), copyFile(os.Args[0], filepath.Join(dir, "self")))
	cmd := exec.Command(filepath.Join(dir, "self"), "-test.v", "-test.run", "^"+t.Name()+"$")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("by nobody: %v\n%s", err, out)
	}
	return true
}
