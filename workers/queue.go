package workers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/cloudops-manager/cloudops/engine"
)

// TypeStep is the task that carries out what a step waits for. Its payload
// names the step and nothing more: what to do is read from the database when
// the step is claimed, never from a message that may be old.
const TypeStep = "step"

type stepPayload struct {
	Step string `json:"step"`
}

// taskTimeout is the longest that asynq waits for a handler. It has to be
// something: without one asynq takes 30 minutes.
const taskTimeout = 24 * time.Hour

// topicQueue is rung when there is something in the queue.
func topicQueue(queue string) string { return "queue:" + queue }

// queues puts steps into the queues that workers serve, and wakes the workers.
type queues struct {
	client    redis.UniversalClient
	inspector *asynq.Inspector
	bell      engine.Bell
}

func queuesOn(r *Redis, bell engine.Bell) *queues {
	return &queues{client: r.client, inspector: asynq.NewInspectorFromRedisClient(r.client), bell: bell}
}

// enqueue hands the step to its queue. Handing over the same attempt again has
// no further effect while its task waits or is being handled.
func (q *queues) enqueue(ctx context.Context, d engine.Dispatch) error {
	return q.handOver(ctx, d, taskID(d))
}

// enqueueAgain hands over a step that nobody has claimed for seconds. Where
// its task is in the hands of a worker, that worker may be dead, and asynq
// would take two minutes to notice: a second task is made. If both come, the
// claim decides.
func (q *queues) enqueueAgain(ctx context.Context, d engine.Dispatch) error {
	id := taskID(d)
	if info, err := q.inspector.GetTaskInfo(d.Queue, id); err == nil && info.State == asynq.TaskStateActive {
		id += ":again"
	}
	return q.handOver(ctx, d, id)
}

func (q *queues) handOver(ctx context.Context, d engine.Dispatch, id string) error {
	if err := q.put(ctx, d, id); err != nil {
		return fmt.Errorf("enqueue step %s: %w", d.Step, err)
	}
	q.bell.Ring(topicQueue(d.Queue))
	return nil
}

// taskID tells the handover for one attempt from that for the next.
func taskID(d engine.Dispatch) string { return fmt.Sprintf("%s:%d", d.Step, d.Attempt) }

// putTries bounds how often a task may end or appear between two looks at it.
const putTries = 3

// put makes the task, or finds it waiting or in hand.
func (q *queues) put(ctx context.Context, d engine.Dispatch, id string) error {
	var err error
	for range putTries {
		if err = q.make(ctx, d, id); !errors.Is(err, asynq.ErrTaskIDConflict) {
			return err
		}
		there, cleared := q.clear(d.Queue, id)
		if there || cleared != nil {
			return cleared
		}
	}
	return err
}

func (q *queues) make(ctx context.Context, d engine.Dispatch, id string) error {
	payload, err := json.Marshal(stepPayload{Step: d.Step})
	if err != nil {
		return err
	}
	// A client remembers which queues it has registered, and would not notice
	// that Redis has forgotten them; a new one costs nothing.
	client := asynq.NewClientFromRedisClient(q.client)
	_, err = client.EnqueueContext(ctx, asynq.NewTask(TypeStep, payload),
		asynq.Queue(d.Queue), asynq.TaskID(id), asynq.MaxRetry(0), asynq.Timeout(taskTimeout))
	return err
}

// clear reports whether the task waits or is in hand, and otherwise removes
// what is left of it: a task that has ended keeps its identifier.
func (q *queues) clear(queue, id string) (there bool, err error) {
	info, err := q.inspector.GetTaskInfo(queue, id)
	if err == nil {
		if info.State == asynq.TaskStatePending || info.State == asynq.TaskStateActive {
			return true, nil
		}
		err = q.inspector.DeleteTask(queue, id)
	}
	if errors.Is(err, asynq.ErrTaskNotFound) {
		err = nil // it ended between two looks
	}
	return false, err
}
