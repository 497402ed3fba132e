package store_test

import (
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func TestIdempotencyKey(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		begin := func(user string) *engine.StoredResponse {
			t.Helper()
			return got(s.BeginRequest(t.Context(), user, "key", "digest of "+user, noon))(t)
		}
		wantEqual(t, begin("ada"), (*engine.StoredResponse)(nil))
		wantEqual(t, begin("bob"), (*engine.StoredResponse)(nil)) // keys are each user's own
		wantEqual(t, begin("ada"), &engine.StoredResponse{Request: "digest of ada"})

		answer := engine.StoredResponse{Request: "digest of ada", Status: 201, Type: "application/json", Body: []byte(`{"a":1}`)}
		must(t, s.FinishRequest(t.Context(), "ada", "key", answer))
		wantEqual(t, begin("ada"), &answer)
		must(t, s.AbandonRequest(t.Context(), "ada", "key")) // too late: the answer stays
		wantEqual(t, begin("ada"), &answer)

		must(t, s.AbandonRequest(t.Context(), "bob", "key"))
		wantEqual(t, begin("bob"), (*engine.StoredResponse)(nil))
	})
}

func TestIdempotencyKeyIsReservedByOneOfMany(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		kept, errs := make(chan *engine.StoredResponse, 8), make(chan error, 8)
		for range 8 {
			go func() {
				r, err := s.BeginRequest(t.Context(), "ada", "key", "digest", noon)
				kept <- r
				errs <- err
			}()
		}
		won := 0
		for range 8 {
			must(t, <-errs)
			if <-kept == nil {
				won++
			}
		}
		wantEqual(t, won, 1)
	})
}
