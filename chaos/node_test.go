package chaos

import (
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// node is a process that is started again whenever it ends, as a service
// manager would.
type node struct {
	name, role, dir, log string
	cmd                  []string

	mu      sync.Mutex // of what follows
	process *os.Process
	ended   chan struct{} // closed when the present process has
	closing bool
	away    time.Duration // before the next start
	stopped sync.WaitGroup
}

// restartAfter is what service managers wait before they start something
// again that ended by itself.
const restartAfter = 100 * time.Millisecond

func (n *node) start(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(n.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := n.launch(); err != nil {
		t.Fatal(err)
	}
	n.stopped.Go(n.keep)
}

// keep starts the process again and again until the node is stopped.
func (n *node) keep() {
	for {
		n.mu.Lock()
		ended := n.ended
		n.mu.Unlock()
		<-ended
		for pause := restartAfter; pause > 0; pause = n.pause() {
			if n.closes() {
				return
			}
			time.Sleep(pause)
		}
		if err := n.launch(); err != nil {
			panic(err) // the program is gone
		}
	}
}

func (n *node) closes() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.closing
}

// pause gives how much longer the process stays away. A fault may have hit the
// node while it was.
func (n *node) pause() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	away := n.away
	n.away = 0
	return away
}

func (n *node) launch() error {
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(n.cmd[0], n.cmd[1:]...)
	cmd.Env = append(os.Environ(), "CLOUDOPS_ADMIN_PASSWORD="+password, "TF_CLI_CONFIG_FILE=")
	cmd.Stdout, cmd.Stderr = log, log
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closing {
		n.ended = make(chan struct{})
		close(n.ended)
		return nil
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	n.process, n.ended = cmd.Process, ended
	go func() {
		defer close(ended)
		_ = cmd.Wait() // how it ended stands in its log
	}()
	return nil
}

// signal sends a signal; a process that ends of it is away for so long.
func (n *node) signal(sig syscall.Signal, away time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.away = away
	_ = n.process.Signal(sig) // it may have ended by itself
}

func (n *node) pid() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.process.Pid
}

// stop ends the process for good.
func (n *node) stop() {
	n.mu.Lock()
	n.closing = true
	if n.process != nil {
		_ = n.process.Signal(syscall.SIGCONT)
		_ = n.process.Kill()
	}
	n.mu.Unlock()
	n.stopped.Wait()
}

// balancer hands connections to the servers in turn, and to the next where one
// does not listen.
type balancer struct {
	listener net.Listener
	targets  []string
	turn     atomic.Uint32
}

func newBalancer(t *testing.T, targets ...string) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{listener: l, targets: targets}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go b.pass(c)
		}
	}()
	return b
}

func (b *balancer) url() string { return "http://" + b.listener.Addr().String() }

func (b *balancer) pass(c net.Conn) {
	defer c.Close()
	for range b.targets {
		target := b.targets[int(b.turn.Add(1))%len(b.targets)]
		to, err := net.DialTimeout("tcp", target, time.Second)
		if err != nil {
			continue
		}
		go func() {
			_, _ = io.Copy(to, c) // either side may hang up
			to.Close()
		}()
		_, _ = io.Copy(c, to)
		return
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
