package workers

import (
	"context"
	"log/slog"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Messenger sends what webhooks have to tell.
type Messenger interface {
	// Pass sends what is due and reports whether there may be more.
	Pass(ctx context.Context) (more bool, err error)
}

// Webhooks tells webhooks what happens, soon after it does. Several may run at a
// time.
type Webhooks struct {
	Messenger Messenger
	Bell      engine.Bell
	Log       *slog.Logger
}

// webhookEvery is how often messages are looked for that wait for another attempt.
const webhookEvery = 5 * time.Second

// Run sends until ctx ends, whenever runs change and every few seconds.
func (w *Webhooks) Run(ctx context.Context) error {
	rings, stop := w.Bell.Listen(engine.TopicRuns)
	defer stop()
	ticker := time.NewTicker(webhookEvery)
	defer ticker.Stop()
	for {
		more, err := w.Messenger.Pass(ctx)
		if err != nil && ctx.Err() == nil {
			w.Log.WarnContext(ctx, "webhooks not told; trying again", "err", err)
		}
		if more && err == nil && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-rings:
		case <-ticker.C:
		}
	}
}
