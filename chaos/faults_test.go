package chaos

import (
	"slices"
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
	return append(kinds, w.severalKinds()...)
}

// What faults take away, and what a fault may have to have to itself: what is
// away cannot be hit once more, and while a machine stays away the others must be
// able to tell.
const (
	redis      = "Redis"
	postgres   = "PostgreSQL"
	schedulers = "schedulers"
	apis       = "APIs"
)

// severalKinds lists what can go wrong where there are several of each.
func (w *world) severalKinds() []kind {
	return []kind{
		onNode("kill an API", "api", 3, 5*time.Second, syscall.SIGKILL),
		onNode("kill a worker", "worker", 4, 5*time.Second, syscall.SIGKILL),
		onNode("kill a scheduler", "scheduler", 1, 5*time.Second, syscall.SIGKILL).hitting(schedulers),
		onNode("upgrade an API", "api", 2, 2*time.Second, syscall.SIGTERM),
		onNode("upgrade a worker", "worker", 2, 2*time.Second, syscall.SIGTERM),
		onNode("upgrade a scheduler", "scheduler", 1, 2*time.Second, syscall.SIGTERM).hitting(schedulers),
		{name: "stop an API", weight: 1, min: time.Second, max: 12 * time.Second, hits: apis, do: onRole("api", (*world).suspend)},
		{name: "upgrade all, one after the other", weight: 1, hits: schedulers, do: (*world).upgradeAll},
		{name: "kill a worker's machine", weight: 1, max: 5 * time.Second, do: onRole("worker", (*world).killMachine)},
		{name: "a worker's machine stays away", each: 5 * time.Minute, least: 3 * time.Minute, min: 65 * time.Second, max: 80 * time.Second,
			spares: []string{redis, postgres, schedulers, apis}, do: (*world).machineStaysAway},
		{name: "Redis is away and comes back empty", weight: 2, min: time.Second, max: 45 * time.Second, hits: redis, spares: []string{redis}, do: (*world).redisAway},
		{name: "Redis is away for five minutes", each: time.Hour, least: 10 * time.Minute, min: 5 * time.Minute, hits: redis, spares: []string{redis}, do: (*world).redisAway},
		{name: "flush Redis", weight: 1, hits: redis, do: (*world).redisFlushed},
		{name: "PostgreSQL crashes", weight: 2, max: 5 * time.Second, hits: postgres, spares: []string{postgres}, do: (*world).postgresCrash},
		{name: "PostgreSQL stands still", weight: 1, min: time.Second, max: 20 * time.Second, hits: postgres, spares: []string{postgres}, do: (*world).postgresStill},
		{name: "PostgreSQL stands still for long", each: 30 * time.Minute, least: 10 * time.Minute, min: 45 * time.Second, hits: postgres, spares: []string{postgres}, do: (*world).postgresStill},
		{name: "PostgreSQL cuts all connections", weight: 1, hits: postgres, do: (*world).postgresCut},
	}
}

func (k kind) hitting(what string) kind {
	k.hits = what
	return k
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
		n.signal(syscall.SIGTERM, 0)
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
	w.endMachine(n, f.lasts, truthWithin)
	w.done(f)
}

func (w *world) endMachine(n *node, away, within time.Duration) {
	n.signal(syscall.SIGKILL, away)
	for _, p := range w.processes(isAny) {
		if p.on(n) {
			w.watchTruth(p, within)
			p.kill()
		}
	}
}

// machineStaysAway ends a machine that has a step in hand. Nobody is left who
// could take the step up again, so the others have to say what became of it.
func (w *world) machineStaysAway(f fault) {
	busy := w.busyWorkers()
	for deadline := time.Now().Add(20 * time.Second); len(busy) == 0 && time.Now().Before(deadline); busy = w.busyWorkers() {
		time.Sleep(100 * time.Millisecond)
	}
	if len(busy) == 0 {
		return
	}
	w.endMachine(busy[f.index%len(busy)], f.lasts, awayWithin)
	w.done(f)
	time.Sleep(f.lasts)
}

// busyWorkers lists the workers with a runner.
func (w *world) busyWorkers() (busy []*node) {
	runners := w.processes(isRunner)
	for _, n := range w.nodes {
		if n.role == "worker" && slices.ContainsFunc(runners, func(p process) bool { return p.on(n) }) {
			busy = append(busy, n)
		}
	}
	return busy
}

func (w *world) killRunner(f fault) {
	if p, ok := w.pick(isRunner, f); ok {
		w.watchTruth(p, truthWithin)
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
	w.redisHit.Lock()
	defer w.redisHit.Unlock()
	w.redis.Stop()
	w.done(f)
	time.Sleep(f.lasts)
	w.redis.Start(w.t)
}

func (w *world) redisFlushed(f fault) {
	w.redisHit.Lock()
	defer w.redisHit.Unlock()
	if err := w.redis.Flush(); err != nil {
		w.fail("flush: %v", err)
	}
	w.done(f)
}

func (w *world) postgresCrash(f fault) {
	w.postgresHit.Lock()
	defer w.postgresHit.Unlock()
	w.postgres.Stop(syscall.SIGQUIT) // an immediate shutdown
	w.done(f)
	time.Sleep(f.lasts)
	w.postgres.Start(w.t)
}

func (w *world) postgresStill(f fault) {
	w.postgresHit.Lock()
	defer w.postgresHit.Unlock()
	thaw := w.postgres.Freeze()
	w.done(f)
	time.Sleep(f.lasts)
	thaw()
}

func (w *world) postgresCut(f fault) {
	w.postgresHit.Lock()
	defer w.postgresHit.Unlock()
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
