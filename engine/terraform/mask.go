package terraform

import (
	"encoding/json"
	"slices"

	tfjson "github.com/hashicorp/terraform-json"
)

// hiddenValue stands in for what is sensitive.
const hiddenValue = "(sensitive value)"

// masked is the plan as JSON without anything that Terraform marks as
// sensitive, nor any of the secrets. It changes p.
func masked(p *tfjson.Plan, s secrets) ([]byte, error) {
	for _, rc := range slices.Concat(p.ResourceChanges, p.ResourceDrift, deferred(p)) {
		maskChange(rc.Change)
	}
	for _, a := range p.ActionInvocations {
		a.ConfigValues = hide(a.ConfigValues, a.ConfigSensitive)
	}
	for _, c := range p.OutputChanges {
		maskChange(c)
	}
	maskVariables(p)
	maskValues(p.PlannedValues)
	if p.PriorState != nil {
		maskValues(p.PriorState.Values)
	}
	b, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return s.removed(b)
}

func deferred(p *tfjson.Plan) []*tfjson.ResourceChange {
	var list []*tfjson.ResourceChange
	for _, d := range p.DeferredChanges {
		if d.ResourceChange != nil {
			list = append(list, d.ResourceChange)
		}
	}
	return list
}

func maskChange(c *tfjson.Change) {
	if c == nil {
		return
	}
	c.Before = hide(c.Before, c.BeforeSensitive)
	c.After = hide(c.After, c.AfterSensitive)
}

// maskVariables hides the values and defaults of variables that are declared
// sensitive. Where the configuration is not known, all are hidden.
func maskVariables(p *tfjson.Plan) {
	declared := map[string]*tfjson.ConfigVariable{}
	if p.Config != nil && p.Config.RootModule != nil {
		declared = p.Config.RootModule.Variables
	}
	for name, v := range p.Variables {
		if declared[name] == nil || declared[name].Sensitive {
			v.Value = hiddenValue
		}
	}
	if p.Config != nil {
		maskDefaults(p.Config.RootModule)
	}
}

func maskDefaults(m *tfjson.ConfigModule) {
	if m == nil {
		return
	}
	for _, v := range m.Variables {
		if v.Sensitive && v.Default != nil {
			v.Default = hiddenValue
		}
	}
	for _, call := range m.ModuleCalls {
		maskDefaults(call.Module)
	}
}

func maskValues(v *tfjson.StateValues) {
	if v == nil {
		return
	}
	for _, o := range v.Outputs {
		if o.Sensitive {
			o.Value = hiddenValue
		}
	}
	maskModule(v.RootModule)
}

func maskModule(m *tfjson.StateModule) {
	if m == nil {
		return
	}
	for _, r := range m.Resources {
		var marks any
		if err := json.Unmarshal(r.SensitiveValues, &marks); err != nil && len(r.SensitiveValues) > 0 {
			marks = true // marks that cannot be read hide everything
		}
		if values, ok := hide(map[string]any(r.AttributeValues), marks).(map[string]any); ok {
			r.AttributeValues = values
		} else {
			r.AttributeValues = nil
		}
	}
	for _, child := range m.ChildModules {
		maskModule(child)
	}
}

// hide replaces the parts of v that are marked. Marks have the shape of the
// value, with true for a whole part.
func hide(v, marks any) any {
	if marks == true && v != nil {
		return hiddenValue
	}
	switch v := v.(type) {
	case map[string]any:
		for key, mark := range asMap(marks) {
			if item, ok := v[key]; ok {
				v[key] = hide(item, mark)
			}
		}
	case []any:
		for i, mark := range asList(marks) {
			if i < len(v) {
				v[i] = hide(v[i], mark)
			}
		}
	}
	return v
}
