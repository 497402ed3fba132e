package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// denial is what a request finds out about itself when it is refused.
type denial struct {
	who        engine.Principal // as far as it is known
	permission engine.Permission
	scope      engine.Scope
	reason     string
	denied     bool // by the permission, whatever the answer's status says
}

type denialKey struct{}

// refused notes why a request is refused, where it is one that could be.
func refused(ctx context.Context, note func(*denial)) {
	if r, ok := ctx.Value(denialKey{}).(*denial); ok {
		note(r)
	}
}

// refusedBy notes that p may not do something. Who may not even see what it is
// about is told that there is no such thing; what really is not there has no scope.
func refusedBy(p engine.Principal, perm engine.Permission, scope engine.Scope, err error) func(*denial) {
	return func(r *denial) {
		r.who, r.permission, r.scope = p, perm, scope
		r.denied = errors.Is(err, engine.ErrForbidden) || errors.Is(err, engine.ErrNotFound) && scope != engine.Scope{}
	}
}

// watchRefusals writes an event of each attempt at something that is there and
// that who asks may not do. Who shows nothing at all only has to sign in.
func (s *server) watchRefusals(c *gin.Context) {
	r := &denial{}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), denialKey{}, r))
	c.Next()
	status := c.Writer.Status()
	open := s.permissions[c.Request.Method+" "+c.FullPath()] == public // where people sign in, and hooks are called
	if c.FullPath() != "" && (r.denied || status == http.StatusForbidden || status == http.StatusUnauthorized && (open || s.shown(c.Request))) {
		s.noteRefusal(c, r, status)
	}
}

// shown reports whether a request came with something to be let in by.
func (s *server) shown(r *http.Request) bool {
	if r.Header.Get("Authorization") != "" {
		return true
	}
	cookie, err := r.Cookie(SessionCookie(s.Secure))
	return err == nil && cookie.Value != ""
}

func (s *server) noteRefusal(c *gin.Context, r *denial, status int) {
	ctx := context.WithoutCancel(c.Request.Context())
	if r.who.User == "" {
		r.who = engine.PrincipalFrom(ctx)
	}
	o := engine.OriginFrom(ctx)
	if r.who.User != "" && o.Via == "" {
		o.Via = viaOf(r.who)
	}
	r.scope = s.refusedAt(c, r)
	e := engine.Event{At: s.Now(), Actor: r.who.User, Action: "access.refused", Subject: c.Request.Method + " " + c.FullPath(), Origin: o}
	if stack := cmp.Or(r.scope.Stack, c.Param("stack")); engine.CheckName("stack", stack) == nil {
		e.Stack = stack
	} else if engine.CheckName("project", r.scope.Project) == nil {
		e.Project = r.scope.Project
	}
	a := attempt{e, status, r, clipped(c.Request.URL.Path)}
	kind := a.path + " " + e.Subject
	if e.Actor == "" { // who could make up as many paths as there is memory
		a.event.Actor = engine.ActorUnknown
		kind = e.Subject + " " + network(o.Address)
	}
	s.writeRefusals(ctx, s.refusals.take(http.StatusText(status)+" "+kind, a, s.Now()))
}

// refusedAt is where somebody was refused, also where nobody looked since they may
// such a thing nowhere: whoever audits a project reads what was tried there.
func (s *server) refusedAt(c *gin.Context, r *denial) engine.Scope {
	t, name := about(c)
	if r.scope != (engine.Scope{}) || t == "" || r.who.User == "" {
		return r.scope
	}
	scope, err := s.scopeOf(context.WithoutCancel(c.Request.Context()), t, name)
	if err != nil { // there is no such thing, or none that can be told
		return engine.Scope{}
	}
	return scope
}

// writeRefusals writes what is not held back; a refusal stands without its record.
func (s *server) writeRefusals(ctx context.Context, events []engine.Event) {
	for _, e := range events {
		if err := s.Store.AddEvent(ctx, e); err != nil {
			s.Log.WarnContext(ctx, "refusal not noted", "actor", e.Actor, "route", e.Subject, "err", err)
		}
	}
}

// attempt is a refused attempt, before it is known how often it was made.
type attempt struct {
	event  engine.Event
	status int
	why    *denial
	path   string // what was asked for
}

// event gives the attempt as an event; again is how often it was made since
// without one.
func (a attempt) noted(again int) engine.Event {
	detail := map[string]any{"status": a.status, "reason": a.why.reason, "path": a.path}
	if a.why.permission != "" {
		detail["permission"], detail["scope"] = a.why.permission, a.why.scope.String()
	}
	if again > 0 {
		detail["repeated"] = again
	}
	b, err := json.Marshal(detail)
	if err != nil {
		b = []byte("{}")
	}
	a.event.Detail = b
	return a.event
}

// The bounds that keep who is refused from filling the database, or from hiding
// behind what others try.
const (
	refusalWindow = time.Minute // in which the same attempt is written once
	maxRefusals   = 1000        // different ones in it of who was not let in; all others count as one
	maxOfOne      = 100         // different ones of anybody else
)

// refusals holds back what is tried again and again.
type refusals struct {
	mu    sync.Mutex
	seen  map[attempted]*repeated
	kinds map[string]int        // of each actor
	later func(d time.Duration) // has flush called later
}

type attempted struct{ actor, kind string }

type repeated struct {
	last  attempt
	ends  time.Time
	again int
}

// take notes an attempt and gives the events to be written now: of it, where it
// is the first of its kind for a while, and of what was held back long enough.
func (r *refusals) take(kind string, a attempt, now time.Time) []engine.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.over(now)
	key := attempted{a.event.Actor, kind}
	most := maxOfOne
	if key.actor == engine.ActorUnknown {
		most = maxRefusals
	}
	if _, ok := r.seen[key]; !ok && r.kinds[key.actor] >= most {
		key.kind = "others"
		a.event.Subject, a.event.Stack, a.event.Project = key.kind, "", ""
	}
	if known, ok := r.seen[key]; ok {
		known.again++
		known.last = a
		return events
	}
	r.seen[key] = &repeated{last: a, ends: now.Add(refusalWindow)}
	r.kinds[key.actor]++
	r.later(refusalWindow)
	return append(events, a.noted(0))
}

// over forgets what began long enough ago, and gives the events of what was
// tried again since.
func (r *refusals) over(now time.Time) (events []engine.Event) {
	for key, known := range r.seen {
		if now.Before(known.ends) {
			continue
		}
		if known.again > 0 {
			events = append(events, known.last.noted(known.again))
		}
		delete(r.seen, key)
		if r.kinds[key.actor]--; r.kinds[key.actor] == 0 {
			delete(r.kinds, key.actor)
		}
	}
	return events
}

func (r *refusals) flush(now time.Time) []engine.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over(now)
}

// newRefusals gives the counts of s. What is held back is written a little
// after its time also where nobody asks for anything then.
func (s *server) newRefusals() *refusals {
	r := &refusals{seen: map[attempted]*repeated{}, kinds: map[string]int{}}
	r.later = func(d time.Duration) {
		time.AfterFunc(d, func() { s.writeRefusals(context.Background(), r.flush(s.Now())) })
	}
	return r
}

// clipped is the beginning of a text for the audit log.
func clipped(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), 300)], "")
}
