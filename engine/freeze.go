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

// on is when the moment comes on a day. A time that summer time brings twice is
// the first of them, or the second where late is set, so that a window is never
// shorter than it reads. One that it leaves out comes when the clocks go forward.
func (m moment) on(day time.Time, late bool) time.Time {
	t := time.Date(day.Year(), day.Month(), day.Day(), m.hour, m.minute, 0, 0, day.Location())
	begin, end := t.ZoneBounds()
	switch skew := m.hour*60 + m.minute - t.Hour()*60 - t.Minute(); {
	case t.Day() != day.Day() || skew > 0: // left out, and taken for one before
		return end
	case skew < 0:
		return begin
	}
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
	_, err := w.parse()
	return err
}

// stretch is a window that was read.
type stretch struct {
	from, to moment
	zone     *time.Location
}

func (w Window) parse() (s stretch, err error) {
	s.from, err = parseMoment(w.From)
	to, err2 := parseMoment(w.To)
	zone, err3 := time.LoadLocation(w.Timezone)
	if err3 != nil || w.Timezone == "Local" {
		err3 = Invalid(`%q is no time zone; write one such as "Europe/Zurich" or "UTC"`, w.Timezone)
	}
	if err = errors.Join(err, err2, err3); err != nil {
		return s, err
	}
	s.to, s.zone = to, zone
	switch {
	case s.from.date.IsZero() != to.date.IsZero():
		err = Invalid("a window goes from a weekday to a weekday, or from a date to a date, and not from %q to %q", w.From, w.To)
	case s.from == to:
		err = Invalid("a window from %q to %q is empty, or has no end", w.From, w.To)
	case s.from.date.After(to.date):
		err = Invalid("a window from %q to %q ends before it begins", w.From, w.To)
	}
	return s, err
}

// around gives the end of the stretch where t lies in it.
func (s stretch) around(t time.Time) (end time.Time, in bool) {
	if s.zone == nil { // could not be read: it holds for ever, and Check keeps it from being written
		return t.Add(never), true
	}
	t = t.In(s.zone)
	if !s.from.date.IsZero() {
		start, end := s.from.on(inZone(s.from.date, s.zone), false), s.to.on(inZone(s.to.date, s.zone), true)
		return end, !t.Before(start) && t.Before(end)
	}
	day := inZone(t, s.zone)
	day = day.AddDate(0, 0, -(int(day.Weekday()-s.from.day)+7)%7)
	if s.from.on(day, false).After(t) { // later this day
		day = day.AddDate(0, 0, -7)
	}
	end = s.to.after(day, s.from)
	return end, t.Before(end)
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

// never is how far away the end of a freeze is that cannot be read.
const never = 10 * 365 * 24 * time.Hour

// maxFollowing is how many windows that follow on each other are put together.
// At the end of the last one it is looked again.
const maxFollowing = 20

// frozen tells until when no apply may begin, and the window that says so;
// false where one may. Windows that follow on each other are one.
func (r ApprovalRule) frozen(at time.Time) (until time.Time, by Window, frozen bool) {
	stretches := make([]stretch, len(r.Freeze))
	for i, w := range r.Freeze {
		if s, err := w.parse(); err == nil {
			stretches[i] = s
		}
	}
	until = at
	for range maxFollowing {
		end, i := latest(stretches, until)
		if i < 0 || until.Sub(at) >= never {
			break
		}
		until, by, frozen = end, r.Freeze[i], true
	}
	return until, by, frozen
}

// latest gives the end of the stretch around t that ends last, and which it is; -1
// where there is none.
func latest(stretches []stretch, t time.Time) (end time.Time, which int) {
	which = -1
	for i, s := range stretches {
		if e, in := s.around(t); in && e.After(end) {
			end, which = e, i
		}
	}
	return end, which
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
