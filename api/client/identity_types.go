package client

import "time"

// The codes of problems that a program does something about. Those of waiting
// sign-ins are RFC 8628's, section 3.5.
const (
	CodePasswordChange = "password_change_required"
	CodePending        = "authorization_pending"
	CodeSlowDown       = "slow_down"
	CodeDenied         = "access_denied"
	CodeExpired        = "expired_token"
)

// User is somebody who can sign in.
type User struct {
	Name        string     `json:"name"`
	Roles       []string   `json:"roles" doc:"In the whole installation, and not by a team."`
	Kind        string     `json:"kind" enum:"person,service"`
	Owner       string     `json:"owner,omitempty" doc:"Who answers for a service account."`
	Disabled    bool       `json:"disabled"`
	MustChange  bool       `json:"must_change" doc:"The password has to be changed at the next sign-in."`
	LockedUntil *time.Time `json:"locked_until,omitempty" doc:"No password lets the user in before, after too many wrong ones."`
	CreatedAt   time.Time  `json:"created_at"`
}

// CreateUser makes a person, or a service account.
type CreateUser struct {
	Name       string   `json:"name"`
	Roles      []string `json:"roles,omitempty" doc:"In the whole installation."`
	Kind       string   `json:"kind,omitempty" enum:"person,service" doc:"person where it is missing."`
	Owner      string   `json:"owner,omitempty" doc:"Of a service account; who makes it where it is missing."`
	Password   string   `json:"password,omitempty" maxLength:"1024" doc:"Of a person."`
	MustChange *bool    `json:"must_change,omitempty" doc:"Whether the password has to be changed at the first sign-in; true where it is missing."`
}

// UpdateUser changes a user; what is missing stays.
type UpdateUser struct {
	Roles    *[]string `json:"roles,omitempty" doc:"Exactly these, in the whole installation."`
	Disabled *bool     `json:"disabled,omitempty"`
	Password *string   `json:"password,omitempty" maxLength:"1024" doc:"Has to be changed at the next sign-in, unless it is one's own."`
	Owner    *string   `json:"owner,omitempty" doc:"Of a service account."`
	Unlock   bool      `json:"unlock,omitempty" doc:"Let passwords in again after too many wrong ones."`
}

// Token is an API token without its secret.
type Token struct {
	ID          string     `json:"id"`
	User        string     `json:"user"`
	Name        string     `json:"name"`
	Permissions []string   `json:"permissions,omitempty" doc:"What it is good for at most; all that its user may do where it is missing."`
	Scope       string     `json:"scope,omitempty" doc:"Where it is good for that: installation, project:<name> or stack:<name>."`
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	UsedAt      *time.Time `json:"used_at,omitempty"`
	UsedFrom    string     `json:"used_from,omitempty" doc:"Address."`
}

// CreateToken makes an API token.
type CreateToken struct {
	Name        string   `json:"name" maxLength:"128"`
	User        string   `json:"user,omitempty" doc:"A service account; oneself where it is missing."`
	Seconds     int64    `json:"seconds,omitempty" doc:"How long it is good for; as long as the server says where it is missing." minimum:"0" maximum:"3153600000"`
	Forever     bool     `json:"forever,omitempty" doc:"It does not expire."`
	Permissions []string `json:"permissions,omitempty" doc:"What it is good for at most."`
	Scope       string   `json:"scope,omitempty" doc:"Where it is good for that: installation, which is what nothing means, project:<name> or stack:<name>."`
}

// NewToken is a token that was just made. It is shown this once.
type NewToken struct {
	Token     string     `json:"token"`
	ID        string     `json:"id"`
	User      string     `json:"user,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// Login asks for an API token with a password.
type Login struct {
	Name        string `json:"name" maxLength:"64"`
	Password    string `json:"password" maxLength:"1024"`
	NewPassword string `json:"new_password,omitempty" maxLength:"1024" doc:"Changes the password first."`
	Label       string `json:"label,omitempty" maxLength:"128" doc:"What the token is called in lists."`
}

// ChangePassword changes one's own password.
type ChangePassword struct {
	Old       string `json:"old" maxLength:"1024"`
	New       string `json:"new" maxLength:"1024"`
	EndTokens bool   `json:"end_tokens,omitempty" doc:"Take one's own API tokens back, too."`
}

// Session is a browser that somebody is signed in with.
type Session struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	SeenAt    time.Time `json:"seen_at"`
	Address   string    `json:"address,omitempty"`
	Agent     string    `json:"agent,omitempty"`
	Via       string    `json:"via,omitempty" doc:"password, or the issuer of single sign-on."`
	Current   bool      `json:"current,omitempty" doc:"It is the one that asks."`
}

// BeginDevice asks to be let in by somebody with a browser.
type BeginDevice struct {
	Client string `json:"client" minLength:"1" maxLength:"128" doc:"What the person is shown, and what the token is called."`
}

// DeviceLogin is a sign-in that waits. Source: RFC 8628, section 3.2, with paths
// on the server that was asked in place of addresses.
type DeviceLogin struct {
	DeviceCode   string `json:"device_code" doc:"Gets the token; nobody else is to see it."`
	UserCode     string `json:"user_code" doc:"That the person compares."`
	Path         string `json:"verification_path"`
	CompletePath string `json:"verification_path_complete" doc:"With the code in it."`
	ExpiresIn    int    `json:"expires_in" doc:"Seconds."`
	Interval     int    `json:"interval" doc:"Seconds to wait between two questions; five more after each slow_down."`
}

// RedeemDevice asks for the token of a sign-in.
type RedeemDevice struct {
	DeviceCode string `json:"device_code" maxLength:"128"`
}
