package workers

import (
	"time"

	"github.com/robfig/cron/v3"
)

// everyHour is the set of hours that the library makes of "*".
const everyHour = 1<<24 - 1

// inZone lets spec go by the clocks of a place. The library drops a time of
// day that daylight saving skips and doubles one that it repeats; only a
// schedule for every hour is right as it is, as its hours are those that pass.
func inZone(spec *cron.SpecSchedule, loc *time.Location) cron.Schedule {
	if spec.Hour&everyHour == everyHour {
		spec.Location = loc
		return spec
	}
	spec.Location = time.UTC // where every time of day comes once
	return wallClock{spec: spec, loc: loc}
}

// wallClock finds the next time of day as if no clock were ever set, and then
// when the clocks of the place show it.
type wallClock struct {
	spec *cron.SpecSchedule
	loc  *time.Location
}

func (w wallClock) Next(after time.Time) time.Time {
	for face := w.spec.Next(faceOf(after.In(w.loc))); !face.IsZero(); face = w.spec.Next(face) {
		if at := w.shows(face); at.After(after) {
			return at
		}
	}
	return time.Time{}
}

// faceOf is what the clock shows at t, as a time in UTC.
func faceOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// shows tells when the clocks of the place first show face, or are set past it.
func (w wallClock) shows(face time.Time) time.Time {
	t := time.Date(face.Year(), face.Month(), face.Day(), face.Hour(), face.Minute(), face.Second(), 0, w.loc)
	start, end := t.ZoneBounds()
	switch shown := faceOf(t); {
	case shown.After(face): // skipped, and t lies behind the shift
		return start
	case shown.Before(face): // skipped, and t lies before it
		return end
	case start.IsZero():
		return t
	}
	_, before := start.Add(-1).Zone()
	_, now := t.Zone()
	if first := t.Add(time.Duration(now-before) * time.Second); first.Before(start) {
		return first // repeated
	}
	return t
}
