// Package hashivault calls a HashiCorp Vault, or an OpenBao, over its HTTP API
// with a token, which an agent may renew in a file.
// Source: https://developer.hashicorp.com/vault/api-docs.
package hashivault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/cloudops-manager/cloudops/engine/rest"
)

// Client calls one Vault.
type Client struct {
	Address   string // URL
	Namespace string // empty for the root namespace
	Token     string // instead of TokenFile
	TokenFile string // read before each call
	HTTP      *http.Client
}

// FromEnvironment is the Vault that VAULT_ADDR, VAULT_NAMESPACE, VAULT_CACERT
// and VAULT_TOKEN name, or the file that VAULT_TOKEN_FILE names, or ~/.vault-token.
func FromEnvironment(getenv func(string) string) (*Client, error) {
	c := &Client{Address: getenv("VAULT_ADDR"), Namespace: getenv("VAULT_NAMESPACE"), Token: getenv("VAULT_TOKEN"), TokenFile: getenv("VAULT_TOKEN_FILE")}
	if c.Token == "" && c.TokenFile == "" {
		c.TokenFile = filepath.Join(getenv("HOME"), ".vault-token")
	}
	return c, c.Open(getenv("VAULT_CACERT"))
}

// Open checks the address, and trusts the certificates in a file where one is named.
func (c *Client) Open(certificates string) error {
	u, err := url.Parse(c.Address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("the address of Vault is not a URL such as https://vault.internal:8200; set VAULT_ADDR")
	}
	c.HTTP = rest.NewClient()
	if certificates == "" {
		return nil
	}
	pem, err := os.ReadFile(certificates)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate", certificates)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	c.HTTP.Transport = transport
	return nil
}

// Call makes one call; what it gives as data is read into out.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) error {
	token, err := c.token()
	if err != nil {
		return err
	}
	header := http.Header{"X-Vault-Token": {token}, "X-Vault-Request": {"true"}}
	if c.Namespace != "" {
		header.Set("X-Vault-Namespace", c.Namespace)
	}
	answer := struct {
		Data any `json:"data"`
	}{out}
	err = rest.Call(ctx, c.HTTP, rest.Request{Method: method, URL: strings.TrimSuffix(c.Address, "/") + "/v1/" + path, Header: header, Body: in}, &answer)
	var status *rest.StatusError
	if errors.As(err, &status) {
		return &Error{Status: status.Status, Messages: messages(status.Body)}
	}
	return err
}

func (c *Client) token() (string, error) {
	if c.Token != "" {
		return c.Token, nil
	}
	b, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return "", fmt.Errorf("no token for Vault: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// Error is what Vault says against a call.
type Error struct {
	Status   int
	Messages []string
}

func (e *Error) Error() string {
	return strings.Join(append([]string{fmt.Sprintf("Vault answers with %d %s", e.Status, http.StatusText(e.Status))}, e.Messages...), ": ")
}

func messages(body []byte) []string {
	var said struct {
		Errors []string `json:"errors"`
	}
	if json.Unmarshal(body, &said) != nil {
		return nil
	}
	return said.Errors
}
