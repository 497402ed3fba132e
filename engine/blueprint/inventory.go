package blueprint

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/cloudops-manager/cloudops/engine"
)

const hostsForm = `hosts is a list of { name, address, user, port, vars, resource, host_keys } of which name and address are needed`

// hostsOf reads the hosts of a group. Parts that are not known yet are left
// empty.
func hostsOf(v cty.Value) ([]engine.Host, error) {
	v, marks := v.UnmarkDeepWithPaths()
	if slices.ContainsFunc(marks, func(m cty.PathValueMarks) bool { return isKept(m.Marks) && !withinVars(m.Path) }) {
		return nil, errors.New("a secret that is kept elsewhere can be in the vars of a host only: who a host is, is stored and shown to everybody who sees the stack")
	}
	if !v.IsKnown() {
		return nil, nil
	}
	if v.IsNull() {
		return nil, errors.New("its hosts are null; " + hostsForm)
	}
	t := v.Type()
	if !t.IsListType() && !t.IsTupleType() && !t.IsSetType() {
		return nil, errors.New(hostsForm)
	}
	var hosts []engine.Host
	for it := v.ElementIterator(); it.Next(); {
		_, element := it.Element()
		h, err := hostOf(element)
		if err != nil {
			return nil, fmt.Errorf("hosts[%d] %w", len(hosts), err)
		}
		if slices.ContainsFunc(hosts, func(o engine.Host) bool { return h.Name != "" && o.Name == h.Name }) {
			return nil, fmt.Errorf("hosts[%d] has the name %q, which another host has already", len(hosts), h.Name)
		}
		hosts = append(hosts, h)
	}
	return hosts, nil
}

// withinVars reports whether a path into hosts leads into the vars of one.
func withinVars(path cty.Path) bool {
	if len(path) < 2 {
		return false
	}
	switch step := path[1].(type) {
	case cty.GetAttrStep:
		return step.Name == "vars"
	case cty.IndexStep:
		return step.Key.Type() == cty.String && step.Key.AsString() == "vars"
	}
	return false
}

func hostOf(v cty.Value) (h engine.Host, err error) {
	switch {
	case !v.IsKnown():
		return h, nil
	case !v.IsNull() && v.Type() == cty.String:
		return engine.Host{Name: v.AsString(), Address: v.AsString()}, nil
	case v.IsNull() || !v.Type().IsObjectType() && !v.Type().IsMapType():
		return h, errors.New("is no host; " + hostsForm)
	}
	f := fields{of: v.AsValueMap()}
	h.Name, h.Address = f.text("name"), f.text("address")
	h.User, h.Resource = f.text("user"), f.text("resource")
	h.Port, h.Vars, h.HostKeys = f.port(), f.vars(), f.hostKeys()
	switch {
	case f.err != nil:
		return h, f.err
	case h.Name == "" && f.settled("name"):
		return h, errors.New("has no name; " + hostsForm)
	case h.Address == "" && f.settled("address"):
		return h, fmt.Errorf("(%s) has no address; %s", h.Name, hostsForm)
	}
	return h, nil
}

// fields reads the attributes of a host and keeps the first mistake.
type fields struct {
	of  map[string]cty.Value
	err error
}

// settled reports whether the attribute will not become known later.
func (f *fields) settled(name string) bool {
	v, ok := f.of[name]
	return !ok || v.IsKnown()
}

// get returns an attribute that is there, known and of the type.
func (f *fields) get(name string, kind cty.Type, what string) (cty.Value, bool) {
	v, ok := f.of[name]
	if !ok || !v.IsKnown() || v.IsNull() {
		return cty.NilVal, false
	}
	fit, err := convert.Convert(v, kind)
	if err != nil && f.err == nil {
		f.err = fmt.Errorf("has a %s that is not %s", name, what)
	}
	return fit, err == nil
}

func (f *fields) text(name string) string {
	v, ok := f.get(name, cty.String, "a text")
	if !ok {
		return ""
	}
	return v.AsString()
}

func (f *fields) port() int {
	v, ok := f.get("port", cty.Number, "a number")
	if !ok {
		return 0
	}
	n, exact := v.AsBigFloat().Int64()
	if (exact != big.Exact || n < 1 || n > 65535) && f.err == nil {
		f.err = errors.New("has a port that is not from 1 to 65535")
	}
	return int(n)
}

// hostKeys reads public keys as OpenSSH writes them. A comment is dropped.
func (f *fields) hostKeys() (keys []string) {
	v, ok := f.get("host_keys", cty.List(cty.String), "a list of public keys")
	if !ok || !v.IsWhollyKnown() {
		return nil
	}
	for _, element := range v.AsValueSlice() {
		var words []string
		if !element.IsNull() {
			words = strings.Fields(element.AsString())
		}
		if len(words) < 2 || !keyKind().MatchString(words[0]) || !keyBody().MatchString(words[1]) {
			if f.err == nil {
				f.err = errors.New(`has a host key that is none; write it as OpenSSH does, as in "ssh-ed25519 AAAA..."`)
			}
			return nil
		}
		keys = append(keys, words[0]+" "+words[1])
	}
	return keys
}

var (
	keyKind = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(ssh|ecdsa|sk)-[a-z0-9@.-]+$`) })
	keyBody = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9+/]+={0,3}$`) })
)

func (f *fields) vars() map[string]json.RawMessage {
	v, ok := f.get("vars", cty.DynamicPseudoType, "a map")
	if !ok {
		return nil
	}
	if !v.Type().IsObjectType() && !v.Type().IsMapType() {
		f.err = errors.New("has vars that are not a map")
		return nil
	}
	vars := map[string]json.RawMessage{}
	values := v.AsValueMap()
	for _, name := range sortedKeys(values) {
		text, err := toJSON(values[name])
		if err != nil {
			continue
		}
		if problem := unpins(name, text); problem != "" && f.err == nil {
			f.err = fmt.Errorf("has a variable that it may not have: %s", problem)
		}
		vars[name] = text
	}
	return vars
}
