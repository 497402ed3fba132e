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
	server := os.Getenv("CLOUDOPS_TEST_POSTGRES")
	if server == "" {
		server = startPostgres(t)
	}
	return newDatabase(t, server)
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

// startPostgres starts a server on a free port of this machine, without care
// for what a power cut would lose.
func startPostgres(t testing.TB) string {
	t.Helper()
	bin := postgresBin(t)
	dir, err := os.MkdirTemp("", "cloudops-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	attr := asPostgres(t, dir)
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	port := strconv.Itoa(freePort(t))
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-h", "127.0.0.1", "-p", port, "-k", dir, "-F",
		"-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "max_connections=200")
	server.SysProcAttr, server.Dir = attr, dir
	var log strings.Builder
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGINT) // a fast shutdown
		_ = server.Wait()
	})
	address := "postgres://postgres@127.0.0.1:" + port + "/postgres?sslmode=disable"
	awaitPostgres(t, address)
	return address
}

func awaitPostgres(t testing.TB, address string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 60*time.Second)
	defer stop()
	for tick := time.NewTicker(50 * time.Millisecond); ; <-tick.C {
		conn, err := pgx.Connect(ctx, address)
		if err == nil {
			conn.Close(ctx)
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("PostgreSQL did not come up: %v", err)
		}
	}
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
