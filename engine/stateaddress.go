package engine

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// resourceAddress is the address of a resource, of one instance of it, or of a
// module with all that is in it, as Terraform writes them:
// module.a["k"].data.aws_x.y[0]. Source:
// https://developer.hashicorp.com/terraform/cli/state/resource-addressing.
type resourceAddress struct {
	module string // module.a["k"].module.b; empty for the root
	mode   string // managed or data; empty where a whole module is meant
	kind   string // aws_x
	name   string
	key    string // with its brackets; empty for all instances
}

var addressRule = sync.OnceValue(func() *regexp.Regexp {
	const key = `(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])`
	const name = `[A-Za-z_][\w-]*`
	return regexp.MustCompile(`^((?:module\.` + name + key + `?(?:\.|$))*)(?:(data\.)?(` + name + `)\.(` + name + `)(` + key + `)?)?$`)
})

func parseAddress(text string) (resourceAddress, error) {
	m := addressRule().FindStringSubmatch(text)
	inside := m != nil && (m[1] == "" || strings.HasSuffix(m[1], ".")) // of a module, or the root
	if m == nil || text == "" || inside != (m[3] != "") || m[3] == "data" || m[3] == "module" {
		return resourceAddress{}, Invalid("%q is no address; write one such as aws_instance.this[0], module.web or module.web.aws_instance.this", text)
	}
	a := resourceAddress{module: strings.TrimSuffix(m[1], "."), kind: m[3], name: m[4], key: m[5]}
	switch {
	case a.kind == "":
	case m[2] != "":
		a.mode = "data"
	default:
		a.mode = "managed"
	}
	return a, nil
}

// all is the address without an instance's key.
func (a resourceAddress) all() string {
	if a.mode == "" {
		return a.module
	}
	text := a.kind + "." + a.name
	if a.mode == "data" {
		text = "data." + text
	}
	return strings.TrimPrefix(a.module+"."+text, ".")
}

func (a resourceAddress) String() string { return a.all() + a.key }

// holds reports whether a module is the one that a names, or inside of it.
func (a resourceAddress) holds(module string) bool {
	return module == a.module || strings.HasPrefix(module, a.module+".")
}

// stateResource is a resource in a state. What the engine has no use for stays
// as it is.
type stateResource map[string]json.RawMessage

// text reads a field that is a text.
func (r stateResource) text(name string) (v string) {
	_ = json.Unmarshal(r[name], &v) // absent, or no text: none
	return v
}

func (r stateResource) address() resourceAddress {
	return resourceAddress{module: r.text("module"), mode: r.text("mode"), kind: r.text("type"), name: r.text("name")}
}

// place gives the resource another address.
func (r stateResource) place(a resourceAddress) {
	r.set("module", a.module)
	r.set("mode", a.mode)
	r.set("type", a.kind)
	r.set("name", a.name)
	if a.module == "" {
		delete(r, "module")
	}
}

func (r stateResource) set(name, value string) { r[name] = strconv.AppendQuote(nil, value) }

func (r stateResource) instances() (list []stateResource) {
	_ = json.Unmarshal(r["instances"], &list) // absent: none
	return list
}

func (r stateResource) keep(list []stateResource) error {
	b, err := json.Marshal(list)
	r["instances"] = b
	return err
}

// instanceKey is the key of an instance as addresses have it.
func (r stateResource) instanceKey() string {
	if raw, ok := r["index_key"]; ok {
		return "[" + string(raw) + "]"
	}
	return ""
}
