package blueprint

import (
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/cloudops-manager/cloudops/engine"
)

// policyFile is what the text of a policy is called in what is said of it.
const policyFile = "rule.hcl"

// ParsePolicy reads the rule of a project or of the installation: an approval
// block, a freeze block or both, as they stand in a stack block. What it does
// not say it leaves to the stacks. Mistakes come back as engine.Diagnostics.
func ParsePolicy(source string) (engine.ApprovalRule, error) {
	s := &stack{texts: map[string][]byte{}}
	s.functions = sync.OnceValue(s.functionTable)
	body, diags := s.parseFile(policyFile, []byte(source))
	if body == nil {
		return engine.ApprovalRule{}, s.report(diags).Err()
	}
	content, more := body.Content(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "approval"}, {Type: "freeze"}}})
	d := &decoder{sc: s.scope(func(string, string) cty.Value { return cty.DynamicVal }), diags: append(diags, more...)}
	if len(content.Blocks) == 0 && !d.diags.HasErrors() {
		d.diags = append(d.diags, misgiven("No rule", "The text has neither an approval block nor a freeze block. Write one such as: approval { approvals = 1 }"))
	}
	blocks := d.single(content.Blocks)
	rule := d.approval(blocks["approval"])
	rule.Freeze = d.freeze(blocks["freeze"])
	return rule, s.report(d.diags).Err()
}
