package chaos

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// kinds lists what can go wrong in this world.
func (w *world) kinds() []kind {
	kinds := []kind{
		{name: "kill a runner", weight: 4, do: (*world).killRunner},
		{name: "kill Terraform or a play", weight: 2, do: (*world).killTool},
		{name: "stop a runner", weight: 1, min: 3 * time.Second, max: 50 * time.Second, do: (*world).stopRunner},
	}
	if w.postgres == nil {
		return append(kinds,
			onNode("kill serve", "serve", 4, 5*time.Second, syscall.SIGKILL),
			onNode("upgrade serve", "serve", 2, 2*time.Second, syscall.SIGTERM),
			kind{name: "stop serve", weight: 1, min: time.Second, max: 12 * time.Second, do: onRole("serve", (*world).suspend)},
			kind{name: "kill the machine", weight: 1, max: 5 * time.Second, do: onRole("serve", (*world).killMachine)},
		)
	}
	return append(kinds,
		onNode("kill an API", "api", 3, 5*time.Second, syscall.SIGKILL),
		onNode("kill a worker", "worker", 4, 5*time.Second, syscall.SIGKILL),
		onNode("kill a scheduler", "scheduler", 1, 5*time.Second, syscall.SIGKILL),
		onNode("upgrade an API", "api", 2, 2*time.Second, syscall.SIGTERM),
		onNode("upgrade a worker", "worker", 2, 2*time.Second, syscall.SIGTERM),
		onNode("upgrade a scheduler", "scheduler", 1, 2*time.Second, syscall.SIGTERM),
		kind{name: "stop an API", weight: 1, min: time.Second, max: 12 * time.Second, do: onRole("api", (*world).suspend)},
		kind{name: "upgrade all, one after the other", weight: 1, do: (*world).upgradeAll},
		kind{name: "kill a worker's machine", weight: 1, max: 5 * time.Second, do: onRole("worker", (*world).killMachine)},
		kind{name: "Redis is away and comes back empty", weight: 2, min: time.Second, max: 45 * time.Second, do: (*world).redisAway},
		kind{name: "flush Redis", weight: 1, do: (*world).redisFlushed},
		kind{name: "PostgreSQL crashes", weight: 2, max: 5 * time.Second, do: (*world).postgresCrash},
		kind{name: "PostgreSQL stands still", weight: 1, min: time.Second, max: 20 * time.Second, do: (*world).postgresStill},
		kind{name: "PostgreSQL cuts all connections", weight: 1, do: (*world).postgresCut},
	)
}

// inflict does the faults at their times and waits until the last has begun.
func (w *world) inflict(faults []fault) {
	for _, f := range faults {
		time.Sleep(time.Until(w.began.Add(f.at)))
		w.t.Logf("%7.1fs  %s (%d, %s)", f.at.Seconds(), f.kind.name, f.index%8, f.lasts.Round(100*time.Millisecond))
		w.inFlight.Go(func() { f.kind.do(w, f) })
	}
}

// done counts a fault that has hit something.
func (w *world) done(f fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inflicts[f.kind.name]++
}

// onNode is a kind of fault that ends a process, which is away for some time.
func onNode(name, role string, weight int, away time.Duration, sig syscall.Signal) kind {
	return kind{name: name, weight: weight, max: away, do: onRole(role, func(w *world, n *node, f fault) {
		n.signal(sig, f.lasts)
		w.done(f)
	})}
}

func onRole(role string, do func(*world, *node, fault)) func(*world, fault) {
	return func(w *world, f fault) {
		var all []*node
		for _, n := range w.nodes {
			if n.role == role {
				all = append(all, n)
			}
		}
		do(w, all[f.index%len(all)], f)
	}
}

// upgradeAll restarts each process in turn, as a rolling upgrade does.
func (w *world) upgradeAll(f fault) {
	for _, n := range w.nodes {
		n.signal(syscall.SIGTERM, restartAfter)
		time.Sleep(time.Second)
	}
	w.done(f)
}

// suspend stops a process without ending it, as a machine that swaps does.
func (w *world) suspend(n *node, f fault) {
	p := process{pid: n.pid()}
	p.signal(syscall.SIGSTOP)
	w.done(f)
	time.Sleep(f.lasts)
	p.signal(syscall.SIGCONT)
}

// killMachine ends a worker with all that it has started.
func (w *world) killMachine(n *node, f fault) {
	n.signal(syscall.SIGKILL, f.lasts)
	for _, p := range w.processes(isAny) {
		if strings.Contains(p.command, n.dir+"/") || strings.Contains(p.cwd, n.dir+"/") {
			w.watchTruth(p)
			p.kill()
		}
	}
	w.done(f)
}

func (w *world) killRunner(f fault) {
	if p, ok := w.pick(isRunner, f); ok {
		w.watchTruth(p)
		p.kill()
		w.done(f)
	}
}

// killTool ends Terraform, or a play, with all that it has started.
func (w *world) killTool(f fault) {
	if p, ok := w.pick(isTool, f); ok {
		_ = syscall.Kill(-p.pid, syscall.SIGKILL) // it leads a group, unless it has just ended
		w.done(f)
	}
}

func (w *world) stopRunner(f fault) {
	if p, ok := w.pick(isRunner, f); ok {
		p.signal(syscall.SIGSTOP)
		w.done(f)
		time.Sleep(f.lasts)
		p.signal(syscall.SIGCONT)
	}
}

func (w *world) redisAway(f fault) {
	w.mending.Lock()
	defer w.mending.Unlock()
	w.redis.Stop()
	w.done(f)
	time.Sleep(f.lasts)
	w.redis.Start(w.t)
}

func (w *world) redisFlushed(f fault) {
	w.mending.Lock()
	defer w.mending.Unlock()
	if err := w.redis.Flush(); err != nil {
		w.fail("flush: %v", err)
	}
	w.done(f)
}

func (w *world) postgresCrash(f fault) {
	w.mending.Lock()
	defer w.mending.Unlock()
	w.postgres.Stop(syscall.SIGQUIT) // an immediate shutdown
	w.done(f)
	time.Sleep(f.lasts)
	w.postgres.Start(w.t)
}

func (w *world) postgresStill(f fault) {
	w.mending.Lock()
	defer w.mending.Unlock()
	thaw := w.postgres.Freeze()
	w.done(f)
	time.Sleep(f.lasts)
	thaw()
}

func (w *world) postgresCut(f fault) {
	w.mending.Lock()
	defer w.mending.Unlock()
	conn, err := pgx.Connect(w.t.Context(), w.database)
	if err != nil {
		w.fail("cut: %v", err)
		return
	}
	defer conn.Close(w.t.Context())
	if _, err := conn.Exec(w.t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"); err != nil {
		w.fail("cut: %v", err)
	}
	w.done(f)
}

// truthWithin is how long a status may be untrue: the lease and a sweep, and
// the outages that may come in between.
const truthWithin = 3 * time.Minute

// watchTruth measures how long it takes, from now, until the step of a runner
// that is killed is in the hands of another one, or over.
func (w *world) watchTruth(p process) {
	dir, ok := p.folder()
	if !ok {
		return
	}
	step := dir[strings.LastIndex(dir, "/")+1 : strings.LastIndex(dir, "-")]
	began := time.Now()
	w.inFlight.Go(func() {
		for time.Since(began) < truthWithin {
			time.Sleep(100 * time.Millisecond)
			if w.toldOf(step, dir, p.pid) {
				w.mu.Lock()
				w.truths = append(w.truths, time.Since(began))
				w.mu.Unlock()
				return
			}
		}
		w.fail("step %s had no true status %s after its runner was killed", step, truthWithin)
	})
}

// toldOf reports whether the step has another runner, or is not in hand.
func (w *world) toldOf(step, dir string, killed int) bool {
	for _, p := range w.processes(isRunner) {
		if other, _ := p.folder(); other == dir && p.pid != killed {
			return true
		}
	}
	status, attempt, err := w.stepStatus(step)
	return err == nil && (status != "planning" && status != "applying" || !strings.HasSuffix(dir, fmt.Sprintf("-%d", attempt)))
}
