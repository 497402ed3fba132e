package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
)

// LinkedIdentity is who a user is at an identity provider: a sign-on by which the user
// gets in.
type LinkedIdentity struct {
	Issuer   string
	Subject  string
	User     string
	LinkedAt time.Time
}

// ID names the identity, so that a subject, which may be anything, need not
// stand in an address.
func (i *LinkedIdentity) ID() string {
	sum := sha256.Sum256([]byte(i.Issuer + "\n" + i.Subject))
	return "idn-" + hex.EncodeToString(sum[:8])
}

// Identities lists by which sign-ons oneself or, with the right to manage users
// or to read who has access, somebody else gets in, oldest first; a cursor is an ID.
func (a *Access) Identities(ctx context.Context, p Principal, user string, page Page) ([]*LinkedIdentity, error) {
	if user == "" {
		user = p.User
	}
	if user != p.User && !p.May(MayManageUsers, Scope{}) {
		if err := p.Check(MayReadAccess, Scope{}); err != nil {
			return nil, err
		}
	}
	all, err := a.Store.Identities(ctx, user)
	return pageOf(all, page, (*LinkedIdentity).ID), err
}

// Unlink ends that a sign-on lets a user in, with the sessions that it has
// opened and the teams that its issuer has named.
func (a *Access) Unlink(ctx context.Context, p Principal, user, id string) error {
	if user == "" {
		user = p.User
	}
	if err := a.mayUnlink(ctx, p, user); err != nil {
		return err
	}
	all, err := a.Store.Identities(ctx, user)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(i *LinkedIdentity) bool { return i.ID() == id })
	if at < 0 {
		return NotFound("%s has no sign-on %s", user, id)
	}
	if err := a.leaves(ctx, p, user, len(all)); err != nil {
		return err
	}
	link := all[at]
	if err := a.SyncTeams(ctx, user, link.Issuer, nil); err != nil {
		return err
	}
	told := map[string]any{"issuer": link.Issuer, "subject": link.Subject}
	return a.Store.UnlinkUser(ctx, link, newEvent(a.Now(), p.User, "user.unlink", "", user, told).changing(told, nil))
}

func (a *Access) mayUnlink(ctx context.Context, p Principal, user string) error {
	if user != p.User {
		if err := p.Check(MayManageUsers, Scope{}); err != nil {
			return err
		}
	}
	return a.mayManage(ctx, p, user)
}

// leaves refuses to take the last way in away from oneself: there would be
// nobody to sign in and link another one.
func (a *Access) leaves(ctx context.Context, p Principal, user string, signOns int) error {
	if user != p.User || signOns > 1 {
		return nil
	}
	u, err := a.Store.User(ctx, user)
	if err == nil && u.PasswordHash == "" {
		err = Conflict("this is your only way in; ask an admin for a password first")
	}
	return err
}
