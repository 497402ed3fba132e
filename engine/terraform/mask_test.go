package terraform

import (
	"encoding/json"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestHideReplacesWhatIsMarkedAtEveryDepth(t *testing.T) {
	v := decode(t, `{"a":"s","b":{"c":["x","s"],"d":"x"},"e":[{"f":"s"}],"g":null}`)
	marks := decode(t, `{"a":true,"b":{"c":[false,true]},"e":[{"f":true}],"g":true}`)
	b, _ := json.Marshal(hide(v, marks))
	if strings.Contains(string(b), `"s"`) || strings.Count(string(b), hiddenValue) != 3 || strings.Count(string(b), `"x"`) != 2 {
		t.Errorf("hidden = %s", b)
	}
}

func TestMaskedPlanShowsNothingSensitive(t *testing.T) {
	const change = `{"actions":["update"],"before":{"p":"s3cret","q":"plain"},"after":{"p":"s3cret","q":"plain"},"before_sensitive":{"p":true},"after_sensitive":{"p":true}}`
	const values = `{"outputs":{"o":{"sensitive":true,"value":"s3cret"},"v":{"sensitive":false,"value":"plain"}},"root_module":{
		"resources":[{"address":"a","values":{"p":"s3cret","q":"plain"},"sensitive_values":{"p":true}}],
		"child_modules":[{"resources":[{"address":"b","values":{"p":["s3cret"]},"sensitive_values":{"p":[true]}}]}]}}`
	tests := map[string]string{
		"a change":                      `"resource_changes":[{"address":"a","change":` + change + `}]`,
		"what drifted":                  `"resource_drift":[{"address":"a","change":` + change + `}]`,
		"a change that is put off":      `"deferred_changes":[{"resource_change":{"address":"a","change":` + change + `}}]`,
		"an action":                     `"action_invocations":[{"config_values":{"p":"s3cret","q":"plain"},"config_sensitive":{"p":true}}]`,
		"an output":                     `"output_changes":{"o":{"actions":["create"],"after":"s3cret","after_sensitive":true},"v":{"actions":["create"],"after":"plain"}}`,
		"planned values":                `"planned_values":` + values,
		"the state before":              `"prior_state":{"format_version":"1.0","values":` + values + `}`,
		"a variable and its default":    `"variables":{"p":{"value":"s3cret"},"q":{"value":"plain"}},"configuration":{"root_module":{"variables":{"p":{"sensitive":true,"default":"s3cret"},"q":{}}}}`,
		"a default in a module":         `"variables":{},"configuration":{"root_module":{"module_calls":{"m":{"module":{"variables":{"p":{"sensitive":true,"default":"s3cret"},"q":{"default":"plain"}}}}}}}`,
		"a secret that is not marked":   `"output_changes":{"o":{"actions":["create"],"after":"has hunter2 \"quoted\" in it"},"v":{"actions":["create"],"after":"plain"}}`,
		"a number that is secret":       `"planned_values":{"outputs":{"o":{"value":{"pin":47110815,"other":147110815}},"v":{"value":"plain"}}}`,
		"a secret in base64":            `"output_changes":{"o":{"actions":["create"],"after":"aHVudGVyMiAicXVvdGVkIg=="},"v":{"actions":["create"],"after":"plain"}}`,
		"a secret in a list of a value": `"planned_values":{"outputs":{"o":{"value":[{"k":["hunter2 \"quoted\""]}]},"v":{"value":"plain"}}}`,
	}
	for name, part := range tests {
		t.Run(name, func(t *testing.T) {
			var p tfjson.Plan
			if err := json.Unmarshal([]byte(`{"format_version":"1.2","terraform_version":"1.11.4",`+part+`}`), &p); err != nil {
				t.Fatal(err)
			}
			b, err := masked(&p, secretsOf(&engine.Job{Mask: []string{`hunter2 "quoted"`, "abc", "47110815"}}))
			if err != nil || strings.Contains(string(b), "s3cret") || strings.Contains(string(b), "hunter2") || strings.Contains(string(b), "aHVudGVyM") || strings.Contains(string(b), ":47110815") {
				t.Errorf("masked = %s, %v", b, err)
			}
			if !strings.Contains(string(b), hiddenValue) || !strings.Contains(string(b), `"plain"`) {
				t.Errorf("masked = %s", b)
			}
		})
	}
}

func TestSecretInAKeyIsShownNowhere(t *testing.T) {
	s := secretsOf(&engine.Job{Mask: []string{"hunter2-secret", `a "b" <c>`, "encrypted", "hunter2"}})
	const doc = `{"format_version":"1.2","terraform_version":"1.11.4","resource_changes":[{"address":"x.y[\"hunter2-secret\"]","type":"x","index":"hunter2-secret",
		"change":{"actions":["create"],"after":{"input":{"hunter2-secret":"plain"},"tags":{"a \"b\" <c>":"plain"},"encrypted":false}}}]}`
	var p tfjson.Plan
	if err := json.Unmarshal([]byte(doc), &p); err != nil {
		t.Fatal(err)
	}
	plan, left := describe(&p, s)
	b, err := masked(&p, s)
	for name, text := range map[string]string{"plan": string(mustJSON(t, plan)), "plan JSON": string(b)} {
		if err != nil || strings.Contains(text, "hunter2") || strings.Contains(text, `a \"b\"`) || !strings.Contains(text, "encrypted") || !strings.Contains(text, `"plain"`) {
			t.Errorf("%s: %v, %s", name, err, text)
		}
	}
	if c := plan.Changes[0]; c.Subject != `x.y["`+hiddenValue+`"]` {
		t.Errorf("subject %s", c.Subject)
	}
	p.ResourceChanges[0].Address = `x.y["hunter2"]`
	if _, other := describe(&p, s); other == left {
		t.Error("two plans are approved alike that do something else")
	}
}

func TestSecretOfAModuleThatDoesNotKnowItIsHidden(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": note})
	w.job.Terraform.Inputs = map[string]json.RawMessage{"text": json.RawMessage(`"the hunter2-secret"`)}
	w.job.Mask = []string{"hunter2-secret"}
	p := w.plan(t)
	for name, b := range map[string][]byte{"plan JSON": p.JSON, "plan": mustJSON(t, p.Plan)} {
		if strings.Contains(string(b), "hunter2") {
			t.Errorf("%s shows the secret: %s", name, b)
		}
	}
	if o := p.Outputs["text"]; !o.Sensitive || string(o.Value) != `"the hunter2-secret"` {
		t.Errorf("output = %+v", o)
	}
}
