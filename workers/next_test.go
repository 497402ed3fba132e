package workers

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestNextFollowsTheClocksOfAPlace(t *testing.T) {
	tests := map[string]struct {
		cron, zone string
		after      string
		want       []string
	}{
		"an empty zone is UTC": {
			cron: "30 2 * * *", after: "2026-03-29T00:00:00Z",
			want: []string{"2026-03-29T02:30:00Z", "2026-03-30T02:30:00Z"},
		},
		"a time that Zurich skips fires once, at the shift": {
			cron: "30 2 * * *", zone: "Europe/Zurich", after: "2026-03-28T12:00:00+01:00",
			want: []string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"},
		},
		"a time that New York skips fires once, at the shift": {
			cron: "30 2 * * *", zone: "America/New_York", after: "2026-03-07T12:00:00-05:00",
			want: []string{"2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"},
		},
		"a time that Zurich repeats fires once, the first time": {
			cron: "30 2 * * *", zone: "Europe/Zurich", after: "2026-10-24T12:00:00+02:00",
			want: []string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"},
		},
		"a time that New York repeats fires once, the first time": {
			cron: "30 1 * * *", zone: "America/New_York", after: "2026-10-31T12:00:00-04:00",
			want: []string{"2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"},
		},
		"asked between the two passes it waits for the next day": {
			cron: "30 2 * * *", zone: "Europe/Zurich", after: "2026-10-25T02:10:00+01:00",
			want: []string{"2026-10-26T02:30:00+01:00"},
		},
		"several times in the hour that is skipped fire together, once": {
			cron: "*/15 2,3 * * *", zone: "Europe/Zurich", after: "2026-03-29T01:30:00+01:00",
			want: []string{"2026-03-29T03:00:00+02:00", "2026-03-29T03:15:00+02:00"},
		},
		"the midnight that a place skips fires at one": {
			cron: "0 0 * * *", zone: "Africa/Cairo", after: "2026-04-23T12:00:00+02:00",
			want: []string{"2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"},
		},
		"every quarter of an hour goes on through the repeated hour": {
			cron: "*/15 * * * *", zone: "Europe/Zurich", after: "2026-10-25T02:40:00+02:00",
			want: []string{"2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:15:00+01:00"},
		},
		"every quarter of an hour does not hurry at the skipped hour": {
			cron: "*/15 * * * *", zone: "Europe/Zurich", after: "2026-03-29T01:40:00+01:00",
			want: []string{"2026-03-29T01:45:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T03:15:00+02:00"},
		},
		"a word stands for its fields": {
			cron: "@daily", zone: "Europe/Zurich", after: "2026-10-24T12:00:00+02:00",
			want: []string{"2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"},
		},
		"weekdays leave out the weekend": {
			cron: "0 6 * * 1-5", zone: "UTC", after: "2026-11-20T06:00:00Z",
			want: []string{"2026-11-23T06:00:00Z"},
		},
		"an interval counts from 1970, not from now": {
			cron: "@every 6h", zone: "Europe/Zurich", after: "2026-03-29T01:23:45Z",
			want: []string{"2026-03-29T06:00:00Z", "2026-03-29T12:00:00Z"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			after := at(t, tt.after)
			for _, want := range tt.want {
				got, err := Next(tt.cron, tt.zone, after, "")
				if err != nil {
					t.Fatal(err)
				}
				if !got.Equal(at(t, want)) {
					t.Fatalf("after %s comes %s, want %s", after, got, want)
				}
				after = got
			}
		})
	}
}

// Whatever the place and the key, a daily schedule fires once each day of a
// year, shifts included.
func TestNextFiresOnceADay(t *testing.T) {
	for _, zone := range []string{"Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "UTC"} {
		for _, cron := range []string{"30 2 * * *", "0 0 * * *", "30 1 * * *"} {
			for _, key := range []string{"", "shop/drift"} {
				t.Run(fmt.Sprintf("%s at %s by key %q", cron, zone, key), func(t *testing.T) {
					loc, err := time.LoadLocation(zone)
					if err != nil {
						t.Fatal(err)
					}
					now := time.Date(2026, 1, 1, 12, 0, 0, 0, loc)
					for day := range 365 {
						next, err := Next(cron, zone, now, key)
						if err != nil {
							t.Fatal(err)
						}
						want := time.Date(2026, 1, 2+day, 12, 0, 0, 0, loc).YearDay()
						if got := next.In(loc).YearDay(); got != want {
							t.Fatalf("after %s comes %s: day %d, want day %d", now, next.In(loc), got, want)
						}
						now = next
					}
				})
			}
		}
	}
}

func TestNextSpreadsByKey(t *testing.T) {
	after := at(t, "2026-11-23T12:00:00Z")
	tests := map[string]struct {
		cron     string
		earliest string
		within   time.Duration
	}{
		"a daily check within five minutes":           {cron: "0 3 * * *", earliest: "2026-11-24T03:00:00Z", within: 5 * time.Minute},
		"a check every ten minutes within one minute": {cron: "*/10 * * * *", earliest: "2026-11-23T12:00:00Z", within: 11 * time.Minute},
		"an interval over its whole period":           {cron: "@every 6h", earliest: "2026-11-23T12:00:00Z", within: 6*time.Hour + 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			places := map[time.Time]bool{}
			for i := range 200 {
				key := fmt.Sprintf("stack-%d/drift", i)
				got, err := Next(tt.cron, "", after, key)
				if err != nil {
					t.Fatal(err)
				}
				again, _ := Next(tt.cron, "", after, key)
				if !got.Equal(again) {
					t.Errorf("%s is at %s, then at %s", key, got, again)
				}
				if late := got.Sub(at(t, tt.earliest)); late < 0 || late >= tt.within {
					t.Errorf("%s is at %s, %s after %s", key, got, late, tt.earliest)
				}
				places[got] = true
			}
			if len(places) < 30 {
				t.Errorf("200 stacks share %d times", len(places))
			}
		})
	}
}

// A stack that is submitted again between the time of day and its own delayed
// time keeps its firing.
func TestNextKeepsAFiringThatIsLate(t *testing.T) {
	const cron, key = "0 3 * * *", "shop/drift"
	first, err := Next(cron, "", at(t, "2026-11-23T12:00:00Z"), key)
	if err != nil {
		t.Fatal(err)
	}
	onTime := at(t, "2026-11-24T03:00:00Z")
	if !first.After(onTime) {
		t.Fatalf("%s is not late; choose another key", first)
	}

	again, err := Next(cron, "", first.Add(-time.Second), key)

	if err != nil || !again.Equal(first) {
		t.Errorf("asked again a second before it is %s, %v, want %s", again, err, first)
	}
}

func TestNextRefusesWhatMakesNoSense(t *testing.T) {
	tests := map[string]struct{ cron, zone string }{
		"nothing":                          {"", ""},
		"four fields":                      {"0 3 * *", ""},
		"seconds":                          {"0 0 3 * * *", ""},
		"a minute too high":                {"61 3 * * *", ""},
		"a day that never comes":           {"0 0 30 2 *", ""},
		"an unknown zone":                  {"0 3 * * *", "Europe/Zürich"},
		"the zone of the server":           {"0 3 * * *", "Local"},
		"a zone in the expression":         {"CRON_TZ=Europe/Zurich 0 3 * * *", ""},
		"a zone and nothing, once a panic": {"TZ=Europe/Zurich", ""},
		"an interval without a unit":       {"@every 6", ""},
		"a reboot":                         {"@reboot", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Next(tt.cron, tt.zone, time.Now(), "")
			if !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}
