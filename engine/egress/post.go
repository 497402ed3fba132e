package egress

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Poster posts messages to addresses that users name.
type Poster struct {
	guard  *Guard
	client *http.Client
}

// Poster returns one that follows no redirect: a message is for whoever was named.
func (g *Guard) Poster() *Poster {
	c := g.Client(Limits{Timeout: 20 * time.Second, Body: 64 << 10})
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Poster{g, c}
}

// Check implements engine.Sender.
func (p *Poster) Check(u *url.URL) error { return p.guard.Check(u) }

// Post implements engine.Sender. What is answered is not read beyond what keeps
// the connection. An error says why nothing was answered, without the address,
// which may hold a token.
func (p *Poster) Post(ctx context.Context, address string, header map[string]string, body []byte) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, engine.Invalid("the address cannot be read")
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	req.Header.Set("User-Agent", "cloudops-webhook")
	res, err := p.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body) // the status says all
	return res.StatusCode, nil
}
