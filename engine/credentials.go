package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// PutCredential stores credentials, in place of those with the name. It says
// everything that is wrong with them at once.
func (a *Access) PutCredential(ctx context.Context, p Principal, c *Credential) error {
	if err := checkPlace(ctx, a.Store, "credentials", c.Name); err != nil {
		return err
	}
	c.tidy()
	if err := c.check(); err != nil {
		return err
	}
	for _, phase := range []Phase{PhasePlan, PhaseApply} {
		if err := a.checkSource(ctx, c, c.part(phase).Fields["source"]); err != nil {
			return err
		}
	}
	c.CreatedAt, c.UpdatedAt = a.Now(), a.Now()
	e := newEvent(a.Now(), p.User, "credential.put", "", c.Name, map[string]any{"cloud": c.Cloud, "kind": c.Kind, "plan": c.Plan != nil}).in(ProjectOf(c.Name))
	return a.Store.PutCredential(ctx, c, replacing(e, func(before *Credential) (was, is map[string]any) { return before.told(), c.told() }))
}

// checkSource looks up the credentials that take on a role.
func (a *Access) checkSource(ctx context.Context, c *Credential, source string) error {
	if source == "" {
		return nil
	}
	name, err := CredentialFor(c.Name, source) // which is of the same project as its stacks
	if err != nil {
		return Invalid("credentials %s take their role on with %s, which are of another project", c.Name, source)
	}
	from, err := a.Store.Credential(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return Invalid("credentials %s take their role on with %q, which there are not; store those first", c.Name, source)
	}
	if err != nil {
		return err
	}
	return canAssume(c, from)
}

// DeleteCredential removes a set of credentials.
func (a *Access) DeleteCredential(ctx context.Context, p Principal, name string) error {
	e := newEvent(a.Now(), p.User, "credential.delete", "", name, nil).in(ProjectOf(name))
	return a.Store.DeleteCredential(ctx, name, replacing(e, func(before *Credential) (was, is map[string]any) { return before.told(), nil }))
}

// check finds every mistake of a credential that can be seen from itself.
func (c *Credential) check() error {
	if err := CheckName("credentials", c.Name); err != nil {
		return err
	}
	if !c.Kind.Known() {
		return Invalid("credentials %s: a kind is one of %v, not %q", c.Name, CredentialKinds(), c.Kind)
	}
	var wrong []string
	if own := c.Kind.Cloud(); own != "" && c.Cloud != own {
		wrong = append(wrong, fmt.Sprintf("kind %s is for cloud %s, not %s", c.Kind, own, c.Cloud))
	} else if !slices.Contains(Clouds(), c.Cloud) {
		wrong = append(wrong, fmt.Sprintf("say which cloud they are for: one of %v", Clouds()))
	}
	wrong = append(wrong, c.Kind.mistakes("", c.part(PhaseApply))...)
	if c.Plan != nil {
		wrong = append(wrong, c.Plan.empty()...)
		wrong = append(wrong, c.notSplit()...)
		wrong = append(wrong, c.Kind.mistakes("for plans, ", c.part(PhasePlan))...)
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return Invalid("credentials %s: %s", c.Name, strings.Join(slices.Compact(wrong), "; "))
}

// empty names what a part for plans was to have and has not: plans would get the
// same as applies in silence.
func (p *CredentialPart) empty() (wrong []string) {
	if len(p.Fields)+len(p.Values) == 0 {
		return []string{"there is nothing for plans; without that part they get the same as applies"}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Fields)) {
		if p.Fields[name] == "" {
			wrong = append(wrong, fmt.Sprintf("for plans, %s is empty; leave it out if it is that of applies", name))
		}
	}
	return wrong
}

// notSplit names the fields that plans cannot have of their own.
func (c *Credential) notSplit() (wrong []string) {
	for _, name := range slices.Sorted(maps.Keys(c.Plan.Fields)) {
		if f, ok := c.Kind.field(name); ok && !f.Split {
			wrong = append(wrong, fmt.Sprintf("%s is the same for plans and applies", name))
		}
	}
	return wrong
}

// mistakes are those of one part.
func (k CredentialKind) mistakes(part string, p CredentialPart) (wrong []string) {
	if k == CredentialEnvironment {
		return environmentMistakes(part, p)
	}
	for _, f := range k.Fields() {
		v := p.Fields[f.Name]
		if f.Secret {
			v = p.Values[f.Name].Reveal()
		}
		switch {
		case v == "" && f.Required:
			wrong = append(wrong, fmt.Sprintf("%s%s is missing", part, f.Name))
		case f.Secret && isReference(v): // what it stands for is looked at where it is looked up
			if why := signInReference(v); why != nil {
				wrong = append(wrong, fmt.Sprintf("%s%s: %v", part, f.Name, why))
			}
		case strings.ContainsFunc(v, unicode.IsControl) && !f.lines:
			wrong = append(wrong, fmt.Sprintf("%s%s has to be one line, without control characters", part, f.Name))
		case v != "" && f.check != nil:
			if want := f.check(v); want != "" {
				wrong = append(wrong, fmt.Sprintf("%s%s has to be %s", part, f.Name, want))
			}
		}
	}
	return append(append(wrong, k.unknown(part, p)...), k.together(part, p)...)
}

// unknown names fields that the kind does not have, or has as the other sort.
func (k CredentialKind) unknown(part string, p CredentialPart) (wrong []string) {
	var names []string
	for _, f := range k.Fields() {
		names = append(names, f.Name)
	}
	given := append(slices.Sorted(maps.Keys(p.Fields)), slices.Sorted(maps.Keys(p.Values))...)
	for _, name := range given {
		f, ok := k.field(name)
		_, secret := p.Values[name]
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("%s%s is no field of %s, which has %s", part, name, k, strings.Join(names, ", ")))
		case f.Secret && !secret:
			wrong = append(wrong, fmt.Sprintf("%s%s is a secret and belongs among the values", part, name))
		case !f.Secret && secret:
			wrong = append(wrong, fmt.Sprintf("%s%s is no secret and belongs among the fields", part, name))
		}
	}
	return wrong
}

// together checks fields that rest on each other.
func (k CredentialKind) together(part string, p CredentialPart) []string {
	if k != CredentialAzureServicePrin {
		return nil
	}
	_, secret := p.Values["client_secret"]
	_, certificate := p.Values["client_certificate"]
	_, password := p.Values["client_certificate_password"]
	switch {
	case secret == certificate:
		return []string{part + "either client_secret or client_certificate is needed"}
	case password && !certificate:
		return []string{part + "client_certificate_password belongs to a client_certificate"}
	}
	return nil
}

func environmentMistakes(part string, p CredentialPart) (wrong []string) {
	if len(p.Values) == 0 {
		wrong = append(wrong, part+"at least one environment variable is needed, such as AWS_ACCESS_KEY_ID")
	}
	for _, key := range slices.Sorted(maps.Keys(p.Values)) {
		for _, err := range []error{CheckEnvName(key), checkReference(p.Values[key])} {
			if err != nil {
				wrong = append(wrong, part+err.Error())
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Fields)) {
		wrong = append(wrong, fmt.Sprintf("%s%s: credentials of kind environment have variables only", part, name))
	}
	return wrong
}
