package engine

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"
)

// Window is a time in which no apply begins: from a weekday and time to
// another one, every week, as in "Fri 16:00" and "Mon 07:00", or once, from a
// date to another one, as in "2026-12-18" and "2027-01-05 09:00". A date
// without a time is its midnight. The end is no part of it.
type Window struct {
	Name     string
	From, To string
	Timezone string // IANA name; empty for UTC
}

// moment is one end of a window: on a weekday or, where it has a date, once.
type moment struct {
	day          time.Weekday
	date         time.Time // zero for a weekday
	hour, minute int
}

// parseMoment reads "Fri 16:00", "2026-12-18" or "2026-12-18 16:00".
func parseMoment(text string) (m moment, err error) {
	for _, layout := range []string{"2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return moment{date: t, hour: t.Hour(), minute: t.Minute()}, nil
		}
	}
	day, clock, _ := strings.Cut(text, " ")
	t, err := time.Parse("15:04", clock)
	for d := time.Sunday; err == nil && d <= time.Saturday; d++ {
		if strings.EqualFold(day, d.String()) || strings.EqualFold(day, d.String()[:3]) {
			return moment{day: d, hour: t.Hour(), minute: t.Minute()}, nil
		}
	}
	return m, Invalid(`%q is no time for a window; write a weekday with a time such as "Fri 16:00", or a date such as "2026-12-18" or "2026-12-18 16:00"`, text)
}

// on is when the moment comes on a day. A time that an hour of summer time
// brings twice is the first of them, or the second where late is set, so that a
// window is never shorter than it reads.
func (m moment) on(day time.Time, late bool) time.Time {
	t := time.Date(day.Year(), day.Month(), day.Day(), m.hour, m.minute, 0, 0, day.Location())
	for _, shift := range []time.Duration{30 * time.Minute, time.Hour} { // the clocks of Lord Howe go by half an hour
		if !late {
			shift = -shift
		}
		if u := t.Add(shift); u.Hour() == t.Hour() && u.Minute() == t.Minute() {
			return u
		}
	}
	return t
}

// Check returns an ErrInvalid for a window that means nothing.
func (w Window) Check() error {
	_, _, _, err := w.parse()
	return err
}

func (w Window) parse() (from, to moment, zone *time.Location, err error) {
	from, err = parseMoment(w.From)
	to, err2 := parseMoment(w.To)
	zone, err3 := time.LoadLocation(w.Timezone)
	if err3 != nil || w.Timezone == "Local" {
		err3 = Invalid(`%q is no time zone; write one such as "Europe/Zurich" or "UTC"`, w.Timezone)
	}
	if err = errors.Join(err, err2, err3); err != nil {
		return from, to, zone, err
	}
	switch {
	case from.date.IsZero() != to.date.IsZero():
		err = Invalid("a window goes from a weekday to a weekday, or from a date to a date, and not from %q to %q", w.From, w.To)
	case from == to:
		err = Invalid("a window from %q to %q is empty, or has no end", w.From, w.To)
	case from.date.After(to.date):
		err = Invalid("a window from %q to %q ends before it begins", w.From, w.To)
	}
	return from, to, zone, err
}

// around gives the end of the window where t lies in it. One that cannot be
// read holds for ever: that is safe, and Check keeps it from being written.
func (w Window) around(t time.Time) (end time.Time, in bool) {
	from, to, zone, err := w.parse()
	if err != nil {
		return t.Add(never), true
	}
	t = t.In(zone)
	if !from.date.IsZero() {
		start, end := from.on(inZone(from.date, zone), false), to.on(inZone(to.date, zone), true)
		return end, !t.Before(start) && t.Before(end)
	}
	// Of the weeks, the one that t is in or the one before has begun last.
	for back := range 8 {
		day := inZone(t, zone).AddDate(0, 0, -back)
		if start := from.on(day, false); day.Weekday() == from.day && !start.After(t) {
			end := to.after(day, from)
			return end, t.Before(end)
		}
	}
	return end, false
}

// after is when the moment first comes in the week that begins with from on a day.
func (m moment) after(day time.Time, from moment) time.Time {
	days := (int(m.day-from.day) + 7) % 7
	if days == 0 && m.hour*60+m.minute <= from.hour*60+from.minute {
		days = 7
	}
	return m.on(day.AddDate(0, 0, days), true)
}

func inZone(date time.Time, zone *time.Location) time.Time {
	return time.Date(date.Year(), date.Month(), date.Day(), 12, 0, 0, 0, zone)
}

// never is how far away the end of a freeze is that has none.
const never = 10 * 365 * 24 * time.Hour

// frozen tells until when no apply may begin, and the window that says so;
// false where one may. Windows that follow on each other are one.
func (r ApprovalRule) frozen(at time.Time) (until time.Time, by Window, frozen bool) {
	for t := at; t.Sub(at) < never; t = until {
		i := slices.IndexFunc(r.Freeze, func(w Window) bool { _, in := w.around(t); return in })
		if i < 0 {
			return until, by, frozen
		}
		until, _ = r.Freeze[i].around(t)
		by, frozen = r.Freeze[i], true
	}
	return until, by, frozen
}

// allWindows gives the windows of both lists, each once, in order.
func allWindows(a, b []Window) []Window {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(a, b Window) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Timezone, b.Timezone))
	})
	return slices.Compact(all)
}

// told words the end of a freeze in the window's own time.
func (w Window) told(t time.Time) string {
	if zone, err := time.LoadLocation(w.Timezone); err == nil {
		t = t.In(zone)
	}
	return t.Format("Mon 2006-01-02 15:04 MST")
}
