package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// htmx 4.0.1 and its extension for server-sent events, both under the
// Zero-Clause BSD licence, are vendored beside our own files.
//
//go:embed static
var static embed.FS

// assets are the files beside the pages, by name.
type assets struct {
	files   map[string][]byte
	version string // of all of them together
}

// loadAssets reads the files once: they are few and small.
func loadAssets() (assets, error) {
	a := assets{files: map[string][]byte{}}
	entries, err := static.ReadDir("static")
	if err != nil {
		return a, err
	}
	sum := sha256.New()
	for _, e := range entries {
		data, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			return a, err
		}
		a.files[e.Name()] = data
		sum.Write(data)
	}
	a.version = hex.EncodeToString(sum.Sum(nil))[:12]
	return a, nil
}

// types are the kinds of file there are. They are named here because what a
// machine's own table says of .js differs.
var types = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".LICENSE": "text/plain; charset=utf-8",
}

// staticFile answers with a file. A page asks for it by version, so a browser
// may keep it for good.
func (p *Pages) staticFile(c *gin.Context) error {
	name := strings.TrimPrefix(c.Param("file"), "/")
	data, ok := p.assets.files[name]
	if !ok {
		return engine.NotFound("there is no file %s", name)
	}
	c.Header("Cache-Control", "public, max-age=3600")
	if c.Query("v") == p.assets.version {
		c.Header("Cache-Control", "public, max-age=31536000, immutable")
	}
	c.Data(http.StatusOK, types[path.Ext(name)], data)
	return nil
}

func (p *Pages) render(c *gin.Context, status int, page templ.Component) {
	c.Header("Content-Type", "text/html; charset=utf-8")
	c.Header("Cache-Control", "no-store")
	c.Status(status)
	if err := page.Render(c.Request.Context(), c.Writer); err != nil {
		p.Log.DebugContext(c, "page not sent", "err", err) // who asked has gone
	}
}

// frame is what every page has around it.
type frame struct {
	title   string
	path    string
	who     engine.Principal
	scope   engine.Scope // of what the page is about
	now     time.Time
	version string // of the files beside the pages
}

// may reports whether who looks may do something: with what the page is about,
// or, where that is nothing in particular, somewhere.
func (f frame) may(perm engine.Permission) bool {
	if f.scope == (engine.Scope{}) {
		return f.who.MayAnywhere(perm)
	}
	return f.who.May(perm, f.scope)
}

// file is the address of a file beside the pages.
func (f frame) file(name string) string { return "/static/" + name + "?v=" + f.version }

func (p *Pages) frame(c *gin.Context, title string) frame {
	return frame{title: title, path: c.Request.URL.Path, who: p.visitor(c), scope: engine.ScopeFrom(c.Request.Context()), now: p.Now(), version: p.assets.version}
}

// visitor finds out who looks, from the session itself where nobody was let
// in: a page that says "forbidden" knows its reader, too.
func (p *Pages) visitor(c *gin.Context) engine.Principal {
	ctx := c.Request.Context()
	who := engine.PrincipalFrom(ctx)
	cookie, err := c.Cookie(p.Cookie)
	if who.User != "" || err != nil || cookie == "" {
		return who
	}
	who, err = p.Access.BySession(ctx, engine.Secret(cookie))
	if err != nil {
		return engine.Principal{} // the page is shown as to anybody
	}
	return who
}

// current marks the entry of the main menu that a page belongs to.
func current(path, link string) bool {
	if link == "/" {
		return path == "/" || strings.HasPrefix(path, "/stacks")
	}
	return strings.HasPrefix(path, link)
}

func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// number shows a revision's number; 0 stands for none.
func number(n int) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprint(n)
}

// plural counts things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// since says how long ago t was, roughly. page.js says it in the same words.
func since(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case d < -2*time.Second:
		return "in " + roughly(-d)
	case d < 2*time.Second:
		return "just now"
	}
	return roughly(d) + " ago"
}

func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// took says how long something lasted, "" where it has not ended.
func took(from, to time.Time) string {
	if from.IsZero() || to.Before(from) {
		return ""
	}
	d := to.Sub(from)
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	if d < time.Hour {
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
