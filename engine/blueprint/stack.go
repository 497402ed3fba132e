package blueprint

import (
	"encoding/json"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/cloudops-manager/cloudops/engine"
)

// MaxComponents is how many components a stack may have.
const MaxComponents = 1000

// stack is a parsed stack. What depends on variables is filled in by resolve;
// after that it is only read.
type stack struct {
	tree    Tree
	texts   map[string][]byte // of every file that was parsed, for snippets
	secrets []string          // values to keep out of messages
	nonce   string            // of what stands in for secrets that are kept elsewhere
	lenient bool              // variables without a value are unknown, not missing

	head       *hcl.Block
	name       string
	about      string
	labels     map[string]string
	approval   engine.ApprovalRule
	drift      engine.DriftRule
	variables  map[string]*variable
	locals     map[string]*hcl.Attribute
	clouds     []*cloud
	byAddress  map[string]*component
	families   map[string]*family // blocks with for_each, by their address
	components []*component       // in the order of the sources, after arrange that of the graph
	outputs    []*output
	neighbours map[string]*neighbour // upstream blocks

	functions func() map[string]function.Function

	values  map[string]cty.Value // of variables, marked where sensitive
	modules map[string]*module   // by component address; nil where it could not be read
}

// cloud is a cloud block: an account and region to work in.
type cloud struct {
	kind, label string
	at          hcl.Range
	attributes  map[string]*hcl.Attribute
	blocks      hcl.Blocks

	region      string
	credentials string
	tags        map[string]string
	settings    map[string]json.RawMessage
}

func (c *cloud) address() string { return "cloud." + c.kind + "." + c.label }

// component is a terraform or ansible block.
type component struct {
	kind  engine.Kind
	name  string
	key   string // of an instance of for_each; empty where there is none
	each  each   // of such an instance
	at    hcl.Range
	attrs hcl.Attributes
	inner map[string]*hcl.Block

	cloud       *cloud
	credentials string
	source      source
	sourceAt    hcl.Range
	pin         pin // what was taken of a source from elsewhere
	dependsOn   []dependency
	args        arguments // inputs or vars
	imports     map[string]string
	protected   bool // from being destroyed

	groups    []group // from here on of ansible components
	onDestroy string
	ready     *engine.Readiness

	position int // in the sources
	needs    []string
	refs     []engine.Ref
}

// address names the component in the stack, as in terraform.web or, with
// for_each, terraform.region["eu"].
func (c *component) address() string {
	if c.key != "" {
		return string(c.kind) + "." + c.name + `["` + c.key + `"]`
	}
	return string(c.kind) + "." + c.name
}

// tag is the address in letters that clouds take in tags.
func (c *component) tag() string {
	if c.key != "" {
		return string(c.kind) + "." + c.name + "." + c.key
	}
	return c.address()
}

// dependency is one entry of depends_on.
type dependency struct {
	address string
	at      hcl.Range
}

// group is a group block of an inventory.
type group struct {
	name  string
	at    hcl.Range
	hosts *hcl.Attribute
	vars  arguments
}

// output is an output block of the stack.
type output struct {
	name      string
	at        hcl.Range
	value     hcl.Expression
	sensitive bool
}

// component returns the component at address, or nil.
func (s *stack) component(address string) *component { return s.byAddress[address] }

func (s *stack) addresses() []string {
	list := make([]string, len(s.components))
	for i, c := range s.components {
		list[i] = c.address()
	}
	return list
}

// blueprint tells the engine what it has to know of the stack.
func (s *stack) blueprint() engine.Blueprint {
	bp := engine.Blueprint{Name: s.name, Description: s.about, Labels: s.labels, Approval: s.approval, Drift: s.drift}
	for _, c := range s.components {
		part := engine.Component{
			Address: c.address(), Kind: c.kind, Cloud: engine.CloudLocal, Credentials: c.credentials,
			Source: c.source.text, Needs: c.needs, Refs: c.refs, OnDestroy: c.onDestroy != "", PreventDestroy: c.protected,
			Version: c.pin.Version, Commit: c.pin.Commit,
		}
		if c.source.registry != nil {
			part.Constraint = c.source.registry.constraint
		}
		if c.cloud != nil {
			part.Cloud, part.Region = engine.Cloud(c.cloud.kind), c.cloud.region
		}
		bp.Components = append(bp.Components, part)
	}
	bp.Upstreams, bp.Scales = s.upstreams(), s.scales()
	for _, o := range s.outputs {
		bp.Outputs = append(bp.Outputs, o.name)
	}
	return bp
}
