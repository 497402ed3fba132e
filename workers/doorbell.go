package workers

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// lookAnyway is how long a server waits for a ring before it looks into
	// its queue all the same. A ring can get lost between processes; the sweep
	// repeats it well before.
	lookAnyway = 15 * time.Second
	// afterTrouble is how long it waits when Redis cannot answer. Asynq itself
	// would ask again at once, without end.
	afterTrouble = time.Second
)

// doorbell makes asynq wait for a ring where it would poll. Asynq asks Redis
// for a task, and when there is none sleeps and asks again. As a hook of its
// Redis client, doorbell holds back the answer "none" until the queue's bell
// has rung, so that asynq can ask again right away. Each queue it knows must
// be served by an asynq.Server of its own, or one queue's wait holds up others.
type doorbell struct {
	rings    map[string]<-chan struct{} // by the key of a queue's waiting tasks
	stopping <-chan struct{}
}

// pendingKey is where asynq keeps the identifiers of waiting tasks.
func pendingKey(queue string) string { return "asynq:{" + queue + "}:pending" }

// DialHook implements redis.Hook and changes nothing.
func (d doorbell) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook and changes nothing.
func (d doorbell) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook implements redis.Hook.
func (d doorbell) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if rings, ok := d.rings[dequeues(cmd)]; ok {
			return d.dequeue(ctx, cmd, rings, next)
		}
		return next(ctx, cmd)
	}
}

// dequeues returns the first key of cmd where that is asynq's script that
// takes a task from a queue, else "". The script has four keys: those of the
// waiting tasks, of the pause mark, of the tasks in hand and of their leases.
func dequeues(cmd redis.Cmder) string {
	args := cmd.Args()
	if name := cmd.Name(); name != "evalsha" && name != "eval" || len(args) < 7 || args[2] != 4 {
		return ""
	}
	key, _ := args[3].(string)
	return key
}

func (d doorbell) dequeue(ctx context.Context, cmd redis.Cmder, rings <-chan struct{}, next redis.ProcessHook) error {
	select {
	case <-d.stopping: // a task taken now would only have to be put back
		cmd.SetErr(redis.Nil)
		return redis.Nil
	case <-rings: // rung before we look: we will see what it was for
	default:
	}
	err := next(ctx, cmd)
	switch {
	case errors.Is(err, redis.Nil):
		d.wait(rings, lookAnyway)
	case err != nil && !redis.HasErrorPrefix(err, "NOSCRIPT"): // asynq sends the script itself next
		d.wait(nil, afterTrouble)
	}
	return err
}

func (d doorbell) wait(rings <-chan struct{}, longest time.Duration) {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case <-rings:
	case <-timer.C:
	case <-d.stopping:
	}
}
