package blueprint

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/cloudops-manager/cloudops/engine"
)

// cloudBlock reads a cloud block as it is written: any provider setting may
// stand in it, as an attribute or as a block.
func (s *stack) cloudBlock(b *hcl.Block) hcl.Diagnostics {
	kinds := []string{string(engine.CloudAWS), string(engine.CloudAzure), string(engine.CloudGCP)}
	c := &cloud{kind: b.Labels[0], label: b.Labels[1], at: b.DefRange}
	s.clouds = append(s.clouds, c)
	if !slices.Contains(kinds, b.Labels[0]) {
		return hcl.Diagnostics{mistake(b.LabelRanges[0], "Unknown cloud", "A cloud is one of %s, not %q.%s A component without a cloud needs no block.", oneOf(kinds), b.Labels[0], didYouMean(b.Labels[0], kinds))}
	}
	c.attributes, c.blocks = bodyOf(b.Body)
	return append(checkLabel(b, "cloud"), c.forbidden()...)
}

// bodyOf takes a body apart without a schema.
func bodyOf(body hcl.Body) (map[string]*hcl.Attribute, hcl.Blocks) {
	attributes := map[string]*hcl.Attribute{}
	var blocks hcl.Blocks
	if syntax, ok := body.(*hclsyntax.Body); ok {
		for name, a := range syntax.Attributes {
			attributes[name] = a.AsHCLAttribute()
		}
		for _, b := range syntax.Blocks {
			blocks = append(blocks, b.AsHCLBlock())
		}
	}
	return attributes, blocks
}

// refused says what to do instead of a provider setting that does not belong
// into a stack.
func refused(name string) string {
	switch name {
	case "endpoints":
		return "Give AWS_ENDPOINT_URL in the credentials instead: the provider takes minutes to check a block of endpoints."
	case "default_tags", "default_labels":
		return "Write tags = { ... } right in the cloud block; they are put on everything that can be tagged."
	case "alias", "version":
		return "A cloud block is one provider for the components that name it; write a cloud block for each, and pin versions in the modules."
	case "access_key", "secret_key", "token", "client_secret", "client_id_file_path", "client_secret_file_path", "client_certificate_password", "access_token", "password":
		return "Secrets do not belong into a stack. Store them as credentials and name those with: credentials = \"name\"."
	}
	return ""
}

func (c *cloud) forbidden() (diags hcl.Diagnostics) {
	for name, a := range c.attributes {
		if why := refused(name); why != "" {
			diags = append(diags, mistake(a.NameRange, "Setting not taken", "%s cannot be set here. %s", name, why))
		}
	}
	for _, b := range c.blocks {
		if why := refused(b.Type); why != "" {
			diags = append(diags, mistake(b.DefRange, "Setting not taken", "%s cannot be set here. %s", b.Type, why))
		}
	}
	return diags
}

// resolveCloud works out the settings of a cloud block.
func (d *decoder) resolveCloud(c *cloud) {
	own := map[string]bool{"credentials": true, "tags": true, "location": c.kind == string(engine.CloudAzure)}
	c.credentials = d.text(c.attributes["credentials"])
	c.tags = d.textMap(c.attributes["tags"])
	c.region = d.text(c.attributes[c.regionName()])
	d.misnamed(c)
	c.settings = map[string]json.RawMessage{}
	for _, name := range slices.Sorted(maps.Keys(c.attributes)) {
		if v, ok := d.value(c.attributes[name], cty.DynamicPseudoType, "a value"); ok && !own[name] {
			c.settings[name], _ = toJSON(v) // a known value of JSON-able type always renders
		}
	}
	maps.Copy(c.settings, d.settingsOf(c.blocks))
	if _, ok := c.settings["features"]; !ok && c.kind == string(engine.CloudAzure) {
		c.settings["features"] = json.RawMessage(`{}`) // the provider demands the block
	}
}

// regionName is what the cloud calls where things are.
func (c *cloud) regionName() string {
	if c.kind == string(engine.CloudAzure) {
		return "location"
	}
	return "region"
}

// misnamed finds the word of one cloud in the block of another.
func (d *decoder) misnamed(c *cloud) {
	wrong := "location"
	if c.kind == string(engine.CloudAzure) {
		wrong = "region"
	}
	if a := c.attributes[wrong]; a != nil {
		d.mistake(a.NameRange, "Setting not taken", "A cloud of kind %s has no %s. Did you mean %q?", c.kind, wrong, c.regionName())
	}
}

// settingsOf renders blocks the way Terraform reads them from JSON: an object,
// or a list of objects where the block is repeated.
func (d *decoder) settingsOf(blocks hcl.Blocks) map[string]json.RawMessage {
	byType := map[string][]json.RawMessage{}
	for _, b := range blocks {
		byType[b.Type] = append(byType[b.Type], d.object(b.Body))
	}
	settings := map[string]json.RawMessage{}
	for name, objects := range byType {
		settings[name] = objects[0]
		if len(objects) > 1 {
			settings[name], _ = json.Marshal(objects) // valid JSON stays valid
		}
	}
	return settings
}

func (d *decoder) object(body hcl.Body) json.RawMessage {
	attributes, blocks := bodyOf(body)
	settings := d.settingsOf(blocks)
	for name, a := range attributes {
		if v, ok := d.value(a, cty.DynamicPseudoType, "a value"); ok {
			settings[name], _ = toJSON(v)
		}
	}
	text, _ := json.Marshal(settings) // a map of JSON always renders
	return text
}

// providerName is what Terraform calls the cloud's provider.
func (c *cloud) providerName() string {
	switch engine.Cloud(c.kind) {
	case engine.CloudAzure:
		return "azurerm"
	case engine.CloudGCP:
		return "google"
	default:
		return "aws"
	}
}

// provider gives the settings of the provider block for a component, which is
// tagged as part of the stack.
func (c *cloud) provider(stack, component string) engine.ProviderSettings {
	own := map[string]string{"cloudops:stack": stack, "cloudops:component": component}
	if c.kind == string(engine.CloudGCP) {
		own = map[string]string{"cloudops-stack": labelText(stack), "cloudops-component": labelText(component)}
	}
	tags := map[string]string{}
	maps.Copy(tags, c.tags)
	maps.Copy(tags, own)
	return engine.ProviderSettings{Name: c.providerName(), Settings: maps.Clone(c.settings), DefaultTags: tags}
}

// labelText fits a text to Google's labels: lower case letters, digits, _ and
// -, 63 at most.
func labelText(text string) string {
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
	return safe[:min(len(safe), 63)]
}
