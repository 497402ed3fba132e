package workers

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

// Chore is something that is to be done every so often, by one process.
type Chore struct {
	Name  string
	Every time.Duration
	Do    func(ctx context.Context) error
}

// ChoreStore is where stands when chores are due.
type ChoreStore interface {
	// TakeChore reports whether a chore is due, and makes it due again at next:
	// of several processes one gets it.
	TakeChore(ctx context.Context, name string, now, next time.Time) (bool, error)
}

// Chores does chores. One that fails is done again when it is next due.
type Chores struct {
	Store  ChoreStore
	Chores []Chore
	Every  time.Duration // between two looks for those that are due; 0 for a minute
	Now    func() time.Time
	Log    *slog.Logger
}

// Run looks for chores every so often, until ctx ends.
func (c *Chores) Run(ctx context.Context) error {
	ticker := time.NewTicker(cmp.Or(c.Every, time.Minute))
	defer ticker.Stop()
	for {
		for _, chore := range c.Chores {
			if err := c.do(ctx, chore); err != nil && ctx.Err() == nil {
				c.Log.WarnContext(ctx, "chore not finished", "chore", chore.Name, "again", chore.Every, "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

func (c *Chores) do(ctx context.Context, chore Chore) error {
	now := c.Now()
	mine, err := c.Store.TakeChore(ctx, chore.Name, now, now.Add(chore.Every))
	if err != nil || !mine {
		return err
	}
	return chore.Do(ctx)
}
