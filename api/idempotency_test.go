package api

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func (s *system) create(role engine.Role, name, key string) response {
	return s.request("POST", "/v1/stacks", role, client.CreateStack{Name: name}, "Idempotency-Key", key)
}

func TestIdempotencyKey(t *testing.T) {
	tests := map[string]struct {
		second   func(s *system) response
		status   int
		replayed string
		detail   string
	}{
		"the same again is answered like the first": {func(s *system) response { return s.create(engine.RoleOperator, "a", "k") }, http.StatusCreated, "true", ""},
		"another request with the key is refused":   {func(s *system) response { return s.create(engine.RoleOperator, "b", "k") }, http.StatusUnprocessableEntity, "", `the Idempotency-Key "k" was used for another request`},
		"another key means another request":         {func(s *system) response { return s.create(engine.RoleOperator, "a", "l") }, http.StatusConflict, "", ""},
		"somebody else's key is another one":        {func(s *system) response { return s.create(engine.RoleAdmin, "b", "k") }, http.StatusCreated, "", ""},
		"a key that is too long":                    {func(s *system) response { return s.create(engine.RoleOperator, "b", strings.Repeat("k", 256)) }, http.StatusUnprocessableEntity, "", "an Idempotency-Key has at most 255 characters"},
		"reads have no use for it": {func(s *system) response {
			return s.request("GET", "/v1/stacks", engine.RoleOperator, nil, "Idempotency-Key", "k")
		}, http.StatusOK, "", ""},
		"without the right it is not even looked up": {func(s *system) response { return s.create(engine.RoleViewer, "a", "k") }, http.StatusForbidden, "", ""},
		"the same body to another address is refused": {func(s *system) response {
			return s.request("POST", "/v1/stacks?x=1", engine.RoleOperator, client.CreateStack{Name: "a"}, "Idempotency-Key", "k")
		}, http.StatusUnprocessableEntity, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			first := s.must(s.create(engine.RoleOperator, "a", "k"), http.StatusCreated)
			r := s.must(tt.second(s), tt.status)
			if got := r.Header.Get("Idempotency-Replayed"); got != tt.replayed {
				t.Errorf("replayed %q", got)
			}
			if tt.replayed != "" && (string(r.body) != string(first.body) || r.Header.Get("Content-Type") != first.Header.Get("Content-Type")) {
				t.Errorf("the answers are\n%s\n%s", first.body, r.body)
			}
			if tt.detail != "" && r.problem(t).Detail != tt.detail {
				t.Errorf("it says %q", r.problem(t).Detail)
			}
		})
	}
}

func TestRefusalIsKeptUnderTheKey(t *testing.T) {
	s := newSystem(t)
	s.must(s.create(engine.RoleOperator, "Not a name", "k"), http.StatusUnprocessableEntity)
	r := s.must(s.create(engine.RoleOperator, "Not a name", "k"), http.StatusUnprocessableEntity)
	if r.Header.Get("Idempotency-Replayed") != "true" {
		t.Error("it was made again")
	}
	r.problem(t)
}

func TestRequestThatFailedOnUsCanBeMadeAgain(t *testing.T) {
	s := newSystem(t)
	calls := 0
	s.server.permissions["POST /v1/shaky"] = engine.MayRead
	s.router.POST("/v1/shaky", func(c *gin.Context) {
		if calls++; calls == 1 {
			panic("no")
		}
		c.String(http.StatusOK, "yes")
	})
	try := func() response {
		return s.send("POST", "/v1/shaky", engine.RoleViewer, nil, "Idempotency-Key", "k")
	}
	s.must(try(), http.StatusInternalServerError)
	s.must(try(), http.StatusOK)
	if r := s.must(try(), http.StatusOK); calls != 2 || string(r.body) != "yes" {
		t.Errorf("%d calls, then %s", calls, r.body)
	}
}

func TestRequestThatIsUnderWayIsNotMadeTwice(t *testing.T) {
	s := newSystem(t)
	began, goOn := make(chan struct{}), make(chan struct{})
	s.server.permissions["POST /v1/slow"] = engine.MayRead
	s.router.POST("/v1/slow", func(c *gin.Context) { close(began); <-goOn; c.String(http.StatusOK, "done") })
	try := func() response {
		return s.send("POST", "/v1/slow", engine.RoleViewer, nil, "Idempotency-Key", "k")
	}
	first := make(chan response)
	go func() { first <- try() }()
	<-began
	if p := s.must(try(), http.StatusConflict).problem(t); p.Detail != `the first request with the Idempotency-Key "k" is still being answered, or the server ended before it was; look whether it took effect, then use another key` {
		t.Errorf("it says %q", p.Detail)
	}
	close(goOn)
	s.must(<-first, http.StatusOK)
	s.must(try(), http.StatusOK)
}

func TestSecretsAreNotKeptUnderKeys(t *testing.T) {
	s := newSystem(t)
	make := func() string {
		r := s.must(s.request("POST", "/v1/tokens", engine.RoleViewer, client.CreateToken{Name: "x"}, "Idempotency-Key", "k"), http.StatusCreated)
		var tok client.NewToken
		r.json(t, &tok)
		return tok.Token
	}
	if make() == make() {
		t.Error("a token was kept and given out again")
	}
	kept, err := s.store.BeginRequest(t.Context(), "viewer", "k", "x", s.clock.now())
	if err != nil || kept != nil {
		t.Errorf("kept %+v, %v", kept, err)
	}
}

func TestBodyIsStillThereAfterTheDigest(t *testing.T) {
	s := newSystem(t)
	s.server.permissions["POST /v1/echo"] = engine.MayRead
	s.router.POST("/v1/echo", func(c *gin.Context) {
		b, err := io.ReadAll(c.Request.Body)
		if err != nil {
			t.Error(err)
		}
		c.String(http.StatusOK, string(b))
	})
	r := s.send("POST", "/v1/echo", engine.RoleViewer, strings.NewReader("hello"), "Idempotency-Key", "k")
	if string(r.body) != "hello" {
		t.Errorf("it reads %q", r.body)
	}
}
