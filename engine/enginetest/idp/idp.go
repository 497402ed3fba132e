// Package idp is an identity provider for tests: a real one, on the OpenID
// provider of zitadel/oidc with the storage of its examples.
package idp

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// The client that the provider knows.
const (
	ClientID = "cloudops"
	Secret   = "hunter2-of-the-client"
	Password = "correct horse battery" // of everybody
)

// User is somebody at the provider.
type User struct {
	Subject, Name, Email string
	Verified             bool // the address is
	Groups               []string
}

// Server is a provider that asks for PKCE. Its fields are set before it is used.
type Server struct {
	URL       string // the issuer
	Redirects []string
	// InUserinfo keeps profile and groups out of ID tokens, as some providers do.
	InUserinfo bool
	// Alter changes the claims of ID tokens, and says how they are signed: ""
	// as they should be, "none", or "HS256" with the client's secret.
	Alter func(claims map[string]any) (alg string)

	*storage.Storage
	mu       sync.Mutex
	users    map[string]*User
	key      *key
	old      []*key
	provider *op.Provider
}

// New starts a provider for as long as the test.
func New(t testing.TB, users ...User) *Server {
	t.Helper()
	s := &Server{users: map[string]*User{}, key: &key{"first", first()}}
	for _, u := range users {
		s.users[u.Subject] = &u
	}
	s.Storage = storage.NewStorageWithClients(people{s}, map[string]*storage.Client{ClientID: storage.WebClient(ClientID, Secret)})
	mux := http.NewServeMux()
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	s.URL = web.URL
	config := &op.Config{CryptoKey: [32]byte{1}, CryptoKeyId: "1", CodeMethodS256: true, AuthMethodPost: true, DefaultLogoutRedirectURI: "/bye"}
	provider, err := op.NewProvider(config, s, op.StaticIssuer(s.URL), op.WithAllowInsecure(), op.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	s.provider = provider
	mux.HandleFunc("/login/username", s.login)
	mux.HandleFunc("/oauth/token", s.token)
	mux.Handle("/", provider)
	return s
}

// Set puts somebody in place of who has the subject.
func (s *Server) Set(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[u.Subject] = &u
}

func (s *Server) user(subject string) *User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[subject]
}

var form = template.Must(template.New("login").Parse(`<!doctype html><title>Provider</title><form method="post">
<input type="hidden" name="id" value="{{.}}"><input name="username"><input name="password" type="password"><button id="in">Sign in</button></form>`))

// login is the provider's own page to sign in.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		_ = form.Execute(w, r.URL.Query().Get("authRequestID")) // who asks has gone
		return
	}
	id := r.FormValue("id")
	if err := s.CheckUsernamePassword(r.FormValue("username"), r.FormValue("password"), id); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, s.URL+s.provider.AuthorizationEndpoint().Relative()+"/callback?id="+url.QueryEscape(id), http.StatusFound)
}

// CreateAuthRequest implements op.Storage: nobody gets in without PKCE.
func (s *Server) CreateAuthRequest(ctx context.Context, r *oidc.AuthRequest, user string) (op.AuthRequest, error) {
	if r.CodeChallenge == "" || r.CodeChallengeMethod != oidc.CodeChallengeMethodS256 || r.Nonce == "" || r.State == "" {
		return nil, errors.New("a sign-in has a challenge by S256, a nonce and a state")
	}
	return s.Storage.CreateAuthRequest(ctx, r, user)
}

// GetClientByClientID implements op.Storage.
func (s *Server) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := s.Storage.GetClientByClientID(ctx, id)
	return client{c, s}, err
}

// client is the one that the provider knows, with our addresses.
type client struct {
	op.Client
	s *Server
}

func (c client) RedirectURIs() []string               { return c.s.Redirects }
func (c client) PostLogoutRedirectURIs() []string     { return c.s.Redirects }
func (c client) IDTokenUserinfoClaimsAssertion() bool { return !c.s.InUserinfo }

// SetUserinfoFromRequest implements op.CanSetUserinfoFromRequest.
func (s *Server) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, r op.IDTokenRequest, scopes []string) error {
	return s.tell(info, r.GetSubject(), len(scopes) > 1)
}

// SetUserinfoFromToken implements op.Storage.
func (s *Server) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, _, subject, _ string) error {
	return s.tell(info, subject, true)
}

func (s *Server) tell(info *oidc.UserInfo, subject string, all bool) error {
	u := s.user(subject)
	if u == nil {
		return errors.New("there is no such user")
	}
	info.Subject = subject
	if all {
		info.PreferredUsername, info.Email, info.EmailVerified = u.Name, u.Email, oidc.Bool(u.Verified)
		info.AppendClaims("groups", u.Groups)
	}
	return nil
}

// people are the users as the storage of the examples asks for them.
type people struct{ s *Server }

// ExampleClientID implements storage.UserStore.
func (people) ExampleClientID() string { return ClientID }

// GetUserByID implements storage.UserStore.
func (p people) GetUserByID(id string) *storage.User {
	if u := p.s.user(id); u != nil {
		return &storage.User{ID: u.Subject, Username: u.Name, Password: Password}
	}
	return nil
}

// GetUserByUsername implements storage.UserStore.
func (p people) GetUserByUsername(name string) *storage.User {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	for _, u := range p.s.users {
		if u.Name == name {
			return &storage.User{ID: u.Subject, Username: u.Name, Password: Password}
		}
	}
	return nil
}
