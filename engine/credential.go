package engine

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Credential is what a cloud's Terraform provider, or Ansible, authenticates
// with. Which fields it has follows from its kind.
type Credential struct {
	Name        string
	Cloud       Cloud
	Kind        CredentialKind
	Description string
	// These are what applies get, and with them plans where there is no Plan.
	Fields map[string]string // what is no secret, by the name of the field
	Values map[string]Secret // write-only: by environment variable, or by the name of the field; lists leave it empty
	Keys   []string          // names of Values, sorted
	// Plan is what plans, drift checks and previews get instead: its values are
	// all the values they get, its fields stand in place of those above.
	Plan      *CredentialPart
	CreatedAt time.Time
	UpdatedAt time.Time
}

// CredentialPart is what credentials have for one phase.
type CredentialPart struct {
	Fields map[string]string
	Values map[string]Secret
	Keys   []string
}

// part is what the phase gets. A plan never gets a value that an apply has,
// unless both have the same ones.
func (c *Credential) part(phase Phase) CredentialPart {
	if phase == PhaseApply || c.Plan == nil {
		return CredentialPart{Fields: c.Fields, Values: c.Values, Keys: c.Keys}
	}
	p := CredentialPart{Fields: map[string]string{}, Values: c.Plan.Values, Keys: c.Plan.Keys}
	maps.Copy(p.Fields, c.Fields)
	maps.Copy(p.Fields, c.Plan.Fields)
	return p
}

// tidy fills in what follows from the rest, and drops fields that are empty. Those
// for plans stay: who gives an empty one does not mean that of applies.
func (c *Credential) tidy() {
	if c.Kind == "" {
		c.Kind = CredentialEnvironment
	}
	if c.Cloud == "" {
		c.Cloud = c.Kind.Cloud()
	}
	maps.DeleteFunc(c.Fields, func(_, v string) bool { return v == "" })
	c.Keys = c.Kind.tidy(c.Values)
	if c.Plan != nil {
		c.Plan.Keys = c.Kind.tidy(c.Plan.Values)
	}
}

// tidy drops the end of the line that a secret has which comes from a file: none
// of a kind ends with one. It gives the names of the values.
func (k CredentialKind) tidy(values map[string]Secret) (keys []string) {
	for name, v := range values {
		if k != CredentialEnvironment {
			values[name] = Secret(strings.TrimRight(v.Reveal(), "\r\n"))
		}
	}
	return slices.Sorted(maps.Keys(values))
}

// access is what a runner is told of the part.
func (c *Credential) access(phase Phase) *CloudAccess {
	p := c.part(phase)
	a := &CloudAccess{Credential: c.Name, Kind: c.Kind, Fields: map[string]string{}, Secrets: map[string]string{}}
	for _, f := range c.Kind.Fields() {
		if v := p.Fields[f.Name]; v != "" {
			a.Fields[f.Name] = v
		} else if f.Default != "" {
			a.Fields[f.Name] = f.Default
		}
	}
	for name, v := range p.Values {
		a.Secrets[name] = v.Reveal()
	}
	return a
}

// Variables are what the server itself authenticates with by these credentials, as
// environment variables. It wraps ErrInvalid where one is kept elsewhere, which
// only runners look up.
func (c *Credential) Variables() (map[string]Secret, error) {
	all := map[string]Secret{}
	maps.Copy(all, c.Values)
	if c.Kind == CredentialAWSStatic {
		env, _ := c.access(PhaseApply).Files("")
		for name, value := range env {
			all[name] = Secret(value)
		}
	}
	for name, value := range all {
		if isReference(value.Reveal()) {
			return nil, Invalid("%s of credentials %s is kept elsewhere, which only runners look up; store the value itself for what the server does", name, c.Name)
		}
	}
	return all, nil
}

// CredentialFor gives the whole name of the credentials that a stack calls by
// name. It wraps ErrNotFound for those of another project.
func CredentialFor(stack, name string) (string, error) {
	project := ProjectOf(stack)
	whole := InProject(project, name)
	if ProjectOf(whole) != project {
		return whole, NotFound("credentials %s are of another project than stack %s", name, stack)
	}
	return whole, nil
}
