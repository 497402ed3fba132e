package engine

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestWindows(t *testing.T) {
	weekend := Window{From: "Fri 16:00", To: "Mon 07:00", Timezone: "Europe/Zurich"}
	yearEnd := Window{From: "2026-12-18", To: "2027-01-05 09:00", Timezone: "Europe/Zurich"}
	night := Window{From: "Tue 22:00", To: "Wed 06:00"}
	allWeek := Window{From: "Wed 12:00", To: "Wed 11:00"}
	// In Zurich the clocks go from 2:00 to 3:00 on 2026-03-29 and from 3:00 to 2:00 on 2026-10-25.
	inDST := Window{From: "Sun 02:30", To: "Sun 05:00", Timezone: "Europe/Zurich"}
	toDST := Window{From: "Sat 20:00", To: "Sun 02:30", Timezone: "Europe/Zurich"}
	// In Cairo they go from 0:00 to 1:00 on 2026-04-24, a Friday.
	inCairo := Window{From: "Fri 00:30", To: "Fri 05:00", Timezone: "Africa/Cairo"}
	tests := map[string]struct {
		w     Window
		at    string
		until string // empty where nothing is frozen
	}{
		"before a weekend":                          {weekend, "2026-06-05T15:59:00+02:00", ""},
		"a weekend begins":                          {weekend, "2026-06-05T16:00:00+02:00", "2026-06-08T07:00:00+02:00"},
		"in another zone's day":                     {weekend, "2026-06-05T14:00:00Z", "2026-06-08T07:00:00+02:00"},
		"within it":                                 {weekend, "2026-06-07T23:00:00+02:00", "2026-06-08T07:00:00+02:00"},
		"its end is no part of it":                  {weekend, "2026-06-08T07:00:00+02:00", ""},
		"a weekend in which the clocks go forward":  {weekend, "2026-03-27T16:00:00+01:00", "2026-03-30T07:00:00+02:00"},
		"and the hour before its end":               {weekend, "2026-03-30T06:59:00+02:00", "2026-03-30T07:00:00+02:00"},
		"a weekend in which they go back":           {weekend, "2026-10-24T12:00:00+02:00", "2026-10-26T07:00:00+01:00"},
		"and after its end":                         {weekend, "2026-10-26T07:00:00+01:00", ""},
		"from an hour that comes twice, the first":  {inDST, "2026-10-25T02:30:00+02:00", "2026-10-25T05:00:00+01:00"},
		"to an hour that comes twice, the first":    {toDST, "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"},
		"to an hour that comes twice, the second":   {toDST, "2026-10-25T02:30:00+01:00", ""},
		"before an hour that does not come":         {inDST, "2026-03-29T01:59:00+01:00", ""},
		"from an hour that does not come":           {inDST, "2026-03-29T03:00:00+02:00", "2026-03-29T05:00:00+02:00"},
		"to an hour that does not come":             {toDST, "2026-03-29T01:59:00+01:00", "2026-03-29T03:00:00+02:00"},
		"from a midnight that does not come":        {inCairo, "2026-04-24T01:00:00+03:00", "2026-04-24T05:00:00+03:00"},
		"a date begins at its midnight":             {yearEnd, "2026-12-18T00:00:00+01:00", "2027-01-05T09:00:00+01:00"},
		"before it":                                 {yearEnd, "2026-12-17T23:59:00+01:00", ""},
		"it does not come again":                    {yearEnd, "2027-12-20T00:00:00+01:00", ""},
		"a night":                                   {night, "2026-06-03T05:59:00Z", "2026-06-03T06:00:00Z"},
		"another night":                             {night, "2026-06-04T05:59:00Z", ""},
		"nearly a week":                             {allWeek, "2026-06-02T00:00:00Z", "2026-06-03T11:00:00Z"},
		"what cannot be read is frozen, to be safe": {Window{From: "whenever", To: "later"}, "2026-06-02T00:00:00Z", "2036-05-30T00:00:00Z"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			until, _, frozen := ApprovalRule{Freeze: []Window{tt.w}}.frozen(instant(t, tt.at))
			if frozen != (tt.until != "") || frozen && !until.Equal(instant(t, tt.until)) {
				t.Errorf("frozen %v until %s", frozen, until)
			}
		})
	}
}

// comesTwice reports whether clocks that are put back show the time a second time.
func comesTwice(at time.Time) bool {
	for _, hour := range []time.Duration{-time.Hour, time.Hour} {
		if at.Add(hour).Hour() == at.Hour() || at.Add(hour/2).Hour() == at.Hour() && at.Add(hour/2).Minute() == at.Minute() {
			return true
		}
	}
	return false
}

// TestWindowsAreBetweenWallClocks looks at a window by the clock on the wall,
// around the days on which summer time begins and ends.
func TestWindowsAreBetweenWallClocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := got(time.LoadLocation(rapid.SampledFrom([]string{"Europe/Zurich", "Africa/Cairo", "Australia/Lord_Howe", "America/New_York"}).Draw(t, "zone")))
		const week = 7 * 24 * 60 // minutes
		from := rapid.IntRange(0, week-1).Draw(t, "from")
		to := (from + rapid.IntRange(1, week-1).Draw(t, "length")) % week
		text := func(m int) string { return fmt.Sprintf("%s %02d:%02d", time.Weekday(m/1440), m%1440/60, m%60) }
		rule := ApprovalRule{Freeze: []Window{{From: text(from), To: text(to), Timezone: zone.String()}}}
		moment := func(minute int) time.Time { return time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC).In(zone) }
		// A time that comes twice is in the window where one of them is.
		at := moment(rapid.IntRange(0, 365*24*60).Filter(func(minute int) bool { return !comesTwice(moment(minute)) }).Draw(t, "at"))
		wall := int(at.Weekday())*1440 + at.Hour()*60 + at.Minute()
		want := from <= wall && wall < to || to < from && (from <= wall || wall < to)
		until, _, frozen := rule.frozen(at)
		if frozen != want || frozen && !until.After(at) {
			t.Fatalf("at %s frozen %v until %s", at, frozen, until)
		}
	})
}

func got[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A stack's author could once hold up the server with windows that have no end.
func TestManyWindowsAreLookedAtInNoTime(t *testing.T) {
	var r ApprovalRule
	for i := range 500 {
		r.Freeze = append(r.Freeze, Window{Name: fmt.Sprint(i), From: fmt.Sprintf("Mon %02d:%02d", i/60, i%60), To: "Mon 00:00", Timezone: "Europe/Zurich"})
	}
	began := time.Now()
	if _, _, frozen := r.frozen(noon); !frozen || time.Since(began) > time.Second {
		t.Errorf("frozen %v after %s", frozen, time.Since(began))
	}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWindowsThatFollowOnEachOtherAreOne(t *testing.T) {
	r := ApprovalRule{Freeze: []Window{{Name: "a", From: "Fri 16:00", To: "Sun 00:00"}, {Name: "b", From: "Sat 12:00", To: "Mon 07:00"}}}
	until, by, frozen := r.frozen(instant(t, "2026-06-05T20:00:00Z"))
	if !frozen || by.Name != "b" || !until.Equal(instant(t, "2026-06-08T07:00:00Z")) {
		t.Errorf("until %s by %s", until, by.Name)
	}
	for _, w := range r.Freeze {
		w.From, w.To = w.To, w.From
		r.Freeze = append(r.Freeze, w)
	}
	until, _, frozen = r.frozen(noon) // which has no end
	if !frozen || until.Sub(noon) < 30*24*time.Hour {
		t.Errorf("a freeze without an end ends %s", until)
	}
}

func TestWindowsThatMeanNothing(t *testing.T) {
	for name, w := range map[string]Window{
		"an unknown day":           {From: "Fry 16:00", To: "Mon 07:00"},
		"no time":                  {From: "Fri", To: "Mon 07:00"},
		"an hour too many":         {From: "Fri 24:00", To: "Mon 07:00"},
		"a day that is none":       {From: "2026-02-30", To: "2026-03-01"},
		"a day and a date":         {From: "Fri 16:00", To: "2026-03-01"},
		"from and to the same":     {From: "Fri 16:00", To: "Friday 16:00"},
		"the end before the start": {From: "2026-03-02", To: "2026-03-01"},
		"a zone that is none":      {From: "Fri 16:00", To: "Mon 07:00", Timezone: "Europe/Zürich"},
		"the zone of this machine": {From: "Fri 16:00", To: "Mon 07:00", Timezone: "Local"},
		"nothing at all":           {},
	} {
		t.Run(name, func(t *testing.T) {
			if err := w.Check(); !errors.Is(err, ErrInvalid) {
				t.Errorf("it says %v", err)
			}
		})
	}
}
