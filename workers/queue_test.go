package workers

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestEnqueueNamesTheStepAndNothingMore(t *testing.T) {
	eachRedis(t, func(t *testing.T, r *Redis) {
		q := queuesOn(r, &Bell{})

		if err := q.enqueue(t.Context(), dispatch("step-1")); err != nil {
			t.Fatal(err)
		}

		task, err := q.inspector.GetTaskInfo("aws-run", "step-1:1")
		if err != nil {
			t.Fatal(err)
		}
		if got := string(task.Payload); got != `{"step":"step-1"}` {
			t.Errorf("payload = %s", got)
		}
		if task.Type != TypeStep || task.MaxRetry != 0 || task.Timeout != taskTimeout || task.Retention != 0 {
			t.Errorf("task = %+v", task)
		}
	})
}

func TestEnqueueRingsTheBellOfTheQueue(t *testing.T) {
	r, b := open(t, "embedded"), &Bell{}
	aws, stopAWS := b.Listen("queue:aws-run")
	local, stopLocal := b.Listen("queue:local-run")
	defer stopAWS()
	defer stopLocal()

	if err := queuesOn(r, b).enqueue(t.Context(), dispatch("step-1")); err != nil {
		t.Fatal(err)
	}

	if len(aws) != 1 || len(local) != 0 {
		t.Errorf("%d rings at aws, %d at local", len(aws), len(local))
	}
}

// What stands in Redis under a step's attempt before it is handed over (again),
// and how many tasks wait after.
func TestEnqueueOverWhatIsThere(t *testing.T) {
	type put func(t *testing.T, q *queues)
	inHand := func(t *testing.T, q *queues) { takeUp(t, q, "aws-run", "step-1:1") }
	archived := func(t *testing.T, q *queues) {
		if err := q.inspector.ArchiveTask("aws-run", "step-1:1"); err != nil {
			t.Fatal(err)
		}
	}
	flushed := func(t *testing.T, q *queues) {
		if err := q.client.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	flushedAndPut := func(t *testing.T, q *queues) {
		flushed(t, q)
		if err := q.enqueue(t.Context(), dispatch("step-1")); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		put         put
		want        int
		wantOnSweep int
	}{
		"a task that waits stays alone":                       {put: func(*testing.T, *queues) {}, want: 1, wantOnSweep: 1},
		"one in hand is left alone, until the sweep finds it": {put: inHand, want: 0, wantOnSweep: 1},
		"one that was archived is made anew":                  {put: archived, want: 1, wantOnSweep: 1},
		"one that Redis lost is made anew":                    {put: flushed, want: 1, wantOnSweep: 1},
		"one that was made anew waits, though Redis forgot":   {put: flushedAndPut, want: 1, wantOnSweep: 1},
	}
	eachRedis(t, func(t *testing.T, r *Redis) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				for again, want := range map[bool]int{false: tt.want, true: tt.wantOnSweep} {
					flushed(t, queuesOn(r, &Bell{}))
					q := queuesOn(r, &Bell{})
					if err := q.enqueue(t.Context(), dispatch("step-1")); err != nil {
						t.Fatal(err)
					}
					tt.put(t, q)
					enqueue := q.enqueue
					if again {
						enqueue = q.enqueueAgain
					}
					for range 2 {
						if err := enqueue(t.Context(), dispatch("step-1")); err != nil {
							t.Fatalf("again=%t: %v", again, err)
						}
					}
					if got := waiting(t, q, "aws-run"); got != want {
						t.Errorf("again=%t: %d tasks wait, want %d", again, got, want)
					}
				}
			})
		}
	})
}

// takeUp puts the waiting task of the step into hand, as a worker does that
// then dies.
func takeUp(t *testing.T, q *queues, queue, id string) {
	t.Helper()
	ctx, prefix := t.Context(), "asynq:{"+queue+"}:"
	_, err := q.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.RPopLPush(ctx, pendingKey(queue), prefix+"active")
		p.HSet(ctx, prefix+"t:"+id, "state", "active")
		p.ZAdd(ctx, prefix+"lease", redis.Z{Member: id, Score: float64(time.Now().Add(time.Minute).Unix())})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// waiting counts the tasks that wait in the queue.
func waiting(t *testing.T, q *queues, queue string) int {
	t.Helper()
	n, err := q.client.LLen(t.Context(), pendingKey(queue)).Result()
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}
