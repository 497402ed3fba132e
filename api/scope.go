package api

import (
	"context"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// things are the parameters of routes that say what a request is about. Of
// several the first counts.
var things = []engine.Thing{
	engine.ThingStack, engine.ThingRun, engine.ThingStep, engine.ThingSchedule, engine.ThingVersion,
	engine.ThingCredentials, engine.ThingVariableSet, engine.ThingProject,
}

// about finds what a request is about; "" for nothing in particular.
func about(c *gin.Context) (engine.Thing, string) {
	for _, t := range things {
		if name := c.Param(string(t)); name != "" {
			return t, name
		}
	}
	return "", ""
}

// scopeOf tells where a thing is. It wraps ErrNotFound where that cannot be
// told from its name, and there is no such thing.
func (s *server) scopeOf(ctx context.Context, t engine.Thing, name string) (engine.Scope, error) {
	switch t {
	case engine.ThingStack:
		return engine.StackScope(name), nil
	case engine.ThingProject:
		return engine.ProjectScope(name), nil
	case engine.ThingCredentials, engine.ThingVariableSet:
		return engine.ProjectScope(engine.ProjectOf(name)), nil
	}
	stack, err := s.stacks.of(string(t)+"/"+name, func() (string, error) { return s.Store.StackOf(ctx, t, name) })
	return engine.StackScope(stack), err
}

// mayDo checks that p holds the permission where the request is, and returns
// that place. Who may not even see what it is about is told that there is no
// such thing. A list is let in for whoever may see a part of it.
func (s *server) mayDo(c *gin.Context, p engine.Principal, perm engine.Permission) (engine.Scope, error) {
	t, name := about(c)
	switch {
	case perm == signedIn:
		return engine.Scope{}, nil
	case !perm.Scoped() || !p.MayAnywhere(perm): // which says nothing of what is there
		return engine.Scope{}, p.Check(perm, engine.Scope{})
	case t == "":
		return engine.Scope{}, nil
	}
	scope, err := s.scopeOf(c.Request.Context(), t, name)
	switch {
	case err != nil:
		return engine.Scope{}, err
	case !p.May(perm, scope) && !p.May(engine.MayRead, scope):
		return scope, engine.Missing(t, name)
	}
	return scope, p.Check(perm, scope)
}

// mostStacks bounds how many answers a lookup keeps of each generation.
const mostStacks = 10000

// lookup keeps the stacks of runs and steps, which never change. When it is
// full, what was not asked for since it was last full is forgotten.
type lookup struct {
	mu         sync.Mutex
	young, old map[string]string
}

func (l *lookup) of(key string, find func() (string, error)) (string, error) {
	l.mu.Lock()
	v, ok := l.young[key]
	if !ok {
		v, ok = l.old[key]
	}
	l.mu.Unlock()
	if !ok {
		var err error
		if v, err = find(); err != nil {
			return "", err
		}
	}
	l.keep(key, v)
	return v, nil
}

func (l *lookup) keep(key, v string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.young) >= mostStacks || l.young == nil {
		l.young, l.old = map[string]string{}, l.young
	}
	l.young[key] = v
}
