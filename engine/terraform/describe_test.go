package terraform

import (
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/cloudops-manager/cloudops/engine"
)

func decode(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDifferencesOfAChange(t *testing.T) {
	tests := map[string]struct {
		before, after, unknown, hideBefore, hideAfter string
		want                                          []engine.AttributeChange
	}{
		"a changed attribute": {`{"a":1,"b":2}`, `{"a":1,"b":3}`, `{}`, `{}`, `{}`,
			[]engine.AttributeChange{{Path: "b", Before: json.RawMessage("2"), After: json.RawMessage("3")}}},
		"a tag within a map": {`{"tags":{"x":"1"}}`, `{"tags":{"x":"2","y":"3"}}`, `{}`, `{}`, `{}`,
			[]engine.AttributeChange{{Path: "tags.x", Before: json.RawMessage(`"1"`), After: json.RawMessage(`"2"`)}, {Path: "tags.y", After: json.RawMessage(`"3"`)}}},
		"known after apply": {`{"id":"a"}`, `{}`, `{"id":true}`, `{}`, `{}`,
			[]engine.AttributeChange{{Path: "id", Before: json.RawMessage(`"a"`), Unknown: true}}},
		"a sensitive attribute shows nothing": {`{"p":"old"}`, `{"p":"new"}`, `{}`, `{"p":true}`, `{"p":true}`,
			[]engine.AttributeChange{{Path: "p", Sensitive: true}}},
		"a sensitive item in a list of plain values hides the list": {`{"l":["a","s1"]}`, `{"l":["a","s2"]}`, `{}`, `{}`, `{"l":[false,true]}`,
			[]engine.AttributeChange{{Path: "l", Sensitive: true}}},
		"blocks item by item": {`{"rule":[{"port":80}]}`, `{"rule":[{"port":81}]}`, `{}`, `{}`, `{}`,
			[]engine.AttributeChange{{Path: "rule[0].port", Before: json.RawMessage("80"), After: json.RawMessage("81")}}},
		"a resource that is new": {`null`, `{"a":"x","b":null}`, `{"id":true}`, `false`, `{}`,
			[]engine.AttributeChange{{Path: "a", After: json.RawMessage(`"x"`)}, {Path: "id", Unknown: true}}},
		"all of it sensitive": {`null`, `{"a":"x"}`, `{}`, `false`, `true`, []engine.AttributeChange{{Sensitive: true}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := differ{left: io.Discard}
			d.walk("", decode(t, tt.before), decode(t, tt.after), decode(t, tt.unknown), decode(t, tt.hideBefore), decode(t, tt.hideAfter))
			if diff := cmp.Diff(tt.want, d.found); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlanIsDescribedForPeople(t *testing.T) {
	const resources = `"resource_changes":[
		{"address":"b.new","type":"b","mode":"managed","change":{"actions":["create"],"before":null,"after":{"n":12345678901234567890}}},
		{"address":"b.same","type":"b","mode":"managed","change":{"actions":["no-op"],"before":{"n":1},"after":{"n":1}}},
		{"address":"data.b.read","type":"b","mode":"data","change":{"actions":["read"],"before":null,"after":{}}},
		{"address":"a.old","type":"a","mode":"managed","action_reason":"delete_because_no_resource_config","change":{"actions":["delete"],"before":{"n":1},"after":null}},
		{"address":"a.swap","type":"a","mode":"managed","change":{"actions":["create","delete"],"before":{"l":[{"k":1}]},"after":{"l":[{"k":2}]},"replace_paths":[["l",0,"k"]]}},
		{"address":"a.tainted","type":"a","mode":"managed","action_reason":"replace_because_tainted","change":{"actions":["delete","create"],"before":{},"after":{}}},
		{"address":"a.left","type":"a","mode":"managed","change":{"actions":["forget"],"before":{"n":1},"after":null}},
		{"address":"a.adopted","type":"a","mode":"managed","change":{"actions":["no-op"],"before":{"n":1},"after":{"n":1},"importing":{"id":"i"}}}]`
	const outputs = `"output_changes":{"same":{"actions":["no-op"],"before":1,"after":1},"gone":{"actions":["delete"],"before":1,"after":null},"later":{"actions":["update"],"before":1,"after_unknown":true}}`
	var p tfjson.Plan
	p.UseJSONNumber(true)
	if err := p.UnmarshalJSON([]byte(`{"format_version":"1.2",` + resources + "," + outputs + "}")); err != nil {
		t.Fatal(err)
	}
	number := func(text string) json.RawMessage { return json.RawMessage(text) }
	want := engine.Plan{
		Changes: []engine.Change{
			{Subject: "a.adopted", Type: "a", Action: engine.ActionImport, Imported: true},
			{Subject: "a.left", Type: "a", Action: engine.ActionForget, Attributes: []engine.AttributeChange{{Path: "n", Before: number("1")}}},
			{Subject: "a.old", Type: "a", Action: engine.ActionDelete, Reason: "it is no longer in the configuration",
				Attributes: []engine.AttributeChange{{Path: "n", Before: number("1")}}},
			{Subject: "a.swap", Type: "a", Action: engine.ActionReplace,
				Attributes: []engine.AttributeChange{{Path: "l[0].k", Before: number("1"), After: number("2"), Forces: true}}},
			{Subject: "a.tainted", Type: "a", Action: engine.ActionReplace, Reason: "an earlier run did not finish making it"},
			{Subject: "b.new", Type: "b", Action: engine.ActionCreate, Attributes: []engine.AttributeChange{{Path: "n", After: number("12345678901234567890")}}},
		},
		Outputs: []engine.OutputChange{
			{Name: "gone", Action: engine.ActionDelete, Before: number("1")},
			{Name: "later", Action: engine.ActionUpdate, Before: number("1"), Unknown: true},
		},
	}
	plan, _ := describe(&p, nil)
	if diff := cmp.Diff(want, plan); diff != "" {
		t.Error(diff)
	}
}

// A plan with another password looks the same, and is not the one approved.
func TestPlansDifferInWhatTheyHide(t *testing.T) {
	hidden := func(password string, marked bool) string {
		var p tfjson.Plan
		change := fmt.Sprintf(`{"actions":["update"],"before":{"p":"old"},"after":{"p":%q},"after_sensitive":{"p":%t}}`, password, marked)
		if err := p.UnmarshalJSON([]byte(`{"format_version":"1.2","resource_changes":[{"address":"a.db","type":"a","mode":"managed","change":` + change + `}]}`)); err != nil {
			t.Fatal(err)
		}
		plan, hidden := describe(&p, secrets{"taken in"})
		if shown := fmt.Sprintf("%s", plan.Changes[0].Attributes[0].After); shown != "" {
			t.Errorf("shows %s", shown)
		}
		return hidden
	}
	if hidden("one", true) == hidden("two", true) || hidden("taken in 1", false) == hidden("taken in 2", false) {
		t.Error("another secret makes no difference")
	}
	if hidden("one", true) != hidden("one", true) {
		t.Error("the same secret makes a difference")
	}
}
