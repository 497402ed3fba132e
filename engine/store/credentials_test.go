package store_test

import (
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func credential(name, value string) *engine.Credential {
	c := &engine.Credential{}
	new(filler).fill(c)
	c.Name, c.Cloud, c.Kind = name, engine.CloudAWS, engine.CredentialEnvironment
	c.Values = map[string]engine.Secret{"AWS_SECRET_ACCESS_KEY": engine.Secret(value), "AWS_ACCESS_KEY_ID": "id"}
	c.Keys = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
	c.Plan.Values, c.Plan.Keys = map[string]engine.Secret{"AWS_PROFILE": engine.Secret(value)}, []string{"AWS_PROFILE"}
	return c
}

func TestCredentialKeepsEveryFieldAndIsListedWithoutValues(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		want := credential("prod", "hunter2")
		must(t, s.PutCredential(t.Context(), want, event("credential.put", "")))
		wantEqual(t, got(s.Credential(t.Context(), "prod"))(t), want)
		listed := *want
		listed.Values, listed.Plan = nil, &engine.CredentialPart{Fields: want.Plan.Fields, Keys: want.Plan.Keys}
		wantEqual(t, got(s.Credentials(t.Context(), engine.Page{}))(t), []*engine.Credential{&listed})
	})
}

func TestCredentialIsReplacedAndDeleted(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		must(t, s.PutCredential(t.Context(), credential("prod", "hunter2"), event("put", "")))
		next := credential("prod", "hunter3")
		next.Plan, next.Fields = nil, map[string]string{}
		next.Values, next.Keys, next.UpdatedAt = map[string]engine.Secret{"A": "b"}, []string{"A"}, noon.AddDate(0, 0, 1)
		must(t, s.PutCredential(t.Context(), next, event("put", "")))
		wantEqual(t, got(s.Credential(t.Context(), "prod"))(t), next)

		must(t, s.DeleteCredential(t.Context(), "prod", event("delete", "")))
		_, err := s.Credential(t.Context(), "prod")
		wantKind(t, err, engine.ErrNotFound)
		wantKind(t, s.DeleteCredential(t.Context(), "prod", event("delete", "")), engine.ErrNotFound)
		wantEqual(t, actions(t, s, ""), []string{"put", "put", "delete"})
	})
}

func TestCredentialsOfEveryKindAreKept(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for _, kind := range engine.CredentialKinds() {
			c := credential("prod", "hunter2")
			c.Kind = kind
			must(t, s.PutCredential(t.Context(), c, event("put", "")))
			wantEqual(t, got(s.Credential(t.Context(), "prod"))(t).Kind, kind)
		}
		c := credential("prod", "hunter2")
		c.Kind = "aws"
		if err := s.PutCredential(t.Context(), c, event("put", "")); err == nil {
			t.Error("the database takes credentials of a kind that there is not")
		}
	})
}

// A row that the release before wrote is of environment variables, for plans, too.
func TestCredentialsOfTheReleaseBeforeStay(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		must(t, s.PutCredential(t.Context(), credential("old", "hunter2"), event("put", "")))
		db := got(s.SQL())(t)
		got(db.ExecContext(t.Context(), `UPDATE credentials SET name = 'kept' WHERE name = 'old'`))(t)
		got(db.ExecContext(t.Context(), `INSERT INTO credentials (name, cloud, description, keys, secret, created_at, updated_at)
			SELECT 'old', cloud, description, keys, secret, created_at, updated_at FROM credentials WHERE name = 'kept'`))(t)
		c := got(s.Credential(t.Context(), "old"))(t)
		if c.Kind != engine.CredentialEnvironment || c.Plan != nil || c.Values["AWS_SECRET_ACCESS_KEY"] != "hunter2" {
			t.Errorf("it reads as %+v", c)
		}
	})
}
