package workers

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/hibiken/asynq"
)

// asynqLog puts what asynq says into our log, for debugging only: it talks a
// lot, without Redis each queue's server complains every few seconds, and the
// sweep makes up for all that it calls an error.
type asynqLog struct{ log *slog.Logger }

func (l asynqLog) Debug(args ...any) { l.say(args) }
func (l asynqLog) Info(args ...any)  { l.say(args) }
func (l asynqLog) Warn(args ...any)  { l.say(args) }
func (l asynqLog) Error(args ...any) { l.say(args) }
func (l asynqLog) Fatal(args ...any) { l.say(args) }

func (l asynqLog) say(args []any) { l.log.Debug("queue server", "says", fmt.Sprint(args...)) }

// asynqLevel spares asynq the making of lines that nobody will see.
func asynqLevel(log *slog.Logger) asynq.LogLevel {
	if log.Enabled(context.Background(), slog.LevelDebug) {
		return asynq.DebugLevel
	}
	return asynq.FatalLevel // it has no level for nothing at all
}

// outages says when Redis goes away and when it is back, once each.
func outages(log *slog.Logger) func(error) {
	away := false
	return func(err error) {
		switch {
		case err != nil && !away:
			log.Warn("redis is away; steps wait in the database until it is back", "err", err)
		case err == nil && away:
			log.Info("redis is back")
		}
		away = err != nil
	}
}

// redisLog puts what the Redis library says into our log. Whoever made the
// call gets the error too, so it is for debugging only.
type redisLog struct{ log *slog.Logger }

// Printf implements the library's logger.
func (l redisLog) Printf(ctx context.Context, format string, v ...any) {
	l.log.DebugContext(ctx, "redis client", "says", fmt.Sprintf(format, v...))
}
