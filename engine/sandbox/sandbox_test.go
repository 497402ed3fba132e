package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// start runs the test binary as the child of the terms, with the arguments.
func start(t *testing.T, s Spec, args ...string) (string, error) {
	t.Helper()
	name, value, err := s.Variable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GREETING=hello", name + "=" + value}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestChildHasItsArgumentsAndEnvironmentAndNotOurVariable(t *testing.T) {
	out, err := start(t, Spec{Program: "/bin/sh"}, "-c", `echo "$0 $1"; env`, "first", "second")
	if err != nil {
		t.Fatal(err, out)
	}
	if !strings.Contains(out, "first second") || !strings.Contains(out, "GREETING=hello") || strings.Contains(out, "CLOUDOPS_SANDBOX") {
		t.Errorf("child printed %q", out)
	}
}

func TestOutputGoesToTheFileAndThePidIsTheChilds(t *testing.T) {
	dir := t.TempDir()
	s := Spec{Program: "/bin/sh", Output: filepath.Join(dir, "out"), PidFile: filepath.Join(dir, "pid")}
	shown, err := start(t, s, "-c", "echo $$; echo oops >&2")
	if err != nil || shown != "" {
		t.Fatalf("shown %q, %v", shown, err)
	}
	p, err := ReadProcess(s.PidFile)
	out, _ := os.ReadFile(s.Output)
	if err != nil || string(out) != strconv.Itoa(p.Pid)+"\noops\n" {
		t.Errorf("file %q, process %v, %v", out, p, err)
	}
}

func TestAnswerIsPrintedInsteadOfStartingTheProgram(t *testing.T) {
	out, err := start(t, Spec{Program: "/bin/false", Answers: map[string]string{"version -json": "{}"}}, "version", "-json")
	if err != nil || out != "{}" {
		t.Errorf("printed %q, %v", out, err)
	}
}

// needWalls surveys what this machine has of walls.
func needWalls(t testing.TB) Policy {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has Landlock")
	}
	p, _, err := Policy{Mode: Require, Users: Users{60800, 61099}}.Survey(os.Args[0])
	if err != nil {
		enginetest.Missing(t, "Landlock", "Linux 6.12 or newer with landlock among the security modules that it starts (lsm=), and bubblewrap")
	}
	return p
}

// kinds are the ways in which walls are built.
func kinds(t testing.TB) map[string]Policy {
	whole := needWalls(t)
	bare := Policy{Mode: Require}
	all := map[string]Policy{"landlock": bare}
	if whole.Bubblewrap == "" {
		enginetest.Missing(t, "bubblewrap", "apt-get install bubblewrap")
	}
	bare.Bubblewrap = whole.Bubblewrap
	all["landlock and bubblewrap"] = bare
	if whole.Users != (Users{}) {
		all["a user of its own"] = whole
	}
	return all
}

func TestWallsKeepTheChildOutOfOtherFiles(t *testing.T) {
	for name, policy := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			open, closed := t.TempDir(), t.TempDir()
			if err := os.WriteFile(filepath.Join(closed, "secret"), []byte("secret"), 0o644); err != nil {
				t.Fatal(err)
			}
			box, err := policy.Open(t.TempDir(), open)
			if err != nil {
				t.Fatal(err)
			}
			defer box.Close()
			if err := box.Give(open); err != nil {
				t.Fatal(err)
			}
			s := Spec{Program: "/bin/sh", Walls: box.Walls(Needs{Write: []string{open}})}
			out, err := start(t, s, "-c", "echo in > "+open+"/file && cat "+open+"/file; cat "+closed+"/secret")
			if err == nil || !strings.Contains(out, "in\n") || strings.Contains(out, "\nsecret") {
				t.Errorf("printed %q, %v", out, err)
			}
		})
	}
}

func TestChildsUserHasANameAndTheHome(t *testing.T) {
	const passwd = "root:x:0:0:root:/root:/bin/bash\nada:x:1000:100::/home/ada:/bin/sh\n"
	for user, want := range map[int]string{
		1000:  "root:x:0:0:root:/root:/bin/bash\nada:x:1000:100:step:/step:/bin/sh\n",
		0:     "ada:x:1000:100::/home/ada:/bin/sh\nroot:x:0:0:step:/step:/bin/sh\n",
		60800: passwd + "cloudops-step:x:60800:60800:step:/step:/bin/sh\n",
	} {
		if got := string(withAccount(passwd, user, "/step")); got != want {
			t.Errorf("user %d: %q", user, got)
		}
	}
}
