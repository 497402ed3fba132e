package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// TestDemoIsOverInTwoMinutes takes the first of the two commands, which checks by
// itself what it finds.
func TestDemoIsOverInTwoMinutes(t *testing.T) {
	if os.Getenv(enginetest.TestAll) != "1" {
		t.Skip("it builds the program; to have it: " + enginetest.TestAll + "=1 make test")
	}
	enginetest.Need(t, "ansible-playbook", "apt-get install ansible-core")
	binary, tmp := "BIN="+filepath.Join(t.TempDir(), "cloudops"), t.TempDir()
	makeTarget(t, 10*time.Minute, "build", binary)
	out := makeTarget(t, 2*time.Minute, "demo", binary, "DEMO_EXIT=1", "TMPDIR="+tmp)
	for _, want := range []string{"  + terraform_data.message", `message = "Hello, world!"`, "-somebody was here", "Done."} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}

// makeTarget runs make in the repository, with variables, and wants it to end well
// in time.
func makeTarget(t *testing.T, limit time.Duration, args ...string) string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), limit)
	defer stop()
	cmd := exec.CommandContext(ctx, "make", append([]string{"-C", "../.."}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that the demo can stop its server
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make %s: %v, %v\n%s", args[0], err, context.Cause(ctx), out)
	}
	return string(out)
}

func TestPasswordIsMadeAndShownAtTheFirstStartOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &testServer{dir: dir, config: filepath.Join(dir, "config"), log: &bytes.Buffer{}, env: []string{"CLOUDOPS_ADMIN_PASSWORD="}}
	s.launch(t, "127.0.0.1:0")
	s.stop(t)
	shown := regexp.MustCompile(`user admin, password (pw_[a-z2-7]{20})\n`).FindAllStringSubmatch(s.log.String(), -1)
	if len(shown) != 1 {
		t.Fatalf("it shows %q", shown)
	}

	s.log.Reset()
	s.launch(t, "127.0.0.1:0")
	t.Cleanup(func() { s.stop(t) })
	s.cli(t, shown[0][1]+"\n"+testPassword, "login", "--server", s.url) // which has it changed
	s.stop(t)
	if log := s.log.String(); !strings.Contains(log, "msg=ready") || strings.Contains(log, "password") {
		t.Errorf("the second start says\n%s", log)
	}
}
