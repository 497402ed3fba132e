package terraform

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
			var d differ
			d.walk("", decode(t, tt.before), decode(t, tt.after), decode(t, tt.unknown), decode(t, tt.hideBefore), decode(t, tt.hideAfter))
			if diff := cmp.Diff(tt.want, d.found); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHideReplacesWhatIsMarkedAtEveryDepth(t *testing.T) {
	v := decode(t, `{"a":"s","b":{"c":["x","s"],"d":"x"},"e":[{"f":"s"}],"g":null}`)
	marks := decode(t, `{"a":true,"b":{"c":[false,true]},"e":[{"f":true}],"g":true}`)
	b, _ := json.Marshal(hide(v, marks))
	if strings.Contains(string(b), `"s"`) || strings.Count(string(b), hiddenValue) != 3 || strings.Count(string(b), `"x"`) != 2 {
		t.Errorf("hidden = %s", b)
	}
}
