package api

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func (s *server) stateRoutes(router *gin.Engine) {
	s.backendRoutes(router)
	handle(s, operation{method: "GET", path: "/v1/stacks/{stack}/states", id: "list-states", summary: "List the newest state of each component", tag: "states", permission: engine.MayRead},
		func(ctx context.Context, in *StackPage) (*body[client.List[client.StateVersion]], error) {
			if _, err := s.Store.Stack(ctx, in.Stack); err != nil {
				return nil, err
			}
			states, err := s.Store.States(ctx, in.Stack, in.engine())
			return listed(states, err, in.PageQuery, stateJSON, func(v *engine.StateVersion) string { return v.Component })
		})
	handle(s, operation{method: "GET", path: "/v1/stacks/{stack}/states/{component}/versions", id: "list-state-versions", summary: "List the versions of a component's state, newest first", tag: "states", permission: engine.MayRead}, s.stateVersions)
	handle(s, operation{method: "GET", path: "/v1/state-versions/{version}", id: "get-state-version", summary: "Download a state version, secrets included", tag: "states", permission: engine.MayReadState, gives: anyJSON}, s.downloadState)
	handle(s, operation{method: "GET", path: "/v1/stacks/{stack}/locks", id: "list-locks", summary: "List the locks on a stack's states", tag: "states", permission: engine.MayRead},
		func(ctx context.Context, in *StackPage) (*body[client.List[client.Lock]], error) {
			if _, err := s.Store.Stack(ctx, in.Stack); err != nil {
				return nil, err
			}
			locks, err := s.Store.StateLocks(ctx, in.Stack, in.engine())
			return listed(locks, err, in.PageQuery, lockJSON, func(l *engine.StateLock) string { return l.Component })
		})
	handle(s, operation{method: "DELETE", path: "/v1/stacks/{stack}/locks/{component}", id: "break-lock", summary: "Break a lock", tag: "states", permission: engine.MayWriteState}, s.breakLock)
	handle(s, operation{method: "POST", path: "/v1/state-versions/{version}/restore", id: "restore-state-version", summary: "Make a state version the newest once more", tag: "states", permission: engine.MayWriteState},
		func(ctx context.Context, in *struct {
			VersionPath
			Body client.Reason
		}) (*body[client.StateVersion], error) {
			v, err := s.States.Restore(ctx, me(ctx), in.Version, in.Body.Reason)
			return answerState(v, err)
		})
	handle(s, operation{method: "POST", path: "/v1/stacks/{stack}/states/{component}/recover", id: "recover-state", summary: "Make a state that a run could not write the newest", tag: "states", permission: engine.MayWriteState},
		func(ctx context.Context, in *struct {
			ComponentPath
			DryRun bool `query:"dry_run" doc:"Only say what would be recovered."`
			Body   client.Reason
		}) (*body[client.StateVersion], error) {
			v, err := s.States.Recover(ctx, me(ctx), in.Stack, in.Component, in.Body.Reason, in.DryRun)
			return answerState(v, err)
		})
	handle(s, operation{method: "POST", path: "/v1/stacks/{stack}/states/{component}/edit", id: "edit-state", summary: "Move resources within a state or into that of another component, or forget them", tag: "states", permission: engine.MayWriteState}, s.editState)
}

func (s *server) editState(ctx context.Context, in *struct {
	ComponentPath
	DryRun bool `query:"dry_run" doc:"Only say what would be done."`
	Body   client.EditState
}) (*body[client.EditedState], error) {
	done, err := s.States.Edit(ctx, me(ctx), engine.StateEdit{Stack: in.Stack, Component: in.Component, From: in.Body.From, To: in.Body.To, Reason: in.Body.Reason, DryRun: in.DryRun})
	if err != nil {
		return nil, err
	}
	return answer(client.EditedState{Resources: done.Resources, Versions: each(done.Versions, stateJSON)}, nil)
}

func answerState(v *engine.StateVersion, err error) (*body[client.StateVersion], error) {
	if err != nil {
		return nil, err
	}
	return answer(stateJSON(v), nil)
}

// VersionPath is a request about one version of a state.
type VersionPath struct {
	Version string `path:"version"`
}

// ComponentPath is a request about one component of a stack.
type ComponentPath struct {
	StackPath
	Component string `path:"component"`
}

func (s *server) stateVersions(ctx context.Context, in *struct {
	ComponentPath
	PageQuery
}) (*body[client.List[client.StateVersion]], error) {
	if _, err := s.Store.Stack(ctx, in.Stack); err != nil {
		return nil, err
	}
	versions, err := s.Store.StateVersions(ctx, in.Stack, in.Component, in.engine())
	if err != nil {
		return nil, err
	}
	return paged(versions, in.PageQuery, stateJSON, func(v *engine.StateVersion) string { return v.ID }), nil
}

// downloadState gives a state away, and notes who got it.
func (s *server) downloadState(ctx context.Context, in *VersionPath) (*file, error) {
	v, err := s.Store.State(ctx, in.Version)
	if err != nil {
		return nil, err
	}
	err = s.Store.AddEvent(ctx, engine.Event{At: s.Now(), Actor: me(ctx).User, Action: "state.download", Stack: v.Stack,
		Subject: v.Component, Detail: fmt.Appendf(nil, `{"version":%q,"serial":%d}`, v.ID, v.Serial)})
	return &file{Type: "application/json", Body: v.Data}, err
}

func (s *server) breakLock(ctx context.Context, in *struct {
	ComponentPath
	Reason string `query:"reason" required:"true" minLength:"1"`
}) (*none, error) {
	return &none{}, s.States.Break(ctx, me(ctx), in.Stack, in.Component, in.Reason)
}

// backendRoutes are Terraform's http backend. Source:
// https://developer.hashicorp.com/terraform/language/backend/http.
func (s *server) backendRoutes(router *gin.Engine) {
	const path = "/v1/state/:stack/:component"
	for method, h := range map[string]func(*gin.Context, engine.StateWriter) error{
		http.MethodGet: s.readState, http.MethodPost: s.writeState, "LOCK": s.lockState, "UNLOCK": s.unlockState,
	} {
		s.permissions[method+" "+path] = asState
		router.Handle(method, path, func(c *gin.Context) {
			w, err := s.stateWriter(c)
			if err == nil {
				err = h(c, w)
			}
			if err != nil {
				s.failState(c, err)
			}
		})
	}
}

// stateWriter finds out who uses the backend: the step that the name and
// password are of, or a person with an API token as password.
func (s *server) stateWriter(c *gin.Context) (engine.StateWriter, error) {
	if name, password, ok := c.Request.BasicAuth(); ok {
		w, err := s.States.Attempt(c.Request.Context(), name, engine.Secret(password), c.Param("stack"), c.Param("component"))
		if err == nil || !errors.Is(err, engine.ErrUnauthorized) || strings.HasPrefix(password, stepTokens) {
			c.Request = c.Request.WithContext(via(c.Request.Context(), "runner "+w.Step))
			return w, err
		}
		c.Request.Header.Set("Authorization", "Bearer "+password)
	}
	p, err := s.principal(c)
	if err != nil {
		return engine.StateWriter{}, err
	}
	perm := engine.MayWriteState
	if c.Request.Method == http.MethodGet {
		perm = engine.MayReadState
	}
	scope, err := s.mayDo(c, p, perm)
	c.Request = c.Request.WithContext(via(c.Request.Context(), viaOf(p)))
	if err != nil {
		refused(c.Request.Context(), refusedBy(p, perm, scope, err))
	}
	return engine.StateWriter{By: p.User}, err
}

// stepTokens is how the tokens begin that steps use their state with.
const stepTokens = "cost_"

// failState answers Terraform. A lock is told in the form that it prints.
func (s *server) failState(c *gin.Context, err error) {
	var locked *engine.LockedError
	if !errors.As(err, &locked) {
		s.fail(c, err)
		return
	}
	c.Data(http.StatusLocked, "application/json", lockInfo(locked.Lock))
	c.Abort()
}

// lockInfo is the lock as Terraform sent it, with the holder that we know. Of
// all this Terraform 1.11 shows nothing but the ID, so that tells the rest.
func lockInfo(l engine.StateLock) []byte {
	info := map[string]any{}
	if json.Unmarshal(l.Info, &info) != nil {
		info = map[string]any{}
	}
	held := "held by " + l.Holder + " since " + l.Why()
	info["ID"], info["Who"], info["Info"] = l.ID+" ("+held+")", l.Holder, held
	b, err := json.Marshal(info)
	if err != nil {
		return l.Info
	}
	return b
}

func (s *server) readState(c *gin.Context, _ engine.StateWriter) error {
	v, err := s.States.Latest(c.Request.Context(), c.Param("stack"), c.Param("component"))
	if errors.Is(err, engine.ErrNotFound) {
		c.Status(http.StatusNoContent)
		return nil
	}
	if err != nil {
		return err
	}
	c.Data(http.StatusOK, "application/json", v.Data)
	return nil
}

func (s *server) writeState(c *gin.Context, w engine.StateWriter) error {
	data, err := io.ReadAll(c.Request.Body)
	if err != nil {
		return err
	}
	if sent := c.GetHeader("Content-MD5"); sent != "" {
		sum := md5.Sum(data) // Terraform's choice, against broken transfers
		if base64.StdEncoding.EncodeToString(sum[:]) != sent {
			return engine.Invalid("the state arrived broken: its MD5 differs")
		}
	}
	_, err = s.States.Put(c.Request.Context(), w, c.Param("stack"), c.Param("component"), c.Query("ID"), data)
	if err == nil {
		c.Status(http.StatusOK)
	}
	return err
}

func (s *server) lockState(c *gin.Context, w engine.StateWriter) error {
	info, err := io.ReadAll(c.Request.Body)
	if err != nil {
		return err
	}
	if err := s.States.Lock(c.Request.Context(), w, c.Param("stack"), c.Param("component"), info); err != nil {
		return err
	}
	c.Status(http.StatusOK)
	return nil
}

func (s *server) unlockState(c *gin.Context, w engine.StateWriter) error {
	info, err := io.ReadAll(c.Request.Body)
	if err != nil {
		return err
	}
	var l struct{ ID string }
	if len(info) > 0 {
		if err := json.Unmarshal(info, &l); err != nil {
			return engine.Invalid("a lock is a JSON object with an ID")
		}
	}
	if err := s.States.Unlock(c.Request.Context(), w, c.Param("stack"), c.Param("component"), l.ID); err != nil {
		return err
	}
	c.Status(http.StatusOK)
	return nil
}
