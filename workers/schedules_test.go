package workers

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// calendar keeps schedules in memory and writes down which fired when.
type calendar struct {
	mu      sync.Mutex
	rows    []*engine.Schedule
	fired   []string
	started []string // schedules with the times that have a run
	away    error    // of every call
	refuses error    // of every start
	looked  int
}

func (c *calendar) DueSchedules(_ context.Context, t time.Time, limit int) ([]*engine.Schedule, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looked++
	var due []*engine.Schedule
	for _, s := range c.rows {
		if !s.NextRunAt.After(t) && len(due) < limit {
			row := *s
			due = append(due, &row)
		}
	}
	return due, c.away
}

func (c *calendar) NextDue(context.Context) (next time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.rows {
		if next.IsZero() || s.NextRunAt.Before(next) {
			next = s.NextRunAt
		}
	}
	return next, c.away
}

func (c *calendar) FireSchedule(_ context.Context, id string, was, next, _ time.Time, run string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.rows {
		if s.ID == id && s.NextRunAt.Equal(was) {
			s.NextRunAt, s.LastRun = next, run
		}
	}
	return c.away
}

// StartScheduled starts one run for each time, as the engine does.
func (c *calendar) StartScheduled(_ context.Context, s *engine.Schedule) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := s.ID + s.NextRunAt.String()
	if slices.Contains(c.started, due) {
		return "", engine.ErrConflict
	}
	c.fired = append(c.fired, s.ID+" "+time.Now().UTC().Format("02T15:04:05"))
	if c.refuses != nil {
		return "", c.refuses
	}
	c.started = append(c.started, due)
	return "run of " + s.ID, nil
}

func (c *calendar) firings() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.fired)
}

// inBubble runs do beside loops that keep schedules, n of them. A bubble's
// clock starts at midnight UTC of 2000-01-01.
func inBubble(t *testing.T, c *calendar, n int, do func(bell *Bell)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(context.Background())
		bell := &Bell{}
		loop := Schedules{Store: c, Starter: c, Bell: bell, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
		var loops sync.WaitGroup
		for range n {
			loops.Go(func() {
				if err := loop.Run(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("loop ended with %v", err)
				}
			})
		}
		synctest.Wait()
		do(bell)
		stop()
		loops.Wait()
	})
}

// daily is a schedule that was made at midnight.
func daily(id, cron string) *engine.Schedule {
	next, err := Next(cron, "", midnight(), "/")
	if err != nil {
		panic(err)
	}
	return &engine.Schedule{ID: id, Cron: cron, NextRunAt: next}
}

func midnight() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

func TestSchedulesFireAtTheirTimes(t *testing.T) {
	tests := map[string]struct {
		rows    []*engine.Schedule
		refuses error
		loops   int
		lasting time.Duration
		want    []string
	}{
		"each at its time": {
			rows: []*engine.Schedule{
				daily("a", "0 3 * * *"),
				daily("b", "0 5 * * *"),
			},
			loops: 1, lasting: 28 * time.Hour,
			want: []string{"a 01T03:00:00", "b 01T05:00:00", "a 02T03:00:00"},
		},
		"once, however many loops there are": {
			rows:  []*engine.Schedule{daily("a", "0 3 * * *")},
			loops: 3, lasting: 28 * time.Hour,
			want: []string{"a 01T03:00:00", "a 02T03:00:00"},
		},
		"once for all the times that passed while nobody ran": {
			rows:  []*engine.Schedule{{ID: "a", Cron: "0 3 * * *", NextRunAt: midnight().Add(-69 * time.Hour)}},
			loops: 1, lasting: 4 * time.Hour,
			want: []string{"a 01T00:00:00", "a 01T03:00:00"},
		},
		"again at its next time where the run was refused": {
			rows:    []*engine.Schedule{daily("a", "0 3 * * *")},
			refuses: engine.ErrConflict, loops: 1, lasting: 28 * time.Hour,
			want: []string{"a 01T03:00:00", "a 02T03:00:00"},
		},
		"never where the expression makes no sense, and others do": {
			rows: []*engine.Schedule{
				{ID: "bad", Cron: "whenever", NextRunAt: midnight()},
				daily("a", "0 3 * * *"),
			},
			loops: 1, lasting: 4 * time.Hour,
			want: []string{"a 01T03:00:00"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := &calendar{rows: tt.rows, refuses: tt.refuses}
			inBubble(t, c, tt.loops, func(*Bell) { time.Sleep(tt.lasting) })
			if got := c.firings(); !slices.EqualFunc(got, tt.want, sameHour) {
				t.Errorf("fired %q, want %q", got, tt.want)
			}
		})
	}
}

// sameHour compares firings by schedule, day and hour: the schedules are
// spread by a key.
func sameHour(got, want string) bool { return got[:len(got)-6] == want[:len(want)-6] }

// A connection that is cut at the wrong moment once took a monthly run with it.
func TestScheduleWhoseRunCouldNotBeStartedStaysDue(t *testing.T) {
	c := &calendar{
		rows:    []*engine.Schedule{{ID: "a", Cron: "0 3 * * *", NextRunAt: midnight()}, {ID: "b", Cron: "0 4 * * *", NextRunAt: midnight()}},
		refuses: errors.New("connection reset"),
	}
	inBubble(t, c, 1, func(*Bell) {
		time.Sleep(time.Minute)
		c.mu.Lock()
		if len(c.fired) < 4 || c.rows[0].NextRunAt != midnight() {
			t.Errorf("fired %q, next at %s: want both tried again and again", c.fired, c.rows[0].NextRunAt)
		}
		c.fired, c.refuses = nil, nil
		c.mu.Unlock()
		time.Sleep(time.Minute)
		if got := c.firings(); len(got) != 2 {
			t.Errorf("fired %q once the database was back", got)
		}
	})
}

func TestSchedulesHeedABellWhileTheySleep(t *testing.T) {
	c := &calendar{}
	inBubble(t, c, 1, func(bell *Bell) {
		time.Sleep(time.Second)
		c.mu.Lock()
		c.rows = []*engine.Schedule{{ID: "a", Cron: "0 3 * * *", NextRunAt: time.Now()}}
		c.mu.Unlock()
		bell.Ring(engine.TopicSchedules)
		synctest.Wait()
		if got := c.firings(); len(got) != 1 {
			t.Errorf("fired %q after the bell", got)
		}
	})
}

func TestSchedulesDoNotPressADatabaseThatIsAway(t *testing.T) {
	c := &calendar{
		rows: []*engine.Schedule{{ID: "a", Cron: "0 3 * * *", NextRunAt: midnight()}},
		away: errors.New("database is away"),
	}
	inBubble(t, c, 1, func(*Bell) {
		time.Sleep(time.Minute + time.Second)
		c.mu.Lock()
		if c.looked > 14 {
			t.Errorf("looked %d times in a minute", c.looked)
		}
		c.away = nil
		c.mu.Unlock()
		time.Sleep(storeAway)
		if got := c.firings(); len(got) == 0 {
			t.Error("did not fire once the database was back")
		}
	})
}
