package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// auditView is all that the audit log shows.
type auditView struct {
	frame
	filter   engine.EventFilter
	from, to string // days, as in 2026-01-31
	events   []*engine.Event
	more     bool
}

func (p *Pages) audit(c *gin.Context) error {
	v := auditView{frame: p.frame(c, "Audit log"), from: c.Query("from"), to: c.Query("to"), filter: engine.EventFilter{
		Actor: c.Query("actor"), Action: c.Query("action"), Stack: c.Query("stack"), Project: c.Query("project"), Run: c.Query("run"), Subject: c.Query("subject"),
		Address: c.Query("address"), Request: c.Query("request"), Text: c.Query("text")}}
	var err error
	if v.filter.From, err = day(v.from); err != nil {
		return err
	}
	if v.filter.To, err = day(v.to); err != nil {
		return err
	}
	if v.to != "" { // the whole of that day
		v.filter.To = v.filter.To.AddDate(0, 0, 1)
	}
	events, err := p.Store.Events(c.Request.Context(), v.filter, partOf(c, engine.MayReadAudit))
	if err != nil {
		return err
	}
	v.events, v.more = cut(events)
	p.render(c, http.StatusOK, auditPage(v))
	return nil
}

// day is the beginning of a day in UTC; the zero time for none.
func day(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, engine.Invalid("a day is written as 2026-01-31, not %q", text)
	}
	return t, nil
}

// older is the address of the page behind this one.
func (v auditView) older() string {
	f := v.filter
	return link("/audit", "actor", f.Actor, "action", f.Action, "stack", f.Stack, "project", f.Project, "run", f.Run, "subject", f.Subject, "address", f.Address, "request", f.Request,
		"text", f.Text, "from", v.from, "to", v.to, "after", strconv.FormatInt(v.events[len(v.events)-1].ID, 10))
}

// export is the address of all that is searched for, in a format.
func (v auditView) export(format string) string {
	f := v.filter
	return link("/v1/audit/export", "format", format, "actor", f.Actor, "action", f.Action, "stack", f.Stack, "project", f.Project, "run", f.Run, "subject", f.Subject,
		"address", f.Address, "request", f.Request, "text", f.Text, "from", moment(f.From), "to", moment(f.To))
}

// formats are those of an export. All of the log in a form that can be verified
// is for those only who may read all of it.
func (v auditView) formats() []string {
	if !v.searched() && !v.who.May(engine.MayReadAudit, engine.Scope{}) {
		return []string{"csv", "cloudevents"}
	}
	return []string{"jsonl", "csv", "cloudevents"}
}

// moment is a time as the API takes it, or nothing for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// detailed reports whether an event tells more than who did what to what.
func detailed(e *engine.Event) bool { return len(e.Detail) > 0 && string(e.Detail) != "{}" }

// said reports whether there is something to read below the line of an event.
func said(e *engine.Event) bool { return detailed(e) || len(e.Before) > 0 || len(e.After) > 0 }

// searched reports whether only a part is shown.
func (v auditView) searched() bool { return v.filter != engine.EventFilter{} }

// origin is where an event comes from, in a few words.
func origin(e *engine.Event) string {
	switch {
	case e.Address != "" && e.Via != "":
		return e.Address + " by " + e.Via
	case e.Address != "":
		return e.Address
	}
	return e.Via
}
