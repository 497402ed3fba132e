package web_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/cloudops-manager/cloudops/engine"
)

// hostile is what would be a script, a handler or a line of its own, were it not
// escaped.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>` + "\x1b[2J\r\n"

// TestPagesHoldNothingThatThePolicyForbids walks the pages as a browser reads
// them, with texts on them that somebody means harm with.
func TestPagesHoldNothingThatThePolicyForbids(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.planShop()
	s.print(run.Steps[0], "terraform says "+hostile+"\n")
	_, err := s.runs.Start(t.Context(), principal(engine.RoleAdmin), engine.StartRequest{Stack: "shop", Kind: engine.RunPreview, Message: hostile})
	ok(t, err)
	b := s.browser(engine.RoleAdmin)
	seen := 0
	for todo, done := []string{"/", "/login", "/none?" + hostile[:2], "/runs?status=x"}, map[string]bool{}; len(todo) > 0; todo = todo[1:] {
		path := todo[0]
		if done[path] || strings.HasSuffix(path, "/live") {
			continue
		}
		done[path] = true
		doc := b.read(path)
		seen++
		for _, fault := range faults(doc) {
			t.Errorf("%s: %s", path, fault)
		}
		for _, link := range links(doc) {
			if strings.HasPrefix(link, "/") && !strings.HasPrefix(link, "/docs") && !strings.HasPrefix(link, "/static") && !strings.HasPrefix(link, "/v1") && len(done) < 60 {
				todo = append(todo, link)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d pages are looked at", seen)
	}
}

// read gets a page, whatever its status.
func (b *browser) read(path string) *html.Node {
	b.s.t.Helper()
	req, err := http.NewRequestWithContext(b.s.t.Context(), "GET", b.s.url+strings.ReplaceAll(path, " ", "%20"), nil)
	ok(b.s.t, err)
	req.Header.Set("Accept", "text/html")
	res, err := b.client.Do(req)
	ok(b.s.t, err)
	defer res.Body.Close()
	doc, err := html.Parse(res.Body)
	ok(b.s.t, err)
	return doc
}

// faults lists what a strict policy would not run, or should not have to stop.
func faults(doc *html.Node) (found []string) {
	for n := range doc.Descendants() {
		switch {
		case n.Type != html.ElementNode:
			continue
		case n.Data == "style", n.Data == "iframe", n.Data == "object", n.Data == "embed", n.Data == "base":
			found = append(found, "an element "+n.Data)
		case n.Data == "script" && (attribute(n, "src") == "" || n.FirstChild != nil):
			found = append(found, "a script within the page")
		case slices.Contains([]string{"input", "select", "textarea"}, n.Data) && attribute(n, "type") != "hidden" && !labelled(doc, n):
			found = append(found, "nothing says what "+n.Data+" "+attribute(n, "name")+" is for")
		case n.Data == "input" && len(attribute(n, "placeholder")) > width(n):
			found = append(found, "of input "+attribute(n, "name")+" the placeholder is cut off")
		}
		for _, a := range n.Attr {
			value := strings.ToLower(strings.TrimSpace(a.Val))
			if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") || a.Key == "style" || a.Key == "srcdoc" ||
				strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "js:") {
				found = append(found, n.Data+" with "+a.Key+"="+a.Val)
			}
		}
	}
	return found
}

// labelled reports whether people see what an input is for: by a label around it
// or elsewhere, but for searches and texts, which have a button or heading beside them.
func labelled(doc, n *html.Node) bool {
	for p := range n.Ancestors() {
		if p.Data == "label" {
			return true
		}
	}
	for l := range doc.Descendants() {
		if l.Data == "label" && attribute(l, "for") != "" && attribute(l, "for") == attribute(n, "id") {
			return true
		}
	}
	return (attribute(n, "type") == "search" || n.Data == "textarea") && attribute(n, "aria-label") != ""
}

// width is how many letters an input shows.
func width(n *html.Node) int {
	if size, err := strconv.Atoi(attribute(n, "size")); err == nil {
		return size
	}
	return 20
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func links(doc *html.Node) (found []string) {
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "a" {
			found = append(found, attribute(n, "href"))
		}
	}
	return found
}
