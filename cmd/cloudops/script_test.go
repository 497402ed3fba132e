package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestMain lets scripts, servers and runners find this program as cloudops on
// their PATH.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"cloudops": func() { os.Exit(run()) }})
}

func TestOfflineScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/offline", RequireExplicitExec: true, UpdateScripts: *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"isjson": isJSON},
	})
}

// eachPair runs a test against a server on each pair of databases.
func eachPair(t *testing.T, test func(t *testing.T, start func(args ...string) *testServer)) {
	t.Run("SQLite and Redis in process", func(t *testing.T) {
		test(t, func(args ...string) *testServer { return startServer(t, args...) })
	})
	t.Run("PostgreSQL and Redis", func(t *testing.T) {
		test(t, func(args ...string) *testServer {
			return startServer(t, append(args, "--database-url", enginetest.Postgres(t), "--redis-url", enginetest.Redis(t))...)
		})
	})
}

func TestServerScripts(t *testing.T) {
	eachPair(t, func(t *testing.T, start func(...string) *testServer) {
		enginetest.Need(t, "ansible-playbook", "apt-get install ansible-core")
		for name, value := range referred {
			t.Setenv(name, value)
		}
		s := start("--secret-env", "STACK_")
		testscript.Run(t, testscript.Params{
			Dir: "testdata/server", RequireExplicitExec: true, UpdateScripts: *update, Setup: s.setup,
			Cmds: map[string]func(*testscript.TestScript, bool, []string){"runid": runID, "until": until, "untilout": untilOut, "isjson": isJSON, "dump": s.dump, "crawl": s.crawl},
		})
	})
}

// testServer is a server of its own process.
type testServer struct {
	url, config, dir string
	args, env        []string
	cmd              *exec.Cmd
	log              *bytes.Buffer
}

const testPassword = "correct horse battery"

// quietPort gives an address whose port is below those that the system hands out
// to connections: a server that is started again finds it free.
func quietPort(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// startServer starts `cloudops serve` on a free port and signs in as admin.
func startServer(t *testing.T, args ...string) *testServer {
	t.Helper()
	s := &testServer{dir: t.TempDir(), log: &bytes.Buffer{}, args: args}
	s.config = filepath.Join(s.dir, "config")
	s.launch(t, quietPort(t))
	t.Cleanup(func() { s.stop(t) })
	s.cli(t, testPassword, "login", "--server", s.url)
	return s
}

// launch starts the server on an address and waits until it is ready. Unless the
// test is about walls, steps may write to the folders of tests.
func (s *testServer) launch(t *testing.T, listen string) {
	t.Helper()
	address := filepath.Join(s.dir, "address")
	_ = os.Remove(address) // there is none at first
	s.cmd = exec.Command("cloudops", append([]string{"serve", "--listen", listen, "--address-file", address,
		"--data-dir", filepath.Join(s.dir, "data"), "--grace", "5s", "--git-file"}, s.args...)...)
	if !slices.Contains(s.args, "--sandbox") {
		s.cmd.Args = append(s.cmd.Args, "--sandbox-write", os.TempDir())
	}
	s.cmd.Env = slices.Concat(os.Environ(), []string{"CLOUDOPS_ADMIN_PASSWORD=" + testPassword, "CLOUDOPS_CANARY=" + canary}, s.env)
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.url = s.waitFor(t, address)
}

// stop ends the server, looks for secrets in its log, and shows that where the
// test failed.
func (s *testServer) stop(t *testing.T) {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
	for _, pid := range s.processes("step") { // which would wait for the server for a day
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	s.wantNoLeak(t)
	if t.Failed() {
		t.Logf("server log:\n%s", tail(s.log.String(), 20000))
	}
}

// processes lists the processes of this server's runners, or of their tools,
// whose arguments have the word.
func (s *testServer) processes(word string) (found []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		b, err := os.ReadFile(f)
		args := strings.Split(string(b), "\x00")
		if err != nil || !slices.Contains(args, word) || !strings.Contains(string(b), filepath.Join(s.dir, "data")) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		found = append(found, pid)
	}
	return found
}

// client is the API as the admin that is signed in sees it.
func (s *testServer) client(t *testing.T) *client.Client {
	t.Helper()
	token, err := client.New(s.url, "").Login(t.Context(), "admin", testPassword, "test")
	if err != nil {
		t.Fatal(err)
	}
	return client.New(s.url, token)
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// waitFor reads the address that the server writes once it listens, and waits
// until it is ready.
func (s *testServer) waitFor(t *testing.T, address string) string {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); time.Now().Before(deadline); <-tick.C {
		b, err := os.ReadFile(address)
		if err != nil || len(b) == 0 {
			continue
		}
		url := strings.TrimSpace(string(b))
		if res, err := http.Get(url + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return url
			}
		}
	}
	t.Fatalf("server not ready:\n%s", s.log)
	return ""
}

// cli runs a command as the admin that is signed in and wants it to succeed.
func (s *testServer) cli(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	return s.command(t, 0, stdin, args...)
}

// cliCode runs a command that has to end with the code.
func (s *testServer) cliCode(t *testing.T, code int, args ...string) string {
	t.Helper()
	return s.command(t, code, "", args...)
}

func (s *testServer) command(t *testing.T, code int, stdin string, args ...string) string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "cloudops", args...)
	cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+s.config)
	cmd.Stdin = strings.NewReader(stdin + "\n")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		t.Fatalf("cloudops %s: %v\n%s\nserver log:\n%s", strings.Join(args, " "), err, out, tail(s.log.String(), 8000))
	}
	return string(out)
}

// setup signs a script in.
func (s *testServer) setup(env *testscript.Env) error {
	env.Setenv("XDG_CONFIG_HOME", s.config)
	env.Setenv("CLOUDOPS_SERVER", s.url)
	env.Setenv("DATA", filepath.Join(s.dir, "data"))
	env.Setenv("PASSWORD", testPassword)
	env.Setenv("LEAK", leak.String())
	env.Setenv("HOME", env.WorkDir)
	return nil
}

// runID keeps in $RUN the identifier of the newest run of a stack:
// runid STACK [KIND].
func runID(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: runid STACK [KIND]")
	}
	call := []string{"run", "list", "--stack", args[0]}
	if len(args) > 1 {
		call = append(call, "--kind", args[1])
	}
	ts.Check(ts.Exec("cloudops", call...))
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if id, _, ok := strings.Cut(line, " "); ok && strings.HasPrefix(id, "run-") {
			ts.Setenv("RUN", id)
			return
		}
	}
	ts.Fatalf("stack %s has no run", args[0])
}

// until waits until a file is there: until FILE. What a script waits for makes
// the file.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: until FILE")
	}
	path := ts.MkAbs(args[0])
	deadline := time.Now().Add(60 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); time.Now().Before(deadline); <-tick.C {
		if fileExists(path) {
			return
		}
	}
	ts.Fatalf("%s did not appear", path)
}

// untilOut runs a command again and again until its output has the text:
// untilout TEXT COMMAND...
func untilOut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: untilout TEXT COMMAND...")
	}
	deadline := time.Now().Add(90 * time.Second)
	for tick := time.NewTicker(250 * time.Millisecond); time.Now().Before(deadline); <-tick.C {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
	}
	ts.Fatalf("%s never printed %q", args[1], args[0])
}

// isJSON wants the last command's stdout to be one document of JSON, an object
// with these fields: isjson [NAME=VALUE...].
func isJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: isjson [NAME=VALUE...]")
	}
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &v); err != nil {
		ts.Fatalf("stdout is not one JSON document: %v", err)
	}
	for _, arg := range args {
		name, want, _ := strings.Cut(arg, "=")
		object, _ := v.(map[string]any)
		if got := fmt.Sprint(object[name]); got != want {
			ts.Fatalf("%s is %s, not %s", name, got, want)
		}
	}
}
