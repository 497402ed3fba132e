package enginetest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
)

// RedisServer is a Redis in a process of its own, which keeps nothing on disk.
type RedisServer struct {
	URL  string // redis://127.0.0.1:port
	Addr string // 127.0.0.1:port

	exe  string
	args []string
	cmd  *exec.Cmd // nil while it is stopped
}

// Redis starts an empty Redis that lives as long as the test and returns its URL.
func Redis(t testing.TB) string { return NewRedisServer(t).URL }

// NewRedisServer starts an empty Redis that lives as long as the test, with
// further settings as given, such as "--requirepass", "pw".
func NewRedisServer(t testing.TB, args ...string) *RedisServer {
	t.Helper()
	s := &RedisServer{exe: Need(t, "redis-server", "apt-get install redis-server")}
	// Another process may take the port that was free a moment ago.
	for try := 0; ; try++ {
		port := freePort(t)
		s.Addr = fmt.Sprintf("127.0.0.1:%d", port)
		s.URL = "redis://" + s.Addr
		s.args = append([]string{
			"--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(),
		}, args...)
		said, err := s.start()
		if err == nil {
			t.Cleanup(s.Stop)
			return s
		}
		if try == 2 {
			t.Fatalf("redis-server: %v\n%s", err, said)
		}
	}
}

// Start starts the server again, empty, at the same address.
func (s *RedisServer) Start(t testing.TB) {
	t.Helper()
	if said, err := s.start(); err != nil {
		t.Fatalf("redis-server: %v\n%s", err, said)
	}
}

// Flush removes all that the server holds.
func (s *RedisServer) Flush() error {
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "FLUSHALL\r\n"); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && answer != "+OK\r\n" {
		err = fmt.Errorf("redis-server: %q", answer)
	}
	return err
}

// Stop kills the server with all that it holds.
func (s *RedisServer) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // gone already is as good
	_ = s.cmd.Wait()
	s.cmd = nil
}

// start returns once the server answers, or what it said before it ended.
func (s *RedisServer) start() (said string, err error) {
	cmd := exec.Command(s.exe, s.args...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		said += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "eady to accept connections") {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			s.cmd = cmd
			return said, nil
		}
	}
	return said, fmt.Errorf("ended before it was ready: %w", cmd.Wait())
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
