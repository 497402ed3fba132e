package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Session is a browser that somebody has signed in with.
type Session struct {
	Hash      string // of the cookie's value
	User      string
	CSRF      string // what forms have to bring along
	CreatedAt time.Time
	ExpiresAt time.Time
	SeenAt    time.Time // to the minute
	Address   string    // that it was last seen from
	Agent     string    // what the browser says that it is
	Via       string    // password, or the issuer of single sign-on
}

// byPassword reports whether a password has opened the session, as in versions
// before, which did not say so.
func (s *Session) byPassword() bool { return s.Via == "" || s.Via == viaPassword }

const viaPassword = "password"

// sessionDigits is how much of its hash names a session: it says nothing of
// the cookie, which has 256 random bits.
const sessionDigits = 16

// ID names the session among those of its user.
func (s *Session) ID() string { return "ses-" + s.Hash[:min(sessionDigits, len(s.Hash))] }

// maxAgent bounds what is kept of what a browser calls itself, in bytes.
const maxAgent = 200

// openSession signs a browser in, unless the user is disabled meanwhile or has
// another password than the one that was shown.
func (a *Access) openSession(ctx context.Context, u *User, via string) (Secret, *Session, error) {
	shown := ""
	if via == viaPassword {
		shown = u.PasswordHash
	}
	now, from := a.Now(), OriginFrom(ctx)
	cookie := NewToken("cosess")
	session := &Session{Hash: cookie.Hash(), User: u.Name, CSRF: NewToken("csrf").Reveal(), Via: via,
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(a.Policy.sessionLife()), Address: from.Address, Agent: clip(from.Agent, maxAgent)}
	e := newEvent(now, u.Name, "session.create", "", u.Name, map[string]any{"session": session.ID(), "via": via}).
		changing(nil, map[string]any{"session": session.ID(), "via": via, "expires": session.ExpiresAt})
	err := a.Store.CreateSession(ctx, session, shown, e)
	if errors.Is(err, ErrNotFound) {
		err = wrongLogin()
	}
	return cookie, session, err
}

// clip is the start of a text that a stranger has sent, without what a terminal
// would take for an order.
func clip(text string, n int) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text[:min(n, len(text))])
}

// BySession finds who a browser's cookie belongs to. When it was last seen is
// kept to the minute; a page that keeps itself up to date is not seen.
func (a *Access) BySession(ctx context.Context, cookie Secret) (Principal, error) {
	session, u, err := a.Store.SessionUser(ctx, cookie.Hash())
	now := a.Now()
	if errors.Is(err, ErrNotFound) || err == nil && (u.Disabled || a.over(session, now)) {
		return Principal{}, Unauthorized("the session is over; sign in again")
	}
	if err != nil {
		return Principal{}, err
	}
	if from := OriginFrom(ctx); !from.Quiet && now.Sub(session.SeenAt) > time.Minute {
		err = a.Store.TouchSession(ctx, session.Hash, now, from.Address)
	}
	if err != nil {
		return Principal{}, err
	}
	u.MustChange = u.MustChange && session.byPassword() // who comes another way needs none
	p, err := a.principal(ctx, u)
	p.CSRF, p.Session = session.CSRF, session.ID()
	return p, err
}

// over reports whether a session has ended by itself. One that was made by the
// version before was last seen when it was made.
func (a *Access) over(s *Session, now time.Time) bool {
	seen := s.SeenAt
	if seen.IsZero() {
		seen = s.CreatedAt
	}
	return now.After(s.ExpiresAt) || now.Sub(seen) > a.Policy.sessionIdle()
}

// Sessions lists the browsers that somebody is signed in with, newest first; a
// cursor is an ID.
func (a *Access) Sessions(ctx context.Context, user string, p Page) ([]*Session, error) {
	all, err := a.Store.Sessions(ctx, user)
	if err != nil {
		return nil, err
	}
	now := a.Now()
	live := slices.DeleteFunc(all, func(s *Session) bool { return a.over(s, now) })
	return pageOf(live, p, (*Session).ID), nil
}

// pageOf is what a page shows of a short list that was read whole.
func pageOf[T any](all []T, p Page, id func(T) string) []T {
	if at := slices.IndexFunc(all, func(v T) bool { return id(v) == p.After }); at >= 0 {
		all = all[at+1:]
	}
	return all[:min(p.Limit, len(all))]
}

// Logout ends what somebody asks with: the browser session or the token.
func (a *Access) Logout(ctx context.Context, p Principal) error {
	if p.Token != "" {
		return a.DeleteToken(ctx, p, p.Token)
	}
	return a.endSession(ctx, p, p.Session)
}

// EndSession signs one of one's own browsers out.
func (a *Access) EndSession(ctx context.Context, p Principal, id string) error {
	if err := p.whole(); err != nil {
		return err
	}
	return a.endSession(ctx, p, id)
}

func (a *Access) endSession(ctx context.Context, p Principal, id string) error {
	digits, _ := strings.CutPrefix(id, "ses-")
	if len(digits) != sessionDigits || strings.Trim(digits, "0123456789abcdef") != "" {
		return noSession(id)
	}
	n, err := a.Store.DeleteSessions(ctx, p.User, digits, a.sessionsOver(p, p.User, id))
	if err == nil && n == 0 {
		return noSession(id)
	}
	return err
}

func noSession(id string) error { return NotFound("there is no session %s", id) }

// EndSessions signs all browsers of a user out.
func (a *Access) EndSessions(ctx context.Context, p Principal, user string) error {
	if _, err := a.Store.User(ctx, user); err != nil {
		return err
	}
	if err := a.mayManage(ctx, p, user); err != nil {
		return err
	}
	_, err := a.Store.DeleteSessions(ctx, user, "", a.sessionsOver(p, user, "all"))
	return err
}

func (a *Access) sessionsOver(p Principal, user, which string) Event {
	told := map[string]any{"session": which}
	return newEvent(a.Now(), p.User, "session.delete", "", user, told).changing(told, nil)
}
