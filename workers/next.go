package workers

import (
	"hash/fnv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/cloudops-manager/cloudops/engine"
)

// Next tells when a schedule fires next after the given time. The expression
// has five fields of cron, or is one of @hourly, @daily, @weekly, @monthly,
// @yearly and "@every 6h"; the time zone is an IANA name, UTC when empty.
//
// Each time of day fires once a day: one that daylight saving skips fires at
// the shift, one that it repeats fires the first time. What is meant for every
// hour goes by elapsed time instead, and neither pauses nor doubles.
//
// Schedules that share an expression are spread by key: cron fires up to five
// minutes late, at most a tenth of the time to its next firing; @every has no
// time of its own, and gets one anywhere within its period. The same key is
// always as late. An empty key spreads nothing.
func Next(expression, timezone string, after time.Time, key string) (time.Time, error) {
	schedule, err := parseSchedule(expression, timezone, key)
	if err != nil {
		return time.Time{}, err
	}
	next := schedule.Next(after)
	if next.IsZero() {
		return time.Time{}, engine.Invalid("%q never comes", expression)
	}
	return next.UTC(), nil
}

func parseSchedule(expression, timezone, key string) (cron.Schedule, error) {
	loc, err := time.LoadLocation(timezone)
	if err != nil || timezone == "Local" {
		return nil, engine.Invalid("there is no time zone %q; name one as in Europe/Zurich", timezone)
	}
	// The library would take a zone from the expression, and panics at some.
	if strings.Contains(expression, "TZ=") {
		return nil, engine.Invalid("%q names a time zone; put that into the schedule's own time zone", expression)
	}
	fields := cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor
	parsed, err := cron.NewParser(fields).Parse(expression)
	if err != nil {
		return nil, engine.Invalid("%q is no schedule: %v; write five fields as in \"0 6 * * 1-5\", or \"@every 6h\"", expression, err)
	}
	switch parsed := parsed.(type) {
	case cron.ConstantDelaySchedule:
		if parsed.Delay < time.Minute {
			return nil, engine.Invalid("%q is too often; at least a minute must lie between two runs", expression)
		}
		return interval{every: parsed.Delay, phase: spreadOver(key, parsed.Delay)}, nil
	case *cron.SpecSchedule:
		return late{onTime: inZone(parsed, loc), key: key}, nil
	default:
		return parsed, nil
	}
}

// interval fires at multiples of its period since 1970, moved by a phase.
// Counted from when it was made instead, it would never come for a stack that
// is submitted more often than it fires.
type interval struct{ every, phase time.Duration }

func (s interval) Next(after time.Time) time.Time {
	since := time.Duration(after.UnixNano()) - s.phase
	periods := since / s.every
	if since < 0 {
		periods--
	}
	return time.Unix(0, int64((periods+1)*s.every+s.phase))
}

// maxLate is the longest that spreading delays a time of day.
const maxLate = 5 * time.Minute

// late delays each firing by the key's part of maxLate.
type late struct {
	onTime cron.Schedule
	key    string
}

// Next begins with a firing whose delay may have carried it past after.
func (s late) Next(after time.Time) time.Time {
	at := s.onTime.Next(after.Add(-maxLate))
	for !at.IsZero() {
		following := s.onTime.Next(at)
		if delayed := at.Add(s.delay(at, following)); delayed.After(after) {
			return delayed
		}
		at = following
	}
	return at
}

func (s late) delay(at, following time.Time) time.Duration {
	longest := maxLate
	if !following.IsZero() {
		longest = min(longest, following.Sub(at)/10)
	}
	return spreadOver(s.key, longest)
}

// spreadOver gives the key its place within d, in whole seconds.
func spreadOver(key string, d time.Duration) time.Duration {
	seconds := uint64(d / time.Second) // #nosec G115 -- a time between firings is positive
	if key == "" || seconds == 0 {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(key))                                  // never fails
	return time.Duration(h.Sum64()%seconds) * time.Second // #nosec G115 -- less than the seconds that it was taken from
}
