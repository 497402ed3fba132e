package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"
)

// DeviceStatus is what has become of a device's sign-in.
type DeviceStatus string

// What may have become of it.
const (
	DevicePending DeviceStatus = "pending"
	DeviceGranted DeviceStatus = "granted"
	DeviceDenied  DeviceStatus = "denied"
)

// DeviceLogin is a program without a browser that asks to be let in as whoever
// confirms its code. Source: RFC 8628.
type DeviceLogin struct {
	Hash      string // of the device's code, which only the device has
	Code      string // that the person compares, without its dash
	Client    string // what the device calls itself
	Address   string // where it asks from
	Status    DeviceStatus
	User      string // who has answered
	CreatedAt time.Time
	ExpiresAt time.Time
	PolledAt  time.Time // zero for never
}

// UserCode is the code as people see it.
func (d *DeviceLogin) UserCode() string { return d.Code[:4] + "-" + d.Code[4:] }

// DeviceError tells a device why there is no token for it. Source: RFC 8628,
// section 3.5.
type DeviceError struct {
	Code string // of the RFC
	text string
}

func (e *DeviceError) Error() string { return e.text }

// Is lets callers treat it as an invalid request.
func (e *DeviceError) Is(target error) bool { return target == ErrInvalid }

// The errors of devices.
var (
	errPending  = &DeviceError{"authorization_pending", "nobody has confirmed the code yet"}
	errSlowDown = &DeviceError{"slow_down", "the device asks too often"}
	errDenied   = &DeviceError{"access_denied", "the sign-in was refused in the browser"}
	errExpired  = &DeviceError{"expired_token", "the code was not confirmed in time; begin again"}
)

// How long a code is good for, how often a device may ask, and how many may
// wait at a time.
const (
	DeviceLife     = 10 * time.Minute
	DeviceInterval = 5 * time.Second
	maxDevices     = 1000
)

// DeviceStore keeps the sign-ins of devices.
type DeviceStore interface {
	// CreateDevice forgets what has expired, and wraps ErrConflict where the
	// code is taken or as many as most wait already.
	CreateDevice(ctx context.Context, d *DeviceLogin, most int) error
	// DeviceByCode wraps ErrNotFound for what does not wait, or no longer.
	DeviceByCode(ctx context.Context, code string, now time.Time) (*DeviceLogin, error)
	// AnswerDevice answers once, and wraps ErrNotFound for what does not wait.
	AnswerDevice(ctx context.Context, code string, status DeviceStatus, user string, now time.Time, e Event) error
	// PollDevice gives the sign-in as it was when the device asked, and keeps
	// that it did. It wraps ErrNotFound.
	PollDevice(ctx context.Context, hash string, now time.Time) (*DeviceLogin, error)
	// RedeemDevice puts a token in place of a sign-in that was granted, once; it
	// wraps ErrNotFound.
	RedeemDevice(ctx context.Context, hash string, t *Token, e Event) error
}

// userCodeLetters are easy to type, make no words and are not taken for each
// other. Source: RFC 8628, section 6.1.
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"

// newUserCode returns eight letters: 34 bits.
func newUserCode() string {
	const even = 256 - 256%len(userCodeLetters)
	var code []byte
	for b := make([]byte, 1); len(code) < 8; {
		if rand.Read(b); int(b[0]) < even { // so that no letter is more likely
			code = append(code, userCodeLetters[int(b[0])%len(userCodeLetters)])
		}
	}
	return string(code)
}

// readUserCode reads a code as people type it.
func readUserCode(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(userCodeLetters, r) {
			return r
		}
		return -1
	}, strings.ToUpper(text[:min(len(text), 40)]))
}

// BeginDevice lets a device wait, and returns the code by which it asks.
func (a *Access) BeginDevice(ctx context.Context, client string) (Secret, *DeviceLogin, error) {
	now, code := a.Now(), NewToken("codev")
	d := &DeviceLogin{Hash: code.Hash(), Code: newUserCode(), Client: clip(client, maxAgent), Address: OriginFrom(ctx).Address,
		Status: DevicePending, CreatedAt: now, ExpiresAt: now.Add(DeviceLife)}
	err := a.Store.CreateDevice(ctx, d, maxDevices)
	if errors.Is(err, ErrConflict) {
		err = Conflict("too many sign-ins wait to be confirmed; try again in a few minutes")
	}
	return code, d, err
}

// Device finds what waits under a code that a person has typed.
func (a *Access) Device(ctx context.Context, typed string) (*DeviceLogin, error) {
	d, err := a.Store.DeviceByCode(ctx, readUserCode(typed), a.Now())
	if errors.Is(err, ErrNotFound) {
		return nil, noDevice()
	}
	return d, err
}

func noDevice() error {
	return NotFound("nothing waits under this code; compare it with the one on the command line, which is good for %d minutes", int(DeviceLife.Minutes()))
}

// AnswerDevice lets a device in as the person who answers, or not. It takes a
// browser session: a token that is limited could get one that is not.
func (a *Access) AnswerDevice(ctx context.Context, p Principal, typed string, granted bool) error {
	d, err := a.Device(ctx, typed)
	if err != nil {
		return err
	}
	if err := p.whole(); err != nil {
		return err
	}
	if p.Session == "" {
		return Forbidden("sign in with a browser to let a command line in")
	}
	status := DeviceDenied
	if granted {
		status = DeviceGranted
	}
	event := newEvent(a.Now(), p.User, "device."+string(status), "", p.User, map[string]any{"client": d.Client, "address": d.Address}).
		changing(map[string]any{"status": d.Status}, map[string]any{"status": status})
	err = a.Store.AnswerDevice(ctx, d.Code, status, p.User, a.Now(), event)
	if errors.Is(err, ErrNotFound) { // somebody else was faster
		return noDevice()
	}
	return err
}

// RedeemDevice gives a device its token once a person has let it in, or a
// DeviceError.
func (a *Access) RedeemDevice(ctx context.Context, code Secret) (Secret, *Token, error) {
	now := a.Now()
	d, err := a.Store.PollDevice(ctx, code.Hash(), now)
	if errors.Is(err, ErrNotFound) || err == nil && now.After(d.ExpiresAt) {
		return "", nil, errExpired
	}
	if err != nil {
		return "", nil, err
	}
	switch {
	case d.Status == DeviceDenied:
		return "", nil, errDenied
	case d.Status == DeviceGranted:
		return a.redeem(ctx, d)
	case now.Sub(d.PolledAt) < DeviceInterval-time.Second: // networks are not even
		return "", nil, errSlowDown
	}
	return "", nil, errPending
}

func (a *Access) redeem(ctx context.Context, d *DeviceLogin) (Secret, *Token, error) {
	u, err := a.Store.User(ctx, d.User)
	if err != nil {
		return "", nil, err
	}
	if u.Disabled {
		return "", nil, errDenied
	}
	secret, t, event := a.newToken(Principal{User: u.Name}, u, TokenRequest{Name: d.Client}, a.Now().Add(a.Policy.tokenLife()))
	err = a.Store.RedeemDevice(ctx, d.Hash, t, event)
	if errors.Is(err, ErrNotFound) { // it was asked for twice at the same time
		return "", nil, errExpired
	}
	return secret, t, err
}
