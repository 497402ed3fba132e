package workers

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// tick is how often time passes for the Redis inside this process, which does
// not look at the clock by itself.
const tick = time.Second

// openEmbedded starts a Redis inside this process. It is reached by pipes, so
// that nobody else on the machine can talk to it.
func openEmbedded() *Redis {
	m := miniredis.NewMiniRedis()
	open := func() redis.UniversalClient {
		return redis.NewClient(&redis.Options{
			Addr:                     "embedded",
			Dialer:                   func(context.Context, string, string) (net.Conn, error) { return m.Dial() },
			DisableIdentity:          true,
			ContextTimeoutEnabled:    true,
			MaintNotificationsConfig: plain(),
		})
	}
	ctx, stop := context.WithCancel(context.Background())
	var clock sync.WaitGroup
	clock.Go(func() { forward(ctx, m) })
	return &Redis{client: open(), open: open, inside: true, close: func() {
		stop()
		clock.Wait()
		m.Close()
	}}
}

// forward makes keys expire as time passes.
func forward(ctx context.Context, m *miniredis.Miniredis) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			m.FastForward(now.Sub(last))
			last = now
		}
	}
}
