package enginetest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Postgres returns the URL of an empty database of its own, on a server that
// is started for the test and ends with it. CLOUDOPS_TEST_POSTGRES names a
// server to use instead.
func Postgres(t testing.TB) string {
	t.Helper()
	if server := os.Getenv("CLOUDOPS_TEST_POSTGRES"); server != "" {
		return newDatabase(t, server)
	}
	return NewPostgresServer(t).NewDatabase(t)
}

var databases atomic.Int64

// newDatabase makes a database on the server.
func newDatabase(t testing.TB, server string) string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	name := fmt.Sprintf("cloudops_%d_%d", os.Getpid(), databases.Add(1))
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// PostgresServer is a PostgreSQL in processes of its own.
type PostgresServer struct {
	URL string // of the database postgres

	exe  string
	args []string
	dir  string
	attr *syscall.SysProcAttr
	cmd  *exec.Cmd // nil while it is stopped
}

// NewPostgresServer starts a server on a free port of this machine that lives
// as long as the test, without care for what a power cut would lose. Further
// arguments are given to it as they are, such as "-c", "work_mem=1MB".
func NewPostgresServer(t testing.TB, args ...string) *PostgresServer {
	t.Helper()
	bin := postgresBin(t)
	dir, err := os.MkdirTemp("", "cloudops-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	data, port := filepath.Join(dir, "data"), strconv.Itoa(freePort(t))
	s := &PostgresServer{
		URL: "postgres://postgres@127.0.0.1:" + port + "/postgres?sslmode=disable",
		exe: filepath.Join(bin, "postgres"), dir: dir, attr: asPostgres(t, dir),
		args: append([]string{"-D", data, "-h", "127.0.0.1", "-p", port, "-k", dir, "-F",
			"-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "max_connections=200"}, args...),
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = s.attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	s.Start(t)
	t.Cleanup(func() { s.Stop(syscall.SIGINT) }) // a fast shutdown
	return s
}

// NewDatabase makes an empty database and returns its URL.
func (s *PostgresServer) NewDatabase(t testing.TB) string {
	t.Helper()
	return newDatabase(t, s.URL)
}

// Start starts the server, again at the same address and with what it held,
// and waits until it answers.
func (s *PostgresServer) Start(t testing.TB) {
	t.Helper()
	s.cmd = exec.Command(s.exe, s.args...)
	s.cmd.SysProcAttr, s.cmd.Dir = s.attr, s.dir
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 60*time.Second)
	defer stop()
	for tick := time.NewTicker(50 * time.Millisecond); ; <-tick.C {
		conn, err := pgx.Connect(ctx, s.URL)
		if err == nil {
			conn.Close(ctx)
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("PostgreSQL did not come up: %v", err)
		}
	}
}

// Stop ends the server by a signal, which says how: SIGINT cuts connections
// first, SIGQUIT is like a crash.
func (s *PostgresServer) Stop(how syscall.Signal) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(how) // gone already is as good
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Freeze makes the server stand still, with connections open, until thaw.
func (s *PostgresServer) Freeze() (thaw func()) {
	pids := append(children(s.cmd.Process.Pid), s.cmd.Process.Pid)
	signal := func(sig syscall.Signal) {
		for _, pid := range pids {
			_ = syscall.Kill(pid, sig) // one that has ended meanwhile needs none
		}
	}
	signal(syscall.SIGSTOP)
	return func() { signal(syscall.SIGCONT) }
}

// children lists the processes that one has started. Source: proc(5), the
// fourth field of /proc/pid/stat.
func children(parent int) (pids []int) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		panic(err) // the pattern is in the line above
	}
	for _, f := range files {
		b, _ := os.ReadFile(f) // it may have ended
		_, rest, _ := strings.Cut(string(b), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f))) // digits, by the pattern
			pids = append(pids, pid)
		}
	}
	return pids
}

// postgresBin finds the folder of the server's programs, which Debian keeps
// off PATH.
func postgresBin(t testing.TB) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err == nil && len(found) > 0 {
		return filepath.Dir(slices.Max(found))
	}
	return filepath.Dir(Need(t, "initdb", "apt-get install postgresql"))
}

// asPostgres gives the terms to start PostgreSQL on: it refuses to run as
// root, so then it runs as the user postgres, whose the folder becomes.
func asPostgres(t testing.TB, dir string) *syscall.SysProcAttr {
	t.Helper()
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		Missing(t, "a user postgres, since PostgreSQL does not run as root", "useradd --system postgres")
	}
	uid, uerr := strconv.Atoi(u.Uid)
	gid, gerr := strconv.Atoi(u.Gid)
	if uerr != nil || gerr != nil {
		t.Fatal(uerr, gerr)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}
