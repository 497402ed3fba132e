package api

import (
	"context"
	"embed"
	"io/fs"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// The page that shows the API is swagger-ui-dist 5.35, Apache-2.0.
//
//go:embed docs
var docsFiles embed.FS

func (s *server) docsRoutes(router *gin.Engine) {
	for _, name := range []string{"index.html", "start.js", "swagger-ui-bundle.js", "swagger-ui.css"} {
		path := "/docs/" + name
		if name == "index.html" {
			path = "/docs"
		}
		s.permissions["GET "+path] = public
		router.GET(path, func(c *gin.Context) { serveDoc(c, name) })
	}
}

func serveDoc(c *gin.Context, name string) {
	files, err := fs.Sub(docsFiles, "docs")
	if err != nil {
		c.Status(http.StatusInternalServerError)
		return
	}
	if name == "index.html" {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			c.Status(http.StatusInternalServerError)
			return
		}
		c.Data(http.StatusOK, "text/html; charset=utf-8", b)
		return
	}
	c.Header("Cache-Control", "public, max-age=3600")
	c.FileFromFS(name, http.FS(files))
}

// health is an answer of the checks.
type health struct {
	Status string `json:"status"`
}

func (s *server) healthRoutes() {
	handle(s, operation{method: "GET", path: "/healthz", id: "health", summary: "Whether the process is up", tag: "health"},
		func(context.Context, *none) (*body[health], error) { return answer(health{"ok"}, nil) })
	handle(s, operation{method: "GET", path: "/readyz", id: "ready", summary: "Whether requests can be answered", tag: "health"},
		func(ctx context.Context, _ *none) (*body[health], error) {
			if err := s.Ready(ctx); err != nil {
				s.Log.WarnContext(ctx, "not ready", "err", err)
				return nil, problemOf(http.StatusServiceUnavailable, "a database does not answer")
			}
			return answer(health{"ready"}, nil)
		})
}

// ginPath is a path as gin writes it: /v1/stacks/{stack} is /v1/stacks/:stack.
func ginPath(path string) string {
	out := make([]byte, 0, len(path))
	for i := range len(path) {
		switch path[i] {
		case '{':
			out = append(out, ':')
		case '}':
		default:
			out = append(out, path[i])
		}
	}
	return string(out)
}

// me is who asks.
func me(ctx context.Context) engine.Principal { return engine.PrincipalFrom(ctx) }
