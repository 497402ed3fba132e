package workers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// ScheduleStore is where schedules stand.
type ScheduleStore interface {
	// DueSchedules lists what is not paused and due at t.
	DueSchedules(ctx context.Context, t time.Time, limit int) ([]*engine.Schedule, error)
	// NextDue tells when the next schedule is due; the zero time for never.
	NextDue(ctx context.Context) (time.Time, error)
	// FireSchedule moves the schedule from was to next and keeps the run that
	// it started at; nothing happens where somebody else did so first. An empty
	// run leaves the last one.
	FireSchedule(ctx context.Context, id string, was, next, at time.Time, run string) error
}

// Starter starts the run that a schedule is for, at most once for each of its
// times. It wraps one of the engine's kinds where the run is refused.
type Starter interface {
	StartScheduled(ctx context.Context, s *engine.Schedule) (run string, err error)
}

// Schedules starts runs at their times. Several may run at a time: who is
// second to start a run is refused.
type Schedules struct {
	Store   ScheduleStore
	Starter Starter
	Bell    engine.Bell
	Now     func() time.Time
	Log     *slog.Logger
}

const (
	dueBatch = 100
	// lookAgain bounds the sleep between two looks, for clocks that are set.
	lookAgain = 30 * time.Second
	// storeAway is the pause after the database failed.
	storeAway = 5 * time.Second
	// unreadable is when a schedule whose expression makes no sense is looked
	// at again.
	unreadable = 24 * time.Hour
)

// Run fires what is due until ctx ends. It sleeps until the next schedule is
// due or TopicSchedules rings. What fell due while nobody ran fires once.
func (s *Schedules) Run(ctx context.Context) error {
	rings, stop := s.Bell.Listen(engine.TopicSchedules)
	defer stop()
	for {
		sleep, err := s.pass(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "schedules not looked at; trying again", "after", storeAway, "err", err)
			sleep = storeAway
		}
		timer := time.NewTimer(sleep)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-rings:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// pass fires what is due and tells how long nothing will be.
func (s *Schedules) pass(ctx context.Context) (time.Duration, error) {
	due, err := s.Store.DueSchedules(ctx, s.Now(), dueBatch)
	if err != nil {
		return 0, fmt.Errorf("due schedules: %w", err)
	}
	var failed error
	for _, sch := range due {
		if err := s.fire(ctx, sch); err != nil {
			failed = errors.Join(failed, fmt.Errorf("schedule %s: %w", sch.ID, err))
		}
	}
	next, err := s.Store.NextDue(ctx)
	if err != nil {
		err = fmt.Errorf("next due schedule: %w", err)
	}
	if err = errors.Join(failed, err); err != nil {
		return 0, err
	}
	if next.IsZero() {
		return lookAgain, nil
	}
	return min(max(0, next.Sub(s.Now())), lookAgain), nil
}

// fire starts the schedule's run and moves the schedule on. The next time is
// counted from now, so that times which were missed are not made up one by one.
// A run that is refused is tried again at the next time; one that could not be
// started stays due, also where this process ends between the two.
func (s *Schedules) fire(ctx context.Context, sch *engine.Schedule) error {
	now := s.Now()
	next, err := Next(sch.Cron, sch.Timezone, now, sch.Stack+"/"+sch.Name)
	if err != nil {
		s.Log.ErrorContext(ctx, "schedule makes no sense", "schedule", sch.ID, "stack", sch.Stack, "err", err)
		return s.Store.FireSchedule(ctx, sch.ID, sch.NextRunAt, now.Add(unreadable), now, "")
	}
	run, err := s.Starter.StartScheduled(ctx, sch)
	if err != nil && !engine.Refused(err) {
		return err
	}
	if err != nil {
		s.Log.InfoContext(ctx, "scheduled run not started", "schedule", sch.ID, "stack", sch.Stack, "next", next, "err", err)
	}
	return s.Store.FireSchedule(ctx, sch.ID, sch.NextRunAt, next, now, run)
}
