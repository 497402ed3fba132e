package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// pageSize is how many rows a list shows.
const pageSize = 50

// pageOf reads which part of a list is wanted, with one row too many, so that
// it shows whether there are more.
func pageOf(c *gin.Context) engine.Page { return partOf(c, engine.MayRead) }

// seen is a whole list, of that which the reader may see.
func seen(c *gin.Context) engine.Page {
	page := engine.Everything()
	page.Within = pageOf(c).Within
	return page
}

// partOf is the page of that which the reader holds the permission for.
func partOf(c *gin.Context, perm engine.Permission) engine.Page {
	within := engine.PrincipalFrom(c.Request.Context()).Within(perm)
	return engine.Page{After: c.Query("after"), Limit: pageSize + 1, Within: &within}
}

// cut shortens a list that was read with one row too many.
func cut[T any](list []T) ([]T, bool) {
	if len(list) > pageSize {
		return list[:pageSize], true
	}
	return list, false
}

// link is an address with a query of names and values in turn; empty values
// are left out.
func link(path string, query ...string) string {
	q := url.Values{}
	for i := 0; i < len(query); i += 2 {
		if query[i+1] != "" { // #nosec G602 -- names and values come in pairs
			q.Set(query[i], query[i+1]) // #nosec G602 -- as above
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// stacksView is all that the list of stacks shows.
type stacksView struct {
	frame
	search   string
	stacks   []*engine.Stack
	findings map[string]int         // open, by stack
	latest   map[string]*engine.Run // without steps, by stack
	more     bool
}

func (p *Pages) stacks(c *gin.Context) error {
	ctx := c.Request.Context()
	v := stacksView{frame: p.frame(c, "Stacks"), search: strings.TrimSpace(c.Query("q"))}
	found, err := p.findStacks(ctx, v.search, pageOf(c))
	if err != nil {
		return err
	}
	v.stacks, v.more = cut(found)
	names := make([]string, len(v.stacks))
	for i, s := range v.stacks {
		names[i] = s.Name
	}
	if v.findings, err = p.Store.OpenFindings(ctx, names); err != nil {
		return err
	}
	if v.latest, err = p.Store.NewestRuns(ctx, names); err != nil {
		return err
	}
	p.render(c, http.StatusOK, stacksPage(v))
	return nil
}

// findStacks lists the stacks that match what is searched for. Stacks are few
// enough to be looked through.
func (p *Pages) findStacks(ctx context.Context, search string, page engine.Page) ([]*engine.Stack, error) {
	if search == "" {
		return p.Store.Stacks(ctx, page)
	}
	var found []*engine.Stack
	for after := page.After; ; {
		batch, err := p.Store.Stacks(ctx, engine.Page{After: after, Limit: 200, Within: page.Within})
		if err != nil || len(batch) == 0 {
			return found, err
		}
		for _, s := range batch {
			if matches(s, search) {
				found = append(found, s)
			}
		}
		if len(found) >= page.Limit {
			return found[:page.Limit], nil
		}
		after = batch[len(batch)-1].Name
	}
}

// matches reports whether a stack's name, description or labels hold each word.
func matches(s *engine.Stack, search string) bool {
	text := strings.ToLower(s.Name + " " + s.Description)
	for key, value := range s.Labels {
		text += " " + strings.ToLower(key+"="+value)
	}
	for word := range strings.FieldsSeq(strings.ToLower(search)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// runsView is all that the list of runs shows.
type runsView struct {
	frame
	filter engine.RunFilter
	runs   []*engine.Run
	more   bool
}

// older is the address of the runs after those shown.
func (v runsView) older() string {
	return link("/runs", "stack", v.filter.Stack, "kind", string(v.filter.Kind), "status", string(v.filter.Status), "after", v.runs[len(v.runs)-1].ID)
}

func (p *Pages) runs(c *gin.Context) error {
	v := runsView{frame: p.frame(c, "Runs"), filter: engine.RunFilter{
		Stack: strings.TrimSpace(c.Query("stack")), Kind: engine.RunKind(c.Query("kind")), Status: engine.RunStatus(c.Query("status")),
	}}
	runs, err := p.Store.Runs(c.Request.Context(), v.filter, pageOf(c))
	if err != nil {
		return err
	}
	v.runs, v.more = cut(runs)
	p.render(c, http.StatusOK, runsPage(v))
	return nil
}

// driftView is all that the list of findings shows.
type driftView struct {
	frame
	stack   string // empty for all
	history bool   // with what is resolved
	found   []*engine.Finding
	more    bool
}

// link is the address of the page with or without history.
func (v driftView) link(history bool, after string) string {
	past := ""
	if history {
		past = "1"
	}
	return link("/drift", "stack", v.stack, "history", past, "after", after)
}

func (p *Pages) drift(c *gin.Context) error {
	v := driftView{frame: p.frame(c, "Drift"), stack: c.Query("stack"), history: c.Query("history") != ""}
	found, err := p.Store.Findings(c.Request.Context(), v.stack, !v.history, pageOf(c))
	if err != nil {
		return err
	}
	v.found, v.more = cut(found)
	p.render(c, http.StatusOK, driftPage(v))
	return nil
}
