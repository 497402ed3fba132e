package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// aStep makes a run and gives the identifier of its first step.
func aStep(t testing.TB, s *store.Store) string {
	t.Helper()
	newStack(t, s, "shop")
	r := newRun("shop", engine.RunApply, noon)
	must(t, s.CreateRun(t.Context(), r))
	return r.Steps[0].ID
}

func TestArtifact(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		step := aStep(t, s)
		must(t, s.PutArtifact(t.Context(), step, "plan", []byte("one")))
		must(t, s.PutArtifact(t.Context(), step, "changes", []byte("two")))
		must(t, s.PutArtifact(t.Context(), step, "plan", bytes.Repeat([]byte("long"), 1e5)))
		wantEqual(t, len(got(s.Artifact(t.Context(), step, "plan"))(t)), 400000)
		wantEqual(t, string(got(s.Artifact(t.Context(), step, "changes"))(t)), "two")
		_, err := s.Artifact(t.Context(), step, "recap")
		wantKind(t, err, engine.ErrNotFound)
	})
}

func TestAppendLog(t *testing.T) {
	tests := map[string]struct {
		offset int64
		data   string
		want   string // the whole log after, which began as "abcde"
		err    error
	}{
		"at the end":                     {offset: 5, data: "fgh", want: "abcdefgh"},
		"sent again":                     {offset: 0, data: "abcde", want: "abcde"},
		"a part sent again":              {offset: 2, data: "cd", want: "abcde"},
		"sent again with something more": {offset: 3, data: "defg", want: "abcdefg"},
		"all from the start and more":    {offset: 0, data: "abcdefg", want: "abcdefg"},
		"nothing":                        {offset: 5, data: "", want: "abcde"},
		"beyond the end":                 {offset: 6, data: "g", want: "abcde", err: engine.ErrConflict},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			eachDatabase(t, func(t *testing.T, s *store.Store) {
				step := aStep(t, s)
				wantEqual(t, got(s.AppendLog(t.Context(), step, 0, []byte("abc")))(t), int64(3))
				got(s.AppendLog(t.Context(), step, 3, []byte("de")))(t)
				size, err := s.AppendLog(t.Context(), step, tt.offset, []byte(tt.data))
				if tt.err != nil {
					wantKind(t, err, tt.err)
				} else {
					must(t, err)
					wantEqual(t, size, int64(len(tt.want)))
				}
				wantEqual(t, readLog(t, s, step, 0, 100), tt.want)
			})
		})
	}
}

func readLog(t testing.TB, s *store.Store, step string, offset int64, limit int) string {
	t.Helper()
	data, _, err := s.ReadLog(t.Context(), step, offset, limit)
	must(t, err)
	return string(data)
}

func TestReadLogFromEveryOffset(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		step, whole := aStep(t, s), ""
		for _, chunk := range []string{"abc", "d", "efgh", "\n\x00\xff", "ijklmnop"} {
			got(s.AppendLog(t.Context(), step, int64(len(whole)), []byte(chunk)))(t)
			whole += chunk
		}
		for offset := range len(whole) + 2 {
			for limit := range len(whole) + 2 {
				from := min(offset, len(whole))
				want := whole[from:min(from+limit, len(whole))]
				if log := readLog(t, s, step, int64(offset), limit); log != want {
					t.Errorf("%d bytes from %d = %q, want %q", limit, offset, log, want)
				}
			}
		}
	})
}

func TestLogGrowsWhileTheRunChanges(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		step := aStep(t, s)
		run := got(s.StepRun(t.Context(), step))(t)
		got(s.AppendLog(t.Context(), step, 0, []byte("before")))(t)
		got(s.UpdateRun(t.Context(), run, func(r *engine.Run) error { r.Steps[0].Reason = "changed"; return nil }))(t)
		wantEqual(t, got(s.AppendLog(t.Context(), step, 6, []byte(" after")))(t), int64(12))
		wantEqual(t, readLog(t, s, step, 0, 100), "before after")
	})
}

func TestLogSentByManyAtOnceIsKeptOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		const whole = "abcdefghijklmnopqrstuvwxyz"
		step, errs := aStep(t, s), make(chan error)
		for range 8 {
			go func() {
				var failed error
				for size := range len(whole) {
					_, err := s.AppendLog(t.Context(), step, 0, []byte(whole[:size+1]))
					failed = errors.Join(failed, err)
				}
				errs <- failed
			}()
		}
		for range 8 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		wantEqual(t, readLog(t, s, step, 0, 100), whole)
	})
}

func TestLogOfAStepThatIsMissing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		_, err := s.AppendLog(t.Context(), "step-1", 0, []byte("x"))
		wantKind(t, err, engine.ErrNotFound)
		_, _, err = s.ReadLog(t.Context(), "step-1", 0, 1)
		wantKind(t, err, engine.ErrNotFound)
	})
}

func TestFullDiskIsATroubleThatPasses(t *testing.T) {
	s := open(t, sqliteURL(t))
	step, chunk := aStep(t, s), bytes.Repeat([]byte("x"), 1<<20)
	db := got(s.SQL())(t)
	limit := func(pages int) {
		if _, err := db.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	got(s.AppendLog(t.Context(), step, 0, []byte("first\n")))(t)
	limit(1) // which is as many as there are
	_, err := s.AppendLog(t.Context(), step, 6, chunk)
	if err == nil || errors.Is(err, engine.ErrInvalid) || errors.Is(err, engine.ErrConflict) || errors.Is(err, engine.ErrNotFound) {
		t.Errorf("error = %v, want one that a runner tries again after", err)
	}
	limit(1 << 20)
	got(s.AppendLog(t.Context(), step, 6, chunk))(t)
	data, size, err := s.ReadLog(t.Context(), step, 0, 6)
	if err != nil || string(data) != "first\n" || size != 6+1<<20 {
		t.Errorf("log = %q, size %d, %v", data, size, err)
	}
}
