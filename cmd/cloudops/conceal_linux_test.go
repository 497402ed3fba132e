package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestServerAndRunnersAreNotReadByOtherProgramsOfTheUser reads environments as what
// a stack runs could. Root could in any case, so this thread, and all that it
// starts, gives up what makes root root here.
func TestServerAndRunnersAreNotReadByOtherProgramsOfTheUser(t *testing.T) {
	t.Parallel()
	runtime.LockOSThread() // and ends with the test
	for _, capability := range []uintptr{unix.CAP_SYS_PTRACE, unix.CAP_PERFMON, unix.CAP_SYS_ADMIN} {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0); err != nil && os.Geteuid() == 0 {
			t.Fatal(err)
		}
	}
	other := exec.Command("cat")
	other.Env = []string{"CLOUDOPS_CANARY=" + canary}
	stdin, err := other.StdinPipe()
	if err != nil || other.Start() != nil {
		t.Fatal(err)
	}
	defer other.Wait()
	defer stdin.Close()
	if env, err := environOf(other.Process.Pid); !strings.Contains(env, canary) {
		t.Errorf("another program's environment is not read either, so this test finds nothing: %v", err)
	}

	v := startSurvivor(t, startServer(t), "terraform")
	pids := append(v.processes("step"), v.testServer.cmd.Process.Pid)
	if len(pids) != 2 {
		t.Errorf("processes %v", pids)
	}
	for _, pid := range pids {
		if env, err := environOf(pid); err == nil || env != "" {
			t.Errorf("process %d shows %d bytes of its environment", pid, len(env))
		}
	}
	v.open(t)
	v.succeeded(t)
}

// environOf reads the environment of a process with another program.
func environOf(pid int) (string, error) {
	b, err := exec.Command("cat", filepath.Join("/proc", strconv.Itoa(pid), "environ")).Output()
	return string(b), err
}
