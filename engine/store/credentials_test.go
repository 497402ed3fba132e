package store_test

import (
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func credential(name, value string) *engine.Credential {
	c := &engine.Credential{}
	new(filler).fill(c)
	c.Name, c.Cloud = name, engine.CloudAWS
	c.Values = map[string]engine.Secret{"AWS_SECRET_ACCESS_KEY": engine.Secret(value), "AWS_ACCESS_KEY_ID": "id"}
	c.Keys = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
	return c
}

func TestCredentialKeepsEveryFieldAndIsListedWithoutValues(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		want := credential("prod", "hunter2")
		must(t, s.PutCredential(t.Context(), want, event("credential.put", "")))
		wantEqual(t, got(s.Credential(t.Context(), "prod"))(t), want)
		listed := *want
		listed.Values = nil
		wantEqual(t, got(s.Credentials(t.Context(), engine.Page{}))(t), []*engine.Credential{&listed})
	})
}

func TestCredentialIsReplacedAndDeleted(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		must(t, s.PutCredential(t.Context(), credential("prod", "hunter2"), event("put", "")))
		next := credential("prod", "hunter3")
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
