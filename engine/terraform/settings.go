package terraform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// settingsFile stands beside the user's files. Terraform merges files with this
// ending into the others, in the order of their names, and takes the word of the
// last: ours has to be that, and theirs are not edited.
const settingsFile = "~cloudops_override.tf.json"

func (r *session) writeSettings() error {
	if err := comesLast(r.space.root, settingsFile); err != nil {
		return err
	}
	doc, err := settings(r.job.Terraform)
	if err != nil {
		return err
	}
	if err := r.space.writeJSON(settingsFile, doc); err != nil {
		return err
	}
	return r.space.writeJSON(importsFile, imports(r.job.Terraform.Imports))
}

// comesLast reports a file of Terraform's whose name stands behind that of ours,
// so that it could put the state elsewhere.
func comesLast(root, ours string) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); name > ours && (strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".tf.json")) {
			return fmt.Errorf("the name of %s stands behind that of our own settings, %s, which have to be the last; rename it", name, ours)
		}
	}
	return nil
}

// importsFile has the import blocks, which a file that is merged into others
// cannot have.
const importsFile = "cloudops_imports.tf.json"

// imports are the blocks that take what exists into the state.
func imports(ids map[string]string) map[string]any {
	blocks := []any{}
	for _, to := range slices.Sorted(maps.Keys(ids)) {
		blocks = append(blocks, map[string]any{"to": to, "id": literal(ids[to])})
	}
	return map[string]any{"import": blocks}
}

// settings is what goes beside the user's files: the backend, whose address
// comes by environment, and the settings of the cloud block.
func settings(job *engine.TerraformJob) (map[string]any, error) {
	doc := map[string]any{"terraform": map[string]any{"backend": map[string]any{"http": map[string]any{}}}}
	providers := map[string]any{}
	for _, p := range job.Providers {
		block, err := providerBlock(p)
		if err != nil {
			return nil, fmt.Errorf("settings of provider %s: %w", p.Name, err)
		}
		providers[p.Name] = block
	}
	if len(providers) > 0 {
		doc["provider"] = providers
	}
	return doc, nil
}

// providerBlock adds tags the way each provider takes them; azurerm has none.
func providerBlock(p engine.ProviderSettings) (map[string]any, error) {
	block := map[string]any{}
	for name, value := range p.Settings {
		var v any
		dec := json.NewDecoder(bytes.NewReader(value))
		dec.UseNumber()
		if err := dec.Decode(&v); err != nil {
			return nil, err
		}
		block[name] = literal(v)
	}
	tags := map[string]any{}
	for name, value := range p.DefaultTags {
		tags[name] = literal(value)
	}
	switch {
	case len(tags) == 0:
	case p.Name == "aws":
		block["default_tags"] = map[string]any{"tags": tags}
	case p.Name == "google":
		block["default_labels"] = tags
	}
	return block, nil
}

// literal keeps Terraform from reading templates in texts, which it does in
// configuration written as JSON.
func literal(v any) any {
	switch v := v.(type) {
	case string:
		return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(v)
	case map[string]any:
		for key, item := range v {
			v[key] = literal(item)
		}
	case []any:
		for i, item := range v {
			v[i] = literal(item)
		}
	}
	return v
}

// writeJSON writes a file beside the root module's.
func (w *workspace) writeJSON(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return sandbox.WriteFile(w.sources(), path.Join(w.sub, name), b)
}

// writeJSON writes a file that only its owner can read.
func writeJSON(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}
