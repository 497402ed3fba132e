package terraform

import (
	"encoding/json"
	"maps"
	"os"
	"slices"

	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// walls are those around Terraform, its providers and what they start.
func (r *session) walls() sandbox.Walls {
	read := append(append(sandbox.Programs(), r.job.AccessDirs()...), r.binary, r.Mirror, r.store(), os.Getenv("SSL_CERT_FILE"), os.Getenv("SSL_CERT_DIR"))
	return r.box.Walls(sandbox.Needs{
		Read:    slices.DeleteFunc(read, func(path string) bool { return path == "" }),
		Write:   []string{r.own(), r.tmp, r.space.sources()},
		Connect: append(sandbox.Ports(r.job.Terraform.State.Address), r.endpoints()...),
		Tmp:     r.tmp,
	})
}

// endpoints are the ports that the stack names: in the settings of its providers,
// and in variables such as AWS_ENDPOINT_URL.
func (r *session) endpoints() []int {
	texts := slices.Collect(maps.Values(r.job.Env))
	for _, p := range r.job.Terraform.Providers {
		for _, raw := range p.Settings {
			texts = append(texts, textsIn(raw)...)
		}
	}
	return r.box.PortsOf(texts)
}

// textsIn lists the texts anywhere in a JSON value.
func textsIn(raw json.RawMessage) (texts []string) {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil // which the settings' own writing tells of
	}
	var collect func(v any)
	collect = func(v any) {
		switch v := v.(type) {
		case string:
			texts = append(texts, v)
		case map[string]any:
			for _, item := range v {
				collect(item)
			}
		case []any:
			for _, item := range v {
				collect(item)
			}
		}
	}
	collect(v)
	return texts
}
