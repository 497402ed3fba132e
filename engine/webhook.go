package engine

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

// Webhook sends what happens to an address.
type Webhook struct {
	ID   string
	Name string
	// Project or Stack narrow what is sent; empty for the whole installation.
	Project, Stack string
	URL            string
	Events         []string // patterns, such as "run.*"; see webhookKinds
	Secrets        SigningSecrets
	DisabledWhy    string    // empty while it is in use
	FailingSince   time.Time // zero while what was sent last was taken
	CreatedBy      string
	CreatedAt      time.Time
}

// webhookKinds are what a webhook may tell: what happens to stacks, and not who
// signed in or changed whose rights, which is the audit log's.
var webhookKinds = []string{"run", "drift", "stack", "revision", "schedule"}

// The names of messages that stand for no event.
const webhookTest = "webhook.test"

// How many patterns a webhook may have, and how long they and its address may be.
const (
	maxWebhookEvents  = 20
	maxWebhookPattern = 64
	maxWebhookURL     = 2000
)

// check refuses what no webhook can be.
func (w *Webhook) check() error {
	if err := CheckName("webhook", w.Name); err != nil {
		return err
	}
	if w.Stack != "" && w.Project != "" {
		return Invalid("webhook %s: a stack is of a project already; name one of both", w.Name)
	}
	if len(w.URL) > maxWebhookURL {
		return Invalid("webhook %s: an address has at most %d characters", w.Name, maxWebhookURL)
	}
	u, err := url.Parse(w.URL)
	if err != nil || u.Host == "" {
		return Invalid("webhook %s: %q is no address; write https://host/path", w.Name, w.URL)
	}
	if len(w.Events) == 0 || len(w.Events) > maxWebhookEvents {
		return Invalid("webhook %s: name from 1 to %d events, such as run.*", w.Name, maxWebhookEvents)
	}
	for _, pattern := range w.Events {
		if len(pattern) > maxWebhookPattern {
			return Invalid("webhook %s: a pattern of events has at most %d characters", w.Name, maxWebhookPattern)
		}
		kind, _, _ := strings.Cut(pattern, ".")
		if _, err := path.Match(pattern, ""); err != nil || pattern != "*" && !slices.Contains(webhookKinds, kind) {
			return Invalid("webhook %s: %q is no pattern of events that can be sent; they begin with %s", w.Name, pattern, strings.Join(webhookKinds, ", "))
		}
	}
	return nil
}

// Wants reports whether the webhook sends the event.
func (w *Webhook) Wants(e Event) bool {
	kind, _, _ := strings.Cut(e.Action, ".")
	switch {
	case w.DisabledWhy != "", e.At.Before(w.CreatedAt), !slices.Contains(webhookKinds, kind):
		return false
	case w.Stack != "" && w.Stack != e.Stack, w.Project != "" && w.Project != ProjectOf(e.Stack):
		return false
	}
	return slices.ContainsFunc(w.Events, func(pattern string) bool {
		ok, _ := path.Match(pattern, e.Action) // it was checked when it was made
		return ok
	})
}

// Scope is what the webhook tells of, and where it takes a right to change it.
func (w *Webhook) Scope() Scope {
	switch {
	case w.Stack != "":
		return StackScope(w.Stack)
	case w.Project != "":
		return ProjectScope(w.Project)
	}
	return Scope{}
}

// placeOf is an address for the audit log, which more people read, and which goes
// to more places, than may know what stands behind the host: of a chat that is as good
// as a password.
func placeOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	place := u.Scheme + "://" + u.Host
	if u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
		place += "/..."
	}
	return place
}

// Delivery is one message of a webhook, and what became of it.
type Delivery struct {
	ID       string // goes with each attempt, so that a receiver can tell a message that comes again
	Webhook  string
	Type     string // the event's action
	Body     []byte // JSON
	Attempts int
	NextAt   time.Time // of the next attempt; zero once it is over
	Status   int       // the receiver's last; 0 for none
	Error    string    // why the last attempt was not taken
	Took     time.Duration
	// CreatedAt is when it was made, DoneAt when it was taken or given up.
	CreatedAt, DoneAt time.Time
}

// retries is how long a message waits after each attempt that was not taken:
// for three days in all.
var retries = []time.Duration{
	5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// webhookPatience is how long a webhook may fail without a break before it is
// disabled.
const webhookPatience = 5 * 24 * time.Hour

// attempted notes what became of an attempt.
func (d *Delivery) attempted(status int, err error, began, ended time.Time) {
	d.Status, d.Error, d.Took, d.NextAt = status, "", ended.Sub(began), time.Time{}
	if err == nil {
		d.DoneAt = ended
		return
	}
	d.Error = Printable(err.Error(), 300)
	if d.Attempts > len(retries) {
		d.DoneAt = ended
		return
	}
	d.NextAt = ended.Add(retries[d.Attempts-1])
}

// attempted notes at the webhook whether a message was taken, and reports
// whether that disables it. A test says nothing about the rest.
func (w *Webhook) attempted(taken bool, now time.Time) (disabled bool) {
	switch {
	case taken:
		w.FailingSince = time.Time{}
	case w.FailingSince.IsZero():
		w.FailingSince = now
	case now.Sub(w.FailingSince) > webhookPatience && w.DisabledWhy == "":
		w.DisabledWhy = "nothing was taken since " + w.FailingSince.UTC().Format("2006-01-02 15:04 MST")
		return true
	}
	return false
}
