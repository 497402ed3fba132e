// Package amazon calls those services of AWS that speak JSON 1.1, each with a
// signature of version 4. The SDK finds and renews credentials and signs; its
// clients of single services would make the program several times larger.
package amazon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/cloudops-manager/cloudops/engine/rest"
)

// Client calls one service in one region.
type Client struct {
	Service     string // as signatures name it, such as "secretsmanager"
	Region      string
	Endpoint    string // URL; empty for that of the region
	Credentials aws.CredentialsProvider
	HTTP        *http.Client
}

var regionRule = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$`) })

// CheckRegion refuses what cannot be a region: it becomes part of an address.
func CheckRegion(region string) error {
	if !regionRule().MatchString(region) {
		return fmt.Errorf("%q is no region of AWS, such as eu-west-1", region)
	}
	return nil
}

func (c *Client) endpoint() string {
	if c.Endpoint != "" {
		return strings.TrimSuffix(c.Endpoint, "/") + "/"
	}
	domain := "amazonaws.com"
	if strings.HasPrefix(c.Region, "cn-") {
		domain = "amazonaws.com.cn"
	}
	return fmt.Sprintf("https://%s.%s.%s/", c.Service, c.Region, domain)
}

// Call makes one call; target is such as "TrentService.Encrypt". What AWS says
// against it is an *Error. Source:
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html.
func (c *Client) Call(ctx context.Context, target string, in, out any) error {
	err := rest.Call(ctx, c.HTTP, rest.Request{
		Method: http.MethodPost, URL: c.endpoint(), Body: in,
		Header:  http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {target}},
		Prepare: func(r *http.Request, body []byte) error { return c.sign(ctx, r, body) },
	}, out)
	var status *rest.StatusError
	if errors.As(err, &status) {
		return errorOf(status)
	}
	return err
}

func (c *Client) sign(ctx context.Context, r *http.Request, body []byte) error {
	keys, err := c.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("no credentials of AWS: %w", err)
	}
	sum := sha256.Sum256(body)
	return v4.NewSigner().SignHTTP(ctx, keys, r, hex.EncodeToString(sum[:]), c.Service, c.Region, time.Now())
}

// Error is what AWS says against a call.
type Error struct {
	Status  int
	Code    string // "AccessDeniedException"
	Message string
}

func (e *Error) Error() string { return strings.TrimSuffix(e.Code+": "+e.Message, ": ") }

func errorOf(s *rest.StatusError) error {
	var said struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
		Upper   string `json:"Message"`
	}
	if json.Unmarshal(s.Body, &said) != nil || said.Type == "" {
		return s
	}
	code := said.Type[strings.LastIndexByte(said.Type, '#')+1:]
	if said.Message == "" {
		said.Message = said.Upper
	}
	return &Error{Status: s.Status, Code: code, Message: said.Message}
}
