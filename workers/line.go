package workers

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cloudops-manager/cloudops/engine"
)

const (
	bellChannel = "cloudops:bell"
	maxUnsent   = 10_000           // topics kept while Redis is away
	redialAfter = time.Second      // after the line broke
	silence     = 20 * time.Second // after which the other end is asked whether it is there
)

// line carries rings to the bells of other processes and back, over one
// channel of Redis. What is sent is the sender, a space and the topic.
type line struct {
	client redis.UniversalClient
	bell   *Bell
	log    *slog.Logger
	self   string

	mu     sync.Mutex
	unsent map[string]struct{} // topics; a second ring before the first is sent adds nothing
	more   chan struct{}

	stop context.CancelFunc
	done sync.WaitGroup
}

func openLine(client redis.UniversalClient, bell *Bell, log *slog.Logger) *line {
	ctx, stop := context.WithCancel(context.Background())
	l := &line{
		client: client, bell: bell, log: log, self: engine.NewID("bell", time.Now()),
		unsent: map[string]struct{}{}, more: make(chan struct{}, 1), stop: stop,
	}
	l.done.Go(func() { l.send(ctx) })
	l.done.Go(func() { l.receive(ctx) })
	return l
}

func (l *line) hangUp() {
	l.stop()
	l.done.Wait()
}

// call queues a topic to be sent. It does not wait, whatever Redis does.
func (l *line) call(topic string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.unsent) < maxUnsent {
		l.unsent[topic] = struct{}{}
	}
	wake(l.more)
}

// send passes on what was called until ctx ends. Topics that could not be sent
// are kept for the next try.
func (l *line) send(ctx context.Context) {
	down := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.more:
		}
		topics := l.take()
		err := l.publish(ctx, topics)
		if err == nil {
			down = false
			continue
		}
		if !down && ctx.Err() == nil {
			l.log.WarnContext(ctx, "bell cannot reach other processes; it will go on trying", "err", err)
		}
		down = true
		pause(ctx, redialAfter)
		for topic := range topics {
			l.call(topic)
		}
	}
}

func (l *line) take() map[string]struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	topics := l.unsent
	l.unsent = map[string]struct{}{}
	return topics
}

func (l *line) publish(ctx context.Context, topics map[string]struct{}) error {
	if len(topics) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err := l.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for topic := range topics {
			p.Publish(ctx, bellChannel, l.self+" "+topic)
		}
		return nil
	})
	return err
}

// receive rings for others until ctx ends, and dials again whenever the line breaks.
func (l *line) receive(ctx context.Context) {
	for ctx.Err() == nil {
		err := l.listen(ctx)
		if ctx.Err() == nil {
			l.log.DebugContext(ctx, "bell lost its line; dialling again", "err", err)
			pause(ctx, redialAfter)
		}
	}
}

// errSilent ends a line on which not even an answer to a ping arrives.
var errSilent = errors.New("redis is silent")

// listen subscribes and passes rings on until the line breaks. When it is
// (again) subscribed everybody is woken, as rings may have been missed.
func (l *line) listen(ctx context.Context) error {
	sub := l.client.Subscribe(ctx, bellChannel)
	defer sub.Close()
	defer context.AfterFunc(ctx, func() { sub.Close() })()
	asked := false
	for {
		msg, err := sub.ReceiveTimeout(ctx, silence)
		switch timeout, ok := err.(interface{ Timeout() bool }); {
		case err == nil:
			asked = false
			l.hear(msg)
		case !ok || !timeout.Timeout():
			return err
		case asked:
			return errSilent
		default:
			asked = true
			if err := sub.Ping(ctx); err != nil {
				return err
			}
		}
	}
}

func (l *line) hear(msg any) {
	switch msg := msg.(type) {
	case *redis.Subscription:
		l.bell.ringAll()
	case *redis.Message:
		if from, topic, ok := strings.Cut(msg.Payload, " "); ok && from != l.self {
			l.bell.ring(topic)
		}
	}
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
