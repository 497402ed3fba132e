package terraform

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
)

// FuzzPlan holds that any plan is described, and that what is marked as
// sensitive as a whole is nowhere in it.
func FuzzPlan(f *testing.F) {
	f.Add([]byte(`{"before":{"a":1},"after":{"a":2,"l":[{"p":1}]},"after_unknown":{"b":true},"after_sensitive":{"p":true},"replace_paths":[["a"],["l",0,"p"]]}`))
	f.Add([]byte(`{"before":null,"after":[1,[2]],"after_unknown":[true],"before_sensitive":[],"after_sensitive":true}`))
	f.Add([]byte(`{"before":{"a":null},"after":"x","after_unknown":{"a":[{}]},"after_sensitive":[[true]],"replace_paths":[null,[null],[{}]]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c tfjson.Change
		if json.Unmarshal(data, &c) != nil {
			return
		}
		c.Actions = tfjson.Actions{tfjson.ActionUpdate}
		p := &tfjson.Plan{
			ResourceChanges: []*tfjson.ResourceChange{{Address: "b.a", Type: "b", Mode: tfjson.ManagedResourceMode, Change: &c}, {Address: "b.none"}},
			OutputChanges:   map[string]*tfjson.Change{"o": &c, "none": nil},
		}
		describe(p, nil)
		hidden := c
		hidden.Before, hidden.After = map[string]any{"a": "hush-hush"}, map[string]any{"a": "hush-hush", "b": c.After}
		hidden.BeforeSensitive, hidden.AfterSensitive = true, true
		p.ResourceChanges[0].Change, p.OutputChanges["o"] = &hidden, &hidden
		plan, _ := describe(p, nil)
		if b, _ := json.Marshal(plan); strings.Contains(string(b), "hush-hush") {
			t.Errorf("it shows what is sensitive: %s", b)
		}
	})
}

// FuzzMessages holds that whatever a tool prints comes out line by line.
func FuzzMessages(f *testing.F) {
	f.Add([]byte(`{"@message":"x","type":"planned_change"}` + "\n"))
	f.Add([]byte(`{"@message":"Error: x","type":"diagnostic","diagnostic":{"severity":"error","summary":"s","snippet":{"code":"c"},"range":{"filename":"f"}}}` + "\nrest"))
	f.Add([]byte("{\n\x00{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var out bytes.Buffer
		l := &listener{to: &out}
		for i := range data { // a byte at a time, then as it is
			_, _ = l.Write(data[i : i+1])
		}
		_, _ = l.Write(data)
		l.flush()
	})
}
