package terraform

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/cloudops-manager/cloudops/engine"
)

// describe turns a plan into what people read. Nothing sensitive is left in it;
// hidden is the SHA-256, in hex, of what was taken out of the changes.
func describe(p *tfjson.Plan, s secrets) (plan engine.Plan, hidden string) {
	left := sha256.New()
	for _, rc := range p.ResourceChanges {
		if c, ok := change(rc, s, left); ok {
			plan.Changes = append(plan.Changes, c)
		}
	}
	slices.SortStableFunc(plan.Changes, func(a, b engine.Change) int { return cmp.Compare(a.Subject, b.Subject) })
	for _, name := range slices.Sorted(maps.Keys(p.OutputChanges)) {
		if o, ok := outputChange(name, p.OutputChanges[name], s); ok {
			plan.Outputs = append(plan.Outputs, o)
		}
	}
	return plan, hex.EncodeToString(left.Sum(nil))
}

// action names what is done; false for nothing, and for data that is only read.
func action(a tfjson.Actions) (engine.Action, bool) {
	switch {
	case a.Replace():
		return engine.ActionReplace, true
	case a.Create():
		return engine.ActionCreate, true
	case a.Update():
		return engine.ActionUpdate, true
	case a.Delete():
		return engine.ActionDelete, true
	case a.Forget():
		return engine.ActionForget, true
	}
	return "", false
}

func change(rc *tfjson.ResourceChange, s secrets, left io.Writer) (engine.Change, bool) {
	if rc == nil || rc.Change == nil { // a plan of a Terraform that we do not know
		return engine.Change{}, false
	}
	act, ok := action(rc.Change.Actions)
	imported := rc.Change.Importing != nil
	if !ok && imported {
		act, ok = engine.ActionImport, true
	}
	if !ok || rc.Mode == tfjson.DataResourceMode {
		return engine.Change{}, false
	}
	d := differ{forces: forced(rc.Change.ReplacePaths, s), secrets: s, resource: rc.Address, left: left}
	d.walk("", rc.Change.Before, rc.Change.After, rc.Change.AfterUnknown, rc.Change.BeforeSensitive, rc.Change.AfterSensitive)
	subject := s.address(rc.Address)
	if subject != rc.Address {
		fmt.Fprintf(left, "%q\n", rc.Address)
	}
	return engine.Change{Subject: subject, Type: rc.Type, Action: act, Imported: imported,
		Reason: reasons[rc.ActionReason], Attributes: d.found}, true
}

// reasons words why Terraform means to do something, where that is not plain.
var reasons = map[tfjson.ActionReason]string{
	tfjson.ActionReasonReplaceBecauseTainted:         "an earlier run did not finish making it",
	tfjson.ActionReasonReplaceByRequest:              "its replacement was asked for",
	tfjson.ActionReasonReplaceByTriggers:             "something that it is replaced with changes",
	tfjson.ActionReasonDeleteBecauseNoResourceConfig: "it is no longer in the configuration",
	tfjson.ActionReasonDeleteBecauseNoModule:         "its module is no longer in the configuration",
	tfjson.ActionReasonDeleteBecauseNoMoveTarget:     "it was moved to where nothing is configured",
	tfjson.ActionReasonDeleteBecauseWrongRepetition:  "count or for_each was added or taken away",
	tfjson.ActionReasonDeleteBecauseCountIndex:       "its index is outside of count",
	tfjson.ActionReasonDeleteBecauseEachKey:          "its key is no longer in for_each",
}

// forced lists the paths that make a resource be replaced, as text.
func forced(paths []any, s secrets) map[string]bool {
	set := map[string]bool{}
	for _, p := range paths {
		steps, ok := p.([]any)
		if !ok {
			continue
		}
		path := ""
		for _, step := range steps {
			path = s.extend(path, step)
		}
		set[path] = true
	}
	return set
}

// differ collects the leaves in which two values differ.
type differ struct {
	forces   map[string]bool
	secrets  secrets
	resource string
	left     io.Writer // takes what is left out
	found    []engine.AttributeChange
}

// walk compares two values with what is unknown and sensitive of them. The
// marks have the shape of the values, with true for a whole part.
func (d *differ) walk(path string, before, after, unknown, hideBefore, hideAfter any) {
	if unknown == true || hideBefore == true || hideAfter == true {
		d.leaf(path, before, after, unknown == true, hideBefore == true || hideAfter == true)
		return
	}
	bm, bIsMap := before.(map[string]any)
	am, aIsMap := after.(map[string]any)
	if bIsMap && (aIsMap || after == nil) || aIsMap && before == nil {
		for _, key := range keys(bm, am, asMap(unknown)) {
			next := d.secrets.extend(path, key)
			if !strings.HasSuffix(next, key) {
				fmt.Fprintf(d.left, "%q %q %q\n", d.resource, path, key)
			}
			d.walk(next, bm[key], am[key], asMap(unknown)[key], asMap(hideBefore)[key], asMap(hideAfter)[key])
		}
		return
	}
	bl, bIsList := before.([]any)
	al, aIsList := after.([]any)
	if (bIsList || aIsList) && deep(bl, al) {
		for i := range max(len(bl), len(al)) {
			d.walk(d.secrets.extend(path, i), at(bl, i), at(al, i), at(asList(unknown), i), at(asList(hideBefore), i), at(asList(hideAfter), i))
		}
		return
	}
	if any := containsTrue(hideBefore) || containsTrue(hideAfter); any {
		d.leaf(path, before, after, false, true)
		return
	}
	d.leaf(path, before, after, containsTrue(unknown), false)
}

// leaf notes a difference at the end of a path.
func (d *differ) leaf(path string, before, after any, unknown, sensitive bool) {
	if !unknown && reflect.DeepEqual(before, after) {
		return
	}
	a := engine.AttributeChange{Path: path, Unknown: unknown, Forces: d.forces[path]}
	a.Before, a.After, a.Sensitive = d.secrets.shown(before, after, unknown, sensitive)
	if a.Sensitive {
		fmt.Fprintf(d.left, "%q %q %q %q\n", d.resource, path, raw(before), raw(after))
	}
	d.found = append(d.found, a)
}

// deep reports whether two lists are better read item by item: blocks are,
// lists of plain values are not.
func deep(lists ...[]any) bool {
	for _, list := range lists {
		for _, item := range list {
			switch item.(type) {
			case map[string]any, []any:
				return true
			}
		}
	}
	return false
}

func keys(maps_ ...map[string]any) []string {
	set := map[string]bool{}
	for _, m := range maps_ {
		for k := range m {
			set[k] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func asMap(v any) map[string]any { m, _ := v.(map[string]any); return m }

func asList(v any) []any { l, _ := v.([]any); return l }

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// containsTrue reports whether a mark stands anywhere in v.
func containsTrue(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case map[string]any:
		for _, item := range v {
			if containsTrue(item) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, containsTrue)
	}
	return false
}

// raw is v as JSON, or nil for an absent value.
func raw(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil // values come from JSON
	}
	return b
}

func outputChange(name string, c *tfjson.Change, s secrets) (engine.OutputChange, bool) {
	if c == nil {
		return engine.OutputChange{}, false
	}
	act, ok := action(c.Actions)
	if !ok {
		return engine.OutputChange{}, false
	}
	o := engine.OutputChange{Name: name, Action: act, Unknown: containsTrue(c.AfterUnknown)}
	marked := containsTrue(c.BeforeSensitive) || containsTrue(c.AfterSensitive)
	o.Before, o.After, o.Sensitive = s.shown(c.Before, c.After, o.Unknown, marked)
	return o, true
}

// outputs gives every output as it will be, as far as the plan knows.
func outputs(p *tfjson.Plan, s secrets) engine.Outputs {
	all := engine.Outputs{}
	for name, c := range p.OutputChanges {
		if c.Actions.Delete() {
			continue
		}
		o := engine.Output{Sensitive: containsTrue(c.AfterSensitive), Unknown: containsTrue(c.AfterUnknown)}
		if o.Unknown {
			o.From = madeFrom(p, name)
		} else {
			if o.Value = raw(c.After); o.Value == nil {
				o.Value = json.RawMessage("null")
			}
			o.Sensitive = o.Sensitive || s.in(o.Value)
		}
		all[name] = o
	}
	return all
}

// madeFrom names what an output of the root module is made from, as far as that
// is written there: attributes of resources and outputs of modules.
func madeFrom(p *tfjson.Plan, output string) (names []string) {
	if p.Config == nil || p.Config.RootModule == nil || p.Config.RootModule.Outputs[output] == nil {
		return nil
	}
	e := p.Config.RootModule.Outputs[output].Expression
	if e == nil || e.ExpressionData == nil {
		return nil
	}
	for _, ref := range e.References {
		root, _, _ := strings.Cut(ref, ".")
		inner := slices.ContainsFunc(e.References, func(o string) bool { return strings.HasPrefix(o, ref+".") || strings.HasPrefix(o, ref+"[") })
		if !inner && !slices.Contains([]string{"var", "local", "path", "terraform"}, root) && !slices.Contains(names, ref) {
			names = append(names, ref)
		}
	}
	return names
}
