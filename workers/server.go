package workers

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/cloudops-manager/cloudops/engine"
)

// StepHandler carries out steps.
type StepHandler interface {
	// HandleStep claims the step, starts its runner and waits for it. It is
	// called at least once for each handover, at times twice at once, so the
	// claim has to decide. It wraps ErrConflict or ErrNotFound where the step
	// waits for nobody. When ctx ends, with ErrStopping as its cause, it leaves
	// the runner to itself and returns.
	HandleStep(ctx context.Context, step string) error
}

// ErrStopping is why the context of a handler ends.
var ErrStopping = errors.New("the worker stops")

// Options say what a server serves. Empty fields have defaults.
type Options struct {
	Clouds           []engine.Cloud // all
	Classes          []string       // "run" and "drift"
	Concurrency      int            // steps at a time a cloud; the number of CPUs
	DriftConcurrency int            // drift checks at a time a cloud; 1
	Drain            time.Duration  // how long the end waits for steps in hand; 0 leaves them to their runners
	Log              *slog.Logger
}

// withDefaults fills in what is empty.
func (o Options) withDefaults() Options {
	if len(o.Clouds) == 0 {
		o.Clouds = engine.Clouds()
	}
	if len(o.Classes) == 0 {
		o.Classes = []string{engine.RunApply.Class(), engine.RunDrift.Class()}
	}
	if o.Concurrency < 1 {
		o.Concurrency = runtime.NumCPU()
	}
	if o.DriftConcurrency < 1 {
		o.DriftConcurrency = 1
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// concurrency is how many steps of the class are handled at a time.
func (o Options) concurrency(class string) int {
	if class == engine.RunDrift.Class() {
		return o.DriftConcurrency
	}
	return o.Concurrency
}

// Server takes steps from queues and has them handled. Each queue has a
// concurrency of its own, so that a slow cloud or a sweep of drift checks
// delays nobody else.
type Server struct {
	client  redis.UniversalClient
	drain   time.Duration
	desks   []*desk
	stop    func()                  // taking new steps
	detach  context.CancelCauseFunc // handlers from their runners
	leave   []func()                // the bell
	closing sync.Once
}

// unsettled is how long a handler may go on after its context has ended. Asynq
// then puts its task back, and the next claim meets a conflict.
const unsettled = 5 * time.Second

// healthEvery is how soon an outage of Redis is noticed and logged.
const healthEvery = 5 * time.Second

// NewServer returns a server of the queues that o names, not yet started.
func NewServer(r *Redis, bell engine.Bell, o Options, h StepHandler) *Server {
	o = o.withDefaults()
	ctx, detach := context.WithCancelCause(context.Background())
	stopping := make(chan struct{})
	s := &Server{client: r.open(), drain: o.Drain, detach: detach, stop: sync.OnceFunc(func() { close(stopping) })}
	bells := doorbell{rings: map[string]<-chan struct{}{}, stopping: stopping}
	for _, cloud := range o.Clouds {
		for _, class := range o.Classes {
			queue := engine.QueueName(cloud, class)
			bells.rings[pendingKey(queue)] = s.listen(bell, queue)
			config := serverConfig(queue, o.concurrency(class), o.Log)
			if len(s.desks) == 0 { // one watches for all
				config.HealthCheckFunc, config.HealthCheckInterval = outages(o.Log), healthEvery
			}
			s.desks = append(s.desks, newDesk(ctx, s.client, config, queue, o.Log, h))
		}
	}
	s.client.AddHook(bells)
	return s
}

// listen returns the rings of the queue until the server is shut down.
func (s *Server) listen(bell engine.Bell, queue string) <-chan struct{} {
	rings, leave := bell.Listen(topicQueue(queue))
	s.leave = append(s.leave, leave)
	return rings
}

// Run serves until ctx ends. Then it takes no more steps, waits for those in
// hand for as long as it was told to drain, and leaves the rest to their runners.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	draining, stop := context.WithTimeout(context.WithoutCancel(ctx), s.drain)
	defer stop()
	return s.Shutdown(draining)
}

// Start begins to take steps.
func (s *Server) Start() error {
	for _, d := range s.desks {
		if err := d.server.Start(d); err != nil {
			s.stop()
			return err
		}
	}
	return nil
}

// Shutdown takes no new steps and waits for those in hand until ctx ends; what
// is still in hand then is left to its runner. With a context that has ended
// already it takes a moment.
func (s *Server) Shutdown(ctx context.Context) (err error) {
	s.closing.Do(func() {
		s.stop()
		s.each(func(d *desk) { d.server.Stop() })
		s.each(func(d *desk) { d.drain(ctx) })
		s.detach(ErrStopping)
		s.each(func(d *desk) { d.server.Shutdown() })
		for _, leave := range s.leave {
			leave()
		}
		err = s.client.Close()
	})
	return err
}

// each calls do for all desks at once and waits.
func (s *Server) each(do func(*desk)) {
	var all sync.WaitGroup
	for _, d := range s.desks {
		all.Go(func() { do(d) })
	}
	all.Wait()
}

// serverConfig is how asynq serves one queue. Nothing here is ever scheduled,
// retried or kept after its end, so asynq need not look for such tasks.
func serverConfig(queue string, concurrency int, log *slog.Logger) asynq.Config {
	return asynq.Config{
		Queues:                   map[string]int{queue: 1},
		Concurrency:              concurrency,
		TaskCheckInterval:        100 * time.Microsecond, // the doorbell does the waiting
		DelayedTaskCheckInterval: time.Hour,
		JanitorInterval:          time.Hour,
		ShutdownTimeout:          unsettled,
		Logger:                   asynqLog{log.With("queue", queue)},
		LogLevel:                 asynqLevel(log),
	}
}
