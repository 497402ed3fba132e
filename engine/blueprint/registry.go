package blueprint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Registry finds modules that registries offer.
type Registry interface {
	// Versions lists what there is of a module, such as "namespace/name/aws", in
	// any order. It wraps ErrInvalid where the registry has no such module or
	// refuses to show it.
	Versions(ctx context.Context, host, module string) ([]string, error)
	// Locate gives the address that a version is fetched from: a git:: address, or
	// one of an archive.
	Locate(ctx context.Context, host, module, version string) (address string, err error)
	// Archive unpacks the archive at an address into the empty folder.
	Archive(ctx context.Context, address, into string) error
}

// RegistryHTTP speaks the protocols by which Terraform finds a registry and its
// modules. Sources: https://developer.hashicorp.com/terraform/internals/remote-service-discovery
// and https://developer.hashicorp.com/terraform/internals/module-registry-protocol.
type RegistryHTTP struct {
	Client *http.Client // nil for one that waits 30 s
	// Token gives the token for a host, empty for none; nil knows none.
	Token func(ctx context.Context, host string) (engine.Secret, error)

	mu    sync.Mutex
	found map[string]found // service addresses by host
}

type found struct {
	base  *url.URL
	until time.Time
}

// How long a registry's services are taken to be where they were found, and how
// much of an answer is read.
const (
	discoveryLife = time.Hour
	maxAnswer     = 4 << 20
)

// modulesService is what discovery calls the registry of modules.
const modulesService = "modules.v1"

// Versions implements Registry.
func (r *RegistryHTTP) Versions(ctx context.Context, host, module string) ([]string, error) {
	base, err := r.discover(ctx, host)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Modules []struct {
			Versions []struct {
				Version string `json:"version"`
			} `json:"versions"`
		} `json:"modules"`
	}
	if err := r.getJSON(ctx, host, base.JoinPath(module, "versions"), &answer); err != nil { // #nosec G125 -- registryRule lets no dots into a module
		return nil, fmt.Errorf("module %s of %s: %w", module, host, err)
	}
	var versions []string
	for _, m := range answer.Modules {
		for _, v := range m.Versions {
			versions = append(versions, v.Version)
		}
	}
	return versions, nil
}

// Locate implements Registry.
func (r *RegistryHTTP) Locate(ctx context.Context, host, module, version string) (string, error) {
	base, err := r.discover(ctx, host)
	if err != nil {
		return "", err
	}
	at := base.JoinPath(module, version, "download") // #nosec G125 -- as above, and a version is one that was parsed
	res, err := r.get(ctx, host, at)
	if err != nil {
		return "", fmt.Errorf("module %s %s of %s: %w", module, version, host, err)
	}
	defer res.Body.Close()
	address := res.Header.Get("X-Terraform-Get")
	if address == "" {
		var answer struct {
			Location string `json:"location"`
		}
		if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&answer); err != nil || answer.Location == "" {
			return "", engine.Invalid("the registry %s does not say where module %s %s is", host, module, version)
		}
		address = answer.Location
	}
	if strings.HasPrefix(address, "/") || strings.HasPrefix(address, "./") || strings.HasPrefix(address, "../") {
		u, err := at.Parse(address)
		if err != nil {
			return "", engine.Invalid("the registry %s names an address that is none: %v", host, err)
		}
		address = u.String()
	}
	return address, nil
}

// discover asks a host where its registry of modules is.
func (r *RegistryHTTP) discover(ctx context.Context, host string) (*url.URL, error) {
	r.mu.Lock()
	f, ok := r.found[host]
	r.mu.Unlock()
	if ok && time.Now().Before(f.until) {
		return f.base, nil
	}
	at := &url.URL{Scheme: "https", Host: host, Path: "/.well-known/terraform.json"}
	var services map[string]any
	if err := r.getJSON(ctx, host, at, &services); err != nil {
		return nil, fmt.Errorf("registry %s: %w", host, err)
	}
	text, ok := services[modulesService].(string)
	if !ok {
		return nil, engine.Invalid("%s is no registry of modules: %s does not name %s", host, at, modulesService)
	}
	base, err := at.Parse(text)
	if err != nil || base.Scheme != "https" {
		return nil, engine.Invalid("%s names %q as its registry of modules, which is no https address", host, text)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.found == nil {
		r.found = map[string]found{}
	}
	r.found[host] = found{base, time.Now().Add(discoveryLife)}
	return base, nil
}

func (r *RegistryHTTP) getJSON(ctx context.Context, host string, at *url.URL, to any) error {
	res, err := r.get(ctx, host, at)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(to); err != nil {
		return engine.Invalid("%s answers with something other than JSON", at)
	}
	return nil
}

// get asks for an address, with the token of the host where it is on that host.
func (r *RegistryHTTP) get(ctx context.Context, host string, at *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	if r.Token != nil && at.Host == host {
		token, err := r.Token(ctx, host)
		if err != nil {
			return nil, err
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token.Reveal())
		}
	}
	res, err := r.client().Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) && ctx.Err() == nil {
			return nil, engine.Invalid("%s cannot be reached: %v", at.Host, u.Err)
		}
		return nil, err
	}
	return res, r.accepted(res, host, at)
}

func (r *RegistryHTTP) accepted(res *http.Response, host string, at *url.URL) error {
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		return nil
	}
	res.Body.Close()
	switch res.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return engine.Invalid("%s refuses (%d): store a token for it, as credentials named %s with a value TOKEN", host, res.StatusCode, RegistryCredential(host))
	case http.StatusNotFound:
		return engine.Invalid("there is nothing at %s", at)
	}
	return engine.Invalid("%s answers %s", at.Host, res.Status)
}

// RegistryCredential is the name of the credentials that hold a host's token:
// written like the variables that Terraform reads tokens from, for a dot would
// end the name of a project. A host's name has no underscore.
func RegistryCredential(host string) string {
	return strings.NewReplacer(".", "_", ":", "__").Replace(host)
}

func (r *RegistryHTTP) client() *http.Client {
	if r.Client != nil {
		return r.Client
	}
	return &http.Client{Timeout: 30 * time.Second}
}

// Archive implements Registry.
func (r *RegistryHTTP) Archive(ctx context.Context, address, into string) error {
	at, err := url.Parse(address)
	if err != nil || at.Scheme != "https" {
		return engine.Invalid("%q is no https address of an archive", address)
	}
	kind := at.Query().Get("archive")
	q := at.Query()
	q.Del("archive")
	at.RawQuery = q.Encode()
	res, err := r.get(ctx, at.Host, at)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxArchive+1))
	if err != nil {
		return engine.Invalid("%s: the download is cut short: %v", at.Host, err)
	}
	if len(data) > maxArchive {
		return engine.Invalid("the archive of the module has more than %s", bytesText(maxArchive))
	}
	if kind == "zip" || kind == "" && strings.HasSuffix(at.Path, ".zip") {
		return unzip(data, into)
	}
	return untar(data, into)
}
