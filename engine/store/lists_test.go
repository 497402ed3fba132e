package store_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api"
	"github.com/cloudops-manager/cloudops/api/web"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// listings serves what lists stacks and runs, and gives the header of a viewer
// who is signed in.
func listings(t *testing.T, s *store.Store) (http.Handler, http.Header) {
	t.Helper()
	access, log := &engine.Access{Store: s, Now: time.Now}, slog.New(slog.DiscardHandler)
	pages, err := web.New(web.Deps{Access: access, Store: s, Now: time.Now, Log: log})
	must(t, err)
	handler, err := api.New(api.Deps{Access: access, Store: s, Now: time.Now, Log: log, Pages: pages})
	must(t, err)
	must(t, s.CreateUser(t.Context(), &engine.User{Name: "vera", CreatedAt: noon}, []engine.Role{engine.RoleViewer}, event("user.create", "vera")))
	session := &engine.Session{Hash: engine.Secret("cookie").Hash(), User: "vera", CreatedAt: noon, SeenAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}
	must(t, s.CreateSession(t.Context(), session, "", event("session.create", "vera")))
	return handler, http.Header{"Cookie": {api.SessionCookie(false) + "=cookie"}, "Accept": {"text/html"}}
}

func TestListTakesThreeStatementsBesideTheOneThatAuthenticates(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for _, name := range []string{"cart", "shop", "till"} {
			newStack(t, s, name)
			must(t, s.CreateRun(t.Context(), newRun(name, engine.RunDrift, noon)))
		}
		handler, header := listings(t, s)
		handler.ServeHTTP(httptest.NewRecorder(), &http.Request{Method: "GET", URL: &url.URL{Path: "/v1/stacks"}, Header: header}) // who may do what is read once
		statements := 0
		must(t, s.CountReads(func() { statements++ }))
		for _, path := range []string{"/v1/runs", "/v1/stacks", "/", "/runs"} {
			statements = 0
			req, answer := httptest.NewRequest("GET", path, nil), httptest.NewRecorder()
			req.Header = header
			handler.ServeHTTP(answer, req)
			wantEqual(t, answer.Code, http.StatusOK)
			if statements < 2 || statements > 4 {
				t.Errorf("GET %s makes %d statements, want 2 to 4", path, statements)
			}
		}
	})
}
