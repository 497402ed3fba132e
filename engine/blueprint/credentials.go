package blueprint

import (
	"context"
	"errors"

	"github.com/hashicorp/hcl/v2"

	"github.com/cloudops-manager/cloudops/engine"
)

// mention is a place where credentials are named.
type mention struct {
	name string
	at   hcl.Range
	kind string // of the cloud block; "" for a component
}

// mentions lists the places, each once: instances of a component share theirs.
func (s *stack) mentions() (all []mention) {
	for _, c := range s.clouds {
		if c.credentials != "" {
			all = append(all, mention{c.credentials, c.attributes["credentials"].Expr.Range(), c.kind})
		}
	}
	seen := map[mention]bool{}
	for _, c := range s.components {
		if a := c.attrs["credentials"]; a != nil && c.credentials != "" {
			if m := (mention{c.credentials, a.Expr.Range(), ""}); !seen[m] {
				seen[m] = true
				all = append(all, m)
			}
		}
	}
	return all
}

// checkCredentials looks up the credentials that are named. Without a server
// there is nothing to look in.
func (c *Compiler) checkCredentials(ctx context.Context, s *stack) (diags hcl.Diagnostics, err error) {
	if c.Credentials == nil {
		return nil, nil
	}
	for _, m := range s.mentions() {
		name, err := engine.CredentialFor(s.name, m.name)
		if err != nil {
			diags = append(diags, mistake(m.at, "Unknown credentials", "Credentials %q are of project %s, and this stack is of project %s, whose credentials it uses.", m.name, engine.ProjectOf(name), engine.ProjectOf(s.name)))
			continue
		}
		kept, err := c.Credentials(ctx, name)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			diags = append(diags, mistake(m.at, "Unknown credentials", "There are no credentials named %q. Store them first, with cloudops credential set, or correct the name.", name))
		case err != nil:
			return nil, err
		case m.kind != "" && kept.Kind.Cloud() != "" && string(kept.Kind.Cloud()) != m.kind:
			diags = append(diags, mistake(m.at, "Wrong credentials", "The credentials %s are of kind %s, which %s does not take.", name, kept.Kind, m.kind))
		}
	}
	return diags, nil
}
